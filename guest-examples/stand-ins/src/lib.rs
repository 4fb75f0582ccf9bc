//! What stand-ins for Lambda functions have in common: to answer and to fail as Lambda's runtime for Python does.

use std::hash::{BuildHasher, RandomState};

use serde_json::{Value, json};
use stepwell::{OrTaskError, TaskError};

/// The input as the runtime answers with it.
///
/// # Errors
/// `InvalidInput` if it is not JSON.
pub fn returned(input: &str) -> Result<String, TaskError> {
    let input: Value = serde_json::from_str(input).or_task_error(TaskError::INVALID_INPUT)?;
    Ok(spaced(&input))
}

/// JSON as Python writes it: with a space after each comma and colon. The recordings show lengths.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(spaced).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), spaced(value))
            };
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// The failure of a function that raised an exception, with the payload that Lambda answers.
#[must_use]
pub fn raised(error_type: &str, message: &str, line: u32, source: &str) -> TaskError {
    let trace = format!("  File \"/var/task/handler.py\", line {line}, in handler\n    {source}\n");
    let payload = json!({
        "errorMessage": message,
        "errorType": error_type,
        "requestId": request_id(),
        "stackTrace": [trace],
    });
    TaskError::new(error_type, spaced(&payload))
}

/// A UUID of version 4. The hasher's keys are the randomness that the standard library has.
fn request_id() -> String {
    let random = |part: u8| RandomState::new().hash_one(part);
    let (high, low) = (random(0), random(1));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_cause_is_what_lambda_answers() {
        let error = raised("CustomException", "", 9, "raise CustomException()");
        assert_eq!(error.error(), "CustomException");
        let cause: Value = serde_json::from_str(error.cause()).unwrap();
        assert_eq!(
            cause["stackTrace"],
            json!(["  File \"/var/task/handler.py\", line 9, in handler\n    raise CustomException()\n"])
        );
        assert_eq!((&cause["errorType"], &cause["errorMessage"]), (&json!("CustomException"), &json!("")));
    }

    #[test]
    fn answers_are_written_as_python_writes_them() {
        let input = r#"{"a":[1,{"b,:":"é, x"}],"c":{},"d":null}"#;
        let answer = r#"{"a": [1, {"b,:": "é, x"}], "c": {}, "d": null}"#;
        assert_eq!(returned(input).as_deref(), Ok(answer));
        assert_eq!(returned("{").unwrap_err().error(), "InvalidInput");
    }

    #[test]
    fn each_request_has_its_own_id() {
        let (first, second) = (request_id(), request_id());
        assert_ne!(first, second);
        assert_eq!(first.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
