//! History events as JSON: flat for the fixtures, and as the AWS API writes them for the recordings.

use asl::interpreter::{
    ErrorOutput, HistoryEvent, HistoryKind, Iteration, Scheduled, ServiceName, TaskScheduled,
};
use asl::{Data, Text};
use serde_json::{Map, Value, json};

/// One member of an event's details.
#[derive(Debug, Clone, PartialEq)]
pub enum Member {
    Text(String),
    Number(u32),
    /// An input or output.
    Payload(Data),
    /// `parameters`, a payload of which AWS does not say whether it was truncated.
    Parameters(Data),
    Variables(Vec<(Text, Data)>),
    Role(String),
}

/// The members of an event's details by AWS's names; none if the type has no details.
pub type Details = Option<Vec<(&'static str, Member)>>;

/// AWS's name for the type of an event, and its details.
pub fn describe(kind: &HistoryKind) -> (String, Details) {
    let (name, details) = match kind {
        HistoryKind::StateEntered { state_type, name, input } => {
            return (format!("{}StateEntered", state_type.name()), Some(vec![named(name), input_of(input)]));
        }
        HistoryKind::StateExited { state_type, name, output, assigned } => {
            let mut details = vec![named(name), output_of(output)];
            if !assigned.is_empty() {
                details.push(("assignedVariables", Member::Variables(assigned.clone())));
            }
            return (format!("{}StateExited", state_type.name()), Some(details));
        }
        HistoryKind::StateAborted { state_type } => {
            return (format!("{}StateAborted", state_type.name()), None);
        }
        HistoryKind::ExecutionStarted { input, role_arn, version_arn, alias_arn } => {
            let mut details = vec![input_of(input), ("roleArn", text(role_arn))];
            details.extend(version_arn.as_ref().map(|arn| ("stateMachineVersionArn", text(arn))));
            details.extend(alias_arn.as_ref().map(|arn| ("stateMachineAliasArn", text(arn))));
            ("ExecutionStarted", Some(details))
        }
        HistoryKind::ExecutionSucceeded { output } => ("ExecutionSucceeded", Some(vec![output_of(output)])),
        HistoryKind::ExecutionFailed(error) => ("ExecutionFailed", Some(error_of(error))),
        HistoryKind::ExecutionTimedOut(error) => ("ExecutionTimedOut", Some(error_of(error))),
        HistoryKind::ExecutionAborted(error) => ("ExecutionAborted", Some(error_of(error))),
        HistoryKind::ExecutionRedriven { redrive_count } => {
            ("ExecutionRedriven", Some(vec![("redriveCount", Member::Number(*redrive_count))]))
        }
        HistoryKind::EvaluationFailed { error, location, state } => {
            let mut details = error_of(error);
            details.extend(location.as_ref().map(|location| ("location", text(location))));
            details.push(("state", text(state)));
            ("EvaluationFailed", Some(details))
        }
        HistoryKind::ParallelStateStarted => ("ParallelStateStarted", None),
        HistoryKind::ParallelStateSucceeded => ("ParallelStateSucceeded", None),
        HistoryKind::ParallelStateFailed => ("ParallelStateFailed", None),
        HistoryKind::MapStateStarted { length } => {
            ("MapStateStarted", Some(vec![("length", Member::Number(*length))]))
        }
        HistoryKind::MapStateSucceeded => ("MapStateSucceeded", None),
        HistoryKind::MapStateFailed => ("MapStateFailed", None),
        HistoryKind::MapIterationStarted(item) => ("MapIterationStarted", iteration(item)),
        HistoryKind::MapIterationSucceeded(item) => ("MapIterationSucceeded", iteration(item)),
        HistoryKind::MapIterationFailed(item) => ("MapIterationFailed", iteration(item)),
        HistoryKind::MapIterationAborted(item) => ("MapIterationAborted", iteration(item)),
        HistoryKind::MapRunStarted { map_run_arn } => {
            ("MapRunStarted", Some(vec![("mapRunArn", text(map_run_arn))]))
        }
        HistoryKind::MapRunSucceeded => ("MapRunSucceeded", None),
        HistoryKind::MapRunFailed(error) => ("MapRunFailed", Some(error_of(error))),
        HistoryKind::MapRunAborted => ("MapRunAborted", None),
        HistoryKind::MapRunRedriven { map_run_arn, redrive_count } => {
            let details =
                vec![("mapRunArn", text(map_run_arn)), ("redriveCount", Member::Number(*redrive_count))];
            ("MapRunRedriven", Some(details))
        }
        task => describe_task(task),
    };
    (name.to_owned(), details)
}

fn describe_task(kind: &HistoryKind) -> (&'static str, Details) {
    let outcome = |error: &ErrorOutput| Some(error_of(error));
    match kind {
        HistoryKind::TaskScheduled(task) => ("TaskScheduled", Some(task_scheduled(task))),
        HistoryKind::TaskStarted(task) => ("TaskStarted", service(task, [])),
        HistoryKind::TaskStartFailed(task, error) => ("TaskStartFailed", service(task, error_of(error))),
        HistoryKind::TaskSubmitted(task, output) => ("TaskSubmitted", service(task, [output_of(output)])),
        HistoryKind::TaskSubmitFailed(task, error) => ("TaskSubmitFailed", service(task, error_of(error))),
        HistoryKind::TaskSucceeded(task, output, _) => ("TaskSucceeded", service(task, [output_of(output)])),
        HistoryKind::TaskFailed(task, error, _) => ("TaskFailed", service(task, error_of(error))),
        HistoryKind::TaskTimedOut(task, error) => ("TaskTimedOut", service(task, error_of(error))),
        HistoryKind::LambdaFunctionScheduled(task) => ("LambdaFunctionScheduled", Some(scheduled(task))),
        HistoryKind::LambdaFunctionScheduleFailed(error) => ("LambdaFunctionScheduleFailed", outcome(error)),
        HistoryKind::LambdaFunctionStarted => ("LambdaFunctionStarted", None),
        HistoryKind::LambdaFunctionStartFailed(error) => ("LambdaFunctionStartFailed", outcome(error)),
        HistoryKind::LambdaFunctionSucceeded(output, _) => {
            ("LambdaFunctionSucceeded", Some(vec![output_of(output)]))
        }
        HistoryKind::LambdaFunctionFailed(error, _) => ("LambdaFunctionFailed", outcome(error)),
        HistoryKind::LambdaFunctionTimedOut(error) => ("LambdaFunctionTimedOut", outcome(error)),
        HistoryKind::ActivityScheduled(task) => ("ActivityScheduled", Some(scheduled(task))),
        HistoryKind::ActivityScheduleFailed(error) => ("ActivityScheduleFailed", outcome(error)),
        HistoryKind::ActivityStarted { worker_name } => {
            ("ActivityStarted", Some(worker_name.iter().map(|name| ("workerName", text(name))).collect()))
        }
        HistoryKind::ActivitySucceeded(output) => ("ActivitySucceeded", Some(vec![output_of(output)])),
        HistoryKind::ActivityFailed(error) => ("ActivityFailed", outcome(error)),
        HistoryKind::ActivityTimedOut(error) => ("ActivityTimedOut", outcome(error)),
        other => panic!("no event of a task: {other:?}"),
    }
}

fn text(text: &str) -> Member {
    Member::Text(text.to_owned())
}

fn named(name: &str) -> (&'static str, Member) {
    ("name", text(name))
}

fn input_of(data: &Data) -> (&'static str, Member) {
    ("input", Member::Payload(data.clone()))
}

fn output_of(data: &Data) -> (&'static str, Member) {
    ("output", Member::Payload(data.clone()))
}

fn error_of(error: &ErrorOutput) -> Vec<(&'static str, Member)> {
    let members = [("error", &error.error), ("cause", &error.cause)];
    members.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| (name, text(value)))).collect()
}

fn iteration(iteration: &Iteration) -> Details {
    Some(vec![named(&iteration.name), ("index", Member::Number(iteration.index))])
}

fn service(service: &ServiceName, rest: impl IntoIterator<Item = (&'static str, Member)>) -> Details {
    let mut details =
        vec![("resourceType", text(&service.resource_type)), ("resource", text(&service.resource))];
    details.extend(rest);
    Some(details)
}

fn task_scheduled(task: &TaskScheduled) -> Vec<(&'static str, Member)> {
    let region =
        [("region", text(&task.region)), ("parameters", Member::Parameters(task.parameters.clone()))];
    let mut details = service(&task.service, region).unwrap_or_default();
    details.extend(limits(task.timeout_seconds, task.heartbeat_seconds, task.role_arn.as_ref()));
    details
}

fn scheduled(task: &Scheduled) -> Vec<(&'static str, Member)> {
    let mut details = vec![("resource", text(&task.resource)), input_of(&task.input)];
    details.extend(limits(task.timeout_seconds, task.heartbeat_seconds, task.role_arn.as_ref()));
    details
}

fn limits(
    timeout: Option<u32>,
    heartbeat: Option<u32>,
    role_arn: Option<&String>,
) -> impl Iterator<Item = (&'static str, Member)> {
    let seconds = [("timeoutInSeconds", timeout), ("heartbeatInSeconds", heartbeat)];
    let seconds = seconds.into_iter().filter_map(|(name, value)| Some((name, Member::Number(value?))));
    seconds.chain(role_arn.map(|arn| ("taskCredentials", Member::Role(arn.clone()))))
}

/// An event as the AWS API writes it and the recordings keep it: texts that hold an object are parsed.
pub fn as_recorded(event: &HistoryEvent) -> Value {
    let (name, details) = describe(&event.kind);
    let mut object = Map::new();
    object.insert("id".to_owned(), event.id.into());
    object.insert("previousEventId".to_owned(), event.previous.into());
    object.insert("timestamp".to_owned(), "timestamp".into());
    if let Some(details) = details {
        object.insert(details_name(&name), Value::Object(recorded_details(details)));
    }
    object.insert("type".to_owned(), name.into());
    Value::Object(object)
}

fn recorded_details(details: Vec<(&'static str, Member)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, member) in details {
        let value = match member {
            Member::Text(text) => parsed_object(&text),
            Member::Number(number) => number.into(),
            Member::Payload(data) => {
                object.insert(format!("{name}Details"), json!({ "truncated": false }));
                parsed_object(data.text())
            }
            Member::Parameters(data) => parsed_object(data.text()),
            Member::Variables(variables) => {
                object.insert(format!("{name}Details"), json!({ "truncated": false }));
                variables.iter().map(|(name, data)| (name.to_string(), parsed_object(data.text()))).collect()
            }
            Member::Role(arn) => json!({ "roleArn": arn }),
        };
        object.insert(name.to_owned(), value);
    }
    object
}

fn details_name(event: &str) -> String {
    let name = match event {
        entered if entered.ends_with("StateEntered") => "stateEntered".to_owned(),
        exited if exited.ends_with("StateExited") => "stateExited".to_owned(),
        other => other[..1].to_ascii_lowercase() + &other[1..],
    };
    name + "EventDetails"
}

/// A text that holds an object becomes that object, as the recordings have it.
fn parsed_object(text: &str) -> Value {
    let object = text.starts_with('{').then(|| serde_json::from_str(text).ok()).flatten();
    object.unwrap_or_else(|| text.into())
}
