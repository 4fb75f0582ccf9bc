//! Why a request has no answer, or none that is of use.

use std::fmt;

use super::Url;
use crate::TaskError;

/// A request that failed. A task that passes it on with `?` fails under the name of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpError {
    /// `Http.InvalidRequest`: what was asked for is no request.
    InvalidRequest(String),
    /// `Http.Denied`: the module has no grant for it; the text says which it needs.
    Denied(String),
    /// `Http.NameNotFound`: the host's name has no address.
    NameNotFound(String),
    /// `Http.Unreachable`: there was no connection.
    Unreachable(String),
    /// `Http.TlsFailed`: the other side didn't prove who it is, or speaks no TLS that is trusted.
    TlsFailed(String),
    /// `Http.TimedOut`: no answer came in time.
    TimedOut(String),
    /// `Http.TooLarge`: a body is larger than it may be.
    TooLarge(String),
    /// `Http.Broken`: the connection broke off, or what came was no HTTP.
    Broken(String),
    /// `Http.StatusCode.404` and its like, of [`Response::ok`](super::Response::ok).
    Status {
        /// The status of the answer.
        status: u16,
        /// The beginning of its body.
        text: String,
    },
    /// `Http.InvalidResponse`: the body is not what was expected of it.
    InvalidResponse(String),
}

impl HttpError {
    /// The name under which a task fails with this.
    #[must_use]
    pub fn name(&self) -> String {
        let name = match self {
            HttpError::InvalidRequest(_) => "Http.InvalidRequest",
            HttpError::Denied(_) => "Http.Denied",
            HttpError::NameNotFound(_) => "Http.NameNotFound",
            HttpError::Unreachable(_) => "Http.Unreachable",
            HttpError::TlsFailed(_) => "Http.TlsFailed",
            HttpError::TimedOut(_) => "Http.TimedOut",
            HttpError::TooLarge(_) => "Http.TooLarge",
            HttpError::Broken(_) => "Http.Broken",
            HttpError::Status { status, .. } => return format!("Http.StatusCode.{status}"),
            HttpError::InvalidResponse(_) => "Http.InvalidResponse",
        };
        name.to_owned()
    }

    /// The refusal of a request that no grant covers.
    pub(crate) fn denied(method: &str, url: &Url) -> HttpError {
        HttpError::Denied(format!(
            "{method} {} was denied: module.toml must ask for [[grants.http]] {}, and the operator's policy let it through",
            url.origin(),
            url.grant(method)
        ))
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpError::Status { status, text } if text.is_empty() => {
                write!(f, "the answer has status {status}")
            }
            HttpError::Status { status, text } => write!(f, "the answer has status {status}: {text}"),
            HttpError::InvalidRequest(text)
            | HttpError::Denied(text)
            | HttpError::NameNotFound(text)
            | HttpError::Unreachable(text)
            | HttpError::TlsFailed(text)
            | HttpError::TimedOut(text)
            | HttpError::TooLarge(text)
            | HttpError::Broken(text)
            | HttpError::InvalidResponse(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for HttpError {}

impl From<HttpError> for TaskError {
    fn from(error: HttpError) -> TaskError {
        TaskError::new(error.name(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_a_name_that_a_workflow_can_match() {
        let check = |error: HttpError, name: &str, cause: &str| {
            assert_eq!(TaskError::from(error), TaskError::new(name, cause));
        };
        let missing = HttpError::Status { status: 404, text: "no such order".to_owned() };
        check(missing, "Http.StatusCode.404", "the answer has status 404: no such order");
        check(HttpError::TimedOut("no answer".to_owned()), "Http.TimedOut", "no answer");
        check(
            HttpError::denied("GET", &Url::parse("https://API.example.com:8443/a?key=1").unwrap()),
            "Http.Denied",
            "GET https://api.example.com:8443 was denied: module.toml must ask for [[grants.http]] { scheme = \"https\", \
             host = \"api.example.com\", port = 8443, methods = [\"GET\"] }, and the operator's policy let it through",
        );
    }
}
