//! Answers of executors and workers.

use asl::interpreter::{ErrorOutput, Event, TaskPhase, TaskRequest, TaskStage, TaskToken, task_request};
use asl::{Data, Timestamp};
use store::Change;

use crate::arn::ActivityArn;
use crate::request::Refusal;

use super::{Effect, Known, Shard, TaskAnswer, TaskKey, TaskReturned};

impl Shard {
    pub(super) fn task_returned(&mut self, returned: TaskReturned, now: Timestamp) {
        let TaskReturned { task, outcome, usage } = returned;
        let key = task.row_key();
        if !self.awaits(task) {
            return;
        }
        // Before the step, which may start the next attempt in the same row.
        self.batch.dispatched.insert(key, Change::Delete);
        let (row, attempt) = (task.row, task.attempt);
        self.step(task.execution, Event::TaskReturned { row, attempt, outcome, usage }, now);
    }

    pub(super) fn task_heartbeat(&mut self, task: TaskKey, now: Timestamp) {
        self.step(task.execution, Event::Heartbeat { row: task.row, attempt: task.attempt }, now);
    }

    pub(super) fn send_task(
        &mut self,
        token: &TaskToken,
        answer: TaskAnswer,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let task = self.proved(token)?;
        match answer {
            TaskAnswer::Success(output) => self.answer_task(task, Ok(output), now),
            TaskAnswer::Failure(error) => self.answer_task(task, Err(error), now),
            TaskAnswer::Heartbeat => {
                let (row, attempt) = (task.row, task.attempt);
                let accepted = self.step(task.execution, Event::Heartbeat { row, attempt }, now);
                if accepted { Ok(()) } else { Err(Refusal::TaskTimedOut) }
            }
        }
    }

    /// The attempt that a token names, if the token was made here.
    pub(super) fn proved(&self, token: &TaskToken) -> Result<TaskKey, Refusal> {
        let seed = match self.executions.get(&token.execution) {
            Some(Known::Running(resident)) => resident.record.seed,
            Some(Known::Ended(record)) => record.seed,
            Some(Known::Absent) | None => return Err(Refusal::InvalidToken),
        };
        if !token.is_proved_by(&seed) {
            return Err(Refusal::InvalidToken);
        }
        let task = TaskKey { execution: token.execution, row: token.row, attempt: token.attempt };
        if self.has_lost_its_activity(task) {
            return Err(Refusal::TaskDoesNotExist);
        }
        Ok(task)
    }

    /// Ends an attempt from outside.
    pub(super) fn answer_task(
        &mut self,
        task: TaskKey,
        outcome: Result<Data, ErrorOutput>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let event = Event::TaskAnswered { row: task.row, attempt: task.attempt, outcome };
        if self.awaits_service(task) {
            // An activity's task that was taken back waits for a worker again, though its token is known from before.
            self.withdraw_activity(task.row_key());
        }
        // The answer may come while the executor still hands the task over.
        let was_dispatched = self.awaits(task);
        if !self.step(task.execution, event, now) {
            return Err(Refusal::TaskTimedOut);
        }
        if was_dispatched {
            self.forget_dispatch(task);
        }
        Ok(())
    }

    /// Whether an attempt is that of an activity which was deleted. It goes on until its timeout.
    fn has_lost_its_activity(&self, task: TaskKey) -> bool {
        let resource = self.task_request(task).map(|request| request.resource);
        let activity = resource.and_then(|resource| ActivityArn::parse(&resource).ok());
        activity.is_some_and(|activity| !self.activities.exists(activity.as_str()))
    }

    /// Withdraws what recovery would do for an attempt, unless the row has a newer one already.
    fn forget_dispatch(&mut self, task: TaskKey) {
        let key = task.row_key();
        if self.starting.get(&key).is_none_or(|attempt| *attempt == task.attempt) {
            self.starting.remove(&key);
            self.batch.dispatched.insert(key, Change::Delete);
        }
    }

    /// Whether an attempt is the one that its execution waits for.
    pub(super) fn awaits(&self, task: TaskKey) -> bool {
        self.awaited(task).is_some()
    }

    /// Whether an attempt waits for its executor, which has not handed it over to a service yet.
    pub(super) fn awaits_service(&self, task: TaskKey) -> bool {
        self.awaited(task).is_some_and(|awaited| awaited.stage == TaskStage::Started)
    }

    fn awaited(&self, task: TaskKey) -> Option<&TaskPhase> {
        let Some(Known::Running(resident)) = self.executions.get(&task.execution) else { return None };
        if resident.ending.is_some() {
            return None;
        }
        resident.state.thread(task.row)?.awaited(task.attempt)
    }

    /// After a restart: the attempt is started again, if it is still awaited.
    pub(super) fn recover_task(&mut self, task: TaskKey) {
        if self.awaits(task) {
            self.effects.push(Effect::StartTask(task));
        }
    }

    /// What an executor needs for an attempt; none if it is no longer awaited or its execution is not in
    /// memory, in which case [`Shard::missing`] of its recovery names it.
    pub fn task_request(&self, task: TaskKey) -> Option<TaskRequest> {
        if !self.awaits(task) {
            return None;
        }
        match self.executions.get(&task.execution) {
            Some(Known::Running(resident)) => {
                task_request(resident.revision.definition.as_ref().ok()?, &resident.state, task.row)
            }
            Some(Known::Ended(_) | Known::Absent) | None => None,
        }
    }

    /// Names of the execution of an attempt, for its executor: its ARN, its name and its machine's ARN; and when it
    /// began.
    pub fn execution_names(&self, task: TaskKey) -> Option<(asl::Text, asl::Text, asl::Text, Timestamp)> {
        match self.executions.get(&task.execution)? {
            Known::Running(resident) => {
                let record = &resident.record;
                let (arn, name) = (record.arn.clone(), record.name.clone());
                Some((arn, name, record.state_machine_arn.clone(), record.started_at))
            }
            Known::Ended(_) | Known::Absent => None,
        }
    }
}
