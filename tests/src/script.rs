//! `tasks.json`: what the tasks of a fixture return, attempt by attempt.
//!
//! ```json
//! {
//!   "tasks": {
//!     "arn:…:function:pay": [{"error": "Declined", "cause": "…"}, {"output": {"ok": true}, "after": 1.5}],
//!     "arn:…:activity:ship": {"echo": true, "taken_after": 2, "heartbeats": [1, 2], "after": 3}
//!   },
//!   "stop": {"after": 5, "error": "E", "cause": "C"},
//!   "redrive": {"after": [2, 2]},
//!   "missing_activities": ["arn:…"]
//! }
//! ```
//!
//! A list is used up attempt by attempt, an object answers every attempt. Times are seconds. An attempt without
//! `output`, `output_bytes`, `echo` or `error` is never answered. A `redrive` comes so long after each end without
//! success, as often as it has times.

use std::collections::BTreeMap;

use asl::Data;
use asl::interpreter::{ErrorOutput, TaskRequest};
use serde_json::Value;

use crate::runner::Options;
use crate::worker::{Attempt, Workers};

#[derive(Debug)]
pub struct Script {
    tasks: BTreeMap<String, Answers>,
}

#[derive(Debug)]
enum Answers {
    Each(Value),
    InOrder { answers: Vec<Value>, used: usize },
}

impl Script {
    /// The script of the tasks and the options of the run.
    pub fn read(file: &Value) -> (Script, Options) {
        let mut options = Options::default();
        if let Some(stop) = file.get("stop") {
            options.stop = Some((milliseconds(stop, "after"), error(stop)));
        }
        let redrives = file.get("redrive").and_then(|redrive| redrive["after"].as_array());
        options.redrives = redrives.into_iter().flatten().map(scaled).collect();
        let missing = file.get("missing_activities").and_then(Value::as_array);
        options.missing_activities = missing.into_iter().flatten().map(text).collect();
        let tasks = file.get("tasks").and_then(Value::as_object).into_iter().flatten();
        let tasks = tasks.map(|(resource, answers)| {
            let answers = match answers.as_array() {
                Some(answers) => Answers::InOrder { answers: answers.clone(), used: 0 },
                None => Answers::Each(answers.clone()),
            };
            (resource.clone(), answers)
        });
        (Script { tasks: tasks.collect() }, options)
    }

    /// Resources with answers that no attempt asked for.
    pub fn unused(&self) -> Vec<&str> {
        let unused = self.tasks.iter().filter(|(_, answers)| match answers {
            Answers::Each(_) => false,
            Answers::InOrder { answers, used } => *used < answers.len(),
        });
        unused.map(|(resource, _)| resource.as_str()).collect()
    }
}

impl Workers for Script {
    fn attempt(&mut self, request: &TaskRequest) -> Attempt {
        let answers = self.tasks.get_mut(&*request.resource);
        let answer = match answers.unwrap_or_else(|| panic!("no answer is scripted for {}", request.resource))
        {
            Answers::Each(answer) => &*answer,
            Answers::InOrder { answers, used } => {
                *used += 1;
                answers
                    .get(*used - 1)
                    .unwrap_or_else(|| panic!("attempt {used} of {} has no answer", request.resource))
            }
        };
        Attempt {
            taken_after: milliseconds(answer, "taken_after"),
            worker_name: answer.get("worker").map(text),
            submitted: submitted(answer),
            heartbeats: answer
                .get("heartbeats")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(scaled)
                .collect(),
            after: milliseconds(answer, "after"),
            outcome: outcome(answer, request),
        }
    }
}

fn outcome(answer: &Value, request: &TaskRequest) -> Option<Result<Data, ErrorOutput>> {
    if answer.get("error").is_some() {
        return Some(Err(error(answer)));
    }
    if answer.get("echo").is_some() {
        return Some(Ok(request.input.clone()));
    }
    if let Some(bytes) = answer.get("output_bytes").and_then(Value::as_u64) {
        let letters = usize::try_from(bytes).expect("a size in memory") - "\"\"".len();
        return Some(Ok(Value::from("a".repeat(letters)).into()));
    }
    answer.get("output").map(|output| Ok(output.clone().into()))
}

fn submitted(answer: &Value) -> Result<Data, ErrorOutput> {
    match answer.get("submit_error") {
        Some(failure) => Err(error(failure)),
        None => Ok(answer.get("submitted").cloned().map_or_else(Data::empty_object, Data::from)),
    }
}

fn error(value: &Value) -> ErrorOutput {
    ErrorOutput { error: value.get("error").map(text), cause: value.get("cause").map(text) }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn milliseconds(value: &Value, member: &str) -> i64 {
    value.get(member).map_or(0, scaled)
}

#[allow(clippy::cast_possible_truncation, reason = "seconds in fixtures are few")]
fn scaled(seconds: &Value) -> i64 {
    (seconds.as_f64().expect("a number of seconds") * 1000.0).round() as i64
}
