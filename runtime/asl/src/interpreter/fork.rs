//! What Parallel and Map have in common: children are started, end one by one, and are joined.

use crate::data::evaluate::{self, Failure};
use crate::data::flow::{self, Assigned};
use crate::data::json::{self, Data};
use crate::definition::{Assign, Flow, StateKind};
use crate::limits::PAYLOAD_BYTES_MAX;

use super::execution::{Fork, Phase, Row, RowId};
use super::failure::StateError;
use super::history::{HistoryKind, Iteration, StateType};
use super::stepper::Stepper;

impl Stepper<'_> {
    /// Makes the fork of a Parallel or Map and reserves the rows of its children.
    pub(super) fn fork(
        &mut self,
        owner: RowId,
        count: u32,
        tolerated: Option<u32>,
        items: Option<Data>,
    ) -> RowId {
        let first_child = self.state.reserve_rows(u64::from(count));
        let items = items.map(|items| {
            let row = self.state.reserve_rows(1);
            self.state.put(row, Row::Items(items));
            row
        });
        let row = self.state.reserve_rows(1);
        let fork = Fork {
            owner,
            first_child,
            count,
            started: 0,
            live: 0,
            failed: 0,
            tolerated_failures: tolerated,
            items,
        };
        self.state.put(row, Row::Fork(fork));
        self.state.thread_mut(owner).phase = Phase::Forked(row);
        row
    }

    pub(super) fn child_succeeded(&mut self, fork: RowId, row: RowId, output: Data) {
        let thread = self.state.thread_mut(row);
        let (last, index) = (thread.last_event, thread.index);
        // Only the output is needed until the join.
        thread.phase = Phase::Done(output);
        thread.input = Data::empty_object();
        thread.variables.clear();
        let marker = match self.iteration(fork, index) {
            Some(iteration) => self.write(last, HistoryKind::MapIterationSucceeded(iteration)),
            None => last,
        };
        self.child_ended(fork, last, marker);
    }

    pub(super) fn child_failed(&mut self, fork: RowId, row: RowId, error: StateError) {
        let state_type = self.state_of(row).state_type();
        let thread = self.state.thread_mut(row);
        let (last, index) = (thread.last_event, thread.index);
        let marker = match self.iteration(fork, index) {
            Some(iteration) => self.write(last, HistoryKind::MapIterationFailed(iteration)),
            // AWS closes a task that fails a branch, but not a Fail state.
            None if state_type == StateType::Task => {
                self.write(last, HistoryKind::StateAborted { state_type })
            }
            None => last,
        };
        self.state.remove(row);
        let counts = self.state.fork_mut(fork);
        counts.failed += 1;
        let (failed, tolerated, owner) = (counts.failed, counts.tolerated_failures, counts.owner);
        if tolerated.is_some_and(|tolerated| failed <= tolerated) {
            return self.child_ended(fork, last, marker);
        }
        let error = match tolerated {
            Some(_) => StateError::threshold_exceeded(),
            None => error,
        };
        self.abort_fork(fork);
        self.state.thread_mut(owner).last_event = last;
        self.fail_state(owner, error.of_inner());
    }

    /// A child has ended, well or within tolerance: starts the next one or joins them all. `last` is the
    /// child's last own event, `marker` the one that closed it.
    fn child_ended(&mut self, fork: RowId, last: u32, marker: u32) {
        let counts = self.state.fork_mut(fork);
        counts.live -= 1;
        if counts.started < counts.count {
            let (owner, index) = (counts.owner, counts.started);
            if let Err(failure) = self.start_item(fork, index, last) {
                self.abort_fork(fork);
                self.fail_evaluation(owner, &failure);
            }
        } else if counts.live == 0 {
            self.join(fork, marker);
        }
    }

    /// Puts the children's outputs into one array, in order, and leaves the state.
    fn join(&mut self, fork: RowId, last: u32) {
        let (owner, children) = {
            let counts = self.state.fork(fork);
            (counts.owner, counts.children())
        };
        let mut text = String::from("[");
        for row in children {
            let Some(Row::Thread(thread)) = self.state.remove(row) else { continue };
            let Phase::Done(output) = thread.phase else { panic!("children are joined when all have ended") };
            if text.len() > 1 {
                text.push(',');
            }
            text.push_str(output.text());
        }
        text.push(']');
        self.remove_fork(fork);
        self.state.thread_mut(owner).last_event = last;
        self.state.thread_mut(owner).phase = Phase::Working;
        if text.len() > PAYLOAD_BYTES_MAX {
            let name = &self.state_of(owner).name;
            return self.fail_state(owner, StateError::data_limit(name));
        }
        if !json::is_readable(&text) {
            return self.fail_evaluation(owner, &evaluate::too_deep());
        }
        self.leave_fork(owner, Data::from_valid_text(text));
    }

    /// Leaves a Parallel or Map with its result. The exit names the last inner event as its previous, not
    /// the `…Succeeded` before it.
    pub(super) fn leave_fork(&mut self, owner: RowId, result: Data) {
        let (flow, assign, transition, succeeded) = match &self.state_of(owner).kind {
            StateKind::Parallel(parallel) => {
                (&parallel.flow, &parallel.assign, parallel.transition, HistoryKind::ParallelStateSucceeded)
            }
            StateKind::Map(map) => (&map.flow, &map.assign, map.transition, HistoryKind::MapStateSucceeded),
            StateKind::Pass(_)
            | StateKind::Task(_)
            | StateKind::Choice(_)
            | StateKind::Wait(_)
            | StateKind::Succeed(_)
            | StateKind::Fail(_) => panic!("only Parallel and Map fork"),
        };
        let last = self.state.thread(owner).map_or(0, |thread| thread.last_event);
        self.write(last, succeeded);
        match self.joined(owner, flow, assign, result) {
            Ok((output, assigned)) => self.exit(owner, output, assigned, transition),
            Err(failure) => self.fail_evaluation(owner, &failure),
        }
    }

    fn joined(
        &self,
        owner: RowId,
        flow: &Flow,
        assign: &Assign,
        result: Data,
    ) -> Result<(Data, Assigned), Failure> {
        self.compute(owner, None, |scope, thread| {
            let result = flow::selected_result(flow, scope, result)?;
            let assigned = flow::assigned(assign, scope, &result)?;
            Ok((flow::output(flow, scope, &thread.input, result)?, assigned))
        })
    }

    /// Ends every child that still runs, and theirs, and removes the fork.
    pub(super) fn abort_fork(&mut self, fork: RowId) {
        if self.state.map_run(fork).is_some() {
            return self.abort_map_run(fork);
        }
        for row in self.state.fork(fork).children() {
            let Some(thread) = self.state.thread(row) else { continue };
            let (index, phase_done) = (thread.index, matches!(thread.phase, Phase::Done(_)));
            if !phase_done {
                self.abort_thread(row);
                if let Some(iteration) = self.iteration(fork, index) {
                    self.write_next(row, HistoryKind::MapIterationAborted(iteration));
                }
            }
            self.state.remove(row);
        }
        self.remove_fork(fork);
    }

    fn abort_thread(&mut self, row: RowId) {
        let Some(thread) = self.state.thread(row) else { return };
        let entered = !matches!(thread.phase, Phase::Entering);
        if let Phase::Forked(inner) = thread.phase {
            self.abort_fork(inner);
        }
        self.cancel_waits(row);
        if entered {
            let state_type = self.state_of(row).state_type();
            self.write_next(row, HistoryKind::StateAborted { state_type });
        }
    }

    fn remove_fork(&mut self, fork: RowId) {
        if let Some(Row::Fork(Fork { items: Some(items), .. })) = self.state.remove(fork) {
            self.state.remove(items);
        }
    }

    /// How a Map's events name an iteration; none for a branch.
    pub(super) fn iteration(&self, fork: RowId, index: u32) -> Option<Iteration> {
        let fork = self.state.fork(fork);
        fork.items?;
        Some(Iteration { name: (&self.state_of(fork.owner).name).into(), index })
    }
}

impl Fork {
    /// Rows of the children that were started.
    fn children(&self) -> impl Iterator<Item = RowId> + use<> {
        let first = self.first_child.0;
        (first..first + u64::from(self.started)).map(RowId)
    }
}
