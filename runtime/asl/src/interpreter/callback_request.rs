//! What a person is asked through callback links, and what becomes of the answer.

use minicbor::{Decode, Encode};
use serde_json::{Map, Value};

use crate::data::json::Data;
use crate::data::timestamp::Timestamp;
use crate::limits::{
    CALLBACK_MESSAGE_CHARACTERS_MAX, CALLBACK_PAYLOAD_BYTES_MAX, CALLBACK_SECONDS_DEFAULT,
    CALLBACK_SECONDS_MAX, CALLBACK_TITLE_CHARACTERS_MAX, ERROR_CHARACTERS_MAX,
};

use super::history::ErrorOutput;

/// One question about one attempt. Its links are open until it expires, or the attempt ends.
#[derive(Clone, PartialEq, Encode, Decode)]
pub struct CallbackRequest {
    #[n(0)]
    pub title: Option<String>,
    #[n(1)]
    pub message: Option<String>,
    /// What the question is about, shown as JSON.
    #[n(2)]
    pub payload: Option<Data>,
    #[n(3)]
    pub expires_at: Timestamp,
    /// The error with which a rejection fails the task; without one it is a result like an approval.
    #[n(4)]
    pub reject_error: Option<String>,
    /// Whether the answer may bring JSON of its own.
    #[n(5)]
    pub accepts_output: bool,
}

/// What is asked is no business of a log.
impl std::fmt::Debug for CallbackRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("CallbackRequest")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Decision {
    #[n(0)]
    Approved,
    #[n(1)]
    Rejected,
}

impl Decision {
    /// The word in the task's result.
    pub fn word(self) -> &'static str {
        match self {
            Decision::Approved => "approved",
            Decision::Rejected => "rejected",
        }
    }
}

/// What a person said.
#[derive(Clone, PartialEq)]
pub struct CallbackAnswer {
    pub decision: Decision,
    pub comment: Option<String>,
    /// Only where the request accepts it.
    pub output: Option<Data>,
}

/// Comments are no business of a log.
impl std::fmt::Debug for CallbackAnswer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CallbackAnswer").field("decision", &self.decision).finish_non_exhaustive()
    }
}

/// The fields of `CallbackLinks` in a definition.
pub(crate) const FIELDS: [&str; 6] =
    ["Title", "Message", "Payload", "ExpiresInSeconds", "RejectError", "AcceptsOutput"];

/// A request as it is asked for, before its limits are checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NewCallbackRequest {
    pub title: Option<String>,
    pub message: Option<String>,
    pub payload: Option<Data>,
    pub expires_in_seconds: Option<u64>,
    pub reject_error: Option<String>,
    pub accepts_output: bool,
}

/// What is wrong with a request: the field by its name in a definition, and a sentence that goes on after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRequest {
    pub field: &'static str,
    pub rule: String,
}

impl NewCallbackRequest {
    /// Reads a computed `CallbackLinks`.
    pub(crate) fn read(value: &Value) -> Result<NewCallbackRequest, InvalidRequest> {
        let mut request = NewCallbackRequest::default();
        for (name, value) in value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            let wrong = |field, wanted: &str| InvalidRequest { field, rule: format!("should be {wanted}") };
            let text = |field| value.as_str().map(str::to_owned).ok_or_else(|| wrong(field, "a string"));
            match name.as_str() {
                "Title" => request.title = Some(text("Title")?),
                "Message" => request.message = Some(text("Message")?),
                "Payload" => request.payload = Some(value.clone().into()),
                "ExpiresInSeconds" => {
                    let seconds =
                        value.as_u64().ok_or_else(|| wrong("ExpiresInSeconds", "a whole number"))?;
                    request.expires_in_seconds = Some(seconds);
                }
                "RejectError" => request.reject_error = Some(text("RejectError")?),
                "AcceptsOutput" => {
                    request.accepts_output =
                        value.as_bool().ok_or_else(|| wrong("AcceptsOutput", "a boolean"))?;
                }
                // Names are checked when the definition is read.
                _other => {}
            }
        }
        Ok(request)
    }

    pub fn checked(self, now: Timestamp) -> Result<CallbackRequest, InvalidRequest> {
        let characters = |text: &Option<String>| text.as_ref().map_or(0, |text| text.chars().count());
        let at_most = |field, unit: &str, max: usize, found: usize| {
            let rule = format!("can have at most {max} {unit}, but has {found}");
            if found <= max { Ok(()) } else { Err(InvalidRequest { field, rule }) }
        };
        at_most("Title", "characters", CALLBACK_TITLE_CHARACTERS_MAX, characters(&self.title))?;
        at_most("Message", "characters", CALLBACK_MESSAGE_CHARACTERS_MAX, characters(&self.message))?;
        let payload_bytes = self.payload.as_ref().map_or(0, Data::size);
        at_most("Payload", "bytes", CALLBACK_PAYLOAD_BYTES_MAX, payload_bytes)?;
        at_most("RejectError", "characters", ERROR_CHARACTERS_MAX, characters(&self.reject_error))?;
        if self.reject_error.as_ref().is_some_and(|error| error.is_empty() || error.starts_with("States.")) {
            let rule = "should be a name that is not empty and does not begin with 'States.'".to_owned();
            return Err(InvalidRequest { field: "RejectError", rule });
        }
        let seconds = self.expires_in_seconds.unwrap_or_else(|| CALLBACK_SECONDS_DEFAULT.into());
        let seconds =
            i64::try_from(seconds).ok().filter(|seconds| (1..=CALLBACK_SECONDS_MAX.into()).contains(seconds));
        let seconds = seconds.ok_or_else(|| InvalidRequest {
            field: "ExpiresInSeconds",
            rule: format!("should be between 1 and {CALLBACK_SECONDS_MAX}"),
        })?;
        Ok(CallbackRequest {
            title: self.title,
            message: self.message,
            payload: self.payload,
            expires_at: now.saturating_add_seconds(seconds),
            reject_error: self.reject_error,
            accepts_output: self.accepts_output,
        })
    }
}

impl CallbackRequest {
    /// What the task's result is, or its error, with the same object as text in the cause.
    pub fn outcome(&self, answer: &CallbackAnswer, at: Timestamp) -> Result<Data, ErrorOutput> {
        let mut result = Map::new();
        result.insert("decision".to_owned(), answer.decision.word().into());
        result.insert("comment".to_owned(), answer.comment.clone().into());
        result.insert("at".to_owned(), at.to_string().into());
        if let Some(output) = answer.output.as_ref().filter(|_| self.accepts_output) {
            result.insert("output".to_owned(), output.value().clone());
        }
        let result = Data::from(Value::Object(result));
        match (answer.decision, &self.reject_error) {
            (Decision::Rejected, Some(error)) => Err(ErrorOutput::new(error, result.text())),
            (Decision::Rejected, None) | (Decision::Approved, _) => Ok(result),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(fields: &Value, expected: &str) {
        let request = NewCallbackRequest::read(fields).and_then(|new| new.checked(Timestamp::EPOCH));
        let actual = match request {
            Ok(request) => request.expires_at.to_string(),
            Err(InvalidRequest { field, rule }) => format!("{field} {rule}"),
        };
        assert_eq!(actual, expected, "{fields}");
    }

    #[test]
    fn a_request_has_limits() {
        check(&json!({}), "1970-01-08T00:00:00.000Z");
        check(&json!({"ExpiresInSeconds": 1, "Title": null}), "1970-01-01T00:00:01.000Z");
        check(&json!({"ExpiresInSeconds": 7_776_000}), "1970-04-01T00:00:00.000Z");
        for seconds in [json!(0), json!(7_776_001), json!(u64::MAX)] {
            check(&json!({"ExpiresInSeconds": seconds}), "ExpiresInSeconds should be between 1 and 7776000");
        }
        check(&json!({"ExpiresInSeconds": "60"}), "ExpiresInSeconds should be a whole number");
        check(&json!({"Title": 1}), "Title should be a string");
        check(&json!({"Title": "ä".repeat(200)}), "1970-01-08T00:00:00.000Z");
        check(&json!({"Title": "ä".repeat(201)}), "Title can have at most 200 characters, but has 201");
        check(
            &json!({"Message": "m".repeat(4_001)}),
            "Message can have at most 4000 characters, but has 4001",
        );
        check(&json!({"Payload": "p".repeat(32_767)}), "Payload can have at most 32768 bytes, but has 32769");
        check(&json!({"AcceptsOutput": 1}), "AcceptsOutput should be a boolean");
        for error in ["", "States.TaskFailed"] {
            let rule = "RejectError should be a name that is not empty and does not begin with 'States.'";
            check(&json!({"RejectError": error}), rule);
        }
    }

    #[test]
    fn an_answer_becomes_a_result_or_an_error() {
        let at = Timestamp::from_milliseconds(1_700_000_000_000);
        let outcome = |fields: Value, decision, comment: Option<&str>| {
            let request = NewCallbackRequest::read(&fields).unwrap().checked(at).unwrap();
            let (comment, output) = (comment.map(str::to_owned), Some(json!({"a": 1}).into()));
            request.outcome(&CallbackAnswer { decision, comment, output }, at)
        };
        let ok = outcome(json!({}), Decision::Approved, Some("fine"));
        let text = r#"{"decision":"approved","comment":"fine","at":"2023-11-14T22:13:20.000Z"}"#;
        assert_eq!(ok.unwrap().text(), text);
        let rejected = r#"{"decision":"rejected","comment":null,"at":"2023-11-14T22:13:20.000Z"}"#;
        assert_eq!(outcome(json!({}), Decision::Rejected, None).unwrap().text(), rejected);
        let error = json!({"RejectError": "NotApproved"});
        let failed = outcome(error.clone(), Decision::Rejected, None).unwrap_err();
        assert_eq!(failed, ErrorOutput::new("NotApproved", rejected));
        assert!(outcome(error, Decision::Approved, None).is_ok());
        let with_output = outcome(json!({"AcceptsOutput": true}), Decision::Approved, None).unwrap();
        let text =
            r#"{"decision":"approved","comment":null,"at":"2023-11-14T22:13:20.000Z","output":{"a":1}}"#;
        assert_eq!(with_output.text(), text);
    }

    #[test]
    fn neither_question_nor_answer_is_printed() {
        let new = json!({"Title": "secret", "Message": "secret", "Payload": "secret"});
        let request = NewCallbackRequest::read(&new).unwrap().checked(Timestamp::EPOCH).unwrap();
        let comment = Some("secret".to_owned());
        let answer = CallbackAnswer { decision: Decision::Approved, comment, output: None };
        let printed = format!("{request:?} {answer:?}");
        assert!(!printed.contains("secret"), "{printed}");
    }
}
