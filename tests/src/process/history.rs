//! What must hold for the history of any execution that has ended, however often its server was killed.

use std::collections::BTreeMap;

use serde_json::Value;

const TERMINAL: &[&str] = &["ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"];
/// How an attempt of a task begins, and how it ends.
const SCHEDULED: &[&str] = &["LambdaFunctionScheduled", "TaskScheduled", "ActivityScheduled"];
const RETURNED: &[&str] = &[
    "LambdaFunctionSucceeded",
    "LambdaFunctionFailed",
    "LambdaFunctionTimedOut",
    "TaskSucceeded",
    "TaskFailed",
    "TaskTimedOut",
    "ActivitySucceeded",
    "ActivityFailed",
    "ActivityTimedOut",
];

/// Everything that is wrong with a history.
pub fn problems(events: &[Value]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut attempts: BTreeMap<u64, u32> = BTreeMap::new();
    let mut attempt_of: BTreeMap<u64, u64> = BTreeMap::new();
    let mut last_at = 0.0;
    for (expected, event) in (1_u64..).zip(events) {
        let (id, previous) = (number(event, "id"), number(event, "previousEventId"));
        if id != expected {
            problems.push(format!("event {expected} has the id {id}"));
        }
        if previous >= expected {
            problems.push(format!("event {id} follows {previous}"));
        }
        let at = event["timestamp"].as_f64().unwrap_or(-1.0);
        if at < last_at {
            problems.push(format!("event {id} is older than the one before it"));
        }
        last_at = at;
        let kind = kind(event);
        if SCHEDULED.contains(&kind) {
            attempts.insert(id, 0);
            attempt_of.insert(id, id);
        } else if let Some(attempt) = attempt_of.get(&previous).copied() {
            if RETURNED.contains(&kind) {
                *attempts.entry(attempt).or_default() += 1;
            } else {
                attempt_of.insert(id, attempt);
            }
        } else if RETURNED.contains(&kind) {
            problems.push(format!("event {id} ends an attempt that never began"));
        }
    }
    for (attempt, results) in attempts.iter().filter(|(_, results)| **results > 1) {
        problems.push(format!("the attempt of event {attempt} has {results} results"));
    }
    let terminal: Vec<_> = events.iter().filter(|event| TERMINAL.contains(&kind(event))).collect();
    if terminal.len() != 1 || !events.last().is_some_and(|last| TERMINAL.contains(&kind(last))) {
        problems.push(format!("{} terminal events, the last is {}", terminal.len(), kinds(events).join(" ")));
    }
    problems
}

/// The types of the events.
pub fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(kind).collect()
}

/// How many events have a type.
pub fn count(events: &[Value], wanted: &str) -> usize {
    events.iter().filter(|event| kind(event) == wanted).count()
}

/// The milliseconds since the epoch of each event of a type.
pub fn times(events: &[Value], wanted: &str) -> Vec<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds fit")]
    let milliseconds = |event: &Value| (event["timestamp"].as_f64().unwrap_or(-1.0) * 1_000.0).round() as i64;
    events.iter().filter(|event| kind(event) == wanted).map(milliseconds).collect()
}

fn kind(event: &Value) -> &str {
    event["type"].as_str().unwrap_or("no type")
}

fn number(event: &Value, member: &str) -> u64 {
    event[member].as_u64().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn history(kinds: &[(u64, &str)]) -> Vec<Value> {
        let event = |(id, (previous, kind)): (u64, &(u64, &str))| json!({"id": id, "previousEventId": previous, "timestamp": 1.5, "type": kind});
        (1..).zip(kinds).map(event).collect()
    }

    fn check(kinds: &[(u64, &str)], expected: &[&str]) {
        assert_eq!(problems(&history(kinds)), expected);
    }

    #[test]
    fn a_good_history_has_no_problems() {
        check(
            &[
                (0, "ExecutionStarted"),
                (0, "TaskStateEntered"),
                (2, "LambdaFunctionScheduled"),
                (3, "LambdaFunctionStarted"),
                (4, "LambdaFunctionFailed"),
                (5, "LambdaFunctionScheduled"),
                (6, "LambdaFunctionStarted"),
                (7, "LambdaFunctionSucceeded"),
                (8, "TaskStateExited"),
                (9, "ExecutionSucceeded"),
            ],
            &[],
        );
    }

    #[test]
    fn what_a_crash_could_break_is_seen() {
        check(
            &[
                (0, "LambdaFunctionScheduled"),
                (1, "LambdaFunctionStarted"),
                (2, "LambdaFunctionSucceeded"),
                (2, "LambdaFunctionSucceeded"),
                (4, "ExecutionSucceeded"),
            ],
            &["the attempt of event 1 has 2 results"],
        );
        check(&[(0, "ExecutionStarted")], &["0 terminal events, the last is ExecutionStarted"]);
        check(
            &[(0, "ExecutionSucceeded"), (5, "ExecutionSucceeded")],
            &["event 2 follows 5", "2 terminal events, the last is ExecutionSucceeded ExecutionSucceeded"],
        );
        let mut gap = history(&[(0, "ExecutionStarted"), (0, "X"), (0, "ExecutionFailed")]);
        gap.remove(1);
        assert_eq!(problems(&gap), ["event 2 has the id 3"]);
    }
}
