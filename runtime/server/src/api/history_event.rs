//! A stored history event as AWS writes it: one type name and at most one member of details.

use asl::interpreter::{
    ErrorOutput, HistoryEvent, HistoryKind, Iteration, Scheduled, ServiceName, TaskScheduled,
};
use asl::{Data, Text};
use serde_json::{Map, Value, json};

/// Whether inputs, outputs and variables are in the answer (`includeExecutionData`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payloads {
    Included,
    Left,
    /// Nor what is said of them, as in logs.
    Unmentioned,
}

/// The event as AWS logs it: numbers as text, the details under one name.
pub(crate) fn render_logged(
    event: &HistoryEvent,
    payloads: Payloads,
    execution_arn: &str,
    redrive_count: u32,
) -> Value {
    let (name, details) = describe(&event.kind, payloads);
    json!({
        "id": event.id.to_string(),
        "type": name,
        "details": details.map_or_else(Map::new, |details| details.members),
        "previous_event_id": event.previous.to_string(),
        "event_timestamp": event.at.as_milliseconds().to_string(),
        "execution_arn": execution_arn,
        "redrive_count": redrive_count.to_string(),
    })
}

/// The event as JSON.
pub(crate) fn render(event: &HistoryEvent, payloads: Payloads) -> Value {
    let (name, details) = describe(&event.kind, payloads);
    let mut members = Map::new();
    members.insert("timestamp".to_owned(), event.at.as_epoch_seconds().into());
    members.insert("type".to_owned(), name.as_str().into());
    members.insert("id".to_owned(), event.id.into());
    members.insert("previousEventId".to_owned(), event.previous.into());
    if let Some(details) = details {
        members.insert(details_member(&name), Value::Object(details.members));
    }
    Value::Object(members)
}

/// The member that holds the details of an event: entered and exited states share theirs, the others have one of
/// their own type's name.
fn details_member(name: &str) -> String {
    let shared = ["StateEntered", "StateExited"].into_iter().find(|shared| name.ends_with(shared));
    let mut member = format!("{}EventDetails", shared.unwrap_or(name));
    if let Some(first) = member.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    member
}

/// AWS's name of the event's type, and its details if that type has any.
fn describe(kind: &HistoryKind, payloads: Payloads) -> (String, Option<Details>) {
    use HistoryKind as Kind;

    let new = || Details { members: Map::new(), payloads };
    let plain = |name: &str| (name.to_owned(), None);
    let with = |name: &str, details: Details| (name.to_owned(), Some(details));
    match kind {
        Kind::ExecutionStarted { input, role_arn, version_arn, alias_arn } => {
            let details = new().input(input).text("roleArn", role_arn);
            let details = details.optional("stateMachineAliasArn", alias_arn.as_deref());
            with("ExecutionStarted", details.optional("stateMachineVersionArn", version_arn.as_deref()))
        }
        Kind::ExecutionSucceeded { output } => with("ExecutionSucceeded", new().output(output)),
        Kind::ExecutionFailed(error) => with("ExecutionFailed", new().error(error)),
        Kind::ExecutionTimedOut(error) => with("ExecutionTimedOut", new().error(error)),
        Kind::ExecutionAborted(error) => with("ExecutionAborted", new().error(error)),
        Kind::ExecutionRedriven { redrive_count: n } => with("ExecutionRedriven", new().redriven(*n)),
        Kind::StateEntered { state_type, name, input } => {
            with(&format!("{}StateEntered", state_type.name()), new().text("name", name).input(input))
        }
        Kind::StateExited { state_type, name, output, assigned } => {
            let details = new().text("name", name).output(output).assigned(assigned);
            with(&format!("{}StateExited", state_type.name()), details)
        }
        Kind::StateAborted { state_type } => plain(&format!("{}StateAborted", state_type.name())),
        Kind::EvaluationFailed { error, location, state } => {
            let details = new().error(error).optional("location", location.as_deref());
            with("EvaluationFailed", details.text("state", state))
        }
        Kind::ParallelStateStarted => plain("ParallelStateStarted"),
        Kind::ParallelStateSucceeded => plain("ParallelStateSucceeded"),
        Kind::ParallelStateFailed => plain("ParallelStateFailed"),
        Kind::MapStateStarted { length } => with("MapStateStarted", new().number("length", *length)),
        Kind::MapStateSucceeded => plain("MapStateSucceeded"),
        Kind::MapStateFailed => plain("MapStateFailed"),
        Kind::MapIterationStarted(item) => with("MapIterationStarted", new().iteration(item)),
        Kind::MapIterationSucceeded(item) => with("MapIterationSucceeded", new().iteration(item)),
        Kind::MapIterationFailed(item) => with("MapIterationFailed", new().iteration(item)),
        Kind::MapIterationAborted(item) => with("MapIterationAborted", new().iteration(item)),
        Kind::MapRunStarted { map_run_arn } => with("MapRunStarted", new().text("mapRunArn", map_run_arn)),
        Kind::MapRunSucceeded => plain("MapRunSucceeded"),
        Kind::MapRunFailed(error) => with("MapRunFailed", new().error(error)),
        Kind::MapRunAborted => plain("MapRunAborted"),
        Kind::MapRunRedriven { map_run_arn: arn, redrive_count: n } => {
            with("MapRunRedriven", new().text("mapRunArn", arn).redriven(*n))
        }
        Kind::TaskScheduled(task) => with("TaskScheduled", new().task_scheduled(task)),
        Kind::TaskStarted(task) => with("TaskStarted", new().service(task)),
        Kind::TaskStartFailed(task, error) => with("TaskStartFailed", new().service(task).error(error)),
        Kind::TaskSubmitted(task, output) => with("TaskSubmitted", new().service(task).output(output)),
        Kind::TaskSubmitFailed(task, error) => with("TaskSubmitFailed", new().service(task).error(error)),
        Kind::TaskSucceeded(task, output, _) => with("TaskSucceeded", new().service(task).output(output)),
        Kind::TaskFailed(task, error, _usage) => with("TaskFailed", new().service(task).error(error)),
        Kind::TaskTimedOut(task, error) => with("TaskTimedOut", new().service(task).error(error)),
        Kind::LambdaFunctionScheduled(task) => {
            with("LambdaFunctionScheduled", new().function_scheduled(task))
        }
        Kind::LambdaFunctionScheduleFailed(error) => with("LambdaFunctionScheduleFailed", new().error(error)),
        Kind::LambdaFunctionStarted => plain("LambdaFunctionStarted"),
        Kind::LambdaFunctionStartFailed(error) => with("LambdaFunctionStartFailed", new().error(error)),
        Kind::LambdaFunctionSucceeded(output, _) => with("LambdaFunctionSucceeded", new().output(output)),
        Kind::LambdaFunctionFailed(error, _usage) => with("LambdaFunctionFailed", new().error(error)),
        Kind::LambdaFunctionTimedOut(error) => with("LambdaFunctionTimedOut", new().error(error)),
        Kind::ActivityScheduled(task) => with("ActivityScheduled", new().activity_scheduled(task)),
        Kind::ActivityScheduleFailed(error) => with("ActivityScheduleFailed", new().error(error)),
        Kind::ActivityStarted { worker_name: name } => {
            with("ActivityStarted", new().optional("workerName", name.as_deref()))
        }
        Kind::ActivitySucceeded(output) => with("ActivitySucceeded", new().output(output)),
        Kind::ActivityFailed(error) => with("ActivityFailed", new().error(error)),
        Kind::ActivityTimedOut(error) => with("ActivityTimedOut", new().error(error)),
    }
}

/// The details of one event, member by member.
struct Details {
    members: Map<String, Value>,
    payloads: Payloads,
}

impl Details {
    fn with(mut self, name: &str, value: impl Into<Value>) -> Details {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    fn text(self, name: &str, text: &str) -> Details {
        self.with(name, text)
    }

    fn optional(self, name: &str, text: Option<&str>) -> Details {
        match text {
            Some(text) => self.with(name, text),
            None => self,
        }
    }

    fn redriven(self, count: u32) -> Details {
        self.number("redriveCount", count)
    }

    fn number(self, name: &str, number: u32) -> Details {
        self.with(name, number)
    }

    fn optional_number(self, name: &str, number: Option<u32>) -> Details {
        match number {
            Some(number) => self.with(name, number),
            None => self,
        }
    }

    fn error(self, error: &ErrorOutput) -> Details {
        self.optional("error", error.error.as_deref()).optional("cause", error.cause.as_deref())
    }

    /// A payload as JSON text. It is never cut off here, which AWS says beside each.
    fn payload(self, name: &str, details: &str, data: &Data) -> Details {
        let told = match self.payloads {
            Payloads::Included => self.with(name, data.text()),
            Payloads::Left => self,
            Payloads::Unmentioned => return self,
        };
        told.with(details, json!({"truncated": false}))
    }

    fn input(self, data: &Data) -> Details {
        self.payload("input", "inputDetails", data)
    }

    fn output(self, data: &Data) -> Details {
        self.payload("output", "outputDetails", data)
    }

    fn assigned(self, variables: &[(Text, Data)]) -> Details {
        if variables.is_empty() {
            return self;
        }
        let told = match self.payloads {
            Payloads::Included => {
                let values: Map<_, _> = variables
                    .iter()
                    .map(|(name, data)| (name.to_string(), Value::from(data.text())))
                    .collect();
                self.with("assignedVariables", values)
            }
            Payloads::Left => self,
            Payloads::Unmentioned => return self,
        };
        told.with("assignedVariablesDetails", json!({"truncated": false}))
    }

    fn iteration(self, iteration: &Iteration) -> Details {
        self.text("name", &iteration.name).number("index", iteration.index)
    }

    fn service(self, service: &ServiceName) -> Details {
        self.text("resourceType", &service.resource_type).text("resource", &service.resource)
    }

    fn scheduled(self, task: &Scheduled) -> Details {
        let details = self.text("resource", &task.resource).input(&task.input);
        details.optional_number("timeoutInSeconds", task.timeout_seconds)
    }

    fn function_scheduled(self, task: &Scheduled) -> Details {
        self.scheduled(task).role(task.role_arn.as_deref())
    }

    fn activity_scheduled(self, task: &Scheduled) -> Details {
        self.scheduled(task).optional_number("heartbeatInSeconds", task.heartbeat_seconds)
    }

    fn task_scheduled(self, task: &TaskScheduled) -> Details {
        let mut details = self.service(&task.service).text("region", &task.region);
        if details.payloads == Payloads::Included {
            details = details.text("parameters", task.parameters.text());
        }
        details
            .optional_number("timeoutInSeconds", task.timeout_seconds)
            .optional_number("heartbeatInSeconds", task.heartbeat_seconds)
            .role(task.role_arn.as_deref())
    }

    fn role(self, role_arn: Option<&str>) -> Details {
        match role_arn {
            Some(role_arn) => self.with("taskCredentials", json!({"roleArn": role_arn})),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use asl::Timestamp;
    use asl::interpreter::{StateType, TaskUsage};

    use super::*;

    fn rendered(kind: HistoryKind, payloads: Payloads) -> String {
        let event =
            HistoryEvent { id: 3, previous: 2, at: Timestamp::from_milliseconds(1_700_000_000_123), kind };
        render(&event, payloads).to_string()
    }

    fn check(kind: HistoryKind, name: &str, details: &str) {
        let details = if details.is_empty() { String::new() } else { format!(",{details}") };
        let expected = format!(
            "{{\"timestamp\":1700000000.123,\"type\":\"{name}\",\"id\":3,\"previousEventId\":2{details}}}"
        );
        assert_eq!(rendered(kind, Payloads::Included), expected);
    }

    fn data() -> Data {
        Data::from_valid_text(r#"{"a":1.0}"#)
    }

    fn scheduled() -> Box<Scheduled> {
        Box::new(Scheduled {
            resource: "arn".into(),
            input: data(),
            timeout_seconds: Some(5),
            heartbeat_seconds: Some(2),
            role_arn: Some("role".to_owned()),
        })
    }

    fn service() -> ServiceName {
        ServiceName { resource_type: "lambda".into(), resource: "invoke".into() }
    }

    #[test]
    fn executions() {
        let (role_arn, version_arn) = ("role".into(), Some("version".into()));
        check(
            HistoryKind::ExecutionStarted { input: data(), role_arn, version_arn, alias_arn: None },
            "ExecutionStarted",
            r#""executionStartedEventDetails":{"input":"{\"a\":1.0}","inputDetails":{"truncated":false},"roleArn":"role","stateMachineVersionArn":"version"}"#,
        );
        check(
            HistoryKind::ExecutionSucceeded { output: data() },
            "ExecutionSucceeded",
            r#""executionSucceededEventDetails":{"output":"{\"a\":1.0}","outputDetails":{"truncated":false}}"#,
        );
        check(
            HistoryKind::ExecutionFailed(ErrorOutput::new("E", "C")),
            "ExecutionFailed",
            r#""executionFailedEventDetails":{"error":"E","cause":"C"}"#,
        );
        check(
            HistoryKind::ExecutionAborted(ErrorOutput::default()),
            "ExecutionAborted",
            r#""executionAbortedEventDetails":{}"#,
        );
    }

    #[test]
    fn states() {
        check(
            HistoryKind::StateEntered { state_type: StateType::Wait, name: "W".into(), input: data() },
            "WaitStateEntered",
            r#""stateEnteredEventDetails":{"name":"W","input":"{\"a\":1.0}","inputDetails":{"truncated":false}}"#,
        );
        let assigned = vec![("x".into(), json!("t").into()), ("y".into(), json!([1]).into())];
        check(
            HistoryKind::StateExited {
                state_type: StateType::Pass,
                name: "P".into(),
                output: data(),
                assigned,
            },
            "PassStateExited",
            r#""stateExitedEventDetails":{"name":"P","output":"{\"a\":1.0}","outputDetails":{"truncated":false},"assignedVariables":{"x":"\"t\"","y":"[1]"},"assignedVariablesDetails":{"truncated":false}}"#,
        );
        check(HistoryKind::StateAborted { state_type: StateType::Task }, "TaskStateAborted", "");
        let location = Some("Items".to_owned());
        check(
            HistoryKind::EvaluationFailed { error: ErrorOutput::new("E", "C"), location, state: "M".into() },
            "EvaluationFailed",
            r#""evaluationFailedEventDetails":{"error":"E","cause":"C","location":"Items","state":"M"}"#,
        );
        check(
            HistoryKind::MapStateStarted { length: 2 },
            "MapStateStarted",
            r#""mapStateStartedEventDetails":{"length":2}"#,
        );
        check(
            HistoryKind::MapIterationFailed(Iteration { name: "M".into(), index: 0 }),
            "MapIterationFailed",
            r#""mapIterationFailedEventDetails":{"name":"M","index":0}"#,
        );
        check(HistoryKind::ParallelStateStarted, "ParallelStateStarted", "");
    }

    #[test]
    fn attempts() {
        check(
            HistoryKind::LambdaFunctionScheduled(scheduled()),
            "LambdaFunctionScheduled",
            r#""lambdaFunctionScheduledEventDetails":{"resource":"arn","input":"{\"a\":1.0}","inputDetails":{"truncated":false},"timeoutInSeconds":5,"taskCredentials":{"roleArn":"role"}}"#,
        );
        check(
            HistoryKind::ActivityScheduled(scheduled()),
            "ActivityScheduled",
            r#""activityScheduledEventDetails":{"resource":"arn","input":"{\"a\":1.0}","inputDetails":{"truncated":false},"timeoutInSeconds":5,"heartbeatInSeconds":2}"#,
        );
        check(
            HistoryKind::ActivityStarted { worker_name: None },
            "ActivityStarted",
            r#""activityStartedEventDetails":{}"#,
        );
        let task = TaskScheduled {
            service: service(),
            region: "us-east-1".into(),
            parameters: data(),
            timeout_seconds: Some(1),
            heartbeat_seconds: None,
            role_arn: None,
        };
        check(
            HistoryKind::TaskScheduled(Box::new(task)),
            "TaskScheduled",
            r#""taskScheduledEventDetails":{"resourceType":"lambda","resource":"invoke","region":"us-east-1","parameters":"{\"a\":1.0}","timeoutInSeconds":1}"#,
        );
        check(HistoryKind::LambdaFunctionStarted, "LambdaFunctionStarted", "");
        check(
            HistoryKind::TaskTimedOut(service(), ErrorOutput::bare("States.Timeout")),
            "TaskTimedOut",
            r#""taskTimedOutEventDetails":{"resourceType":"lambda","resource":"invoke","error":"States.Timeout"}"#,
        );
        check(
            HistoryKind::LambdaFunctionSucceeded(data(), Some(TaskUsage::default())),
            "LambdaFunctionSucceeded",
            r#""lambdaFunctionSucceededEventDetails":{"output":"{\"a\":1.0}","outputDetails":{"truncated":false}}"#,
        );
    }

    #[test]
    fn logs_have_numbers_as_text_and_no_word_of_payloads_that_are_left_out() {
        let kind = HistoryKind::StateEntered { state_type: StateType::Fail, name: "F".into(), input: data() };
        let event =
            HistoryEvent { id: 2, previous: 1, at: Timestamp::from_milliseconds(1_700_000_000_123), kind };
        let line = |payloads, details: &str| {
            let expected = format!(
                "{{\"id\":\"2\",\"type\":\"FailStateEntered\",\"details\":{details},\"previous_event_id\":\"1\",\
                 \"event_timestamp\":\"1700000000123\",\"execution_arn\":\"arn\",\"redrive_count\":\"3\"}}"
            );
            assert_eq!(render_logged(&event, payloads, "arn", 3).to_string(), expected);
        };
        line(Payloads::Included, r#"{"name":"F","input":"{\"a\":1.0}","inputDetails":{"truncated":false}}"#);
        line(Payloads::Unmentioned, r#"{"name":"F"}"#);
        let plain = HistoryEvent { kind: HistoryKind::LambdaFunctionStarted, ..event.clone() };
        assert_eq!(render_logged(&plain, Payloads::Included, "arn", 0)["details"], json!({}));
    }

    #[test]
    fn payloads_can_be_left_out() {
        let left = rendered(HistoryKind::LambdaFunctionScheduled(scheduled()), Payloads::Left);
        assert!(!left.contains("1.0") && left.contains(r#""inputDetails":{"truncated":false}"#), "{left}");
        let failed = rendered(HistoryKind::ExecutionFailed(ErrorOutput::new("E", "C")), Payloads::Left);
        assert!(failed.contains(r#""error":"E","cause":"C""#), "{failed}");
    }
}
