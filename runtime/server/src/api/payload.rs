//! JSON texts that clients hand in: the input of an execution, the output of a task.

use asl::Data;

use super::error::ApiError;
use super::jackson;
use asl::limits::PAYLOAD_BYTES_MAX;

/// The input of an execution; none means `{}`.
pub(crate) fn execution_input(text: Option<&str>) -> Result<Data, ApiError> {
    let Some(text) = text else { return Ok(Data::empty_object()) };
    let invalid = |reason: &str| {
        ApiError::new("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{reason}'"))
    };
    if text.trim().is_empty() {
        return Err(invalid("Invalid execution input."));
    }
    check_size("input", text)?;
    Data::parse(text).map_err(|_| invalid(&jackson::explain(text)))
}

/// The output that a worker sends.
pub(crate) fn task_output(text: &str) -> Result<Data, ApiError> {
    check_size("output", text)?;
    Data::parse(text)
        .map_err(|_| ApiError::new("InvalidOutput", format!("Invalid Output: '{}'", jackson::explain(text))))
}

/// The quota counts bytes, the constraint of the model characters; both refusals read the same.
fn check_size(member: &str, text: &str) -> Result<(), ApiError> {
    if text.len() <= PAYLOAD_BYTES_MAX {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less \
         than or equal to {PAYLOAD_BYTES_MAX}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: Option<&str>, expected: &str) {
        let actual = match execution_input(input) {
            Ok(data) => data.text().to_owned(),
            Err(error) => format!("{}: {}", error.code(), error.message()),
        };
        assert_eq!(actual, expected);
    }

    #[test]
    fn any_json_is_an_input() {
        check(None, "{}");
        for text in ["2", "\"some text\"", "null", "[]", "{\"b\": 1.0, \"a\": 12345678901234567890}"] {
            check(Some(text), text);
        }
    }

    #[test]
    fn other_texts_are_refused_in_the_recorded_words() {
        check(
            Some("not some json"),
            "InvalidExecutionInput: Invalid State Machine Execution Input: 'Unrecognized token 'not': was expecting \
             (JSON String, Number, Array, Object or token 'null', 'true' or 'false')'",
        );
        check(
            Some("{'not': 'json'"),
            "InvalidExecutionInput: Invalid State Machine Execution Input: 'Unexpected character (''' (code 39)): was \
             expecting double-quote to start field name'",
        );
        check(
            Some(""),
            "InvalidExecutionInput: Invalid State Machine Execution Input: 'Invalid execution input.'",
        );
        assert_eq!(task_output("{").unwrap_err().code(), "InvalidOutput");
    }

    #[test]
    fn the_quota_counts_bytes() {
        let largest = format!("\"{}\"", "a".repeat(PAYLOAD_BYTES_MAX - 2));
        assert!(execution_input(Some(&largest)).is_ok());
        let umlauts = format!("\"{}\"", "ä".repeat(PAYLOAD_BYTES_MAX / 2));
        check(
            Some(&umlauts),
            "ValidationException: 1 validation error detected: Value at 'input' failed to satisfy constraint: Member \
             must have length less than or equal to 262144",
        );
    }
}
