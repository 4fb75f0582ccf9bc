//! What every history must be like, checked row by row as it becomes durable: ids without gaps, an event after
//! its cause, one end, and for each attempt at most one result, which must be its own.

use std::collections::{BTreeMap, BTreeSet};

use asl::Timestamp;
use asl::interpreter::{AttemptId, ErrorOutput, ExecutionId, HistoryEvent, HistoryKind};
use engine::shard::TaskKey;
use store::{ExecutionRecord, ExecutionStatus, HistoryRow};

#[derive(Debug, Default)]
pub(super) struct Histories(BTreeMap<ExecutionId, History>);

#[derive(Debug, Default)]
pub(super) struct History {
    /// The attempt that each event belongs to; none for events of states.
    attempts: Vec<Option<AttemptId>>,
    scheduled: u64,
    /// How the attempts ended: whether with success.
    ended: BTreeMap<AttemptId, Outcome>,
    started: BTreeSet<AttemptId>,
    ending: Option<ExecutionStatus>,
    ends: Vec<Timestamp>,
    redrives: Vec<Timestamp>,
    map_run_redrives: usize,
    /// Attempts up to this one were scheduled before the last redrive.
    of_before: u64,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Succeeded(String),
    Failed(ErrorOutput),
    TimedOut,
}

impl Histories {
    pub(super) fn outcome(&self, execution: ExecutionId, attempt: AttemptId) -> Option<&Outcome> {
        self.0.get(&execution)?.ended.get(&attempt)
    }

    /// When an execution came to an end; more than once if it was redriven.
    pub(super) fn ends(&self, execution: ExecutionId) -> &[Timestamp] {
        self.0.get(&execution).map_or(&[], |history| &history.ends)
    }

    pub(super) fn redrives(&self, execution: ExecutionId) -> &[Timestamp] {
        self.0.get(&execution).map_or(&[], |history| &history.redrives)
    }

    /// Of executions and of Map Runs.
    pub(super) fn all_redrives(&self) -> (usize, usize) {
        let executions = self.0.values().map(|history| history.redrives.len()).sum();
        (executions, self.0.values().map(|history| history.map_run_redrives).sum())
    }

    pub(super) fn events(&self, execution: ExecutionId) -> usize {
        self.0.get(&execution).map_or(0, |history| history.attempts.len())
    }

    pub(super) fn append(&mut self, row: &HistoryRow, results: &[TaskKey]) -> Result<(), String> {
        let history = self.0.entry(row.execution).or_default();
        for event in &row.events {
            history
                .append(row.execution, event, results)
                .map_err(|rule| format!("{rule}: {:?} of {:?}", event, row.execution))?;
        }
        Ok(())
    }

    /// The record of an execution says what its history says.
    pub(super) fn check_status(&self, id: ExecutionId, record: &ExecutionRecord) -> Result<(), String> {
        let Some(history) = self.0.get(&id) else {
            // A child is written when it is started; its first step may be in a later batch.
            let may_be = record.parent.is_some() && record.status == ExecutionStatus::Running;
            return if may_be { Ok(()) } else { Err(format!("{id:?} was written without a history")) };
        };
        let status = history.ending.unwrap_or(ExecutionStatus::Running);
        let events = u32::try_from(history.attempts.len()).expect("a history is bounded");
        let ended_as = record.redrives.as_ref().and_then(|redrives| redrives.ended_as);
        if ended_as.is_some() != (record.status == ExecutionStatus::PendingRedrive)
            || ended_as.unwrap_or(record.status) != status
        {
            return Err(format!("the history of {id:?} ends with {status:?}: {record:?}"));
        }
        if status != ExecutionStatus::Running && record.event_count != events {
            return Err(format!("{id:?} has {events} events: {record:?}"));
        }
        let redrives = (record.redrive_count as usize, record.redriven_at);
        if redrives != (history.redrives.len(), history.redrives.last().copied()) {
            return Err(format!("{id:?} was redriven at {:?}: {record:?}", history.redrives));
        }
        Ok(())
    }
}

impl History {
    fn append(
        &mut self,
        execution: ExecutionId,
        event: &HistoryEvent,
        results: &[TaskKey],
    ) -> Result<(), &'static str> {
        if event.id as usize != self.attempts.len() + 1 {
            return Err("ids have no gaps");
        }
        if event.previous >= event.id {
            return Err("an event follows an earlier one");
        }
        match &event.kind {
            HistoryKind::ExecutionRedriven { redrive_count } => self.redriven(*redrive_count, event.at)?,
            _ if self.ending.is_some() => return Err("nothing follows the end but a redrive"),
            _ => {}
        }
        self.map_run_redrives += usize::from(matches!(event.kind, HistoryKind::MapRunRedriven { .. }));
        self.ending = ending(&event.kind);
        self.ends.extend(self.ending.map(|_| event.at));
        let of_previous = event.previous.checked_sub(1).and_then(|index| self.attempts[index as usize]);
        let attempt = match step_of(&event.kind) {
            Step::Scheduled => {
                self.scheduled += 1;
                Some(AttemptId(self.scheduled))
            }
            Step::Started => {
                let attempt = of_previous.ok_or("a start follows its scheduling")?;
                if !self.started.insert(attempt) {
                    return Err("an attempt is started once");
                }
                of_previous
            }
            Step::Submitted => of_previous,
            Step::Ended(outcome, result) => {
                let attempt = of_previous.ok_or("a result follows its attempt")?;
                if attempt.0 <= self.of_before {
                    return Err("no result is accepted for an attempt of before a redrive");
                }
                if self.ended.insert(attempt, outcome).is_some() {
                    return Err("at most one result is accepted for an attempt");
                }
                let is_own = |result: u64| {
                    let task = results[usize::try_from(result).expect("a number of a result")];
                    (task.execution, task.attempt) == (execution, attempt)
                };
                if result.is_some_and(|result| !is_own(result)) {
                    return Err("a result is accepted for its own attempt only");
                }
                None
            }
            // A Map Run takes a number as an attempt does.
            Step::MapRun => {
                self.scheduled += 1;
                None
            }
            Step::Other => None,
        };
        self.attempts.push(attempt);
        Ok(())
    }

    fn redriven(&mut self, redrive_count: u32, at: Timestamp) -> Result<(), &'static str> {
        match self.ending {
            None => return Err("only what has ended is redriven"),
            Some(ExecutionStatus::Succeeded) => return Err("what has succeeded is not redriven"),
            Some(_) => {}
        }
        self.redrives.push(at);
        if self.redrives.len() != redrive_count as usize {
            return Err("redrives are counted");
        }
        self.of_before = self.scheduled;
        Ok(())
    }
}

/// What an event means for an attempt.
enum Step {
    Scheduled,
    Started,
    Submitted,
    /// With the number of the result, which executors give in place of the fuel that was used.
    Ended(Outcome, Option<u64>),
    MapRun,
    Other,
}

fn step_of(kind: &HistoryKind) -> Step {
    match kind {
        HistoryKind::LambdaFunctionScheduled(_)
        | HistoryKind::ActivityScheduled(_)
        | HistoryKind::TaskScheduled(_) => Step::Scheduled,
        HistoryKind::LambdaFunctionStarted
        | HistoryKind::ActivityStarted { .. }
        | HistoryKind::TaskStarted(_) => Step::Started,
        HistoryKind::MapRunStarted { .. } | HistoryKind::MapRunRedriven { .. } => Step::MapRun,
        HistoryKind::TaskSubmitted(..) => Step::Submitted,
        HistoryKind::LambdaFunctionSucceeded(output, usage)
        | HistoryKind::TaskSucceeded(_, output, usage) => {
            Step::Ended(Outcome::Succeeded(output.text().to_owned()), usage.map(|usage| usage.fuel))
        }
        HistoryKind::ActivitySucceeded(output) => {
            Step::Ended(Outcome::Succeeded(output.text().to_owned()), None)
        }
        HistoryKind::LambdaFunctionFailed(error, usage) | HistoryKind::TaskFailed(_, error, usage) => {
            Step::Ended(Outcome::Failed(error.clone()), usage.map(|usage| usage.fuel))
        }
        HistoryKind::ActivityFailed(error) => Step::Ended(Outcome::Failed(error.clone()), None),
        HistoryKind::LambdaFunctionTimedOut(_)
        | HistoryKind::ActivityTimedOut(_)
        | HistoryKind::TaskTimedOut(..) => Step::Ended(Outcome::TimedOut, None),
        _ => Step::Other,
    }
}

fn ending(kind: &HistoryKind) -> Option<ExecutionStatus> {
    match kind {
        HistoryKind::ExecutionSucceeded { .. } => Some(ExecutionStatus::Succeeded),
        HistoryKind::ExecutionFailed(_) => Some(ExecutionStatus::Failed),
        HistoryKind::ExecutionTimedOut(_) => Some(ExecutionStatus::TimedOut),
        HistoryKind::ExecutionAborted(_) => Some(ExecutionStatus::Aborted),
        _ => None,
    }
}
