//! Executions that another execution started: their end goes to the parent, and the parent's end stops them, see
//! [`super::settle`].
//!
//! Both cross from one execution to another, which may not be in memory. So each is first a mark in `dispatched`,
//! written in the batch that decided it, and then an input that the shard owes itself; the batch in which the
//! input is handled takes the mark away. What a crash interrupts, recovery finds by its mark.

use asl::Timestamp;
use asl::interpreter::{AttemptId, ChildEnd, Ending, Event, ExecutionId, RowId};
use store::{Change, ExecutionRecord, ExecutionStatus, RowKey};

use crate::redrive::child_not_redrivable;

use super::{Input, Known, Missing, Shard};

/// Marks have no attempt; their row says it all.
pub(super) const MARK: AttemptId = AttemptId(0);

impl Input {
    /// What a row of `dispatched` asks for after a restart.
    pub fn recovered(key: RowKey, attempt: AttemptId) -> Input {
        match key.row {
            RowId::EXECUTION => Input::Continue(key.execution),
            RowId::END => Input::DeliverEnd(key.execution),
            RowId::SETTLE => Input::SettleChild(key.execution),
            row => Input::Recover(super::TaskKey { execution: key.execution, row, attempt }),
        }
    }
}

impl Shard {
    /// Plans an input that the shard owes itself; a row of `dispatched` says the same to a restart.
    pub fn owe(&mut self, input: Input) {
        self.owed.push_back(input);
    }

    /// Whether there are inputs that the shard owes itself.
    pub fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// The next input that the shard owes itself.
    pub fn next_owed(&mut self) -> Option<Input> {
        self.owed.pop_front()
    }

    pub(super) fn missing_to_deliver(&self, child: ExecutionId) -> Option<Missing> {
        self.missing_execution(child).or_else(|| {
            let parent = self.record(child)?.parent.as_ref()?;
            self.missing_execution(parent.execution)
        })
    }

    pub(super) fn record(&self, id: ExecutionId) -> Option<&ExecutionRecord> {
        match self.executions.get(&id)? {
            Known::Running(resident) => Some(&resident.record),
            Known::Ended(record) => Some(record),
            Known::Absent => None,
        }
    }

    /// Tells the parent of an execution that has ended. A parent that no longer awaits it takes no notice.
    pub(super) fn deliver_end(&mut self, child: ExecutionId, now: Timestamp) {
        let generation = self.generation;
        if let Some(Known::Running(resident)) = self.executions.get_mut(&child, generation) {
            resident.owes_end = false;
        }
        let mark = RowKey { execution: child, row: RowId::END };
        self.batch.dispatched.insert(mark, Change::Delete);
        let Some(record) = self.record(child) else { return };
        let (Some(parent), Some(end)) = (record.parent.clone(), child_end(child, record, now)) else {
            return;
        };
        let (row, attempt) = (parent.row, parent.attempt);
        self.step(parent.execution, Event::ChildEnded { row, attempt, end: Box::new(end) }, now);
    }
}

/// None while the execution runs.
fn child_end(id: ExecutionId, record: &ExecutionRecord, now: Timestamp) -> Option<ChildEnd> {
    let error = || record.error.clone().unwrap_or_default();
    let ending = match record.status {
        ExecutionStatus::Succeeded => Ending::Succeeded { output: record.output.clone()? },
        ExecutionStatus::Failed => Ending::Failed(error()),
        ExecutionStatus::TimedOut => Ending::TimedOut(error()),
        ExecutionStatus::Aborted => Ending::Aborted(error()),
        ExecutionStatus::Running | ExecutionStatus::PendingRedrive => return None,
    };
    Some(ChildEnd {
        id,
        arn: record.arn.clone(),
        name: record.name.clone(),
        state_machine_arn: record.state_machine_arn.clone(),
        input: record.input.clone(),
        started_at: record.started_at,
        stopped_at: record.stopped_at?,
        ending,
        is_final: child_not_redrivable(record, now).is_some(),
    })
}
