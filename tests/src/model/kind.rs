//! The definitions that the clients use, each with what becomes of its executions.

use serde_json::{Value, json};

use super::names::activity_arn;

/// A definition by what it does. Its name is in its comment, so that the model knows it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Pass,
    Echo,
    Fail,
    Choice,
    Jsonata,
    Items,
    Branches,
    /// Runs until it is stopped.
    Wait,
    /// A task of that activity.
    Work(String),
    /// The same; its errors are caught.
    Careful(String),
    /// A Map Run.
    Distributed,
    /// A task of a function that always fails.
    Broken,
}

/// What becomes of an execution.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Course {
    /// It has ended when its start is answered, or soon after.
    Ends {
        end: End,
        events: Vec<&'static str>,
    },
    Waits {
        events: Vec<&'static str>,
    },
    /// It is in the queue of an activity.
    Queues {
        activity: String,
        events: Vec<&'static str>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum End {
    Output(Value),
    Error { error: String, cause: Option<String> },
}

pub(super) const EXPRESS_KINDS: &[Kind] =
    &[Kind::Pass, Kind::Echo, Kind::Fail, Kind::Choice, Kind::Jsonata, Kind::Items, Kind::Branches];

/// Of a definition that is refused.
pub(super) const BAD: &str = r#"{"StartAt": "A"}"#;
pub(super) const BAD_SAID: &str =
    "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'";

/// Inputs with more are "large".
const LARGE: i64 = 5;

impl Kind {
    pub(super) fn text(&self) -> String {
        let echo = |name: &str| json!({"StartAt": name, "States": {name: {"Type": "Pass", "End": true}}});
        let work = |activity: &str| json!({"Type": "Task", "Resource": activity_arn(activity), "End": true});
        let (comment, state) = match self {
            Kind::Pass => ("Pass".to_owned(), json!({"Type": "Pass", "Result": {"a": 1}, "End": true})),
            Kind::Echo => ("Echo".to_owned(), json!({"Type": "Pass", "End": true})),
            Kind::Fail => {
                ("Fail".to_owned(), json!({"Type": "Fail", "Error": "Refused", "Cause": "on request"}))
            }
            Kind::Choice => return choice(),
            Kind::Jsonata => {
                let output = "{% $states.input.n * 2 %}";
                let state =
                    json!({"Type": "Pass", "QueryLanguage": "JSONata", "Output": output, "End": true});
                ("Jsonata".to_owned(), state)
            }
            Kind::Items => {
                let state =
                    json!({"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": echo("E"), "End": true});
                ("Items".to_owned(), state)
            }
            Kind::Branches => (
                "Branches".to_owned(),
                json!({"Type": "Parallel", "Branches": [echo("E"), echo("F")], "End": true}),
            ),
            Kind::Wait => ("Wait".to_owned(), json!({"Type": "Wait", "Seconds": 100_000, "End": true})),
            Kind::Work(activity) => (format!("Work {activity}"), work(activity)),
            Kind::Careful(activity) => {
                let mut state = work(activity);
                state["Catch"] = json!([{"ErrorEquals": ["States.ALL"], "Next": "B"}]);
                (format!("Careful {activity}"), state)
            }
            Kind::Distributed => {
                let mut processor = echo("E");
                processor["ProcessorConfig"] = json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
                let state = json!({
                    "Type": "Map", "ItemsPath": "$.items", "Label": "run", "ItemProcessor": processor, "End": true,
                });
                ("Distributed".to_owned(), state)
            }
            Kind::Broken => {
                let function = "arn:aws:lambda:us-east-1:123456789012:function:broken";
                ("Broken".to_owned(), json!({"Type": "Task", "Resource": function, "End": true}))
            }
        };
        let mut states = json!({"A": state});
        if matches!(self, Kind::Careful(_)) {
            states["B"] = json!({"Type": "Pass", "Result": "caught", "End": true});
        }
        json!({"Comment": comment, "StartAt": "A", "States": states}).to_string()
    }

    /// The kind of a definition; none if it is not valid.
    pub(super) fn of(text: &str) -> Option<Kind> {
        let definition: Value = serde_json::from_str(text).ok()?;
        let comment = definition["Comment"].as_str()?;
        Some(match comment.split_once(' ') {
            Some(("Work", activity)) => Kind::Work(activity.to_owned()),
            Some(("Careful", activity)) => Kind::Careful(activity.to_owned()),
            _alone => match comment {
                "Pass" => Kind::Pass,
                "Echo" => Kind::Echo,
                "Fail" => Kind::Fail,
                "Choice" => Kind::Choice,
                "Jsonata" => Kind::Jsonata,
                "Items" => Kind::Items,
                "Branches" => Kind::Branches,
                "Wait" => Kind::Wait,
                "Distributed" => Kind::Distributed,
                "Broken" => Kind::Broken,
                _unknown => return None,
            },
        })
    }

    /// What becomes of an execution with this input.
    pub(super) fn course(&self, input: &Value, activity_exists: impl Fn(&str) -> bool) -> Course {
        let (end, middle) = match self {
            Kind::Pass => (End::Output(json!({"a": 1})), PASSED.to_vec()),
            Kind::Echo => (End::Output(input.clone()), PASSED.to_vec()),
            Kind::Jsonata => (End::Output(json!(input["n"].as_i64().unwrap_or(0) * 2)), PASSED.to_vec()),
            Kind::Fail => (refused(), vec!["FailStateEntered"]),
            Kind::Choice => {
                let chosen = ["ChoiceStateEntered", "ChoiceStateExited"];
                if input["n"].as_i64() > Some(LARGE) {
                    let end = ["SucceedStateEntered", "SucceedStateExited"];
                    (End::Output(input.clone()), [chosen, end].concat())
                } else {
                    (refused(), [&chosen[..], &["FailStateEntered"]].concat())
                }
            }
            Kind::Items => (End::Output(input["items"].clone()), items_events(input)),
            Kind::Branches => (End::Output(json!([input, input])), branches_events()),
            Kind::Distributed => (End::Output(input["items"].clone()), DISTRIBUTED.to_vec()),
            Kind::Broken => {
                let end = End::Error { error: "Broken".to_owned(), cause: Some("always".to_owned()) };
                (end, BROKEN.to_vec())
            }
            Kind::Wait => return Course::Waits { events: vec![STARTED, "WaitStateEntered"] },
            Kind::Work(activity) | Kind::Careful(activity) if activity_exists(activity) => {
                let events = vec![STARTED, "TaskStateEntered", "ActivityScheduled"];
                return Course::Queues { activity: activity.clone(), events };
            }
            // Nothing catches `States.Runtime`.
            Kind::Work(activity) | Kind::Careful(activity) => {
                let cause = format!(
                    "An error occurred while executing the state 'A' (entered at the event id #2). The activity {} \
                     does not exist.",
                    activity_arn(activity)
                );
                let end = End::Error { error: "States.Runtime".to_owned(), cause: Some(cause) };
                (end, vec!["TaskStateEntered"])
            }
        };
        let mut events = [&[STARTED][..], &middle].concat();
        events.push(end.event());
        Course::Ends { end, events }
    }

    /// What becomes of an execution that ended without success and is redriven, from the redrive on.
    pub(super) fn redriven(&self, input: &Value, activity_exists: impl Fn(&str) -> bool) -> Course {
        // The events of before: a state goes on where it was, but a Fail state is entered again.
        let known = match self {
            Kind::Fail => 1,
            Kind::Choice => 3,
            _entered => 2,
        };
        match self.course(input, activity_exists) {
            Course::Ends { end, events } => Course::Ends { end, events: events[known..].to_vec() },
            Course::Waits { events } => Course::Waits { events: events[known..].to_vec() },
            Course::Queues { activity, events } => {
                Course::Queues { activity, events: events[known..].to_vec() }
            }
        }
    }

    /// Whether its executions go on after their start was answered, and end by themselves.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self, Kind::Distributed | Kind::Broken)
    }

    /// Whether parts of its executions run beside each other.
    pub(super) fn is_forked(&self) -> bool {
        matches!(self, Kind::Items | Kind::Branches)
    }

    /// What the answer of a worker leads to, and the events from it on.
    pub(super) fn answered(&self, answer: End) -> (End, Vec<&'static str>) {
        let (end, mut events) = match (self, answer) {
            (_, End::Output(output)) => (End::Output(output), vec!["ActivitySucceeded", "TaskStateExited"]),
            (Kind::Careful(_), End::Error { .. }) => {
                let events = [&["ActivityFailed", "TaskStateExited"][..], PASSED].concat();
                (End::Output(json!("caught")), events)
            }
            (_, error) => (error, vec!["ActivityFailed"]),
        };
        events.push(end.event());
        (end, events)
    }
}

impl End {
    fn event(&self) -> &'static str {
        match self {
            End::Output(_) => "ExecutionSucceeded",
            End::Error { .. } => "ExecutionFailed",
        }
    }
}

const STARTED: &str = "ExecutionStarted";
const PASSED: &[&str] = &["PassStateEntered", "PassStateExited"];
const DISTRIBUTED: &[&str] = &[
    "MapStateEntered",
    "MapStateStarted",
    "MapRunStarted",
    "MapRunSucceeded",
    "MapStateSucceeded",
    "MapStateExited",
];
const BROKEN: &[&str] =
    &["TaskStateEntered", "LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionFailed"];

fn refused() -> End {
    End::Error { error: "Refused".to_owned(), cause: Some("on request".to_owned()) }
}

fn choice() -> String {
    json!({
        "Comment": "Choice", "StartAt": "A",
        "States": {
            "A": {
                "Type": "Choice", "Default": "F",
                "Choices": [{"Variable": "$.n", "NumericGreaterThan": LARGE, "Next": "S"}],
            },
            "S": {"Type": "Succeed"},
            "F": {"Type": "Fail", "Error": "Refused", "Cause": "on request"},
        },
    })
    .to_string()
}

fn items_events(input: &Value) -> Vec<&'static str> {
    let count = input["items"].as_array().map_or(0, Vec::len);
    let begin = ["MapStateEntered", "MapStateStarted"];
    let each: Vec<&str> = (0..count)
        .flat_map(|_| ["MapIterationStarted", PASSED[0], PASSED[1], "MapIterationSucceeded"])
        .collect();
    [&begin[..], &each, &["MapStateSucceeded", "MapStateExited"]].concat()
}

fn branches_events() -> Vec<&'static str> {
    let end = ["ParallelStateSucceeded", "ParallelStateExited"];
    [&["ParallelStateEntered", "ParallelStateStarted"][..], PASSED, PASSED, &end].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_known_again() {
        let others = [
            Kind::Wait,
            Kind::Work("a".to_owned()),
            Kind::Careful("a".to_owned()),
            Kind::Distributed,
            Kind::Broken,
        ];
        for kind in EXPRESS_KINDS.iter().chain(&others) {
            assert_eq!(Kind::of(&kind.text()).as_ref(), Some(kind));
        }
        assert_eq!(Kind::of(BAD), None);
    }
}
