//! The door: every request passes here before its handler sees it.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use store::Store;
use tokio::sync::SemaphorePermit;
use uuid::Uuid;

use super::refusals::{incomplete, invalid};
use super::{Access, browsers, verify};
use crate::api::{self, ApiError};
use crate::app::{App, now};
use crate::lambda::{self, LambdaError};
use crate::modules;
use crate::problem::Problem;

/// Bodies that are larger are digested beside the threads that answer requests.
const DIGEST_INLINE_BYTES_MAX: usize = 256 << 10;

/// Lets through what may come in: while there are keys, what is signed with one of them.
pub(crate) async fn guard<S: Store + Clone>(
    State(app): State<App<S>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let path = request.uri().path();
    // Whether the server runs is no secret, and links for people carry their own proof.
    if path == "/health" || path.starts_with("/callbacks/") {
        return next.run(request).await;
    }
    let style = Style::of(path);
    let is_aws = style != Style::Own;
    let access = app.access();
    if access.keys.is_empty() {
        return match browsers::check(request.headers(), is_aws, access.is_remote) {
            Ok(()) => next.run(request).await,
            Err(error) => refuse(error, style),
        };
    }
    match admit(access, request).await {
        Ok(request) => next.run(request).await,
        Err(Refused::Access(error)) => refuse(error, style),
        Err(Refused::Body(response)) => *response,
    }
}

/// In whose form a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    StepFunctions,
    Lambda,
    Own,
}

impl Style {
    fn of(path: &str) -> Style {
        match path {
            "/" => Style::StepFunctions,
            path if lambda::is_lambda(path) => Style::Lambda,
            _ => Style::Own,
        }
    }
}

enum Refused {
    Access(ApiError),
    /// What its handler would have said of a body that is too large or does not arrive.
    Body(Box<Response>),
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Refused {
        Refused::Access(error)
    }
}

/// Checks the signature, and gives back the request with its body.
async fn admit(access: &Access, request: Request<Body>) -> Result<Request<Body>, Refused> {
    let (parts, body) = request.into_parts();
    let plausible = verify::examine(access, &parts, now())?;
    // When the digest was told, nothing is read for someone without a key.
    if let Some(digest) = &plausible.digest {
        plausible.check(&parts, digest)?;
    }
    if is_upload(&parts) && plausible.digest.is_none() {
        let problem =
            "A module is uploaded with its SHA-256 in the header X-Amz-Content-Sha256, which is signed.";
        return Err(incomplete(problem).into());
    }
    let _place = place_for(access, &parts, plausible.digest.is_some())?;
    let body = read_body(&parts, body).await?;
    let digest = digest(body.clone()).await;
    match &plausible.digest {
        None => plausible.check(&parts, &digest)?,
        Some(told) if *told == digest => {}
        Some(_) => {
            let problem = "The provided 'x-amz-content-sha256' header does not match what was computed.";
            return Err(invalid(problem).into());
        }
    }
    plausible.admit(access, &parts, now())?;
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// Lambda's clients do not tell the digest of a function's code, so it is read before its signature is checked. That is
/// done for few at a time.
fn place_for<'a>(
    access: &'a Access,
    parts: &Parts,
    is_checked: bool,
) -> Result<Option<SemaphorePermit<'a>>, Refused> {
    if is_checked || !lambda::is_upload(&parts.method, parts.uri.path()) {
        return Ok(None);
    }
    match access.unchecked_uploads.try_acquire() {
        Ok(place) => Ok(Some(place)),
        Err(_full) => {
            let busy = LambdaError::throttled("Too many functions are being uploaded; try again.");
            Err(Refused::Body(Box::new(busy.into_response())))
        }
    }
}

fn is_upload(parts: &Parts) -> bool {
    let path = parts.uri.path();
    parts.method == Method::PUT && path.starts_with("/modules/") && !path.contains("/aliases/")
}

async fn read_body(parts: &Parts, body: Body) -> Result<Bytes, Refused> {
    let refused = |response| Refused::Body(Box::new(response));
    if is_upload(parts) {
        return modules::read_body(body).await.map_err(|problem| refused(problem.into_response()));
    }
    if Style::of(parts.uri.path()) == Style::Lambda {
        return lambda::read_body(parts, body).await.map_err(|error| refused(error.into_response()));
    }
    api::read_body(body).await.map_err(|error| {
        refused(if parts.uri.path() == "/" {
            error.into_response()
        } else {
            Problem::from(error).into_response()
        })
    })
}

async fn digest(body: Bytes) -> String {
    if body.len() <= DIGEST_INLINE_BYTES_MAX {
        return hex::encode(Sha256::digest(&body));
    }
    let digest = tokio::task::spawn_blocking(move || hex::encode(Sha256::digest(&body))).await;
    digest.expect("a digest of bytes does not fail")
}

/// AWS's form for the AWS API, and ours for the rest.
fn refuse(error: ApiError, style: Style) -> Response {
    tracing::info!(code = error.code(), "request refused");
    let mut response = match style {
        Style::Own => {
            return Problem::new(StatusCode::FORBIDDEN, error.code(), error.message()).into_response();
        }
        Style::StepFunctions => error.into_response(),
        Style::Lambda => LambdaError::forbidden(&error).into_response(),
    };
    if let Ok(request_id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-amzn-requestid", request_id);
    }
    response
}
