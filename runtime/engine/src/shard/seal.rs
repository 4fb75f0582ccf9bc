//! Closing a batch: every touched execution is written once, as it is after its last step.

use asl::interpreter::{ExecutionId, HistoryEvent, Row, RowId};
use store::{Batch, Change, HistoryRow, RowKey, StateHeader, StateRow};

use super::children::MARK;
use super::executions::listing_keys;
use super::map_runs::map_run_record;
use super::{Effect, Known, Output, Shard, TaskKey};

/// Ours: events in one history row, so that reading a page never decodes more than some hundred kilobytes.
const ROW_EVENTS_MAX: usize = 256;

impl Shard {
    /// Whether there is something to commit or to do.
    pub fn has_output(&self) -> bool {
        !self.touched.is_empty()
            || !self.effects.is_empty()
            || !self.starting.is_empty()
            || self.batch.rows() > 0
    }

    /// About how much has gathered: executions touched.
    pub fn gathered(&self) -> usize {
        self.touched.len() + self.effects.len()
    }

    /// Closes the batch and opens the next one.
    pub fn seal(&mut self) -> Output {
        for id in std::mem::take(&mut self.touched) {
            if self.options.keeps_executions {
                self.write_execution(id);
            } else {
                self.let_go(id);
            }
        }
        let mut effects = std::mem::take(&mut self.effects);
        let starting = std::mem::take(&mut self.starting);
        effects.extend(starting.into_iter().map(|(RowKey { execution, row }, attempt)| {
            Effect::StartTask(TaskKey { execution, row, attempt })
        }));
        let next = Batch::new(self.options.shard, self.options.epoch);
        let mut batch = std::mem::replace(&mut self.batch, next);
        if batch.rows() > 0 {
            batch.sequence = self.sequence;
        }
        let generation = self.generation;
        self.generation += 1;
        Output { batch, effects, generation }
    }

    /// Appends the events of the batch to the history, and has them told to who looks on.
    fn write_events(&mut self, id: ExecutionId) {
        let generation = self.generation;
        let Some(Known::Running(resident)) = self.executions.get_mut(&id, generation) else { return };
        let events = std::mem::take(&mut resident.events);
        let written = self.options.observed.tell(id, resident, &events);
        self.effects.extend(written.map(Effect::Tell));
        let mut last_lsn = resident.last_lsn;
        self.append_history(id, events, &mut last_lsn);
        if let Some(Known::Running(resident)) = self.executions.get_mut(&id, generation) {
            resident.last_lsn = last_lsn;
        }
    }

    fn write_execution(&mut self, id: ExecutionId) {
        self.write_events(id);
        let generation = self.generation;
        let Some(Known::Running(resident)) = self.executions.get_mut(&id, generation) else { return };
        let changed = resident.state.take_changed();
        let batch = &mut self.batch;
        for (row, value) in changed {
            let key = RowKey { execution: id, row };
            match value {
                Some(value) => {
                    resident.stored_rows.insert(row);
                    if let Row::MapRun(run) = &value {
                        let shown = map_run_record(id, resident, run);
                        batch.map_runs.insert(key, Change::Put(shown));
                    }
                    batch.state.insert(key, Change::Put(StateRow::Row(value)));
                }
                None if resident.stored_rows.remove(&row) => _ = batch.state.insert(key, Change::Delete),
                None => {}
            }
        }
        let stale_listing = std::mem::take(&mut resident.stale_listing);
        let is_redriven = !stale_listing.is_empty();
        batch.listing.extend(stale_listing.into_iter().map(|key| (key, Change::Delete)));
        let header_key = RowKey { execution: id, row: RowId::EXECUTION };
        let header =
            StateHeader { header: resident.state.header.clone(), last_lsn: resident.last_lsn.unwrap_or(0) };
        let last_lsn = resident.last_lsn.unwrap_or(0);
        let is_first = !std::mem::replace(&mut resident.is_stored, true);
        let continues = !resident.state.header.ready.is_empty() || resident.is_new();
        if resident.continues != continues {
            let change = if continues { Change::Put(MARK) } else { Change::Delete };
            batch.dispatched.insert(header_key, change);
            resident.continues = continues;
        }
        if resident.ending.is_none() {
            batch.state.insert(header_key, Change::Put(StateRow::Header(header)));
            if is_first || is_redriven {
                batch.executions.insert(id, Change::Put(resident.record.clone()));
                batch.listing.extend(listing_keys(id, &resident.record).map(|key| (key, Change::Put(()))));
            }
            return;
        }
        if resident.owes_end {
            batch.dispatched.insert(RowKey { execution: id, row: RowId::END }, Change::Put(MARK));
        }
        resident.record.last_lsn = last_lsn;
        if !is_first {
            let mut running = resident.record.clone();
            running.status = store::ExecutionStatus::Running;
            running.stopped_at = None;
            batch.listing.extend(listing_keys(id, &running).map(|key| (key, Change::Delete)));
        }
        let is_kept = resident.state.is_stopped();
        if is_kept {
            batch.state.insert(header_key, Change::Put(StateRow::Header(header)));
        } else if !is_first {
            batch.state.insert(header_key, Change::Delete);
        }
        batch.listing.extend(listing_keys(id, &resident.record).map(|key| (key, Change::Put(()))));
        let Some(known) = self.executions.get_mut(&id, generation) else { return };
        let Known::Running(resident) = std::mem::replace(known, Known::Absent) else { return };
        batch.executions.insert(id, Change::Put(resident.record.clone()));
        if is_kept {
            *known = Known::Ended(Box::new(resident.record.clone()));
            self.keep(id, resident);
        } else {
            *known = Known::Ended(Box::new(resident.record));
        }
    }

    fn append_history(
        &mut self,
        execution: ExecutionId,
        mut events: Vec<HistoryEvent>,
        last_lsn: &mut Option<u64>,
    ) {
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(ROW_EVENTS_MAX));
            let lsn = self.next_number();
            self.batch.history.push((lsn, HistoryRow { execution, previous_lsn: *last_lsn, events }));
            *last_lsn = Some(lsn);
            events = rest;
        }
    }
}
