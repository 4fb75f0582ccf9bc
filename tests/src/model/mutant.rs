//! Services with a mistake in them. The clients must find each; clients that find nothing prove nothing.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::{Answer, Port};

/// A mistake of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Removes no tags.
    KeepsTags,
    /// Leaves out an item between two pages.
    SkipsAnItem,
    /// Takes an answer for a task that is over.
    TakesAnswersTwice,
    /// Shows a machine as it was a while ago.
    ReadsStale,
    /// Takes any start of the same name for the same one.
    ForgetsInputs,
    /// Says that it stopped an execution, and leaves it alone once in a while.
    StopsSeldom,
    /// Hands out the task that it handed out before.
    HandsOutTwice,
    /// Takes a redrive that comes again for another one.
    ForgetsRedrives,
    /// Says that it redrove an execution, and leaves it alone once in a while.
    RedrivesSeldom,
    /// Fails once in a while.
    Fails,
}

pub const MUTANTS: [Mutant; 10] = [
    Mutant::KeepsTags,
    Mutant::SkipsAnItem,
    Mutant::TakesAnswersTwice,
    Mutant::ReadsStale,
    Mutant::ForgetsInputs,
    Mutant::StopsSeldom,
    Mutant::HandsOutTwice,
    Mutant::ForgetsRedrives,
    Mutant::RedrivesSeldom,
    Mutant::Fails,
];

/// Every so many chances a mistake is made that would be seen at once otherwise.
const SELDOM: u64 = 5;
const FAILS_EVERY: u64 = 500;

/// A service with a mistake.
#[derive(Debug)]
pub struct Mutated<P> {
    service: P,
    mutant: Mutant,
    chances: AtomicU64,
    seen: Mutex<HashMap<String, Answer>>,
}

impl<P: Port> Mutated<P> {
    pub fn new(service: P, mutant: Mutant) -> Mutated<P> {
        Mutated { service, mutant, chances: AtomicU64::new(0), seen: Mutex::default() }
    }

    fn is_seldom(&self, every: u64) -> bool {
        self.chances.fetch_add(1, Ordering::Relaxed) % every == every - 1
    }

    /// The answer of a while ago to the same call, if there was one.
    fn stale(&self, key: String, answer: &Answer) -> Option<Answer> {
        self.seen.lock().expect("nobody panics with it").insert(key, answer.clone())
    }
}

impl<P: Port> Port for Mutated<P> {
    fn call(&self, operation: &str, members: &Value) -> Result<Answer, String> {
        let fine = |body: Value| Ok(Answer { status: 200, body });
        let shows = |member: &str, value: &str| {
            let shown =
                self.service.call("DescribeExecution", &json!({"executionArn": members["executionArn"]}));
            shown.is_ok_and(|shown| shown.body[member] == value)
        };
        match (self.mutant, operation) {
            (Mutant::KeepsTags, "UntagResource") => {
                let mut members = members.clone();
                members["tagKeys"] = json!([]);
                return self.service.call(operation, &members);
            }
            (Mutant::StopsSeldom, "StopExecution")
                if shows("status", "RUNNING") && self.is_seldom(SELDOM) =>
            {
                return fine(json!({"stopDate": 1_700_000_000.5}));
            }
            (Mutant::RedrivesSeldom, "RedriveExecution")
                if shows("redriveStatus", "REDRIVABLE") && self.is_seldom(SELDOM) =>
            {
                return fine(json!({"redriveDate": 1_700_000_000.5}));
            }
            (Mutant::ForgetsRedrives, "RedriveExecution") => {
                return self.service.call(operation, &json!({"executionArn": members["executionArn"]}));
            }
            (Mutant::Fails, _) if self.is_seldom(FAILS_EVERY) => {
                return Ok(Answer {
                    status: 503,
                    body: json!({"__type": "ServiceUnavailable", "message": ""}),
                });
            }
            _other => {}
        }
        let mut answer = self.service.call(operation, members)?;
        let code = answer.body["__type"].as_str().unwrap_or_default();
        match (self.mutant, operation, code) {
            (Mutant::SkipsAnItem, _, "") if answer.body.get("nextToken").is_some() => {
                let lists = answer.body.as_object_mut().into_iter().flat_map(|body| body.values_mut());
                for list in lists.filter_map(Value::as_array_mut) {
                    list.pop();
                }
            }
            (Mutant::TakesAnswersTwice, "SendTaskSuccess", "TaskTimedOut") => return fine(json!({})),
            (Mutant::ForgetsInputs, "StartExecution", "ExecutionAlreadyExists") => {
                let message = answer.body["message"].as_str().unwrap_or_default();
                let arn = message.split('\'').nth(1).unwrap_or_default();
                let shown = self.service.call("DescribeExecution", &json!({"executionArn": arn}))?;
                if shown.body["status"] == "RUNNING" {
                    return fine(json!({"executionArn": arn, "startDate": shown.body["startDate"]}));
                }
            }
            (Mutant::ReadsStale, "DescribeStateMachine", "") => {
                if let Some(stale) = self.stale(members.to_string(), &answer)
                    && self.is_seldom(SELDOM)
                {
                    return Ok(stale);
                }
            }
            (Mutant::HandsOutTwice, "GetActivityTask", "") if !answer.body["taskToken"].is_null() => {
                if let Some(stale) = self.stale("task".to_owned(), &answer)
                    && self.is_seldom(SELDOM)
                {
                    return Ok(stale);
                }
            }
            _sound => {}
        }
        Ok(answer)
    }
}
