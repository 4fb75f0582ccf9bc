//! The body of an answer: a form from a person, or JSON from a program.

use asl::Data;
use asl::interpreter::{CallbackAnswer, CallbackRequest, Decision, LinkUse};
use asl::limits::{CALLBACK_MESSAGE_CHARACTERS_MAX, PAYLOAD_BYTES_MAX};
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde_json::Value;

use crate::app::now;
use crate::limits::{BODY_TIMEOUT, CALLBACK_BODY_BYTES_MAX};
use crate::problem::Problem;

/// What was sent, not yet held against what was asked.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    decision: Option<String>,
    comment: Option<String>,
    output: Option<Value>,
}

/// The fields of the page's form.
#[derive(Debug, Deserialize)]
struct Form {
    decision: Option<String>,
    comment: Option<String>,
    /// JSON as text.
    output: Option<String>,
}

impl Said {
    pub(super) async fn read(request: Request<Body>) -> Result<Said, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let body = read_body(request).await?;
        Said::parse(&content_type, &body)
    }

    fn parse(content_type: &str, body: &[u8]) -> Result<Said, Problem> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json" => serde_json::from_slice(body)
                .map_err(|error| invalid(format!("The body is not an answer: {error}."))),
            "application/x-www-form-urlencoded" => {
                let form: Form = serde_urlencoded::from_bytes(body)
                    .map_err(|error| invalid(format!("The form cannot be read: {error}.")))?;
                let output = form.output.filter(|text| !text.trim().is_empty());
                let output = output.map(|text| serde_json::from_str(&text)).transpose();
                let output =
                    output.map_err(|error| invalid(format!("The output is not valid JSON: {error}.")))?;
                Ok(Said { decision: form.decision, comment: form.comment, output })
            }
            _other => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "An answer is application/json or application/x-www-form-urlencoded.",
            )),
        }
    }

    /// The answer, if the link allows it.
    pub(super) fn answer(self, uses: LinkUse, request: &CallbackRequest) -> Result<CallbackAnswer, Problem> {
        let decision = decision(self.decision.as_deref(), uses)?;
        let comment = self.comment.map(|comment| comment.trim().replace("\r\n", "\n"));
        let comment = comment.filter(|comment| !comment.is_empty());
        let characters = comment.as_ref().map_or(0, |comment| comment.chars().count());
        if characters > CALLBACK_MESSAGE_CHARACTERS_MAX {
            return Err(invalid(format!(
                "The comment has {characters} characters; it can have {CALLBACK_MESSAGE_CHARACTERS_MAX}."
            )));
        }
        let output = self.output.map(Data::from);
        if output.is_some() && !request.accepts_output {
            return Err(invalid("This link takes no output: it was made for a decision only."));
        }
        let answer = CallbackAnswer { decision, comment, output };
        let size = request.outcome(&answer, now()).map_or(0, |result| result.size());
        if size > PAYLOAD_BYTES_MAX {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "AnswerTooLarge",
                format!("The result would have {size} bytes; a task's result can have {PAYLOAD_BYTES_MAX}."),
            ));
        }
        Ok(answer)
    }
}

fn decision(word: Option<&str>, uses: LinkUse) -> Result<Decision, Problem> {
    let allowed = super::status::decisions(uses);
    let Some(word) = word else {
        return match allowed {
            [only] => Ok(*only),
            _several => Err(invalid("The decision is missing: it is approved or rejected.")),
        };
    };
    let known = [Decision::Approved, Decision::Rejected].into_iter().find(|decision| decision.word() == word);
    let known = known.ok_or_else(|| invalid("The decision must be approved or rejected."))?;
    if allowed.contains(&known) {
        return Ok(known);
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "DecisionNotAllowed",
        format!("This link does not allow the decision {word}."),
    ))
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "InvalidAnswer", message)
}

async fn read_body(request: Request<Body>) -> Result<Bytes, Problem> {
    let body = Limited::new(request.into_body(), CALLBACK_BODY_BYTES_MAX);
    match tokio::time::timeout(BODY_TIMEOUT, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "AnswerTooLarge",
            format!("An answer can have {CALLBACK_BODY_BYTES_MAX} bytes."),
        )),
        Ok(Err(_cut_off)) => Err(invalid("The answer was cut off on its way.")),
        Err(_too_slow) => Err(invalid("The answer did not arrive in time.")),
    }
}

#[cfg(test)]
mod tests {
    use asl::Timestamp;
    use asl::interpreter::NewCallbackRequest;
    use serde_json::json;

    use super::*;

    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";

    fn check_as(accepts_output: bool, uses: LinkUse, content_type: &str, body: &str, expected: &str) {
        let asked = NewCallbackRequest { accepts_output, ..NewCallbackRequest::default() };
        let asked = asked.checked(Timestamp::EPOCH).unwrap();
        let answer = Said::parse(content_type, body.as_bytes()).and_then(|said| said.answer(uses, &asked));
        let actual = match answer {
            Ok(CallbackAnswer { decision, comment, output }) => {
                format!("{} {comment:?} {output:?}", decision.word())
            }
            Err(problem) => problem.message().to_owned(),
        };
        assert!(actual.starts_with(expected), "{body}: {actual}");
    }

    fn check(uses: LinkUse, content_type: &str, body: &str, expected: &str) {
        check_as(false, uses, content_type, body, expected);
    }

    #[test]
    fn an_answer_is_a_form_or_json() {
        check(
            LinkUse::Answer,
            FORM,
            "decision=approved&comment=fine+by+me%21",
            r#"approved Some("fine by me!") None"#,
        );
        check(LinkUse::Answer, FORM, "decision=rejected&comment=++", "rejected None None");
        check(LinkUse::Answer, FORM, "decision=approved&comment=a%0D%0Ab", r#"approved Some("a\nb") None"#);
        check(LinkUse::Answer, JSON, r#"{"decision": "approved", "comment": null}"#, "approved None None");
        check(LinkUse::Answer, "application/json; charset=utf-8", r#"{"decision": "rejected"}"#, "rejected");
        check(LinkUse::Answer, "text/plain", "approved", "An answer is application/json or");
        check(LinkUse::Answer, JSON, "[]", "The body is not an answer: ");
        check(LinkUse::Answer, JSON, r#"{"decison": "approved"}"#, "The body is not an answer: ");
        check(LinkUse::Answer, FORM, "decision=maybe", "The decision must be approved or rejected.");
    }

    #[test]
    fn a_link_allows_what_it_was_made_for() {
        check(LinkUse::Approve, JSON, "{}", "approved");
        check(LinkUse::Reject, FORM, "", "rejected");
        check(LinkUse::Answer, JSON, "{}", "The decision is missing: it is approved or rejected.");
        check(
            LinkUse::Approve,
            JSON,
            r#"{"decision": "rejected"}"#,
            "This link does not allow the decision rejected.",
        );
        check(LinkUse::Reject, FORM, "decision=approved", "This link does not allow the decision approved.");
    }

    #[test]
    fn output_is_taken_where_it_was_asked_for() {
        let output = r#"{"output": {"a": 1}}"#;
        check_as(true, LinkUse::Approve, JSON, output, r#"approved None Some({"a":1})"#);
        check_as(true, LinkUse::Approve, FORM, "output=%7B%22a%22%3A1%7D", r#"approved None Some({"a":1})"#);
        check_as(true, LinkUse::Approve, FORM, "output=", "approved None None");
        check_as(true, LinkUse::Approve, FORM, "output=%7B", "The output is not valid JSON: ");
        check(LinkUse::Approve, JSON, output, "This link takes no output");
        let large = json!({"output": "x".repeat(PAYLOAD_BYTES_MAX)}).to_string();
        check_as(true, LinkUse::Approve, JSON, &large, "The result would have ");
    }

    #[test]
    fn a_comment_is_bounded() {
        let comment = |count: usize| json!({"comment": "ä".repeat(count)}).to_string();
        check(LinkUse::Approve, JSON, &comment(4_000), "approved Some");
        check(LinkUse::Approve, JSON, &comment(4_001), "The comment has 4001 characters; it can have 4000.");
    }
}
