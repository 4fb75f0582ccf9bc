//! A request over `wasi:http`. A module that makes none imports nothing of it.

use std::time::Duration;

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};
use wasip2::io::streams::StreamError;

use crate::http::{HttpError, Request, Response, Url};

/// What is written at once: all that a stream takes in one go.
const WRITE_BYTES: usize = 4_096;
/// What is read at once: small beside the memory of a module.
const READ_BYTES: u64 = 64 << 10;

#[expect(clippy::needless_pass_by_value, reason = "as the double of tests takes it")]
pub(crate) fn send_http(request: Request, url: &Url) -> Result<Response, HttpError> {
    let (timeout, bytes_max) = request.limits();
    let (outgoing, body) = outgoing(&request, url)?;
    let failed = |code| failure(&code, request.method(), url);
    let answer = outgoing_handler::handle(outgoing, options(timeout)).map_err(failed)?;
    // What the host doesn't take, it says in its answer.
    let is_written = write_all(body, request.bytes());
    answer.subscribe().block();
    let broken = |why: &str| HttpError::Broken(format!("{} {}: {why}", request.method(), url.origin()));
    // It is ready, and asked for once.
    let answer =
        answer.get().and_then(Result::ok).ok_or_else(|| broken("there is no answer"))?.map_err(failed)?;
    if !is_written {
        return Err(broken("the request was not sent as a whole"));
    }
    let headers = answer.headers().entries();
    let headers =
        headers.into_iter().map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()));
    let (status, headers) = (answer.status(), headers.collect());
    Ok(Response { status, headers, body: read_all(&answer, bytes_max, &broken)? })
}

fn outgoing(request: &Request, url: &Url) -> Result<(OutgoingRequest, OutgoingBody), HttpError> {
    let invalid = |what: String| HttpError::InvalidRequest(what);
    let fields = Fields::new();
    for (name, value) in request.headers() {
        fields
            .append(name, value.as_bytes())
            .map_err(|_| invalid(format!("the header {name:?} is not valid, or not a module's to send")))?;
    }
    let outgoing = OutgoingRequest::new(fields);
    let scheme = if url.is_https { Scheme::Https } else { Scheme::Http };
    let is_set = outgoing.set_scheme(Some(&scheme)).is_ok()
        && outgoing.set_authority(Some(&url.authority)).is_ok()
        && outgoing.set_path_with_query(Some(&url.path_and_query)).is_ok();
    if !is_set {
        return Err(invalid(format!("the URL {:?} is not valid", request.url())));
    }
    let is_method = outgoing.set_method(&method(request.method())).is_ok();
    let body = outgoing.body().ok().filter(|_| is_method);
    let body = body.ok_or_else(|| invalid(format!("{:?} is no method of a request", request.method())))?;
    Ok((outgoing, body))
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        other => Method::Other(other.to_owned()),
    }
}

fn options(timeout: Option<Duration>) -> Option<RequestOptions> {
    let nanoseconds = u64::try_from(timeout?.as_nanos()).ok()?;
    let options = RequestOptions::new();
    options.set_first_byte_timeout(Some(nanoseconds)).ok()?;
    Some(options)
}

fn write_all(body: OutgoingBody, bytes: &[u8]) -> bool {
    let write = |stream: wasip2::io::streams::OutputStream| {
        bytes.chunks(WRITE_BYTES).all(|chunk| stream.blocking_write_and_flush(chunk).is_ok())
    };
    body.write().is_ok_and(write) && OutgoingBody::finish(body, None).is_ok()
}

fn read_all(
    answer: &IncomingResponse,
    bytes_max: usize,
    broken: &dyn Fn(&str) -> HttpError,
) -> Result<Vec<u8>, HttpError> {
    let body: IncomingBody = answer.consume().map_err(|()| broken("the answer has no body"))?;
    let stream = body.stream().map_err(|()| broken("the answer has no body"))?;
    let mut bytes = Vec::new();
    loop {
        let chunk = match stream.blocking_read(READ_BYTES) {
            Ok(chunk) => chunk,
            Err(StreamError::Closed) => return Ok(bytes),
            Err(StreamError::LastOperationFailed(_)) => return Err(broken("the answer broke off")),
        };
        // Memory that is not there is an error like any other, and no end of the module.
        if bytes.len() + chunk.len() > bytes_max || bytes.try_reserve(chunk.len()).is_err() {
            return Err(HttpError::TooLarge(format!(
                "the answer is larger than {bytes_max} bytes, or than the memory left"
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
}

fn failure(code: &ErrorCode, method: &str, url: &Url) -> HttpError {
    let text = |what: &str| format!("{method} {}: {what}", url.origin());
    match code {
        ErrorCode::HttpRequestDenied => HttpError::denied(method, url),
        ErrorCode::DnsError(_) | ErrorCode::DnsTimeout | ErrorCode::DestinationNotFound => {
            HttpError::NameNotFound(text("the name has no address"))
        }
        ErrorCode::DestinationUnavailable | ErrorCode::ConnectionRefused | ErrorCode::ConnectionTimeout => {
            HttpError::Unreachable(text("no connection could be made"))
        }
        ErrorCode::TlsProtocolError | ErrorCode::TlsCertificateError | ErrorCode::TlsAlertReceived(_) => {
            HttpError::TlsFailed(text("the other side has no certificate that is trusted, or speaks no TLS"))
        }
        ErrorCode::HttpResponseTimeout | ErrorCode::ConnectionReadTimeout => {
            HttpError::TimedOut(text("no answer came in time"))
        }
        ErrorCode::HttpResponseBodySize(_) => {
            HttpError::TooLarge(text("the answer is larger than the host takes"))
        }
        ErrorCode::HttpRequestUriInvalid | ErrorCode::HttpRequestMethodInvalid => {
            HttpError::InvalidRequest(text("the host takes no such request"))
        }
        other => HttpError::Broken(text(&format!("{other:?}"))),
    }
}
