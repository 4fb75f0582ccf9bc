//! RedriveExecution: an execution that ended without success goes on from the rows that it has kept.
//!
//! Those rows are in the store only. Until the batch of the end is durable they are in memory too, since the store
//! would not have them yet; after that they are loaded for whoever asks. A timer removes them when the time for a
//! redrive is over.

use asl::Timestamp;
use asl::interpreter::{Event, ExecutionId, RowId, TimerKind};
use store::{Change, ExecutionRecord, RedriveToken, Redrives, RevisionRecord, RowKey, StoredState, TimerKey};

use crate::redrive::{NotRedrivable, not_redrivable, redrive_over_at};
use crate::request::{RedriveExecution, Refusal};

use super::executions::listing_keys;
use super::resident::Resident;
use super::{Known, Missing, Shard};

/// AWS: the tokens of so many redrives are known.
const TOKENS_MAX: usize = 10;
/// AWS: a token is known for 15 minutes.
const TOKEN_SECONDS: i64 = 15 * 60;

/// An execution that has ended, with what a redrive goes on from.
#[derive(Debug)]
pub(super) struct Kept {
    /// The batch with the end; 0 if it was loaded.
    generation: u64,
    /// None if the store has nothing of it.
    pub(super) resident: Option<Box<Resident>>,
}

impl Shard {
    pub(super) fn missing_to_redrive(&self, request: &RedriveExecution) -> Option<Missing> {
        let (machine, name) = (request.arn.state_machine_name(), request.arn.name());
        let missing = self.missing_machine(machine).or_else(|| self.missing_named(machine, name));
        missing.or_else(|| self.missing_kept(self.named(&request.arn).ok()?))
    }

    /// What an execution has kept, if it has ended and may have kept something.
    pub(super) fn missing_kept(&self, id: ExecutionId) -> Option<Missing> {
        let Some(Known::Ended(record)) = self.executions.get(&id) else { return None };
        let is_unknown = record.redrives.is_some() && !self.kept.contains_key(&id);
        is_unknown.then_some(Missing::Kept(id))
    }

    pub(super) fn supply_kept(&mut self, id: ExecutionId, found: Option<(RevisionRecord, StoredState)>) {
        let Some(Known::Ended(record)) = self.executions.get(&id) else { return };
        let record = (**record).clone();
        let resident = found.map(|(revision, state)| {
            let revision = self.revision(record.revision, revision);
            let machine = &revision.record.machine_name;
            let test_case = self.test_case_again(machine, record.test_case.as_ref());
            Box::new(Resident::load(id, record, revision, state, test_case))
        });
        self.kept.insert(id, Kept { generation: 0, resident });
    }

    /// Holds on to an execution whose end is in the batch that is being sealed.
    pub(super) fn keep(&mut self, id: ExecutionId, resident: Box<Resident>) {
        self.kept.insert(id, Kept { generation: self.generation, resident: Some(resident) });
    }

    /// Lets go of what the store has by now, and of what was loaded in vain.
    pub(super) fn let_go_of_kept(&mut self, durable: u64) {
        self.kept.retain(|_, kept| kept.generation > durable);
    }

    pub(super) fn redrive_execution(
        &mut self,
        request: &RedriveExecution,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        let id = self.named(&request.arn)?;
        let (record, is_running) = match self.executions.get(&id) {
            Some(Known::Running(resident)) => (&resident.record, true),
            Some(Known::Ended(record)) => (&**record, false),
            Some(Known::Absent) | None => {
                return Err(Refusal::ExecutionDoesNotExist { arn: request.arn.clone() });
            }
        };
        if *record.arn != *request.arn.as_str() {
            return Err(Refusal::ExecutionDoesNotExist { arn: request.arn.clone() });
        }
        if let Some(redriven_at) = redriven_with(record, request, now) {
            return Ok(redriven_at);
        }
        let machine = self.machine_named(request.arn.state_machine_name());
        let why = if record.parent.as_ref().is_some_and(|parent| parent.item.is_some()) {
            Some(NotRedrivable::ByMapRun)
        } else if is_running {
            // One that ended in the batch that is being gathered was seen to run by everybody so far.
            Some(NotRedrivable::Running)
        } else {
            not_redrivable(record, machine, now)
        };
        if let Some(why) = why {
            return Err(Refusal::ExecutionNotRedrivable(why));
        }
        if let Some(Kept { resident: Some(kept), .. }) = self.kept.get(&id) {
            kept.revision.usable()?;
        }
        let Some(Kept { resident: Some(resident), .. }) = self.kept.remove(&id) else {
            return Err(Refusal::ExecutionNotRedrivable(NotRedrivable::PeriodOver));
        };
        self.go_on_again(id, resident, request.token.clone(), now);
        Ok(now)
    }

    pub(super) fn go_on_again(
        &mut self,
        id: ExecutionId,
        mut resident: Box<Resident>,
        token: Option<String>,
        now: Timestamp,
    ) {
        if let Some(timer) = redrive_over(id, &resident.record) {
            self.batch.timers.insert(timer, Change::Delete);
        }
        resident.go_on_again(id, token, now);
        self.executions.insert(id, Known::Running(resident), self.generation);
        let is_accepted = self.step(id, Event::Redrive, now);
        assert!(is_accepted, "what an execution has kept is where it goes on");
    }

    pub(super) fn missing_for_timer(&self, timer: &TimerKey) -> Option<Missing> {
        self.missing_execution(timer.execution).or_else(|| match timer.kind {
            TimerKind::RedriveOver => self.missing_kept(timer.execution),
            TimerKind::Wake
            | TimerKind::TaskTimeout
            | TimerKind::HeartbeatTimeout
            | TimerKind::ExecutionTimeout => None,
        })
    }

    /// An execution can be redriven no more: what it has kept is removed.
    pub(super) fn redrive_is_over(&mut self, timer: TimerKey) {
        let (id, generation) = (timer.execution, self.generation);
        let Some(Known::Ended(record)) = self.executions.get_mut(&id, generation) else { return };
        // It may have been redriven since and have ended anew.
        if redrive_over(id, record) != Some(timer) {
            return;
        }
        let Some(Kept { resident: Some(resident), .. }) = self.kept.remove(&id) else { return };
        record.redrives.get_or_insert_default().is_over = true;
        self.batch.executions.insert(id, Change::Put((**record).clone()));
        let rows = resident.stored_rows.iter().copied().chain([RowId::EXECUTION]);
        self.batch.state.extend(rows.map(|row| (RowKey { execution: id, row }, Change::Delete)));
    }
}

impl Resident {
    /// Makes an execution that has ended one that runs.
    fn go_on_again(&mut self, id: ExecutionId, token: Option<String>, now: Timestamp) {
        self.stale_listing = listing_keys(id, &self.record).collect();
        self.ending = None;
        self.owes_end = false;
        self.is_abandoned = false;
        let record = &mut self.record;
        record.status = store::ExecutionStatus::Running;
        record.stopped_at = None;
        record.output = None;
        record.error = None;
        record.redrive_count += 1;
        record.redriven_at = Some(now);
        let Redrives { tokens, ended_as, .. } = &mut **record.redrives.get_or_insert_default();
        *ended_as = None;
        tokens.extend(token.map(|token| RedriveToken { token, used_at: now }));
        if tokens.len() > TOKENS_MAX {
            tokens.remove(0);
        }
    }
}

/// When the same request redrove the execution before.
fn redriven_with(record: &ExecutionRecord, request: &RedriveExecution, now: Timestamp) -> Option<Timestamp> {
    let wanted = request.token.as_ref()?;
    let mut tokens = record.redrives.as_ref()?.tokens.iter();
    let used_at = tokens.find(|used| used.token == *wanted)?.used_at;
    (now < used_at.saturating_add_seconds(TOKEN_SECONDS)).then_some(used_at)
}

/// The timer that ends the time in which an execution can be redriven.
pub(super) fn redrive_over(execution: ExecutionId, record: &ExecutionRecord) -> Option<TimerKey> {
    let due = redrive_over_at(record)?;
    Some(TimerKey { due, execution, row: RowId::EXECUTION, kind: TimerKind::RedriveOver })
}
