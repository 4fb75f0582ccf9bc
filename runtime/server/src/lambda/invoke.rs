//! `Invoke`: a module is called, at once or on its own.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use executors::{DirectAnswer, DirectCall, DirectError};
use serde::de::IgnoredAny;
use store::Store;
use uuid::Uuid;

use super::REQUEST_ID;
use super::code::read_within;
use super::error::LambdaError;
use super::names::{Function, Qualifier};
use crate::app::{App, now};
use crate::limits::{EVENT_BYTES_MAX, INVOCATION_BYTES_MAX};

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InvocationType {
    RequestResponse,
    /// It runs on its own, once; nobody hears how it ended, but its log and errors are in the server's log.
    Event,
    /// Only checks that it could be called.
    DryRun,
}

pub(super) async fn invoke<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    Query(query): Query<Qualifier>,
    request: Request<Body>,
) -> Result<Response, LambdaError> {
    let function = Function::parse(&app, &function, query.qualifier.as_deref())?;
    let (kind, wants_log) = read(request.headers())?;
    let bytes_max = if kind == InvocationType::Event { EVENT_BYTES_MAX } else { INVOCATION_BYTES_MAX };
    let payload = payload(&read_within(request.into_body(), bytes_max).await?)?;
    let request_id = Uuid::new_v4();
    let call = DirectCall { function: function.function_arn(), payload, began_at: now(), request_id };
    let failed = |error: DirectError| refusal(error, &function);
    let target = app.functions().find_directly(&call).await.map_err(failed)?;
    let mut response = match kind {
        InvocationType::DryRun => StatusCode::NO_CONTENT.into_response(),
        InvocationType::Event => {
            let functions = Arc::clone(app.functions());
            tokio::spawn(async move {
                let function = call.function.clone();
                tell(&function.to_string(), functions.call_directly(&target, call).await);
            });
            StatusCode::ACCEPTED.into_response()
        }
        InvocationType::RequestResponse => {
            let answer = app.functions().call_directly(&target, call).await.map_err(failed)?;
            respond(answer, wants_log)
        }
    };
    if let Ok(id) = HeaderValue::from_str(&request_id.to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    Ok(response)
}

fn read(headers: &HeaderMap) -> Result<(InvocationType, bool), LambdaError> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let kind = match text(&INVOCATION_TYPE) {
        None | Some("RequestResponse") => InvocationType::RequestResponse,
        Some("Event") => InvocationType::Event,
        Some("DryRun") => InvocationType::DryRun,
        Some(other) => {
            let constraint = "enum value set: [Event, RequestResponse, DryRun]";
            return Err(LambdaError::validation(other, "invocationType", constraint));
        }
    };
    match text(&LOG_TYPE) {
        None | Some("None") => Ok((kind, false)),
        Some("Tail") => Ok((kind, true)),
        Some(other) => Err(LambdaError::validation(other, "logType", "enum value set: [Tail, None]")),
    }
}

/// The payload is JSON; none is an empty object, as for a function that takes no input.
fn payload(body: &[u8]) -> Result<String, LambdaError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok("{}".to_owned());
    }
    let refused = |why: String| {
        let message = format!("Could not parse request body into json: {why}");
        LambdaError::new(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    };
    let text = std::str::from_utf8(body).map_err(|error| refused(error.to_string()))?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| refused(error.to_string()))?;
    Ok(text.to_owned())
}

fn respond(answer: DirectAnswer, wants_log: bool) -> Response {
    let DirectAnswer { version, result, log } = answer;
    let failed = result.is_err();
    let body = result.unwrap_or_else(|error| error);
    let mut response = (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    let headers = response.headers_mut();
    let mut add = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    add(EXECUTED_VERSION, &version);
    if failed {
        add(FUNCTION_ERROR, "Unhandled");
    }
    if wants_log {
        add(LOG_RESULT, &log);
    }
    response
}

fn refusal(error: DirectError, function: &Function) -> LambdaError {
    match error {
        DirectError::NotFound => {
            let arn = function.qualifier.as_deref().unwrap_or(crate::registry::LATEST);
            LambdaError::no_function(&function.qualified(arn))
        }
        DirectError::Busy => LambdaError::throttled("Rate Exceeded."),
        DirectError::Failed(why) => {
            tracing::error!(function = %function.asked(), why, "a function could not be called");
            LambdaError::service("The function could not be called; the log of the server has the cause.")
        }
    }
}

/// Nobody waits for the end of an event; whoever runs the server can see it.
fn tell(function: &str, answer: Result<DirectAnswer, DirectError>) {
    match answer {
        Ok(DirectAnswer { result: Ok(_), version, .. }) => {
            tracing::debug!(function, version, "an event was handled");
        }
        Ok(DirectAnswer { result: Err(_), version, .. }) => {
            tracing::warn!(function, version, "the function failed with an event");
        }
        Err(error) => tracing::warn!(function, %error, "an event was lost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_json() {
        assert_eq!(payload(b"").unwrap(), "{}");
        assert_eq!(payload(b" {\"a\": 1}").unwrap(), " {\"a\": 1}");
        for wrong in [&b"{"[..], b"\xff", b"{} {}"] {
            assert!(payload(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn headers_say_how_a_function_is_called() {
        let headers = |name: HeaderName, value: &'static str| {
            read(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]))
        };
        assert_eq!(read(&HeaderMap::new()).unwrap(), (InvocationType::RequestResponse, false));
        assert_eq!(headers(INVOCATION_TYPE, "Event").unwrap(), (InvocationType::Event, false));
        assert_eq!(headers(LOG_TYPE, "Tail").unwrap(), (InvocationType::RequestResponse, true));
        assert!(headers(INVOCATION_TYPE, "Sometimes").is_err());
        assert!(headers(LOG_TYPE, "Head").is_err());
    }
}
