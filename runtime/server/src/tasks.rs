//! `GET /executions/{arn}/tasks`: every attempt of every task of an execution, what it used, and the sums.

mod total;

use std::collections::BTreeMap;

use asl::Timestamp;
use asl::interpreter::{ErrorOutput, HistoryEvent, HistoryKind, TaskUsage};
use axum::Json;
use axum::extract::{Path, State};
use engine::arn::{ExecutionArn, FunctionArn};
use serde_json::{Value, json};
use store::{HistoryQuery, Order, Store};

use crate::api::{ApiError, find_execution, history_end};
use crate::app::App;
use crate::limits::{PAGE_RESULTS_MAX, TASK_ATTEMPTS_MAX};
use crate::problem::Problem;
use total::Totals;

pub(crate) async fn list<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(arn): Path<String>,
) -> Result<Json<Value>, Problem> {
    let arn = ExecutionArn::parse(&arn).map_err(ApiError::from)?;
    let (id, record) = find_execution(&app, &arn).await?;
    let last_lsn = history_end(&app, id, &record).await?;
    let mut attempts = Attempts::default();
    let mut from = None;
    // A history has at most 25,000 events, so this ends after some 25 pages.
    loop {
        let max = PAGE_RESULTS_MAX as usize;
        let query = HistoryQuery { execution: id, last_lsn, order: Order::Forward, from, max };
        let page = app.store().history(query).await?;
        for event in &page.items {
            attempts.add(event);
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    Ok(Json(attempts.render(app.place())))
}

/// The attempts found so far. Events name the one before them, so each is traced back to its state and attempt.
#[derive(Debug, Default)]
struct Attempts {
    list: Vec<Attempt>,
    origins: BTreeMap<u32, Origin>,
    truncated: bool,
}

/// What an event belongs to.
#[derive(Debug, Clone, Default)]
struct Origin {
    state: String,
    /// The index of the last attempt in that state.
    attempt: Option<usize>,
}

#[derive(Debug)]
struct Attempt {
    state: String,
    /// 0, then one more for each retry.
    number: u32,
    resource: String,
    /// The function that is called, as the task names it.
    function: Option<String>,
    scheduled_at: Timestamp,
    ended: Option<Ended>,
}

#[derive(Debug)]
struct Ended {
    at: Timestamp,
    outcome: &'static str,
    error: Option<String>,
    usage: Option<TaskUsage>,
}

impl Attempts {
    fn add(&mut self, event: &HistoryEvent) {
        let mut origin = self.origins.get(&event.previous).cloned().unwrap_or_default();
        match &event.kind {
            HistoryKind::StateEntered { name, .. } => {
                origin = Origin { state: name.to_string(), attempt: None }
            }
            HistoryKind::LambdaFunctionScheduled(task) => {
                let function = Some(task.resource.to_string());
                origin.attempt = self.schedule(&origin, task.resource.to_string(), function, event.at);
            }
            HistoryKind::ActivityScheduled(task) => {
                origin.attempt = self.schedule(&origin, task.resource.to_string(), None, event.at);
            }
            HistoryKind::TaskScheduled(task) => {
                let resource = format!("{}:{}", task.service.resource_type, task.service.resource);
                let function = task.parameters.value()["FunctionName"].as_str();
                let function = function.filter(|_| &*task.service.resource_type == "lambda");
                origin.attempt = self.schedule(&origin, resource, function.map(str::to_owned), event.at);
            }
            kind => {
                if let (Some((outcome, error, usage)), Some(index)) = (outcome(kind), origin.attempt) {
                    let error = error.and_then(|error| error.error.clone());
                    self.list[index].ended = Some(Ended { at: event.at, outcome, error, usage });
                }
            }
        }
        self.origins.insert(event.id, origin);
    }

    fn schedule(
        &mut self,
        origin: &Origin,
        resource: String,
        function: Option<String>,
        at: Timestamp,
    ) -> Option<usize> {
        if self.list.len() == TASK_ATTEMPTS_MAX {
            self.truncated = true;
            return None;
        }
        let number = origin.attempt.map_or(0, |index| self.list[index].number + 1);
        let state = origin.state.clone();
        self.list.push(Attempt { state, number, resource, function, scheduled_at: at, ended: None });
        Some(self.list.len() - 1)
    }

    /// Region and account complete the names of functions.
    fn render(&self, place: (&str, &str)) -> Value {
        let mut totals = Totals::default();
        let mut attempts = Vec::with_capacity(self.list.len());
        for attempt in &self.list {
            let module = attempt.module(place);
            if let (Some(module), Some(usage)) = (&module, attempt.usage()) {
                totals.add(module, &usage);
            }
            attempts.push(attempt.render(module.as_deref()));
        }
        json!({"tasks": attempts, "total": totals.render(), "truncated": self.truncated})
    }
}

impl Attempt {
    fn module(&self, (region, account): (&str, &str)) -> Option<String> {
        let function = FunctionArn::parse_name(self.function.as_ref()?, region, account).ok()?;
        Some(function.name().to_owned())
    }

    fn usage(&self) -> Option<TaskUsage> {
        self.ended.as_ref().and_then(|ended| ended.usage)
    }

    fn render(&self, module: Option<&str>) -> Value {
        let ended = self.ended.as_ref();
        let usage = self.usage();
        json!({
            "state": self.state,
            "attempt": self.number,
            "resource": self.resource,
            "module": module,
            "scheduledAt": self.scheduled_at.to_string(),
            "endedAt": ended.map(|ended| ended.at.to_string()),
            "outcome": ended.map_or("RUNNING", |ended| ended.outcome),
            "error": ended.and_then(|ended| ended.error.as_deref()),
            "fuel": usage.map(|usage| usage.fuel),
            "memoryBytesPeak": usage.map(|usage| usage.memory_bytes_peak),
            "wallMicroseconds": usage.map(|usage| usage.wall_microseconds),
            "cpuMicroseconds": usage.and_then(|usage| usage.cpu_microseconds),
            "logLines": usage.and_then(|usage| usage.log_lines),
            "cold": usage.map(|usage| usage.cold),
        })
    }
}

type Outcome<'a> = (&'static str, Option<&'a ErrorOutput>, Option<TaskUsage>);

/// How an event ends an attempt, if it does.
fn outcome(kind: &HistoryKind) -> Option<Outcome<'_>> {
    match kind {
        HistoryKind::LambdaFunctionSucceeded(_, usage) | HistoryKind::TaskSucceeded(_, _, usage) => {
            Some(("SUCCEEDED", None, *usage))
        }
        HistoryKind::ActivitySucceeded(_) => Some(("SUCCEEDED", None, None)),
        HistoryKind::LambdaFunctionFailed(error, usage) | HistoryKind::TaskFailed(_, error, usage) => {
            Some(("FAILED", Some(error), *usage))
        }
        HistoryKind::ActivityFailed(error)
        | HistoryKind::TaskStartFailed(_, error)
        | HistoryKind::TaskSubmitFailed(_, error)
        | HistoryKind::LambdaFunctionScheduleFailed(error)
        | HistoryKind::LambdaFunctionStartFailed(error)
        | HistoryKind::ActivityScheduleFailed(error) => Some(("FAILED", Some(error), None)),
        HistoryKind::LambdaFunctionTimedOut(error)
        | HistoryKind::TaskTimedOut(_, error)
        | HistoryKind::ActivityTimedOut(error) => Some(("TIMED_OUT", Some(error), None)),
        HistoryKind::StateAborted { .. } => Some(("ABORTED", None, None)),
        _not_an_end => None,
    }
}

#[cfg(test)]
mod tests {
    use asl::interpreter::{Scheduled, StateType};

    use super::*;

    fn event(id: u32, previous: u32, kind: HistoryKind) -> HistoryEvent {
        HistoryEvent { id, previous, at: Timestamp::from_milliseconds(i64::from(id) * 1_000), kind }
    }

    fn scheduled() -> HistoryKind {
        HistoryKind::LambdaFunctionScheduled(Box::new(Scheduled {
            resource: "arn:aws:lambda:r:1:function:charge".into(),
            input: json!({}).into(),
            timeout_seconds: None,
            heartbeat_seconds: None,
            role_arn: None,
        }))
    }

    #[test]
    fn a_retry_is_a_second_attempt_of_its_state() {
        let usage = TaskUsage {
            fuel: 7,
            memory_bytes_peak: 65_536,
            wall_microseconds: 12,
            cold: true,
            cpu_microseconds: Some(9),
            log_lines: Some(2),
        };
        let entered = HistoryKind::StateEntered {
            state_type: StateType::Task,
            name: "Charge".into(),
            input: json!({}).into(),
        };
        let mut attempts = Attempts::default();
        for event in [
            event(2, 0, entered),
            event(3, 2, scheduled()),
            event(4, 3, HistoryKind::LambdaFunctionStarted),
            event(5, 4, HistoryKind::LambdaFunctionFailed(ErrorOutput::bare("Declined"), Some(usage))),
            event(6, 5, scheduled()),
            event(7, 6, HistoryKind::LambdaFunctionStarted),
        ] {
            attempts.add(&event);
        }
        let shown = attempts.render(("r", "1"));
        assert_eq!(shown["tasks"].as_array().unwrap().len(), 2);
        assert_eq!(
            shown["tasks"][0],
            json!({
                "state": "Charge", "attempt": 0, "resource": "arn:aws:lambda:r:1:function:charge",
                "module": "charge", "scheduledAt": "1970-01-01T00:00:03.000Z", "endedAt": "1970-01-01T00:00:05.000Z",
                "outcome": "FAILED", "error": "Declined", "fuel": 7, "memoryBytesPeak": 65_536,
                "wallMicroseconds": 12, "cpuMicroseconds": 9, "logLines": 2, "cold": true,
            })
        );
        let sums = json!({"calls": 1, "fuel": 7, "cpuMicroseconds": 9, "wallMicroseconds": 12});
        let mut of_module = sums.clone();
        of_module["module"] = json!("charge");
        let mut total = sums;
        total["modules"] = json!([of_module]);
        assert_eq!(shown["total"], total);
        assert_eq!(shown["tasks"][1]["attempt"], 1);
        assert_eq!(shown["tasks"][1]["outcome"], "RUNNING");
        assert_eq!(shown["tasks"][1]["state"], "Charge");
    }
}
