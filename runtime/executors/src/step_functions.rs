//! Tasks that call Step Functions itself: `states:startExecution` with its patterns, and `aws-sdk:sfn:…`.

use std::time::Duration;

use asl::interpreter::ErrorOutput;
use asl::{Data, Timestamp};
use chrono::{DateTime, Utc};
use engine::shard::TaskKey;
use engine::{StartAnswer, TaskDispatch, TaskOutcome};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The API of Step Functions as tasks reach it; whoever serves it implements it.
pub trait StepFunctions: Send + Sync + 'static {
    /// Any operation, with its members as they stand in a request.
    fn call(
        &self,
        operation: &str,
        members: Map<String, Value>,
    ) -> impl Future<Output = Result<Value, ServiceError>> + Send;

    /// StartExecution for a task: the engine tells the task of it in the same commit.
    fn start(
        &self,
        task: TaskKey,
        members: Map<String, Value>,
        is_awaited: bool,
        answer: StartAnswer,
    ) -> impl Future<Output = Result<Data, ServiceError>> + Send;
}

/// How the API refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    pub code: String,
    pub message: String,
    pub status: u16,
}

const OPTIMISED: &str = "arn:aws:states:::states:startExecution";
const SDK: &str = "arn:aws:states:::aws-sdk:sfn:";
const CALLBACK: &str = ".waitForTaskToken";
/// HTTP: the server could not answer now, and may have done what was asked.
const STATUS_UNAVAILABLE: u16 = 503;
/// Ours: the pause before a start is tried again whose fate is unknown.
const UNAVAILABLE_PAUSE: Duration = Duration::from_millis(500);

/// Who speaks: the integration made for Step Functions, or AWS's SDK. They write answers and errors differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Optimised,
    Sdk,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Call {
    style: Style,
    /// `StartExecution`.
    operation: String,
    is_awaited: bool,
}

impl Call {
    /// None if the resource is not of this service.
    pub(crate) fn of(resource: &str) -> Option<Call> {
        if let Some(pattern) = resource.strip_prefix(OPTIMISED) {
            let is_awaited = match pattern {
                "" | CALLBACK => false,
                ".sync" | ".sync:2" => true,
                _ => return None,
            };
            return Some(Call {
                style: Style::Optimised,
                operation: "StartExecution".to_owned(),
                is_awaited,
            });
        }
        let action = resource.strip_prefix(SDK)?;
        let action = action.strip_suffix(CALLBACK).unwrap_or(action);
        Some(Call { style: Style::Sdk, operation: capitalised(action), is_awaited: false })
    }
}

pub(crate) async fn perform<F: StepFunctions>(
    service: &F,
    call: &Call,
    task: &TaskDispatch,
    cancel: &CancellationToken,
) -> TaskOutcome {
    let members = members(task.request.input.value());
    let result = if call.operation == "StartExecution" {
        start(service, call, task, members, cancel).await
    } else {
        service.call(&call.operation, members).await.map(|answer| Data::from(answered(answer)))
    };
    TaskOutcome { result: result.map_err(|error| error_output(call.style, &error)), usage: None }
}

/// The engine tells the task itself; what is returned here finds it awaiting something else.
async fn start<F: StepFunctions>(
    service: &F,
    call: &Call,
    task: &TaskDispatch,
    members: Map<String, Value>,
    cancel: &CancellationToken,
) -> Result<Data, ServiceError> {
    let write = match call.style {
        Style::Optimised => optimised_answer,
        Style::Sdk => sdk_answer,
    };
    let answer = StartAnswer { write, request_id: Uuid::new_v4().to_string() };
    let key = TaskKey { execution: task.execution, row: task.request.row, attempt: task.request.attempt };
    loop {
        match service.start(key, members.clone(), call.is_awaited, answer.clone()).await {
            Ok(answer) => return Ok(answer),
            // It may have been started. Then the next try is refused, and the task knows already.
            Err(error) if error.status == STATUS_UNAVAILABLE && !cancel.is_cancelled() => {
                tokio::select! {
                    () = cancel.cancelled() => return Err(error),
                    () = tokio::time::sleep(UNAVAILABLE_PAUSE) => {}
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// The members of a request from the parameters of a task: without those that are null, and with the payloads as
/// text that stand as JSON in a task.
fn members(parameters: &Value) -> Map<String, Value> {
    let Value::Object(parameters) = parameters else { return Map::new() };
    let members = parameters.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| {
        let value = match (name.as_str(), value) {
            ("Input" | "Output" | "Definition", Value::String(text)) => text.as_str().into(),
            ("Input" | "Output" | "Definition", payload) => payload.to_string().into(),
            (_, value) => renamed(value, uncapitalised),
        };
        (uncapitalised(name), value)
    });
    members.collect()
}

/// An answer as the SDK gives it: without what is null, its names capitalised and its dates as text.
fn answered(answer: Value) -> Value {
    renamed(&with_dates(answer), capitalised)
}

fn renamed(value: &Value, rename: fn(&str) -> String) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                // Its keys are names of states.
                let inner = if name == "variableReferences" { value.clone() } else { renamed(value, rename) };
                (rename(name), inner)
            };
            Value::Object(members.iter().filter(|(_, value)| !value.is_null()).map(member).collect())
        }
        Value::Array(items) => items.iter().map(|item| renamed(item, rename)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Writes the dates, which are seconds since 1970 in the API.
fn with_dates(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| {
                let is_date = name.ends_with("Date") || name == "timestamp";
                let value = match value.as_f64().filter(|_| is_date) {
                    #[expect(clippy::cast_possible_truncation, reason = "dates are far from the bounds")]
                    Some(seconds) => {
                        iso_date(Timestamp::from_milliseconds((seconds * 1e3).round() as i64)).into()
                    }
                    None => with_dates(value),
                };
                (name, value)
            };
            Value::Object(members.into_iter().map(member).collect())
        }
        Value::Array(items) => items.into_iter().map(with_dates).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn iso_date(at: Timestamp) -> String {
    at.to_string()
}

fn capitalised(name: &str) -> String {
    with_first(name, |first| first.to_ascii_uppercase())
}

fn uncapitalised(name: &str) -> String {
    with_first(name, |first| first.to_ascii_lowercase())
}

fn with_first(name: &str, change: fn(&char) -> char) -> String {
    let mut characters = name.chars();
    let first = characters.next();
    first.iter().map(change).chain(characters).collect()
}

fn sdk_answer(arn: &str, at: Timestamp, _request_id: &str) -> Data {
    json!({ "ExecutionArn": arn, "StartDate": iso_date(at) }).into()
}

fn optimised_answer(arn: &str, at: Timestamp, request_id: &str) -> Data {
    let body = json!({ "executionArn": arn, "startDate": at.as_epoch_seconds() });
    let date = DateTime::<Utc>::from_timestamp_millis(at.as_milliseconds()).unwrap_or_default();
    let headers = [
        ("x-amzn-RequestId", request_id.to_owned()),
        ("connection", "keep-alive".to_owned()),
        ("Content-Length", body.to_string().len().to_string()),
        ("Date", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()),
        ("Content-Type", "application/x-amz-json-1.0".to_owned()),
    ];
    let lists: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    let single: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({
        "ExecutionArn": arn,
        "SdkHttpMetadata": { "AllHttpHeaders": lists, "HttpHeaders": single, "HttpStatusCode": 200 },
        "SdkResponseMetadata": { "RequestId": request_id },
        "StartDate": at.as_milliseconds(),
    })
    .into()
}

/// Names and texts of the two generations of AWS's SDK for Java.
fn error_output(style: Style, error: &ServiceError) -> ErrorOutput {
    let ServiceError { code, message, status } = error;
    let name = if code.ends_with("Exception") { code.clone() } else { format!("{code}Exception") };
    let request = Uuid::new_v4();
    match style {
        Style::Optimised => ErrorOutput::new(
            format!("StepFunctions.{name}"),
            format!(
                "{message} (Service: AWSStepFunctions; Status Code: {status}; Error Code: {code}; Request ID: \
                 {request}; Proxy: null)"
            ),
        ),
        Style::Sdk => ErrorOutput::new(
            format!("Sfn.{name}"),
            format!(
                "{message} (Service: Sfn, Status Code: {status}, Request ID: {request}) (SDK Attempt Count: 1)"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_name_operations_and_patterns() {
        let check = |resource: &str, expected: Option<(Style, &str, bool)>| {
            let expected = expected.map(|(style, operation, is_awaited)| Call {
                style,
                operation: operation.to_owned(),
                is_awaited,
            });
            assert_eq!(Call::of(resource), expected, "{resource}");
        };
        check(OPTIMISED, Some((Style::Optimised, "StartExecution", false)));
        check(&format!("{OPTIMISED}.sync:2"), Some((Style::Optimised, "StartExecution", true)));
        check(&format!("{OPTIMISED}{CALLBACK}"), Some((Style::Optimised, "StartExecution", false)));
        check(&format!("{OPTIMISED}.async"), None);
        check("arn:aws:states:::aws-sdk:sfn:sendTaskSuccess", Some((Style::Sdk, "SendTaskSuccess", false)));
        check("arn:aws:states:::aws-sdk:s3:getObject", None);
    }

    #[test]
    fn parameters_become_members() {
        let check = |parameters: Value, expected: Value| {
            assert_eq!(Value::Object(members(&parameters)), expected);
        };
        check(
            json!({"StateMachineArn": "a", "Input": {"Key": [1]}}),
            json!({"stateMachineArn": "a", "input": "{\"Key\":[1]}"}),
        );
        check(json!({"Input": null, "Name": "n"}), json!({"name": "n"}));
        check(json!({"Output": "as it is"}), json!({"output": "as it is"}));
        check(json!({"Tags": [{"Key": "K", "Value": "V"}]}), json!({"tags": [{"key": "K", "value": "V"}]}));
        check(json!(7), json!({}));
    }

    #[test]
    fn answers_are_those_of_the_sdk() {
        let answer = json!({
            "startDate": 1_700_000_000.25, "taskToken": null, "variableReferences": {"state": ["x"]},
            "executions": [{"stopDate": 1.0, "status": "RUNNING"}],
        });
        let expected = json!({
            "StartDate": "2023-11-14T22:13:20.250Z", "VariableReferences": {"state": ["x"]},
            "Executions": [{"StopDate": "1970-01-01T00:00:01.000Z", "Status": "RUNNING"}],
        });
        assert_eq!(answered(answer), expected);
    }

    #[test]
    fn errors_are_named_by_style() {
        let error = ServiceError { code: "InvalidToken".to_owned(), message: "m".to_owned(), status: 400 };
        let sdk = error_output(Style::Sdk, &error);
        assert_eq!(sdk.error.as_deref(), Some("Sfn.InvalidTokenException"));
        assert!(sdk.cause.unwrap().starts_with("m (Service: Sfn, Status Code: 400, Request ID: "));
        let error = ServiceError { code: "ValidationException".to_owned(), ..error };
        let optimised = error_output(Style::Optimised, &error);
        assert_eq!(optimised.error.as_deref(), Some("StepFunctions.ValidationException"));
        assert!(optimised.cause.unwrap().contains("; Error Code: ValidationException; Request ID: "));
    }
}
