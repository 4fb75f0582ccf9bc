//! Express executions: they run in a shard that keeps its state in memory and nothing of an execution after its end.
//!
//! It is the same shard as that of the others, over a store in memory. The machines lie in the store of the others,
//! so a start brings the revision with it.

use asl::Timestamp;
use asl::interpreter::{Event, ExecutionId};
use store::{ExecutionRecord, NewExecution};

use crate::request::{Refusal, StartExpress};

use super::resident::Resident;
use super::{Effect, Fresh, Known, Reply, ReplyTo, Shard};

impl Shard {
    /// Starts an execution. One that is waited for is answered when it ends, the others at once.
    pub(super) fn start_express(
        &mut self,
        to: ReplyTo,
        request: StartExpress,
        fresh: Fresh,
        now: Timestamp,
    ) -> Option<Result<Reply, Refusal>> {
        assert!(!self.options.keeps_executions, "an Express execution must not be kept");
        if self.executions.len() >= self.options.executions_resident_max {
            return Some(Err(Refusal::ExecutionLimitExceeded));
        }
        let StartExpress { target, revision, name, input, trace_header, test_case, is_awaited } = request;
        let arn = target.machine.express_execution(&name, fresh.id);
        let arn = arn.expect("the name was checked when it was parsed");
        let new = NewExecution {
            arn: arn.into(),
            name: name.into(),
            state_machine_arn: target.machine.as_str().into(),
            machine_id: target.machine_id,
            revision: target.revision,
            started_at: now,
            input,
            seed: fresh.seed,
        };
        let record = ExecutionRecord {
            trace_header,
            test_case,
            version_arn: target.version_arn,
            alias_arn: target.alias_arn,
            ..ExecutionRecord::running(new)
        };
        let revision = self.revision(target.revision, revision);
        let (machine, name) = (&revision.record.machine_name, record.test_case.as_ref());
        let test_case = revision.usable().and_then(|definition| self.test_case(machine, name, definition));
        let test_case = match test_case {
            Ok(test_case) => test_case,
            Err(refusal) => return Some(Err(refusal)),
        };
        let answer = Reply::Express(Box::new(record.clone()));
        let resident = Resident::new(fresh.id, record, revision, test_case);
        self.executions.insert(fresh.id, Known::Running(Box::new(resident)), self.generation);
        if is_awaited {
            self.awaited.insert(fresh.id, to);
        }
        self.step(fresh.id, Event::Start, now);
        (!is_awaited).then_some(Ok(answer))
    }

    /// What the end of a batch is to an execution of which nothing is kept: once it has ended, it is gone.
    pub(super) fn let_go(&mut self, id: ExecutionId) {
        let generation = self.generation;
        let Some(Known::Running(resident)) = self.executions.get_mut(&id, generation) else { return };
        let written = self.options.observed.tell_away(id, resident);
        self.effects.extend(written.map(Effect::Tell));
        resident.state.take_changed();
        if resident.ending.is_none() {
            return;
        }
        let Some(Known::Running(resident)) = self.executions.remove(&id) else { return };
        if let Some(to) = self.awaited.remove(&id) {
            self.reply(to, Reply::Express(Box::new(resident.record)));
        }
    }
}
