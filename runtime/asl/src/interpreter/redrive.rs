//! Redrive: an execution that ended without success goes on from where it stood.
//!
//! Such an execution keeps its rows. Each of its threads is done or *stopped*: it failed, or it was given up with
//! what was around it. A redrive takes the stopped ones up again, from the root down to those that were in a state;
//! what was done stays done.

use std::sync::Arc;

use crate::definition::{Definition, MachineType, StateKind};
use crate::limits::HISTORY_EVENTS_MAX;

use super::event::Ending;
use super::execution::{ExecutionInfo, ExecutionState, Header, Phase, Row, RowId, Stopped, Thread};
use super::history::HistoryKind;
use super::stepper::Stepper;

impl ExecutionState {
    /// An Express child execution that has ended without success, as a redrive takes it up: of such a child nothing is
    /// kept, and it begins anew. Its history and its attempts go on counting; none of those took more than an event.
    pub fn before_start(
        info: Arc<ExecutionInfo>,
        definition: &Definition,
        event_count: u32,
    ) -> ExecutionState {
        /// More than a definition can draw within five minutes, so that nothing is drawn twice.
        const ENTROPY_OF_A_REDRIVE: u64 = 1 << 32;
        let header = Header {
            next_event: event_count + 1,
            next_row: RowId::ROOT.0 + 1,
            next_attempt: u64::from(event_count) + 1,
            entropy_drawn: ENTROPY_OF_A_REDRIVE * u64::from(info.redrive_count + 1),
            ..Header::default()
        };
        let first = definition.scope(info.scope()).start_at;
        let root = Thread {
            phase: Phase::Stopped(Stopped::Unentered),
            last_event: event_count,
            before_event: event_count,
            ..Thread::new(first, info.input.clone())
        };
        let rows = [(RowId::ROOT, Row::Thread(Box::new(root)))];
        ExecutionState::load(info, header, rows.into())
    }
}

impl Stepper<'_> {
    /// Whether an execution that ends now may be redriven later.
    pub(super) fn can_be_redriven(&self, ending: &Ending) -> bool {
        let is_express = self.state.info.map_item().is_some_and(|item| item.express)
            || self.definition.machine_type == MachineType::Express;
        let is_unsuccessful = match ending {
            Ending::Succeeded { .. } => false,
            Ending::Failed(_) | Ending::TimedOut(_) | Ending::Aborted(_) => true,
        };
        // AWS: fewer than 24,999 events, so that there is a place for the redrive and for one more.
        is_unsuccessful && !is_express && self.state.header.next_event < HISTORY_EVENTS_MAX
    }

    /// RedriveExecution, of an execution that was seen to be stopped.
    pub(super) fn redrive(&mut self) -> bool {
        let info = Arc::make_mut(&mut self.state.info);
        info.redrive_count += 1;
        info.redriven_at = Some(self.now);
        let redrive_count = info.redrive_count;
        self.write_next(RowId::ROOT, HistoryKind::ExecutionRedriven { redrive_count });
        self.set_execution_timeout();
        self.take_up(RowId::ROOT);
        true
    }

    /// Puts a thread to rest, if it is none that is done.
    pub(super) fn stop_thread(&mut self, row: RowId) {
        let Some(thread) = self.state.thread(row) else { return };
        let stopped = match &thread.phase {
            Phase::Done(_) | Phase::Stopped(_) => return,
            Phase::Forked(fork) => Stopped::Forked(*fork),
            Phase::Entering => Stopped::Unentered,
            Phase::Working | Phase::Task(_) | Phase::RetryAt(_) | Phase::WaitUntil(_) => {
                let state = self.definition.get_state(thread.state);
                match state.map(|state| &state.kind) {
                    // AWS enters it again.
                    Some(StateKind::Fail(_)) => Stopped::Unentered,
                    Some(
                        StateKind::Pass(_)
                        | StateKind::Task(_)
                        | StateKind::Choice(_)
                        | StateKind::Wait(_)
                        | StateKind::Succeed(_)
                        | StateKind::Parallel(_)
                        | StateKind::Map(_),
                    )
                    | None => Stopped::Entered,
                }
            }
        };
        self.state.thread_mut(row).phase = Phase::Stopped(stopped);
    }

    /// Lets a stopped thread go on, with its retries before it again. Its next event names the last one of its own
    /// as the previous, as after a retry, so that those before an event still tell its state.
    pub(super) fn take_up(&mut self, row: RowId) {
        let thread = self.state.thread_mut(row);
        let Phase::Stopped(stopped) = thread.phase else { panic!("only a stopped thread is taken up") };
        thread.retries.clear();
        thread.phase = match stopped {
            Stopped::Unentered => Phase::Entering,
            Stopped::Entered => Phase::Working,
            Stopped::Forked(fork) => Phase::Forked(fork),
        };
        if let Stopped::Forked(fork) = stopped
            && self.state.map_run(fork).is_none()
        {
            let counts = self.state.fork_mut(fork);
            counts.live = 0;
            counts.failed = 0;
            counts.next_redriven = Some(0);
        }
        self.make_ready(row);
    }

    /// The turn of a thread whose branches or items are to go on.
    pub(super) fn go_on_with_children(&mut self, fork: RowId) {
        if let Some(run) = self.state.map_run(fork) {
            // A Map Run that runs takes turns of its own.
            if run.ended.is_some() {
                self.redrive_map_run(fork);
            }
            return;
        }
        let owner = self.state.fork(fork).owner;
        let previous = self.state.thread(owner).map_or(0, |thread| thread.last_event);
        match self.fill_fork(fork, previous) {
            // All of them were done, and what came after failed.
            Ok(()) if self.state.fork(fork).live == 0 => self.join(fork, previous),
            Ok(()) => {}
            Err(failure) => self.fail_evaluation(owner, &failure),
        }
    }

    /// The next child that a redrive has to take up.
    pub(super) fn next_stopped(&mut self, fork: RowId) -> Option<RowId> {
        let counts = self.state.fork(fork);
        let is_stopped = |index: &u32| {
            let child = self.state.thread(counts.child(*index));
            child.is_some_and(|child| matches!(child.phase, Phase::Stopped(_)))
        };
        let found = (counts.next_redriven?..counts.started).find(is_stopped);
        let child = found.map(|index| counts.child(index));
        self.state.fork_mut(fork).next_redriven = found.map(|index| index + 1);
        child
    }
}
