//! A request, put together piece by piece.

use std::time::Duration;

use serde::Serialize;

use super::url::percent_encode;
use super::{BODY_BYTES_MAX, HttpError, Response, Url};
use crate::host;

/// A request that has not been sent. What is wrong with a part of it is told by [`Request::send`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    timeout: Option<Duration>,
    response_bytes_max: usize,
    problem: Option<String>,
}

/// A `GET` of an absolute URL.
pub fn get(url: impl Into<String>) -> Request {
    request("GET", url)
}

/// A `HEAD` of an absolute URL.
pub fn head(url: impl Into<String>) -> Request {
    request("HEAD", url)
}

/// A `POST` to an absolute URL.
pub fn post(url: impl Into<String>) -> Request {
    request("POST", url)
}

/// A `PUT` to an absolute URL.
pub fn put(url: impl Into<String>) -> Request {
    request("PUT", url)
}

/// A `PATCH` of an absolute URL.
pub fn patch(url: impl Into<String>) -> Request {
    request("PATCH", url)
}

/// A `DELETE` of an absolute URL.
pub fn delete(url: impl Into<String>) -> Request {
    request("DELETE", url)
}

/// A request with any method, in capitals.
pub fn request(method: impl Into<String>, url: impl Into<String>) -> Request {
    Request {
        method: method.into(),
        url: url.into(),
        headers: Vec::new(),
        body: Vec::new(),
        timeout: None,
        response_bytes_max: BODY_BYTES_MAX,
        problem: None,
    }
}

impl Request {
    /// With one more header. `Host`, `Content-Length` and what else says how a message ends are the host's to send.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// With one more part of the query, encoded as a URL needs it.
    pub fn query(mut self, name: &str, value: impl AsRef<str>) -> Request {
        self.url.push(if self.url.contains('?') { '&' } else { '?' });
        percent_encode(name, &mut self.url);
        self.url.push('=');
        percent_encode(value.as_ref(), &mut self.url);
        self
    }

    /// With a body as it is.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }

    /// With a value as its body, in JSON.
    pub fn json(mut self, value: &impl Serialize) -> Request {
        match serde_json::to_vec(value) {
            Ok(body) => self.body = body,
            Err(error) => self.problem = Some(format!("the body cannot be written as JSON: {error}")),
        }
        self.header("content-type", "application/json")
    }

    /// Gives up when the answer has not begun after this time. Without it the time of the whole call is the limit, and
    /// then the call ends.
    pub fn timeout(mut self, timeout: Duration) -> Request {
        self.timeout = Some(timeout);
        self
    }

    /// Takes an answer of at most so many bytes instead of [`BODY_BYTES_MAX`].
    pub fn response_bytes_max(mut self, bytes: usize) -> Request {
        self.response_bytes_max = bytes.min(BODY_BYTES_MAX);
        self
    }

    /// Sends it and reads the whole answer, whatever its status; [`Response::ok`] makes an error of a bad one.
    ///
    /// # Errors
    /// When there is no answer, or a part of the request is wrong.
    pub fn send(self) -> Result<Response, HttpError> {
        if let Some(problem) = self.problem {
            return Err(HttpError::InvalidRequest(problem));
        }
        let url = self.place()?;
        if self.body.len() > BODY_BYTES_MAX {
            let bytes = self.body.len();
            return Err(HttpError::TooLarge(format!(
                "the body has {bytes} bytes; {BODY_BYTES_MAX} may be sent"
            )));
        }
        host::send_http(self, &url)
    }

    /// The method, in capitals.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL with its query.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// All headers in their order.
    #[must_use]
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// What is sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn place(&self) -> Result<Url, HttpError> {
        Url::parse(&self.url).map_err(HttpError::InvalidRequest)
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn limits(&self) -> (Option<Duration>, usize) {
        (self.timeout, self.response_bytes_max)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing;

    #[test]
    fn a_request_is_sent_as_it_was_put_together() {
        testing::reset();
        testing::answer_http(|_| Ok(Response::new(201, "made")));
        let answer = post("https://api.example.com/orders")
            .query("dry run", "yes & no")
            .query("v", "2")
            .header("idempotency-key", "e-1")
            .json(&BTreeMap::from([("sku", "book")]))
            .timeout(Duration::from_secs(3))
            .send();
        assert_eq!(answer, Ok(Response::new(201, "made")));
        let requests = testing::http_requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(
            (requests[0].method(), requests[0].url(), requests[0].bytes()),
            (
                "POST",
                "https://api.example.com/orders?dry%20run=yes%20%26%20no&v=2",
                &br#"{"sku":"book"}"#[..]
            )
        );
        let names: Vec<_> = requests[0].headers().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["idempotency-key", "content-type"]);
    }

    #[test]
    fn what_is_wrong_is_told_before_anything_is_sent() {
        testing::reset();
        let by_pair = BTreeMap::from([((1, 2), 3)]);
        let problems = [
            (get("api.example.com"), "must begin with https://"),
            (
                post("https://api.example.com").json(&by_pair),
                "cannot be written as JSON: key must be a string",
            ),
        ];
        for (request, why) in problems {
            let error = request.send().expect_err(why);
            assert!(
                matches!(error, HttpError::InvalidRequest(_)) && error.to_string().contains(why),
                "{error}"
            );
        }
        let error =
            post("https://api.example.com").body(vec![0; BODY_BYTES_MAX + 1]).send().expect_err("large");
        assert!(matches!(error, HttpError::TooLarge(_)), "{error}");
        assert!(testing::http_requests().is_empty());
    }

    #[test]
    fn a_test_that_answers_nothing_grants_nothing() {
        testing::reset();
        let error = get("https://api.example.com/rates").send().expect_err("nobody answers");
        assert_eq!(error.name(), "Http.Denied");
        assert!(error.to_string().contains(r#"host = "api.example.com", methods = ["GET"]"#), "{error}");
    }
}
