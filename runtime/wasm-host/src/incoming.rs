//! A task as an HTTP server: the call of a module that exports `wasi:http/incoming-handler`.
//!
//! The task's input is the body of a `POST /`, and what the call is about is in headers. An answer with a status of
//! 2xx is the result, any other a failure that has the status in its name.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::sync::oneshot;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::p2::bindings::http::types::ErrorCode;

use crate::call::{Call, Context};
use crate::outcome::{CAUSE_CHARS_MAX, Failure, first_chars};

/// The host of every request; nothing depends on it.
const HOST: &str = "stepwell";
/// What the name of an error begins with; the status comes after it.
const STATUS_ERROR: &str = "Http.StatusCode.";
/// The error of a guest that answers with an error code in the place of a response.
const CODE_ERROR: &str = "Http.ErrorCode";

/// How a guest answers, if it does.
pub(crate) type Answer = oneshot::Receiver<Result<Response<WasiBody>, ErrorCode>>;

/// The task as a request.
pub(crate) fn request(call: &Call, deadline_ms: u64) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(Bytes::from(call.input.clone())));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_static("/");
    *request.headers_mut() = headers(&call.context, call.input.len(), deadline_ms);
    request
}

/// Whoever uses the name of a state with characters that no header can have goes without that one.
fn headers(context: &Context, length: usize, deadline_ms: u64) -> HeaderMap {
    let token = context.task_token.as_deref().unwrap_or_default();
    let (attempt, length, deadline) =
        (context.attempt.to_string(), length.to_string(), deadline_ms.to_string());
    let all = [
        (http::header::HOST, HOST),
        (http::header::CONTENT_TYPE, "application/json"),
        (http::header::CONTENT_LENGTH, &length),
        (HeaderName::from_static("x-stepwell-execution-arn"), &context.execution_arn),
        (HeaderName::from_static("x-stepwell-execution-name"), &context.execution_name),
        (HeaderName::from_static("x-stepwell-state-machine-arn"), &context.state_machine_arn),
        (HeaderName::from_static("x-stepwell-state-name"), &context.state_name),
        (HeaderName::from_static("x-stepwell-attempt"), &attempt),
        (HeaderName::from_static("x-stepwell-deadline"), &deadline),
        (HeaderName::from_static("x-stepwell-task-token"), token),
    ];
    let given = all.into_iter().filter(|(_, value)| !value.is_empty());
    given.filter_map(|(name, value)| Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))).collect()
}

/// The task's result, from the answer.
pub(crate) async fn result(answer: Answer, output_bytes_max: usize) -> Result<String, Failure> {
    let response = match answer.await {
        Ok(Ok(response)) => response,
        Ok(Err(code)) => {
            let cause = first_chars(&format!("{code:?}"), CAUSE_CHARS_MAX).to_owned();
            return Err(Failure::Task { error: CODE_ERROR.to_owned(), cause });
        }
        Err(_dropped) => return Err(Failure::InvalidOutput("it gave no response".to_owned())),
    };
    let status = response.status();
    let body = Limited::new(response.into_body(), output_bytes_max).collect().await;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            return Failure::OutputTooLarge {
                size: output_bytes_max.saturating_add(1),
                limit: output_bytes_max,
            };
        }
        Failure::InvalidOutput(format!("the body of its response is not whole: {error}"))
    })?;
    text(status, &body.to_bytes())
}

fn text(status: StatusCode, body: &[u8]) -> Result<String, Failure> {
    if !status.is_success() {
        let cause = String::from_utf8_lossy(body);
        let cause = first_chars(&cause, CAUSE_CHARS_MAX).to_owned();
        return Err(Failure::Task { error: format!("{STATUS_ERROR}{}", status.as_u16()), cause });
    }
    if body.is_empty() {
        return Ok("null".to_owned());
    }
    let text = String::from_utf8(body.to_vec());
    text.map_err(|error| Failure::InvalidOutput(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn a_call_is_a_post_with_its_context() {
        let mut call = Call::new(Digest::of(b""), "{\"a\":1}");
        call.context = Context { state_name: "Prüfe".into(), attempt: 2, ..Context::default() };
        let request = request(&call, 77);
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/"));
        let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
        assert_eq!(header("x-stepwell-state-name"), Some("Prüfe".as_bytes()));
        assert_eq!(
            (header("x-stepwell-attempt"), header("x-stepwell-deadline")),
            (Some(&b"2"[..]), Some(&b"77"[..]))
        );
        assert_eq!((header("content-length"), header("x-stepwell-task-token")), (Some(&b"7"[..]), None));
    }

    #[test]
    fn the_status_says_whether_it_is_a_result() {
        assert_eq!(text(StatusCode::CREATED, b"[1]").as_deref(), Ok("[1]"));
        assert_eq!(text(StatusCode::NO_CONTENT, b"").as_deref(), Ok("null"));
        let error =
            Failure::Task { error: "Http.StatusCode.404".to_owned(), cause: "no such order".to_owned() };
        assert_eq!(text(StatusCode::NOT_FOUND, b"no such order"), Err(error));
        assert!(matches!(text(StatusCode::OK, b"\xff"), Err(Failure::InvalidOutput(_))));
    }
}
