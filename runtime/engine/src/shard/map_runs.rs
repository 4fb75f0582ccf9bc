//! Map Runs: their children are started, and what is to be shown of them is written beside them.

use std::sync::Arc;

use asl::Timestamp;
use asl::interpreter::{Event, ExecutionId, MapRun, MapRunStatus, RowId, StartChild};
use store::{Change, ExecutionRecord, MapRunRecord, MapRunTotals, NewExecution, RowKey, map_run_listing};

use crate::request::{Refusal, UpdateMapRun};

use super::resident::Resident;
use super::{Input, Known, Shard};

impl Shard {
    /// Starts a child: its record is in the same batch as its parent's row for it. Its first step is its own.
    pub(super) fn start_child(&mut self, parent: ExecutionId, child: StartChild, now: Timestamp) {
        let Some(Known::Running(resident)) = self.executions.get(&parent) else { return };
        let revision = Arc::clone(&resident.revision);
        let new = NewExecution {
            arn: child.arn,
            name: child.name,
            state_machine_arn: child.state_machine_arn,
            machine_id: map_run_listing(child.map_run),
            revision: resident.record.revision,
            started_at: now,
            input: child.input,
            seed: child.seed,
        };
        let record = ExecutionRecord {
            trace_header: resident.record.trace_header.clone(),
            version_arn: resident.record.version_arn.clone(),
            alias_arn: resident.record.alias_arn.clone(),
            test_case: resident.record.test_case.clone(),
            parent: Some(Box::new(child.parent)),
            ..ExecutionRecord::running(new)
        };
        // Its calls are counted apart from its parent's.
        let resident = Resident::new(child.id, record, revision, resident.state.test_case.clone());
        self.executions.insert(child.id, Known::Running(Box::new(resident)), self.generation);
        self.touched.insert(child.id);
        self.owe(Input::Continue(child.id));
    }

    /// A Map Run has started, or its row is gone.
    pub(super) fn show_map_run(&mut self, execution: ExecutionId, row: RowId, run: &MapRun) {
        let Some(Known::Running(resident)) = self.executions.get(&execution) else { return };
        let record = map_run_record(execution, resident, run);
        let key = RowKey { execution, row };
        self.batch.map_runs.insert(key, Change::Put(record));
        if run.status() == MapRunStatus::Running {
            self.batch.map_run_ids.insert(run.id, Change::Put(key));
        }
    }

    pub(super) fn update_map_run(&mut self, request: &UpdateMapRun, now: Timestamp) -> Result<(), Refusal> {
        let RowKey { execution, row } = request.place;
        let event = Event::MapRunUpdated { row, update: request.update };
        if self.step(execution, event, now) { Ok(()) } else { Err(Refusal::MapRunEnded) }
    }
}

pub(super) fn map_run_record(execution: ExecutionId, resident: &Resident, run: &MapRun) -> MapRunRecord {
    let totals = |pending, by_status| MapRunTotals { pending, by_status };
    MapRunRecord {
        arn: run.arn.clone(),
        execution,
        execution_arn: resident.record.arn.clone(),
        status: run.status(),
        started_at: run.started_at,
        stopped_at: run.ended.map(|ended| ended.at),
        concurrency_max: run.concurrency_max,
        tolerance: run.tolerance,
        items: totals(run.item_count - run.next_item, run.items_by_status),
        children: totals(pending_children(run), run.children_by_status),
        redrive_count: run.redriven.map_or(0, |redriven| redriven.count),
        redriven_at: run.redriven.map(|redriven| redriven.at),
    }
}

/// Children that are still to come; of batches whose size depends on their bytes, as few as there can be.
fn pending_children(run: &MapRun) -> u32 {
    let pending = run.item_count - run.next_item;
    match run.batches {
        None => pending,
        Some(batches) => pending.div_ceil(batches.items_max.unwrap_or(u32::MAX)),
    }
}
