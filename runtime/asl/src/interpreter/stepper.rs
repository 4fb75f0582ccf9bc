//! One step: an event comes in, threads go on until each of them waits, and what happened is written down.

use std::cell::OnceCell;
use std::collections::{BTreeSet, VecDeque};

use crate::data::allowance::{Allowance, Stopwatch, stopped};
use crate::data::evaluate::Failure;
use crate::data::flow::Assigned;
use crate::data::json::Data;
use crate::data::scope::{Entropy, Scope};
use crate::data::text::Text;
use crate::data::timestamp::Timestamp;
use crate::definition::{Definition, MachineType, State, StateKind, Transition as Target};
use crate::limits::{
    ASSIGN_BYTES_MAX, EXPRESS_SECONDS_MAX, HISTORY_EVENTS_MAX, PAYLOAD_BYTES_MAX, STEP_BYTES_MAX,
    STEP_CHILDREN_MAX, STEP_EVENTS_MAX, VARIABLES_BYTES_MAX,
};

use super::alone::Alone;
use super::callback_link::LinkMaker;
use super::context::{OwnTask, View};
use super::event::{Command, Ending, Event, Timer, TimerKind, Transition};
use super::execution::{ExecutionState, Header, Phase, Row, RowId, Thread};
use super::failure::StateError;
use super::history::{ErrorOutput, HistoryEvent, HistoryKind, StateType};
use super::time_scale::TimeScale;

/// What a step must know of the world around its execution.
pub trait Surroundings {
    /// Whether an activity of this ARN exists.
    fn activity_exists(&self, arn: &str) -> bool;

    /// What makes callback links; none where nobody serves them.
    fn link_maker(&self) -> Option<&LinkMaker> {
        None
    }

    /// With what the time is taken that computing takes.
    fn stopwatch(&self) -> Stopwatch {
        stopped
    }

    /// How long the times that a definition asks for last.
    fn time_scale(&self) -> TimeScale {
        TimeScale::REAL
    }
}

/// Takes one execution through one event. The same arguments give the same transition.
///
/// `definition` must be the one that the execution was started with.
pub fn step(
    definition: &Definition,
    state: &mut ExecutionState,
    event: Event,
    now: Timestamp,
    surroundings: &dyn Surroundings,
) -> Transition {
    step_with(definition, state, event, now, surroundings, None)
}

/// Fails an execution whose definition can be read no more. Nothing is known of its states, so none of them handles the
/// error.
pub fn fail_undefined(
    state: &mut ExecutionState,
    error: ErrorOutput,
    now: Timestamp,
    surroundings: &dyn Surroundings,
) -> Transition {
    let definition = Definition::undefined();
    let mut stepper = Stepper::new(&definition, state, now, surroundings, None);
    stepper.ready.clear();
    stepper.transition.accepted = !stepper.state.is_stopped();
    if stepper.transition.accepted {
        let previous = stepper.state.thread(RowId::ROOT).map_or(0, |root| root.last_event);
        stepper.write(previous, HistoryKind::ExecutionFailed(error.clone()));
        stepper.end(Ending::Failed(error));
    }
    stepper.finish()
}

/// The same; with `alone`, the first state that ends is the last.
pub(super) fn step_with(
    definition: &Definition,
    state: &mut ExecutionState,
    event: Event,
    now: Timestamp,
    surroundings: &dyn Surroundings,
    alone: Option<&mut Alone>,
) -> Transition {
    let mut stepper = Stepper::new(definition, state, now, surroundings, alone);
    stepper.transition.accepted = stepper.take(event);
    if stepper.transition.accepted {
        stepper.run();
    }
    stepper.finish()
}

/// Most steps write fewer events.
const EVENTS_USUAL: usize = 12;

const EXECUTION_TIMEOUT: Timer = Timer { row: RowId::EXECUTION, kind: TimerKind::ExecutionTimeout };

pub(super) struct Stepper<'a> {
    pub(super) definition: &'a Definition,
    pub(super) state: &'a mut ExecutionState,
    pub(super) now: Timestamp,
    pub(super) surroundings: &'a dyn Surroundings,
    pub(super) entropy: Entropy,
    /// What computing may still cost in this step.
    pub(super) allowance: Allowance,
    /// Set while one state is tested on its own.
    pub(super) alone: Option<&'a mut Alone>,
    /// Threads that can go on, first come first served, so that siblings take turns.
    ready: VecDeque<RowId>,
    transition: Transition,
    /// Bytes of payload written to the history in this step.
    bytes: usize,
    /// Child executions started in this step.
    pub(super) children_started: usize,
    history_full: bool,
    pub(super) ended: bool,
}

impl Stepper<'_> {
    /// Applies an event; says whether it was still awaited.
    fn take(&mut self, event: Event) -> bool {
        // Of an execution that has ended only a redrive is awaited.
        if self.state.is_stopped() != (event == Event::Redrive) {
            return false;
        }
        match event {
            Event::Start => self.start(),
            Event::Continue => !self.ready.is_empty(),
            Event::TaskStarted { row, attempt, worker_name } => self.task_started(row, attempt, worker_name),
            Event::TaskReturned { row, attempt, outcome, usage } => {
                self.task_returned(row, attempt, outcome, usage)
            }
            Event::TaskAnswered { row, attempt, outcome } => self.task_ended(row, attempt, outcome, None),
            Event::Heartbeat { row, attempt } => self.heartbeat(row, attempt),
            Event::Timer(timer) => self.timer(timer),
            Event::ChildStarted { row, attempt, child, answer } => {
                self.child_started(row, attempt, child, answer)
            }
            Event::ChildEnded { row, attempt, end } => self.child_execution_ended(row, attempt, &end),
            Event::MapRunUpdated { row, update } => self.map_run_updated(row, update),
            Event::Stop(reason) => self.stop(reason),
            Event::Redrive => self.redrive(),
        }
    }

    fn stop(&mut self, reason: ErrorOutput) -> bool {
        let Some(root) = self.state.thread(RowId::ROOT) else { return false };
        self.write(root.before_event, HistoryKind::ExecutionAborted(reason.clone()));
        self.end(Ending::Aborted(reason));
        true
    }

    fn start(&mut self) -> bool {
        if self.state.header != Header::default() {
            return false;
        }
        let info = &self.state.info;
        let input = info.input.clone();
        let started = HistoryKind::ExecutionStarted {
            input: input.clone(),
            role_arn: info.role_arn.clone(),
            version_arn: info.version_arn.clone(),
            alias_arn: info.alias_arn.clone(),
        };
        self.write(0, started);
        self.set_execution_timeout();
        let first = self.definition.scope(self.state.info.scope()).start_at;
        let row = self.state.reserve_rows(1);
        self.spawn(row, Thread::new(first, input));
        true
    }

    pub(super) fn set_execution_timeout(&mut self) {
        if let Some(due) = self.execution_deadline() {
            self.command(Command::SetTimer { timer: EXECUTION_TIMEOUT, due });
        }
    }

    fn timer(&mut self, timer: Timer) -> bool {
        match timer.kind {
            TimerKind::Wake => self.wake(timer.row),
            TimerKind::TaskTimeout | TimerKind::HeartbeatTimeout => self.task_timed_out(timer),
            TimerKind::ExecutionTimeout => self.execution_timed_out(),
            TimerKind::RedriveOver => false,
        }
    }

    fn execution_timed_out(&mut self) -> bool {
        let Some(root) = self.state.thread(RowId::ROOT) else { return false };
        if self.execution_deadline().is_none_or(|due| due > self.now) {
            return false;
        }
        let error = ErrorOutput::default();
        self.write(root.before_event, HistoryKind::ExecutionTimedOut(error.clone()));
        self.end(Ending::TimedOut(error));
        true
    }

    /// When the machine's `TimeoutSeconds` is over, which a redrive starts anew, or the time that an Express
    /// execution has.
    fn execution_deadline(&self) -> Option<Timestamp> {
        let info = &self.state.info;
        let seconds = match (info.map_item(), self.definition.machine_type) {
            // `TimeoutSeconds` is the parent's.
            (Some(item), _) if !item.express => return None,
            (Some(_), _) => EXPRESS_SECONDS_MAX,
            (None, MachineType::Standard) => self.definition.timeout_seconds?,
            (None, MachineType::Express) => {
                self.definition.timeout_seconds.map_or(EXPRESS_SECONDS_MAX, |s| s.min(EXPRESS_SECONDS_MAX))
            }
        };
        Some(info.redriven_at.unwrap_or(info.started_at).saturating_add_seconds(i64::from(seconds)))
    }

    /// The end of a Wait or of the delay before a retry.
    fn wake(&mut self, row: RowId) -> bool {
        let Some(thread) = self.state.thread(row) else { return false };
        match thread.phase {
            Phase::RetryAt(at) if at <= self.now => {
                self.state.thread_mut(row).phase = Phase::Working;
                self.ready.push_back(row);
                true
            }
            Phase::WaitUntil(at) if at <= self.now => {
                self.wait_over(row);
                true
            }
            Phase::RetryAt(_)
            | Phase::WaitUntil(_)
            | Phase::Entering
            | Phase::Working
            | Phase::Task(_)
            | Phase::Forked(_)
            | Phase::Done(_)
            | Phase::Stopped(_) => false,
        }
    }

    fn run(&mut self) {
        while !self.ended {
            if self.history_full {
                return self.end_for_full_history();
            }
            if self.is_full() {
                return;
            }
            let Some(row) = self.ready.pop_front() else { return };
            self.go_on(row);
        }
    }

    /// Whether the step has done enough.
    pub(super) fn is_full(&self) -> bool {
        self.transition.history.len() >= STEP_EVENTS_MAX
            || self.bytes >= STEP_BYTES_MAX
            || self.children_started >= STEP_CHILDREN_MAX
            || self.allowance.is_used()
    }

    fn finish(mut self) -> Transition {
        self.transition.more = !self.ended && !self.ready.is_empty();
        self.state.header.ready = if self.ended { Vec::new() } else { self.ready.into() };
        self.state.header.entropy_drawn = self.entropy.drawn();
        self.transition
    }

    /// Takes a ready thread to its next wait.
    fn go_on(&mut self, row: RowId) {
        if self.state.map_run(row).is_some() {
            return self.start_children(row);
        }
        // A sibling's failure may have stopped or removed the thread since it became ready.
        let Some(thread) = self.state.thread(row) else { return };
        match thread.phase {
            Phase::Entering => self.enter(row),
            Phase::Working => {}
            Phase::Forked(fork) => return self.go_on_with_children(fork),
            Phase::Task(_) | Phase::RetryAt(_) | Phase::WaitUntil(_) | Phase::Done(_) | Phase::Stopped(_) => {
                return;
            }
        }
        if let Err(failure) = self.work(row) {
            self.fail_evaluation(row, &failure);
        }
    }

    fn enter(&mut self, row: RowId) {
        let state = self.state_of(row);
        let now = self.now;
        let thread = self.state.thread_mut(row);
        let (before, input) = (thread.last_event, thread.input.clone());
        self.bytes += input.size();
        let kind =
            HistoryKind::StateEntered { state_type: state.state_type(), name: (&state.name).into(), input };
        let id = self.write(before, kind);
        let thread = self.state.thread_mut(row);
        thread.before_event = before;
        thread.last_event = id;
        thread.entered_event = id;
        thread.entered_at = now;
        thread.retries.clear();
        thread.phase = Phase::Working;
    }

    fn work(&mut self, row: RowId) -> Result<(), Failure> {
        match &self.state_of(row).kind {
            StateKind::Pass(pass) => self.pass(row, pass),
            StateKind::Task(task) => self.task(row, task),
            StateKind::Choice(choice) => self.choice(row, choice),
            StateKind::Wait(wait) => self.wait(row, wait),
            StateKind::Succeed(succeed) => self.succeed(row, succeed),
            StateKind::Fail(fail) => self.fail(row, fail),
            StateKind::Parallel(parallel) if self.alone.is_some() => self.parallel_alone(row, parallel),
            StateKind::Map(map) if self.alone.is_some() => self.map_alone(row, map),
            StateKind::Parallel(parallel) => self.parallel(row, parallel),
            StateKind::Map(map) => self.map(row, map),
        }
    }

    /// Leaves a state: writes its exit and goes to the next state or to the end of the thread.
    pub(super) fn exit(&mut self, row: RowId, output: Data, assigned: Assigned, target: Target) {
        let state = self.state_of(row);
        if output.size() > PAYLOAD_BYTES_MAX || !self.variables_fit(row, &assigned) {
            return self.fail_state(row, StateError::data_limit(&state.name));
        }
        self.bytes += output.size();
        let kind = HistoryKind::StateExited {
            state_type: state.state_type(),
            name: (&state.name).into(),
            output: output.clone(),
            assigned: assigned.clone(),
        };
        self.write_next(row, kind);
        self.state.thread_mut(row).assign(assigned);
        if self.alone.is_some() {
            return self.leave_alone(output, target);
        }
        match target {
            Target::Next(next) => {
                let thread = self.state.thread_mut(row);
                thread.state = next;
                thread.input = output;
                thread.phase = Phase::Entering;
                self.ready.push_back(row);
            }
            Target::End => self.end_thread(row, output),
        }
    }

    /// Whether new variables are within AWS's limits, together with those that the thread sees.
    pub(super) fn variables_fit(&self, row: RowId, assigned: &Assigned) -> bool {
        if assigned.is_empty() {
            return true;
        }
        let size = |(name, value): &(Text, Data)| name.len() + value.size();
        let new = assigned.iter().map(size).sum::<usize>();
        let replaced: BTreeSet<&str> = assigned.iter().map(|(name, _)| &**name).collect();
        let mut all = new;
        let mut thread = self.state.thread(row);
        while let Some(current) = thread {
            let kept = current.variables.iter().filter(|(name, _)| !replaced.contains(&**name));
            all += kept.map(size).sum::<usize>();
            thread = current.fork.and_then(|fork| self.state.thread(self.state.fork(fork).owner));
        }
        new <= ASSIGN_BYTES_MAX && all <= VARIABLES_BYTES_MAX
    }

    /// A thread has come to its end with an output.
    pub(super) fn end_thread(&mut self, row: RowId, output: Data) {
        if self.alone.is_some() {
            return self.leave_alone(output, Target::End);
        }
        match self.state.thread(row).and_then(|thread| thread.fork) {
            Some(fork) => self.child_succeeded(fork, row, output),
            None => {
                self.write_next(row, HistoryKind::ExecutionSucceeded { output: output.clone() });
                self.end(Ending::Succeeded { output });
            }
        }
    }

    /// A thread has failed with an error that nothing in it caught.
    pub(super) fn fail_thread(&mut self, row: RowId, error: StateError) {
        if self.alone.is_some() {
            return self.fail_alone(error);
        }
        match self.state.thread(row).and_then(|thread| thread.fork) {
            Some(fork) => self.child_failed(fork, row, error),
            None => {
                self.write_next(row, HistoryKind::ExecutionFailed(error.output.clone()));
                self.end(Ending::Failed(error.output));
            }
        }
    }

    fn end_for_full_history(&mut self) {
        let cause =
            format!("The execution reached the maximum number of history events ({HISTORY_EVENTS_MAX}).");
        let error = ErrorOutput::new(Failure::RUNTIME, cause);
        let previous = self.state.header.next_event - 1;
        self.write(previous, HistoryKind::ExecutionFailed(error.clone()));
        self.end(Ending::Failed(error));
    }

    /// Ends the execution: everything that still waits is cancelled. What a redrive needs stays, in threads that
    /// are stopped; otherwise every row is removed.
    fn end(&mut self, ending: Ending) {
        let is_kept = self.can_be_redriven(&ending);
        self.abort_map_runs(is_kept);
        let rows: Vec<RowId> = self.state.rows().map(|(id, _)| id).collect();
        for row in rows {
            self.cancel_waits(row);
            if is_kept {
                self.stop_thread(row);
            } else {
                self.state.remove(row);
            }
        }
        if let Some(due) = self.execution_deadline() {
            self.command(Command::ClearTimer { timer: EXECUTION_TIMEOUT, due });
        }
        self.command(Command::End(ending));
        self.ended = true;
    }

    /// Withdraws the timers and the task attempt that a thread waits for.
    pub(super) fn cancel_waits(&mut self, row: RowId) {
        let Some(Row::Thread(thread)) = self.state.row(row) else { return };
        match &thread.phase {
            Phase::RetryAt(due) | Phase::WaitUntil(due) => {
                let due = *due;
                self.command(Command::ClearTimer { timer: Timer { row, kind: TimerKind::Wake }, due });
            }
            Phase::Task(task) => {
                let (attempt, child) = (task.attempt, task.child);
                self.clear_task_timers(row);
                self.command(Command::CancelTask { row, attempt });
                if let Some(child) = child {
                    self.command(Command::StopChild(child));
                }
            }
            Phase::Entering | Phase::Working | Phase::Forked(_) | Phase::Done(_) | Phase::Stopped(_) => {}
        }
    }

    /// Computes something in the surroundings of a thread.
    pub(super) fn compute<T>(
        &self,
        row: RowId,
        task: Option<OwnTask>,
        compute: impl FnOnce(&Scope<'_>, &Thread) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let thread = self.state.thread(row).expect("a thread that works is there");
        let (context, inspection) = self.observer();
        let view = View {
            definition: self.definition,
            execution: self.state,
            thread,
            item: None,
            task,
            context,
            index: OnceCell::new(),
        };
        let scope = Scope::new(&view, &self.entropy, &self.allowance, self.now, &thread.input);
        let scope = scope.inspected_by(inspection);
        compute(&scope, thread)
    }

    pub(super) fn spawn(&mut self, row: RowId, thread: Thread) {
        self.state.put(row, Row::Thread(Box::new(thread)));
        self.ready.push_back(row);
    }

    pub(super) fn make_ready(&mut self, row: RowId) {
        self.ready.push_back(row);
    }

    pub(super) fn command(&mut self, command: Command) {
        self.transition.commands.push(command);
    }

    /// Writes an event that follows the thread's last one; it becomes the last one.
    pub(super) fn write_next(&mut self, row: RowId, kind: HistoryKind) -> u32 {
        let previous = self.state.thread(row).map_or(0, |thread| thread.last_event);
        let id = self.write(previous, kind);
        self.state.thread_mut(row).last_event = id;
        id
    }

    /// Writes an event; gives its id. The last place in the history is kept for the execution's end; AWS bounds
    /// that of Express executions by time only.
    pub(super) fn write(&mut self, previous: u32, kind: HistoryKind) -> u32 {
        let id = self.state.header.next_event;
        let is_bounded = self.definition.machine_type == MachineType::Standard;
        if is_bounded && id >= HISTORY_EVENTS_MAX && !kind.ends_execution() {
            self.history_full = true;
            return id - 1;
        }
        self.state.header.next_event = id + 1;
        if self.transition.history.is_empty() {
            self.transition.history.reserve(EVENTS_USUAL);
        }
        self.transition.history.push(HistoryEvent { id, previous, at: self.now, kind });
        id
    }

    /// Counts payload that was written, so that one step does not write without end.
    pub(super) fn count_bytes(&mut self, data: &Data) {
        self.bytes += data.size();
    }
}

impl<'a> Stepper<'a> {
    fn new(
        definition: &'a Definition,
        state: &'a mut ExecutionState,
        now: Timestamp,
        surroundings: &'a dyn Surroundings,
        alone: Option<&'a mut Alone>,
    ) -> Stepper<'a> {
        let entropy = Entropy::new(state.info.seed, state.header.entropy_drawn);
        let ready = std::mem::take(&mut state.header.ready).into();
        Stepper {
            definition,
            state,
            now,
            surroundings,
            entropy,
            allowance: Allowance::new(surroundings.stopwatch()),
            alone,
            ready,
            transition: Transition::default(),
            bytes: 0,
            children_started: 0,
            history_full: false,
            ended: false,
        }
    }

    pub(super) fn state_of(&self, row: RowId) -> &'a State {
        let definition: &'a Definition = self.definition;
        definition.state(self.state.thread(row).expect("a thread that works is there").state)
    }
}

impl HistoryKind {
    fn ends_execution(&self) -> bool {
        matches!(
            self,
            HistoryKind::ExecutionSucceeded { .. }
                | HistoryKind::ExecutionFailed(_)
                | HistoryKind::ExecutionTimedOut(_)
                | HistoryKind::ExecutionAborted(_)
        )
    }
}

impl State {
    pub fn state_type(&self) -> StateType {
        match &self.kind {
            StateKind::Pass(_) => StateType::Pass,
            StateKind::Task(_) => StateType::Task,
            StateKind::Choice(_) => StateType::Choice,
            StateKind::Wait(_) => StateType::Wait,
            StateKind::Succeed(_) => StateType::Succeed,
            StateKind::Fail(_) => StateType::Fail,
            StateKind::Parallel(_) => StateType::Parallel,
            StateKind::Map(_) => StateType::Map,
        }
    }
}
