//! History events as lines for a person who watches an execution.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::terminal::printable;

/// Characters of a cause that a line shows; the end of `start` shows all of it.
const CAUSE_CHARACTERS_MAX: usize = 160;

/// How an execution ended, as far as its history tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub(crate) status: &'static str,
    /// The state in which it ended.
    pub(crate) state: Option<String>,
}

/// Turns the events of one execution into lines, in their order.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    started_at: Option<f64>,
    /// What each event belongs to; an event names the one before it.
    origins: HashMap<u64, Origin>,
    end: Option<End>,
}

#[derive(Debug, Clone, Default)]
struct Origin {
    state: String,
    attempts: u32,
}

impl Progress {
    pub(crate) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// What comes now comes after a redrive: times count anew, and the end that was is none.
    pub(crate) fn begin_again(&mut self) {
        self.started_at = None;
        self.end = None;
    }

    /// The line for an event; none for what a person needn't see.
    pub(crate) fn line(&mut self, event: &Value) -> Option<String> {
        let kind = event["type"].as_str()?;
        let at = event["timestamp"].as_f64().unwrap_or_default();
        let elapsed = at - *self.started_at.get_or_insert(at);
        let previous = event["previousEventId"].as_u64().unwrap_or_default();
        let mut origin = self.origins.get(&previous).cloned().unwrap_or_default();
        let text = self.describe(kind, event, &mut origin);
        if let Some(id) = event["id"].as_u64() {
            self.origins.insert(id, origin);
        }
        text.map(|text| format!("{elapsed:>9.3}s  {}", printable(&text)))
    }

    fn describe(&mut self, kind: &str, event: &Value, origin: &mut Origin) -> Option<String> {
        if let Some(state_type) = kind.strip_suffix("StateEntered") {
            let name = event["stateEnteredEventDetails"]["name"].as_str().unwrap_or("?");
            *origin = Origin { state: name.to_owned(), attempts: 0 };
            return Some(format!("> {name} ({state_type})"));
        }
        if kind.ends_with("StateExited") {
            let name = event["stateExitedEventDetails"]["name"].as_str().unwrap_or("?");
            name.clone_into(&mut origin.state);
            return Some(format!("< {name}"));
        }
        if kind.starts_with("Execution") {
            return self.execution(kind, event, origin);
        }
        if let Some(what) = kind.strip_prefix("MapIteration") {
            let details = details(event, kind);
            let name = details["name"].as_str().unwrap_or("?");
            return Some(format!("  {name}[{}] {}", details["index"], what.to_lowercase()));
        }
        task(kind, &details(event, kind), origin)
    }

    fn execution(&mut self, kind: &str, event: &Value, origin: &Origin) -> Option<String> {
        let status = match kind {
            "ExecutionStarted" => return Some("execution started".to_owned()),
            "ExecutionRedriven" => {
                self.end = None;
                return Some(format!("redrive {} of the execution", details(event, kind)["redriveCount"]));
            }
            "ExecutionSucceeded" => "SUCCEEDED",
            "ExecutionFailed" => "FAILED",
            "ExecutionTimedOut" => "TIMED_OUT",
            "ExecutionAborted" => "ABORTED",
            _other => return Some(kind.to_owned()),
        };
        let state = (!origin.state.is_empty()).then(|| origin.state.clone());
        self.end = Some(End { status, state });
        Some(format!("execution {}", status.to_lowercase().replace('_', " ")))
    }
}

/// The details member of an event: `mapIterationStartedEventDetails` of `MapIterationStarted`.
fn details(event: &Value, kind: &str) -> Value {
    let mut name = kind.to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    event[format!("{name}EventDetails")].clone()
}

/// Attempts of tasks, and what else happens within a state.
fn task(kind: &str, details: &Value, origin: &mut Origin) -> Option<String> {
    let state = &origin.state;
    match kind {
        "LambdaFunctionScheduled" | "TaskScheduled" | "ActivityScheduled" => {
            origin.attempts += 1;
            match (origin.attempts, kind) {
                (1, "ActivityScheduled") => Some(format!("  {state}: waits for a worker")),
                (1, _) => None,
                (attempt, _) => Some(format!("  {state}: retry {}", attempt - 1)),
            }
        }
        "ActivityStarted" => {
            let worker = details["workerName"].as_str().map_or_else(String::new, |name| format!(" {name}"));
            Some(format!("  {state}: taken by the worker{worker}"))
        }
        "TaskSubmitted" => Some(format!("  {state}: submitted, waits for its answer")),
        "MapRunStarted" => {
            Some(format!("  {state}: {} started", details["mapRunArn"].as_str().unwrap_or("?")))
        }
        "MapRunRedriven" => {
            let arn = details["mapRunArn"].as_str().unwrap_or("?");
            Some(format!("  {state}: redrive {} of {arn}", details["redriveCount"]))
        }
        "MapStateStarted" => Some(format!("  {state}: {} items", details["length"])),
        "MapStateFailed" | "ParallelStateFailed" => Some(format!("  {state}: failed")),
        "ParallelStateStarted" => Some(format!("  {state}: branches started")),
        kind if kind.ends_with("StateAborted") => Some(format!("  {state}: aborted")),
        kind if kind.ends_with("Failed") || kind.ends_with("TimedOut") => {
            let mut line = format!("! {state}: {}", details["error"].as_str().unwrap_or("failed"));
            if let Some(cause) = details["cause"].as_str().filter(|cause| !cause.is_empty()) {
                let short: String =
                    cause.lines().next().unwrap_or("").chars().take(CAUSE_CHARACTERS_MAX).collect();
                let more = if short.len() < cause.len() { " …" } else { "" };
                let _infallible = write!(line, ": {short}{more}");
            }
            Some(line)
        }
        _quiet => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Events as id, previous, milliseconds, type and details.
    fn check(events: &[(u64, u64, u32, &str, Value)], expected: &str, end: Option<(&'static str, &str)>) {
        let mut progress = Progress::default();
        let mut lines = String::new();
        for (id, previous, milliseconds, kind, inner) in events {
            let member = match *kind {
                kind if kind.ends_with("StateEntered") => "stateEnteredEventDetails".to_owned(),
                kind if kind.ends_with("StateExited") => "stateExitedEventDetails".to_owned(),
                kind => format!("{}{}EventDetails", kind[..1].to_lowercase(), &kind[1..]),
            };
            let event = json!({
                "id": id, "previousEventId": previous, "type": kind, member: inner,
                "timestamp": 1_700_000_000.0 + f64::from(*milliseconds) / 1000.0,
            });
            if let Some(line) = progress.line(&event) {
                lines.push_str(line.trim_start());
                lines.push('\n');
            }
        }
        assert_eq!(lines.trim_end(), expected);
        let expected = end.map(|(status, state)| End { status, state: Some(state.to_owned()) });
        assert_eq!(progress.end(), expected.as_ref());
    }

    #[test]
    fn a_retry_and_a_failure_are_seen() {
        check(
            &[
                (1, 0, 0, "ExecutionStarted", json!({})),
                (2, 0, 1, "TaskStateEntered", json!({"name": "Charge"})),
                (3, 2, 1, "LambdaFunctionScheduled", json!({"resource": "arn"})),
                (4, 3, 1, "LambdaFunctionStarted", json!({})),
                (
                    5,
                    4,
                    20,
                    "LambdaFunctionFailed",
                    json!({"error": "Declined", "cause": "card\u{1b} 7\nmore"}),
                ),
                (6, 5, 1020, "LambdaFunctionScheduled", json!({"resource": "arn"})),
                (7, 6, 1020, "LambdaFunctionStarted", json!({})),
                (8, 7, 1030, "LambdaFunctionTimedOut", json!({"error": "States.Timeout"})),
                (9, 8, 1030, "ExecutionFailed", json!({"error": "States.Timeout"})),
            ],
            "0.000s  execution started\n\
             0.001s  > Charge (Task)\n\
             0.020s  ! Charge: Declined: card\u{fffd} 7 …\n\
             1.020s    Charge: retry 1\n\
             1.030s  ! Charge: States.Timeout\n\
             1.030s  execution failed",
            Some(("FAILED", "Charge")),
        );
    }

    #[test]
    fn a_redrive_takes_the_end_back() {
        check(
            &[
                (1, 0, 0, "ExecutionStarted", json!({})),
                (2, 0, 0, "MapStateEntered", json!({"name": "Each"})),
                (3, 2, 0, "MapStateStarted", json!({"length": 2})),
                (4, 3, 0, "MapRunStarted", json!({"mapRunArn": "run"})),
                (5, 4, 1000, "MapRunFailed", json!({"error": "E", "cause": "C"})),
                (6, 5, 1000, "MapStateFailed", json!({})),
                (7, 6, 1000, "ExecutionFailed", json!({})),
                (8, 7, 3000, "ExecutionRedriven", json!({"redriveCount": 1})),
                (9, 6, 3000, "MapRunRedriven", json!({"mapRunArn": "run", "redriveCount": 1})),
            ],
            "0.000s  execution started\n\
             0.000s  > Each (Map)\n\
             0.000s    Each: 2 items\n\
             0.000s    Each: run started\n\
             1.000s  ! Each: E: C\n\
             1.000s    Each: failed\n\
             1.000s  execution failed\n\
             3.000s  redrive 1 of the execution\n\
             3.000s    Each: redrive 1 of run",
            None,
        );
    }

    #[test]
    fn iterations_and_waits_are_seen() {
        check(
            &[
                (1, 0, 0, "ExecutionStarted", json!({})),
                (2, 0, 0, "MapStateEntered", json!({"name": "Each"})),
                (3, 2, 0, "MapStateStarted", json!({"length": 1})),
                (4, 3, 0, "MapIterationStarted", json!({"name": "Each", "index": 0})),
                (5, 4, 0, "WaitStateEntered", json!({"name": "Pause"})),
                (6, 5, 2000, "WaitStateExited", json!({"name": "Pause"})),
                (7, 6, 2000, "MapIterationSucceeded", json!({"name": "Each", "index": 0})),
                (8, 7, 2000, "MapStateSucceeded", json!({})),
                (9, 7, 2000, "MapStateExited", json!({"name": "Each"})),
                (10, 9, 2000, "ExecutionSucceeded", json!({})),
            ],
            "0.000s  execution started\n\
             0.000s  > Each (Map)\n\
             0.000s    Each: 1 items\n\
             0.000s    Each[0] started\n\
             0.000s  > Pause (Wait)\n\
             2.000s  < Pause\n\
             2.000s    Each[0] succeeded\n\
             2.000s  < Each\n\
             2.000s  execution succeeded",
            Some(("SUCCEEDED", "Each")),
        );
    }
}
