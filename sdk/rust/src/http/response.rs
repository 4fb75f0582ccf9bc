//! An answer, read as a whole.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use super::HttpError;

/// How much of a bad answer an error shows.
const SHOWN_CHARACTERS_MAX: usize = 500;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 200 and its like.
    pub status: u16,
    /// In their order, the names in lower case.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer without headers, for a test to give.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Response {
        Response { status, headers: Vec::new(), body: body.into() }
    }

    /// Whether the status is one of 2xx.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// This answer, if its status is one of 2xx.
    ///
    /// # Errors
    /// [`HttpError::Status`] otherwise, with the beginning of the body.
    pub fn ok(self) -> Result<Response, HttpError> {
        if self.is_ok() {
            return Ok(self);
        }
        let text = self.text().chars().take(SHOWN_CHARACTERS_MAX).collect();
        Err(HttpError::Status { status: self.status, text })
    }

    /// The first header of a name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text; what is no UTF-8 in it becomes �.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body read as JSON.
    ///
    /// # Errors
    /// [`HttpError::InvalidResponse`] if it doesn't fit the type, with the place in the text.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, HttpError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            HttpError::InvalidResponse(format!("the answer is not the JSON that was expected: {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_its_type() {
        let mut answer = Response::new(200, "[1, 2]");
        answer.headers.push(("content-type".to_owned(), "application/json".to_owned()));
        assert_eq!(answer.json::<Vec<u8>>(), Ok(vec![1, 2]));
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        let error = answer.json::<String>().expect_err("it is a list");
        assert_eq!(error.name(), "Http.InvalidResponse");
        assert!(error.to_string().contains("expected a string at line 1 column 0"), "{error}");
    }

    #[test]
    fn a_bad_status_is_an_error_when_it_is_asked() {
        assert!(Response::new(204, "").ok().is_ok());
        let error = Response::new(503, "ü".repeat(600)).ok().expect_err("it is no success");
        assert_eq!(error, HttpError::Status { status: 503, text: "ü".repeat(500) });
        assert_eq!(
            Response::new(302, "").ok().expect_err("it leads elsewhere").name(),
            "Http.StatusCode.302"
        );
    }
}
