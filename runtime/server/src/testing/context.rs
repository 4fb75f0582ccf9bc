//! The context object of a test: what the engine would give, and what the caller gives in its place.

use asl::Timestamp;
use asl::definition::{Pattern, Target};
use asl::interpreter::ExecutionId;
use serde_json::{Map, Value, json};

use super::subject::{NAME, Subject};
use crate::api::ApiError;

/// What a field of the context object may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Text,
    Number,
}

/// The fields that a caller may give.
const FIELDS: [(&str, &[(&str, Kind)]); 4] = [
    (
        "Execution",
        &[
            ("Id", Kind::Text),
            ("Input", Kind::Any),
            ("Name", Kind::Text),
            ("RoleArn", Kind::Text),
            ("StartTime", Kind::Text),
            ("RedriveCount", Kind::Number),
            ("RedriveTime", Kind::Text),
        ],
    ),
    ("State", &[("EnteredTime", Kind::Text), ("Name", Kind::Text), ("RetryCount", Kind::Number)]),
    ("StateMachine", &[("Id", Kind::Text), ("Name", Kind::Text)]),
    ("Task", &[("Token", Kind::Text)]),
];

/// The names under which a test runs, as an Express execution on AWS.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) id: ExecutionId,
    pub(crate) execution_arn: String,
    pub(crate) execution: String,
    pub(crate) machine_arn: String,
    pub(crate) machine: String,
}

/// What the engine would give. Express executions have no redrive count.
pub(crate) fn usual(
    subject: &Subject,
    names: &Names,
    input: &Value,
    role_arn: Option<&str>,
    now: Timestamp,
) -> Map<String, Value> {
    let mut state = json!({"Name": NAME, "EnteredTime": now.to_string()});
    if subject.is_task() || subject.is_fork() {
        state["RetryCount"] = 0.into();
    }
    let context = json!({
        "Execution": {
            "Id": names.execution_arn, "Input": input, "Name": names.execution, "RoleArn": role_arn,
            "StartTime": now.to_string(),
        },
        "StateMachine": {"Id": names.machine_arn, "Name": names.machine},
        "State": state,
    });
    let Value::Object(context) = context else { return Map::new() };
    context
}

/// Puts the caller's fields in the place of the usual ones.
pub(crate) fn overlay(
    usual: Map<String, Value>,
    given: Option<&str>,
    subject: &Subject,
) -> Result<Value, ApiError> {
    let mut context = usual;
    let Some(given) = given else { return Ok(Value::Object(context)) };
    for (part, fields) in check(given, subject)? {
        let whole = context.entry(part).or_insert_with(|| Value::Object(Map::new()));
        if let (Value::Object(whole), Value::Object(fields)) = (whole, fields) {
            whole.extend(fields);
        }
    }
    Ok(Value::Object(context))
}

fn check(text: &str, subject: &Subject) -> Result<Map<String, Value>, ApiError> {
    let Ok(Value::Object(given)) = serde_json::from_str(text) else {
        return Err(invalid("Context object must be a valid JSON object"));
    };
    for (part, value) in &given {
        if part == "Map" {
            return Err(invalid("'Map' field is not supported when mocking a Context object"));
        }
        let Some((_, kinds)) = FIELDS.iter().find(|(known, _)| known == part) else {
            return Err(invalid(&format!("Field '{part}' is not allowed")));
        };
        if part == "Task" && !has_token(subject) {
            return Err(invalid(
                "Context object contains 'Task' when state is not a Task state with a '.sync' or \
                 '.waitForTaskToken' service integration pattern",
            ));
        }
        let Value::Object(fields) = value else { return Err(invalid(&format!("{part} must be an object"))) };
        for (field, value) in fields {
            let Some((_, kind)) = kinds.iter().find(|(known, _)| known == field) else {
                return Err(invalid(&format!("Field '{part}.{field}' is not allowed")));
            };
            match kind {
                Kind::Text if !value.is_string() => {
                    return Err(invalid(&format!("{part}.{field} must be a string")));
                }
                Kind::Number if !value.is_number() => {
                    return Err(invalid(&format!("{part}.{field} must be a number")));
                }
                Kind::Any | Kind::Text | Kind::Number => {}
            }
        }
    }
    Ok(given)
}

fn has_token(subject: &Subject) -> bool {
    match subject.target() {
        Some(Target::Service { pattern, .. }) => *pattern != Pattern::RequestResponse,
        Some(Target::Function | Target::Activity) | None => false,
    }
}

fn invalid(reason: &str) -> ApiError {
    ApiError::validation(format!("Invalid Context object provided: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "ValidationException: Invalid Context object provided: ";

    fn subject(resource: &str) -> Subject {
        Subject::parse(&format!(r#"{{"Type": "Task", "Resource": "{resource}", "End": true}}"#), None)
            .unwrap()
    }

    fn check_refused(given: &str, expected: &str) {
        let error =
            overlay(Map::new(), Some(given), &subject("arn:aws:states:::sqs:sendMessage")).unwrap_err();
        assert_eq!(format!("{}: {}", error.code(), error.message()), format!("{PREFIX}{expected}"));
    }

    #[test]
    fn refuses_in_the_recorded_words() {
        check_refused(r#"{"Pokedex": {}}"#, "Field 'Pokedex' is not allowed");
        check_refused(r#"{"Execution": {"Id": 1}}"#, "Execution.Id must be a string");
        check_refused(r#"{"Map": {}}"#, "'Map' field is not supported when mocking a Context object");
        check_refused(
            r#"{"Task": {"Token": "t"}}"#,
            "Context object contains 'Task' when state is not a Task state with a '.sync' or '.waitForTaskToken' \
             service integration pattern",
        );
        check_refused("[]", "Context object must be a valid JSON object");
        check_refused(r#"{"State": 1}"#, "State must be an object");
        check_refused(r#"{"State": {"RetryCount": "1"}}"#, "State.RetryCount must be a number");
        check_refused(r#"{"State": {"Id": "1"}}"#, "Field 'State.Id' is not allowed");
    }

    #[test]
    fn what_is_given_replaces_what_is_usual() {
        let subject = subject("arn:aws:states:::sqs:sendMessage.waitForTaskToken");
        let names = Names {
            id: ExecutionId(1),
            execution_arn: "arn".to_owned(),
            execution: "e".to_owned(),
            machine_arn: "machine".to_owned(),
            machine: "m".to_owned(),
        };
        let usual = usual(&subject, &names, &json!([1]), None, Timestamp::EPOCH);
        let at = Timestamp::EPOCH.to_string();
        let given =
            r#"{"Execution": {"Input": {"a": 1}}, "Task": {"Token": "t"}, "State": {"RetryCount": 2}}"#;
        assert_eq!(
            overlay(usual, Some(given), &subject).unwrap(),
            json!({
                "Execution": {"Id": "arn", "Input": {"a": 1}, "Name": "e", "RoleArn": null, "StartTime": at},
                "StateMachine": {"Id": "machine", "Name": "m"},
                "State": {"Name": "StateName", "EnteredTime": at, "RetryCount": 2},
                "Task": {"Token": "t"},
            })
        );
    }
}
