//! The door: every request passes here before its handler sees it.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use store::Store;
use uuid::Uuid;

use super::refusals::{incomplete, invalid};
use super::{Access, browsers, verify};
use crate::api::{self, ApiError};
use crate::app::{App, now};
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
    let is_aws = path == "/";
    let access = app.access();
    if access.keys.is_empty() {
        return match browsers::check(request.headers(), is_aws, access.is_remote) {
            Ok(()) => next.run(request).await,
            Err(error) => refuse(error, is_aws),
        };
    }
    match admit(access, request).await {
        Ok(request) => next.run(request).await,
        Err(Refused::Access(error)) => refuse(error, is_aws),
        Err(Refused::Body(response)) => *response,
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

fn is_upload(parts: &Parts) -> bool {
    parts.method == Method::PUT && parts.uri.path().starts_with("/modules/")
}

async fn read_body(parts: &Parts, body: Body) -> Result<Bytes, Refused> {
    let refused = |response| Refused::Body(Box::new(response));
    if is_upload(parts) {
        return modules::read_body(body).await.map_err(|problem| refused(problem.into_response()));
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
fn refuse(error: ApiError, is_aws: bool) -> Response {
    tracing::info!(code = error.code(), "request refused");
    if !is_aws {
        return Problem::new(StatusCode::FORBIDDEN, error.code(), error.message()).into_response();
    }
    let mut response = error.into_response();
    if let Ok(request_id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-amzn-requestid", request_id);
    }
    response
}
