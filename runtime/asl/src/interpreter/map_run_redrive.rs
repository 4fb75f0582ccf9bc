//! The redrive of a Map Run: it goes on with the children that it has.
//!
//! A Map Run that has ended keeps its rows as long as its state may go on. Its children that succeeded stay as they
//! are. The others wait for their redrive until there is room for them, those that were never started come after them.
//! What of a child is to run is never in a message: the engine looks at the child's row, see [`ExecutionState::wanted`].
//!
//! [`ExecutionState::wanted`]: super::execution::ExecutionState::wanted

use crate::data::evaluate::Failure;
use crate::limits::MAP_RUN_REDRIVES_MAX;

use super::event::Command;
use super::execution::{AttemptId, Row, RowId};
use super::failure::StateError;
use super::history::{ErrorOutput, HistoryKind};
use super::map_run_row::{ChildFailure, MapRunChild, MapRunEnd, MapRunRedrive, MapRunStatus};
use super::stepper::Stepper;

impl Stepper<'_> {
    /// Ends a Map Run, whose rows stay. What still runs of it is stopped, and what waits for a redrive waits no more.
    pub(super) fn stop_map_run(&mut self, row: RowId, status: MapRunStatus) {
        let run = self.state.map_run(row).expect("who stops a Map Run has seen it");
        let (items, children) = (&mut run.items_by_status.clone(), &mut run.children_by_status.clone());
        let redriven = run.redriven;
        let next_told = redriven.map_or(0, |redriven| redriven.next_told);
        let next_child = redriven.and_then(|redriven| redriven.next_child).unwrap_or(run.started);
        for index in 0..run.started {
            let child_row = self.state.map_run(row).expect("it is there").child(index);
            let Some(Row::MapRunChild(child)) = self.state.row(child_row) else { continue };
            let MapRunChild { id, item_count, .. } = *child;
            match (&child.output, child.failure) {
                (Some(_), _) => {}
                (None, None) => {
                    let stopped = MapRunChild { failure: Some(ChildFailure::Aborted), ..child.clone() };
                    self.state.put(child_row, Row::MapRunChild(stopped));
                    self.command(Command::StopChild(id));
                }
                (None, Some(failure)) if index >= next_child => {
                    items.give_up_redrive(item_count, failure);
                    children.give_up_redrive(1, failure);
                    if index < next_told {
                        self.command(Command::StopChild(id));
                    }
                }
                (None, Some(_)) => {}
            }
        }
        items.abort();
        children.abort();
        let (items, children, at) = (*items, *children, self.now);
        let run = self.state.map_run_mut(row);
        run.items_by_status = items;
        run.children_by_status = children;
        run.ended = Some(MapRunEnd { status, at });
        run.redriven = redriven.map(|redriven| MapRunRedrive { next_child: None, ..redriven });
    }

    /// The turn of a Map whose Map Run a redrive has taken up.
    pub(super) fn redrive_map_run(&mut self, row: RowId) {
        let attempt = AttemptId(self.state.header.next_attempt);
        let run = self.state.map_run(row).expect("a Map that was forked so has a Map Run");
        let (owner, arn, first, started) = (run.owner, run.arn.clone(), run.first_child, run.started);
        let count = run.redriven.map_or(0, |redriven| redriven.count) + 1;
        if count > MAP_RUN_REDRIVES_MAX {
            let cause = format!("The Map Run was redriven {MAP_RUN_REDRIVES_MAX} times, which is the limit.");
            return self.fail_state(owner, StateError::new(ErrorOutput::new(Failure::RUNTIME, cause)));
        }
        let (mut items, mut children) = (run.items_by_status, run.children_by_status);
        self.state.header.next_attempt += 1;
        for child in (first.0..first.0 + u64::from(started)).map(RowId) {
            if let Some(Row::MapRunChild(MapRunChild { item_count, failure: Some(failure), .. })) =
                self.state.row(child)
            {
                items.await_redrive(*item_count, *failure);
                children.await_redrive(1, *failure);
            }
        }
        let at = self.now;
        let run = self.state.map_run_mut(row);
        run.attempt = attempt;
        run.items_by_status = items;
        run.children_by_status = children;
        run.ended = None;
        run.redriven = Some(MapRunRedrive { count, at, next_told: 0, next_child: Some(0) });
        let (is_failed, is_done) = (run.exceeds_tolerance(), run.is_done());
        self.write_next(owner, HistoryKind::MapRunRedriven { map_run_arn: arn, redrive_count: count });
        if is_failed {
            self.fail_map_run(row, StateError::threshold_exceeded());
        } else if is_done {
            self.finish_map_run(row);
        } else {
            self.make_ready(row);
        }
    }

    /// The first child that waits for its redrive. When there is none, none will come before the next redrive.
    pub(super) fn next_to_redrive(&mut self, row: RowId) -> Option<u32> {
        let run = self.state.map_run(row)?;
        let redriven = run.redriven?;
        let next_child = redriven.next_child?;
        let found = self.first_unsuccessful(row, next_child);
        if found != Some(next_child) {
            let redriven = MapRunRedrive { next_child: found, ..redriven };
            self.state.map_run_mut(row).redriven = Some(redriven);
        }
        found
    }

    /// The first child that waits for its redrive and has not been told so.
    pub(super) fn next_to_tell(&mut self, row: RowId) -> Option<u32> {
        let run = self.state.map_run(row)?;
        let redriven = run.redriven?;
        let first = redriven.next_child?.max(redriven.next_told);
        let found = self.first_unsuccessful(row, first);
        let next_told = found.unwrap_or(self.state.map_run(row)?.started);
        if next_told != redriven.next_told {
            self.state.map_run_mut(row).redriven = Some(MapRunRedrive { next_told, ..redriven });
        }
        found
    }

    fn first_unsuccessful(&self, row: RowId, from: u32) -> Option<u32> {
        let run = self.state.map_run(row)?;
        (from..run.started).find(|index| {
            let child = self.state.row(run.child(*index));
            matches!(child, Some(Row::MapRunChild(MapRunChild { failure: Some(_), .. })))
        })
    }

    pub(super) fn redrive_child(&mut self, row: RowId, index: u32) {
        let run = self.state.map_run_mut(row);
        let child_row = run.child(index);
        run.redriven = run.redriven.map(|redriven| MapRunRedrive { next_child: Some(index + 1), ..redriven });
        let Some(Row::MapRunChild(child)) = self.state.row(child_row) else { return };
        let child = MapRunChild { failure: None, ..child.clone() };
        let (id, item_count) = (child.id, child.item_count);
        self.state.put(child_row, Row::MapRunChild(child));
        let run = self.state.map_run_mut(row);
        run.items_by_status.redrive(item_count);
        run.children_by_status.redrive(1);
        self.children_started += 1;
        self.command(Command::RedriveChild { row: child_row, child: id });
    }

    pub(super) fn tell_to_wait(&mut self, row: RowId, index: u32) {
        let run = self.state.map_run_mut(row);
        let child_row = run.child(index);
        run.redriven = run.redriven.map(|redriven| MapRunRedrive { next_told: index + 1, ..redriven });
        let Some(Row::MapRunChild(child)) = self.state.row(child_row) else { return };
        let child = child.id;
        self.children_started += 1;
        self.command(Command::RedriveChild { row: child_row, child });
    }
}
