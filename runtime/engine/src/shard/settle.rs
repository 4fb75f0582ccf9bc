//! Children whose parent wants something else of them than before: it has ended or has given them up, or it was redriven
//! and has them redriven too.
//!
//! As every message between executions this one is a mark and an owed input. It says only that the child must be looked
//! at. What is wanted of a child of a Map Run is seen in its parent, so it does not matter how many such messages there
//! are and which comes first.

use std::sync::Arc;

use asl::Timestamp;
use asl::interpreter::{AttemptId, ChildWanted, ErrorOutput, Event, ExecutionId, RowId};
use store::{Change, ExecutionRecord, ExecutionStatus, RowKey};

use crate::redrive::child_not_redrivable;

use super::children::MARK;
use super::executions::listing_keys;
use super::redrive::Kept;
use super::resident::Resident;
use super::{Input, Known, Missing, Shard};

impl Shard {
    pub(super) fn plan_to_settle(&mut self, child: ExecutionId) {
        let mark = RowKey { execution: child, row: RowId::SETTLE };
        self.batch.dispatched.insert(mark, Change::Put(MARK));
        self.owe(Input::SettleChild(child));
    }

    pub(super) fn missing_to_settle(&self, child: ExecutionId) -> Option<Missing> {
        self.missing_execution(child).or_else(|| {
            let parent = self.record(child)?.parent.as_ref()?;
            parent.item.as_ref()?;
            self.missing_execution(parent.execution).or_else(|| match self.wanted(child) {
                ChildWanted::Running(attempt) if parent.attempt != attempt => self.missing_kept(child),
                ChildWanted::Running(_) | ChildWanted::Pending | ChildWanted::Nothing => None,
            })
        })
    }

    /// What its parent wants of a child. A task that gives up its child never wants it again.
    fn wanted(&self, child: ExecutionId) -> ChildWanted {
        let parent = self.record(child).and_then(|record| record.parent.as_ref());
        let Some(parent) = parent.filter(|parent| parent.item.is_some()) else { return ChildWanted::Nothing };
        match self.executions.get(&parent.execution) {
            // One whose definition can be read no more is about to end.
            Some(Known::Running(resident)) if resident.revision.definition.is_ok() => {
                resident.state.wanted(parent.row, child)
            }
            Some(Known::Running(_) | Known::Ended(_) | Known::Absent) | None => ChildWanted::Nothing,
        }
    }

    /// Makes of a child what its parent wants.
    pub(super) fn settle_child(&mut self, child: ExecutionId, now: Timestamp) {
        let mark = RowKey { execution: child, row: RowId::SETTLE };
        self.batch.dispatched.insert(mark, Change::Delete);
        let wanted = self.wanted(child);
        match self.executions.get(&child) {
            Some(Known::Running(resident)) => {
                let attempt = resident.record.parent.as_ref().map(|parent| parent.attempt);
                if attempt.is_some_and(|attempt| wanted == ChildWanted::Running(attempt)) {
                    return;
                }
                self.stop_child(child, now);
                // Only when its end is in a batch can it be redriven.
                if wanted != ChildWanted::Nothing {
                    self.plan_to_settle(child);
                }
            }
            Some(Known::Ended(record)) => {
                let record = (**record).clone();
                match wanted {
                    ChildWanted::Nothing => self.show_as_ended(child, record),
                    ChildWanted::Pending => self.show_as_pending(child, record),
                    ChildWanted::Running(attempt) => self.redrive_child(child, record, attempt, now),
                }
            }
            Some(Known::Absent) | None => {}
        }
    }

    fn stop_child(&mut self, child: ExecutionId, now: Timestamp) {
        let generation = self.generation;
        let Some(Known::Running(resident)) = self.executions.get_mut(&child, generation) else { return };
        resident.is_abandoned = true;
        if resident.is_new() {
            self.step(child, Event::Start, now);
        }
        self.step(child, Event::Stop(ErrorOutput::default()), now);
    }

    fn show_as_pending(&mut self, child: ExecutionId, mut record: ExecutionRecord) {
        match record.status {
            ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => {}
            // One that has succeeded after all is told of in its turn.
            ExecutionStatus::Running | ExecutionStatus::Succeeded | ExecutionStatus::PendingRedrive => return,
        }
        record.redrives.get_or_insert_default().ended_as = Some(record.status);
        self.show_as(child, record, ExecutionStatus::PendingRedrive);
    }

    /// Its redrive does not come: it is again what it was.
    fn show_as_ended(&mut self, child: ExecutionId, mut record: ExecutionRecord) {
        let ended_as = record.redrives.as_mut().and_then(|redrives| redrives.ended_as.take());
        if let Some(ended_as) = ended_as {
            self.show_as(child, record, ended_as);
        }
    }

    /// Writes the record of a child that has ended, with another status.
    fn show_as(&mut self, child: ExecutionId, mut record: ExecutionRecord, status: ExecutionStatus) {
        self.batch.listing.extend(listing_keys(child, &record).map(|key| (key, Change::Delete)));
        record.status = status;
        self.batch.listing.extend(listing_keys(child, &record).map(|key| (key, Change::Put(()))));
        self.batch.executions.insert(child, Change::Put(record.clone()));
        self.executions.insert(child, Known::Ended(Box::new(record)), self.generation);
    }

    /// Redrives a child. One that has succeeded, of which its parent had heard no more, or that can be redriven no more
    /// has its end told anew.
    fn redrive_child(
        &mut self,
        child: ExecutionId,
        mut record: ExecutionRecord,
        attempt: AttemptId,
        now: Timestamp,
    ) {
        let Some(parent) = &mut record.parent else { return };
        // Its end is on its way.
        if std::mem::replace(&mut parent.attempt, attempt) == attempt {
            return;
        }
        let is_over =
            record.status == ExecutionStatus::Succeeded || child_not_redrivable(&record, now).is_some();
        let resident = if is_over { None } else { self.resident_to_redrive(child, &record) };
        match resident {
            Some(resident) => self.go_on_again(child, resident, None, now),
            None => self.tell_end_again(child, record, is_over),
        }
    }

    fn resident_to_redrive(&mut self, child: ExecutionId, record: &ExecutionRecord) -> Option<Box<Resident>> {
        let parent = record.parent.as_ref()?;
        let kept = self.kept.remove(&child);
        if !parent.item.as_ref().is_some_and(|item| item.express) {
            let Kept { resident, .. } = kept?;
            let mut resident = resident?;
            // It was kept as it ended.
            resident.record = record.clone();
            Arc::make_mut(&mut resident.state.info).parent = record.parent.clone();
            return Some(resident);
        }
        let Some(Known::Running(parent)) = self.executions.get(&parent.execution) else { return None };
        let (revision, test_case) = (Arc::clone(&parent.revision), parent.state.test_case.clone());
        Resident::before_start(child, record.clone(), revision, test_case).map(Box::new)
    }

    fn tell_end_again(&mut self, child: ExecutionId, mut record: ExecutionRecord, is_over: bool) {
        let ended_as = record.redrives.as_mut().and_then(|redrives| redrives.ended_as.take());
        if !is_over {
            // Its rows are not there, whatever the reason.
            record.redrives.get_or_insert_default().is_over = true;
        }
        let status = ended_as.unwrap_or(record.status);
        self.show_as(child, record, status);
        let mark = RowKey { execution: child, row: RowId::END };
        self.batch.dispatched.insert(mark, Change::Put(MARK));
        self.owe(Input::DeliverEnd(child));
    }
}
