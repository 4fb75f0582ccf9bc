//! What Parallel and Map have in common: children are started, end one by one, and are joined.

use crate::data::evaluate::{self, Failure};
use crate::data::flow::{self, Assigned};
use crate::data::json::{self, Data};
use crate::definition::{Assign, Flow, StateKind};
use crate::limits::PAYLOAD_BYTES_MAX;

use super::execution::{Fork, Phase, Row, RowId, Stopped, Thread};
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
        concurrency: Option<u32>,
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
            concurrency,
            next_redriven: None,
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
        self.stop_thread(row);
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
        let owner = counts.owner;
        match self.start_next(fork, last) {
            Ok(true) => {}
            Ok(false) if self.state.fork(fork).live == 0 => self.join(fork, marker),
            Ok(false) => {}
            Err(failure) => {
                self.abort_fork(fork);
                self.fail_evaluation(owner, &failure);
            }
        }
    }

    /// Starts children as far as there is room. `previous` is the event that made room for them.
    pub(super) fn fill_fork(&mut self, fork: RowId, previous: u32) -> Result<(), Failure> {
        loop {
            let has_room = self.state.fork(fork).has_room();
            match if has_room { self.start_next(fork, previous) } else { Ok(false) } {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(failure) => {
                    self.abort_fork(fork);
                    return Err(failure);
                }
            }
        }
    }

    /// Takes up the next child that a redrive found stopped, or starts the next item; false if there is none.
    fn start_next(&mut self, fork: RowId, previous: u32) -> Result<bool, Failure> {
        if let Some(child) = self.next_stopped(fork) {
            self.state.fork_mut(fork).live += 1;
            self.take_up(child);
            return Ok(true);
        }
        let counts = self.state.fork(fork);
        let index = counts.started;
        if index == counts.count {
            return Ok(false);
        }
        self.start_item(fork, index, previous).map(|()| true)
    }

    /// Puts the children's outputs into one array, in order, and leaves the state.
    pub(super) fn join(&mut self, fork: RowId, last: u32) {
        let (owner, children) = {
            let counts = self.state.fork(fork);
            (counts.owner, counts.children())
        };
        let mut text = String::from("[");
        for row in children {
            let output = match self.remove_thread(row).map(|thread| thread.phase) {
                Some(Phase::Done(output)) => output,
                // It failed, within what is tolerated.
                Some(Phase::Stopped(_)) | None => continue,
                Some(
                    Phase::Entering
                    | Phase::Working
                    | Phase::Task(_)
                    | Phase::RetryAt(_)
                    | Phase::WaitUntil(_)
                    | Phase::Forked(_),
                ) => panic!("children are joined when all have ended"),
            };
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

    /// Stops every child that still runs, and theirs.
    pub(super) fn abort_fork(&mut self, fork: RowId) {
        if self.state.map_run(fork).is_some() {
            return self.abort_map_run(fork);
        }
        for row in self.state.fork(fork).children() {
            let Some(thread) = self.state.thread(row) else { continue };
            if matches!(thread.phase, Phase::Done(_) | Phase::Stopped(_)) {
                continue;
            }
            let index = thread.index;
            self.abort_thread(row);
            if let Some(iteration) = self.iteration(fork, index) {
                self.write_next(row, HistoryKind::MapIterationAborted(iteration));
            }
            self.stop_thread(row);
        }
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

    /// Removes the children of a Parallel or Map that is done anew or left.
    pub(super) fn discard_children(&mut self, owner: RowId) {
        if let Some(Phase::Forked(fork)) = self.state.thread(owner).map(|thread| &thread.phase) {
            let fork = *fork;
            self.remove_fork(fork);
            self.state.thread_mut(owner).phase = Phase::Working;
        }
    }

    fn remove_fork(&mut self, fork: RowId) {
        if self.state.map_run(fork).is_some() {
            return self.remove_map_run(fork);
        }
        let Some(Row::Fork(removed)) = self.state.remove(fork) else { return };
        for child in removed.children() {
            self.remove_thread(child);
        }
        if let Some(items) = removed.items {
            self.state.remove(items);
        }
    }

    /// Removes a child, with what it has stopped within.
    fn remove_thread(&mut self, row: RowId) -> Option<Box<Thread>> {
        let Some(Row::Thread(thread)) = self.state.remove(row) else { return None };
        if let Phase::Stopped(Stopped::Forked(inner)) = thread.phase {
            self.remove_fork(inner);
        }
        Some(thread)
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

    /// The row of one child.
    pub(super) fn child(&self, index: u32) -> RowId {
        RowId(self.first_child.0 + u64::from(index))
    }

    /// Whether another child may run. Where no bound is known, those that a redrive takes up may.
    fn has_room(&self) -> bool {
        match self.concurrency {
            Some(concurrency) => self.live < concurrency,
            None => self.next_redriven.is_some(),
        }
    }
}
