//! What stands in for a state's work: read, and refused where it does not fit the state.

use asl::Data;
use asl::definition::{Mode, Pattern, StateKind, Target};
use asl::interpreter::{ErrorOutput, Mock};
use serde_json::Value;

use super::shapes;
use super::subject::Subject;
use crate::api::ApiError;

/// How a result is held against what the service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Validation {
    /// Members must fit, and the required ones be there.
    #[default]
    Strict,
    /// Members that are there must fit.
    Present,
    None,
}

/// `mock`, as the request has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct MockInput {
    pub(crate) result: Option<String>,
    pub(crate) error_output: Option<ErrorOutput>,
    pub(crate) validation: Validation,
}

/// `stateConfiguration`, as the request has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Configuration {
    pub(crate) retrier_retry_count: Option<u32>,
    pub(crate) error_caused_by_state: Option<String>,
    pub(crate) map_iteration_failure_count: Option<u32>,
    pub(crate) map_item_reader_data: Option<String>,
}

/// Reads a mock for a state.
pub(crate) fn check(input: MockInput, subject: &Subject) -> Result<Mock, ApiError> {
    let one_of = || {
        ApiError::validation(
            "A test mock should have only one of the following fields: [result, errorOutput].",
        )
    };
    match &subject.state().kind {
        StateKind::Task(_) | StateKind::Parallel(_) | StateKind::Map(_) => {}
        _without_work => {
            let name = subject.type_name();
            return Err(ApiError::validation(format!(
                "State type '{name}' is not supported when a mock is specified"
            )));
        }
    }
    match (input.result, input.error_output) {
        (None, Some(error)) => Ok(Mock::Error(error)),
        (Some(result), None) => {
            let result = json("Mocked result", &result)?;
            check_result(&result, subject, input.validation)?;
            Ok(Mock::Result(result))
        }
        (None, None) | (Some(_), Some(_)) => Err(one_of()),
    }
}

fn json(what: &str, text: &str) -> Result<Data, ApiError> {
    Data::parse(text).map_err(|_| ApiError::validation(format!("{what} must be valid JSON")))
}

fn check_result(result: &Data, subject: &Subject, validation: Validation) -> Result<(), ApiError> {
    let value = result.value();
    match &subject.state().kind {
        StateKind::Task(task) => check_answer(value, &task.resource.target, validation),
        StateKind::Parallel(parallel) => match value.as_array() {
            None => Err(ApiError::validation("Mocked result must be an array.")),
            Some(items) if items.len() != parallel.branches.len() => Err(ApiError::validation(
                "Mocked result must contain the same number of items as number of Parallel branches.",
            )),
            Some(_) => Ok(()),
        },
        StateKind::Map(map) => match &map.mode {
            // A writer leaves the results elsewhere and gives an object that says where.
            Mode::Distributed(distributed) if distributed.result_writer.is_some() => check_object(value),
            Mode::Distributed(_) | Mode::Inline if value.is_array() => Ok(()),
            Mode::Distributed(_) | Mode::Inline => {
                Err(ApiError::validation("Mocked result must be an array."))
            }
        },
        _without_work => Ok(()),
    }
}

fn check_object(value: &Value) -> Result<(), ApiError> {
    if value.is_object() { Ok(()) } else { Err(ApiError::validation("Mocked result must be a JSON object.")) }
}

/// Functions, workers and callbacks answer what they like; services answer in their own shape.
fn check_answer(value: &Value, target: &Target, validation: Validation) -> Result<(), ApiError> {
    let Target::Service { service, action, pattern } = target else { return Ok(()) };
    if *pattern == Pattern::WaitForTaskToken || validation == Validation::None {
        return Ok(());
    }
    check_object(value)?;
    let action = format!("{action}{}", pattern.suffix());
    let Some(shape) = shapes::find(service, &action) else { return Ok(()) };
    shape
        .check("result", value, validation == Validation::Strict)
        .map_err(|fault| ApiError::validation(format!("Mock result schema validation error: {fault}")))
}

impl Configuration {
    /// Checks what does not depend on the mock's kind.
    pub(crate) fn check(&self, subject: &Subject, is_mocked: bool) -> Result<(), ApiError> {
        let needs_mock = [
            ("MapIterationFailureCount", self.map_iteration_failure_count.is_some()),
            ("MapItemReaderData", self.map_item_reader_data.is_some()),
            ("ErrorCausedByState", self.error_caused_by_state.is_some()),
        ];
        if let Some((name, _)) = needs_mock.iter().find(|(_, given)| *given && !is_mocked) {
            return Err(ApiError::validation(format!(
                "TestState does not support {name} when a mock is not specified."
            )));
        }
        match &self.error_caused_by_state {
            Some(name) if !subject.contains(name) => Err(ApiError::validation(format!(
                "ErrorCausedByState '{name}' is not a state within the tested Map or Parallel state."
            ))),
            Some(_) | None => Ok(()),
        }
    }

    /// No more iterations can have failed than there are, as far as that is known before the state runs.
    pub(crate) fn check_iterations(&self, mock: &Mock, items: Option<&Data>) -> Result<(), ApiError> {
        let mocked = match mock {
            Mock::Result(result) => result.value().as_array(),
            Mock::Error(_) => None,
        };
        let iterations = mocked.or_else(|| items.and_then(|items| items.value().as_array()));
        match (iterations, self.map_iteration_failure_count) {
            (Some(iterations), Some(count)) if count as usize > iterations.len() => {
                Err(ApiError::validation(
                    "Map iteration failure count must be less than or equal to the number of Map iterations",
                ))
            }
            (Some(_) | None, Some(_) | None) => Ok(()),
        }
    }

    pub(crate) fn reader_items(&self) -> Result<Option<Data>, ApiError> {
        self.map_item_reader_data.as_deref().map(|text| json("MapItemReaderData", text)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"{"Type": "Map", "End": true,
        "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}}}"#;
    const PARALLEL: &str = r#"{"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}},
        {"StartAt": "C", "States": {"C": {"Type": "Pass", "End": true}}}]}"#;

    fn task(resource: &str) -> String {
        format!(r#"{{"Type": "Task", "Resource": "{resource}", "End": true}}"#)
    }

    fn message<T>(result: Result<T, ApiError>) -> String {
        result.map_or_else(|error| format!("{}: {}", error.code(), error.message()), |_| "ok".to_owned())
    }

    fn check_text(state: &str, result: &str, expected: &str) {
        let subject = Subject::parse(state, None).unwrap();
        let input = MockInput { result: Some(result.to_owned()), ..MockInput::default() };
        let expected =
            if expected == "ok" { "ok".to_owned() } else { format!("ValidationException: {expected}") };
        assert_eq!(message(check(input, &subject)), expected, "{state} {result}");
    }

    #[test]
    fn a_result_fits_its_state() {
        check_text(PARALLEL, "{}", "Mocked result must be an array.");
        check_text(
            PARALLEL,
            "[1]",
            "Mocked result must contain the same number of items as number of Parallel branches.",
        );
        check_text(PARALLEL, "[1, 2]", "ok");
        check_text(MAP, "7", "Mocked result must be an array.");
        check_text(MAP, "[]", "ok");
        check_text(MAP, "[", "Mocked result must be valid JSON");
        check_text(&task("arn:aws:states:::apigateway:invoke"), "[]", "Mocked result must be a JSON object.");
        check_text(&task("arn:aws:states:::apigateway:invoke"), r#"{"any": 1}"#, "ok");
        check_text(&task("arn:aws:states:::sqs:sendMessage.waitForTaskToken"), "[]", "ok");
        check_text(&task("arn:aws:lambda:us-east-1:1:function:f"), "\"text\"", "ok");
        check_text(
            &task("arn:aws:states:::lambda:invoke"),
            r#"{"StatusCode": "200"}"#,
            "Mock result schema validation error: Field 'StatusCode' must be a number",
        );
        check_text(
            r#"{"Type": "Succeed"}"#,
            "{}",
            "State type 'Succeed' is not supported when a mock is specified",
        );
        let writer = r#"{"Type": "Map", "End": true, "ItemProcessor": {"StartAt": "I",
            "States": {"I": {"Type": "Succeed"}}, "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}},
            "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "b"}}}"#;
        check_text(writer, "[]", "Mocked result must be a JSON object.");
        check_text(writer, "{}", "ok");
    }

    #[test]
    fn a_mock_is_one_thing() {
        let subject = Subject::parse(MAP, None).unwrap();
        let text = "ValidationException: A test mock should have only one of the following fields: [result, errorOutput].";
        let both = MockInput {
            result: Some("[]".to_owned()),
            error_output: Some(ErrorOutput::default()),
            validation: Validation::Strict,
        };
        assert_eq!(message(check(both, &subject)), text);
        assert_eq!(message(check(MockInput::default(), &subject)), text);
    }

    #[test]
    fn a_configuration_needs_its_mock() {
        let subject = Subject::parse(MAP, None).unwrap();
        let failures = Configuration { map_iteration_failure_count: Some(3), ..Configuration::default() };
        assert_eq!(
            message(failures.check(&subject, false)),
            "ValidationException: TestState does not support MapIterationFailureCount when a mock is not specified."
        );
        let mock = |text: &str| Mock::Result(Data::parse(text).unwrap());
        assert_eq!(
            message(failures.check_iterations(&mock("[1, 2]"), None)),
            "ValidationException: Map iteration failure count must be less than or equal to the number of Map iterations"
        );
        assert_eq!(message(failures.check_iterations(&mock("[1, 2, 3]"), None)), "ok");
        let caused = |name: &str| Configuration {
            error_caused_by_state: Some(name.to_owned()),
            ..Configuration::default()
        };
        assert_eq!(message(caused("I").check(&subject, true)), "ok");
        assert_eq!(
            message(caused("X").check(&subject, true)),
            "ValidationException: ErrorCausedByState 'X' is not a state within the tested Map or Parallel state."
        );
    }
}
