//! Tasks that start an execution: the child and the step of its parent are in one batch, so that a crash leaves
//! both or neither, and an attempt that runs again after a crash does not start a second child.

use asl::Timestamp;
use asl::interpreter::{Event, Parent};
use store::Change;

use crate::request::{Refusal, StartForTask, Started};

use super::{Fresh, Known, Missing, Shard};

impl Shard {
    pub(super) fn missing_to_start_for_task(&self, request: &StartForTask, fresh: &Fresh) -> Option<Missing> {
        self.missing_execution(request.task.execution)
            .or_else(|| self.missing_to_start(&request.start, fresh))
    }

    pub(super) fn start_for_task(
        &mut self,
        request: StartForTask,
        fresh: Fresh,
        now: Timestamp,
    ) -> Result<Started, Refusal> {
        let StartForTask { task, start, is_awaited, answer } = request;
        // The test of one state belongs to no execution.
        if matches!(self.executions.get(&task.execution), Some(Known::Absent)) {
            return self.start_execution(start, fresh, now);
        }
        // An earlier run of the attempt may have started its child already.
        if !self.awaits_service(task) {
            return Err(Refusal::TaskTimedOut);
        }
        let parent = Parent { execution: task.execution, row: task.row, attempt: task.attempt, item: None };
        let started = self.start_as(start, is_awaited.then(|| Box::new(parent)), fresh, now)?;
        self.batch.dispatched.insert(task.row_key(), Change::Delete);
        let (row, attempt, child) = (task.row, task.attempt, started.id);
        let event =
            Event::ChildStarted { row, attempt, child, answer: answer.of(started.arn.as_str(), started.at) };
        let is_accepted = self.step(task.execution, event, now);
        assert!(is_accepted, "the task was seen to await its service");
        Ok(started)
    }
}
