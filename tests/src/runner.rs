//! Drives `asl::step` alone: a queue of what is to happen, a clock that jumps to it, and checks after each step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock};

use asl::interpreter::{
    AttemptId, ChildWanted, Command, Ending, ErrorOutput, Event, ExecutionId, ExecutionInfo, ExecutionState,
    HistoryEvent, LinkMaker, RowId, StartChild, Surroundings, Timer, Transition, task_request,
};
use asl::{Data, Definition, Timestamp};

use asl::limits::HISTORY_EVENTS_MAX;

use crate::children;
use crate::memory::{Memory, Timers};
use crate::resting;
use crate::worker::{Attempt, Workers};

/// Steps after which a run is taken to be endless.
const STEPS_MAX: usize = 200_000;

/// What happens around an execution besides its tasks.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Forget everything but the stored bytes before each event.
    pub restart: bool,
    /// When StopExecution comes, in milliseconds, and what it says.
    pub stop: Option<(i64, ErrorOutput)>,
    /// When RedriveExecution comes, in milliseconds after each end without success.
    pub redrives: Vec<i64>,
    pub missing_activities: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub history: Vec<HistoryEvent>,
    /// None if nothing more can happen and the execution still runs.
    pub ending: Option<Ending>,
    /// Of the executions that it started, in their order.
    pub children: Vec<Outcome>,
}

impl Surroundings for Options {
    fn activity_exists(&self, arn: &str) -> bool {
        !self.missing_activities.contains(arn)
    }

    fn link_maker(&self) -> Option<&LinkMaker> {
        Some(&LINK_MAKER)
    }
}

/// Makes the same links in every run.
pub static LINK_MAKER: LazyLock<LinkMaker> =
    LazyLock::new(|| LinkMaker::new([7; 32], "https://flows.example"));

/// An execution named `run` of the machine `machine`, with a seed that is the same in every run.
pub fn info(input: Data, started_at: Timestamp) -> ExecutionInfo {
    ExecutionInfo {
        id: ExecutionId(1),
        arn: "arn:aws:states:us-east-1:123456789012:execution:machine:run".into(),
        name: "run".into(),
        input,
        started_at,
        role_arn: "arn:aws:iam::123456789012:role/role".into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:machine".into(),
        state_machine_name: "machine".into(),
        version_arn: None,
        alias_arn: None,
        region: "us-east-1".into(),
        seed: [7; 32],
        redrive_count: 0,
        redriven_at: None,
        parent: None,
    }
}

/// Runs an execution to its end, or until nothing more can happen.
///
/// # Panics
///
/// If a step breaks a rule that holds for every step: gapless event ids, stale events that change nothing,
/// timers and attempts that are withdrawn before the end.
pub fn run(
    definition: &Definition,
    info: ExecutionInfo,
    workers: &mut dyn Workers,
    options: &Options,
) -> Outcome {
    let mut run = Run::new(definition, info, options.clone());
    for _ in 0..STEPS_MAX {
        if !run.advance(workers) {
            assert!(run.redrives.is_empty(), "every redrive finds an execution that ended without success");
            return run.into_outcome();
        }
    }
    panic!("the execution does not end");
}

/// Something that is to happen at a certain time.
#[derive(Debug)]
enum Happening {
    Event(Event),
    Redrive,
    Timer(Timer),
    /// A child that had succeeded when its parent wanted it redriven.
    ChildEnded(ExecutionId),
    /// A worker takes an activity task.
    Taken {
        row: RowId,
        attempt: AttemptId,
        plan: Attempt,
    },
}

struct Run<'a> {
    definition: &'a Definition,
    options: Options,
    memory: Memory,
    state: ExecutionState,
    now: Timestamp,
    /// By time, then in the order in which it was planned.
    queue: BTreeMap<(Timestamp, u64), Happening>,
    queued: u64,
    timers: Timers,
    /// Attempts that were handed out and neither accepted nor cancelled, with their rows.
    attempts: BTreeMap<AttemptId, RowId>,
    /// Executions that were started.
    children: BTreeMap<ExecutionId, Child<'a>>,
    redrives: VecDeque<i64>,
    history: Vec<HistoryEvent>,
    ending: Option<Ending>,
}

struct Child<'a> {
    start: StartChild,
    started_at: Timestamp,
    run: Run<'a>,
    /// It was neither stopped, nor was its parent told of its end.
    is_awaited: bool,
}

impl<'a> Run<'a> {
    fn new(definition: &'a Definition, info: ExecutionInfo, options: Options) -> Run<'a> {
        let now = info.started_at;
        let state = ExecutionState::new(Arc::new(info));
        let (redrives, stop) = (options.redrives.clone(), options.stop.clone());
        let mut run = Run {
            definition,
            options,
            memory: Memory::new(&state),
            state,
            now,
            queue: BTreeMap::new(),
            queued: 0,
            timers: Timers::default(),
            attempts: BTreeMap::new(),
            children: BTreeMap::new(),
            redrives: redrives.into(),
            history: Vec::new(),
            ending: None,
        };
        run.later(0, Happening::Event(Event::Start));
        if let Some((after, reason)) = stop {
            run.later(after, Happening::Event(Event::Stop(reason)));
        }
        run
    }

    fn into_outcome(self) -> Outcome {
        let mut children: Vec<Child<'_>> = self.children.into_values().collect();
        children.sort_by_key(|child| child.start.parent.row);
        let children = children.into_iter().map(|child| child.run.into_outcome()).collect();
        Outcome { history: self.history, ending: self.ending, children }
    }

    /// When the next thing happens, to the execution or to one of its children.
    fn next_at(&self) -> Option<Timestamp> {
        let own = self.queue.first_key_value().map(|((at, _), _)| *at);
        own.into_iter().chain(self.children.values().filter_map(|child| child.run.next_at())).min()
    }

    /// Lets the next thing happen; false if there is none. Of things at the same time those of children come first.
    fn advance(&mut self, workers: &mut dyn Workers) -> bool {
        let own = self.queue.first_key_value().map(|((at, _), _)| *at);
        let children = self.children.iter().filter_map(|(id, child)| Some((child.run.next_at()?, *id)));
        match (own, children.min()) {
            (None, None) => return false,
            (own, Some((at, id))) if own.is_none_or(|own| at <= own) => {
                self.now = at;
                let child = self.children.get_mut(&id).expect("it has something to do");
                child.run.advance(workers);
                if child.is_awaited && child.run.ending.is_some() {
                    self.child_ended(id, workers);
                }
            }
            (_, _) => {
                let ((at, _), happening) = self.queue.pop_first().expect("something of its own is to happen");
                self.now = at;
                self.happen(happening, workers);
            }
        }
        true
    }

    fn happen(&mut self, happening: Happening, workers: &mut dyn Workers) {
        match happening {
            Happening::Event(event) => _ = self.event(event, workers),
            Happening::Redrive => self.redrive(workers),
            Happening::Timer(timer) => {
                if self.timers.fire(timer, self.now) {
                    self.event(Event::Timer(timer), workers);
                } else {
                    // A clock that fires although it was told not to.
                    self.stale(&Event::Timer(timer), workers);
                }
            }
            Happening::ChildEnded(id) => self.child_ended(id, workers),
            Happening::Taken { row, attempt, plan } => {
                let worker_name = plan.worker_name.clone();
                let started = self.event(Event::TaskStarted { row, attempt, worker_name }, workers);
                if started {
                    self.answer(row, attempt, plan);
                }
            }
        }
    }

    fn child_ended(&mut self, id: ExecutionId, workers: &mut dyn Workers) {
        let child = self.children.get_mut(&id).expect("it was started");
        if !std::mem::take(&mut child.is_awaited) {
            return;
        }
        let ending = child.run.ending.clone().expect("it has ended");
        let event = children::ended(&child.start, child.started_at, self.now, ending);
        assert!(self.event(event.clone(), workers), "the end of a child is awaited");
        self.stale(&event, workers);
    }

    fn redrive(&mut self, workers: &mut dyn Workers) {
        self.ending = None;
        if self.state.info.map_item().is_some_and(|item| item.express) {
            let (info, count) = (Arc::clone(&self.state.info), self.state.header.next_event - 1);
            self.state = ExecutionState::before_start(info, self.definition, count);
            self.memory = Memory::new(&self.state);
        }
        assert!(
            self.event(Event::Redrive, workers),
            "an execution that ended without success can be redriven"
        );
        if self.ending.is_none() {
            self.stale(&Event::Redrive, workers);
        }
    }

    /// An event that nobody waits for must not be accepted.
    fn stale(&mut self, event: &Event, workers: &mut dyn Workers) {
        let accepted = self.event(event.clone(), workers);
        assert!(!accepted, "a stale event was accepted: {event:?}");
    }

    /// Takes the execution through an event and everything that it causes at once.
    fn event(&mut self, event: Event, workers: &mut dyn Workers) -> bool {
        let accepted = self.step(event, workers);
        let mut more = accepted.more;
        while more {
            more = self.step(Event::Continue, workers).more;
        }
        accepted.accepted
    }

    fn step(&mut self, event: Event, workers: &mut dyn Workers) -> Transition {
        if self.options.restart {
            self.state = self.memory.load();
        }
        let before = self.state.clone();
        let shown = format!("{event:?}");
        let transition = asl::step(self.definition, &mut self.state, event, self.now, &self.options);
        if !transition.accepted {
            assert_eq!(transition.history, [], "a stale event writes no history: {shown}");
            assert_eq!(transition.commands, [], "a stale event has no effect: {shown}");
            assert_same(&before, &self.state, "a stale event changes nothing");
        }
        self.memory.save(&mut self.state);
        assert_same(&self.memory.load(), &self.state, "what is stored is what is in memory");
        self.write_history(&transition.history);
        for command in &transition.commands {
            self.apply(command, workers);
        }
        self.check_end();
        transition
    }

    fn write_history(&mut self, events: &[HistoryEvent]) {
        for event in events {
            assert!(self.ending.is_none(), "nothing is written after the end: {event:?}");
            let id = u32::try_from(self.history.len()).expect("a history is bounded") + 1;
            assert_eq!(event.id, id, "ids have no gaps");
            assert!(event.previous < event.id, "an event follows an earlier one: {event:?}");
            assert_eq!(event.at, self.now);
            self.history.push(event.clone());
        }
    }

    fn apply(&mut self, command: &Command, workers: &mut dyn Workers) {
        self.timers.apply(command);
        match command {
            Command::StartTask { row, attempt } => {
                let plan = self.hand_out(*row, *attempt, workers);
                self.answer(*row, *attempt, plan);
            }
            Command::OfferActivity { row, attempt, .. } => {
                let plan = self.hand_out(*row, *attempt, workers);
                self.later(plan.taken_after, Happening::Taken { row: *row, attempt: *attempt, plan });
            }
            Command::CancelTask { row, attempt } => {
                assert_eq!(self.attempts.remove(attempt), Some(*row), "only a running attempt is cancelled");
            }
            Command::SetTimer { timer, due } => {
                assert!(*due > self.now, "a timer is set for the future: {timer:?}");
                self.at(*due, Happening::Timer(*timer));
            }
            Command::StartChild(child) => self.start_child(child),
            Command::StopChild(child) => self.stop_child(*child, workers),
            Command::RedriveChild { row, child } => self.redrive_child(*row, *child),
            Command::AskCallback { row, attempt, .. } => {
                let thread = self.state.thread(*row).expect("who asks is there");
                assert!(thread.awaited(*attempt).is_some(), "what is asked for is awaited");
            }
            Command::ClearTimer { .. } | Command::MapRun { .. } => {}
            Command::End(ending) => {
                assert!(self.ending.is_none(), "an execution ends once");
                self.ending = Some(ending.clone());
                if !matches!(ending, Ending::Succeeded { .. })
                    && let Some(after) = self.redrives.pop_front()
                {
                    self.later(after, Happening::Redrive);
                }
            }
        }
    }

    fn start_child(&mut self, child: &StartChild) {
        let info = children::info(&self.state.info, child, self.now);
        let options = Options { stop: None, redrives: Vec::new(), ..self.options.clone() };
        let run = Run::new(self.definition, info, options);
        let started = Child { start: child.clone(), started_at: self.now, run, is_awaited: true };
        assert!(self.children.insert(child.id, started).is_none(), "a child is started once");
    }

    fn stop_child(&mut self, id: ExecutionId, workers: &mut dyn Workers) {
        let child = self.children.get_mut(&id).expect("it was started");
        child.run.now = self.now;
        if child.run.ending.is_some() {
            // One that waits for its redrive, which may be about to come.
            child.is_awaited = false;
            child.run.queue.retain(|_, happening| !matches!(happening, Happening::Redrive));
            return;
        }
        assert!(std::mem::take(&mut child.is_awaited), "a child is stopped once");
        child.run.event(Event::Start, workers);
        if child.run.ending.is_none() {
            child.run.event(Event::Stop(ErrorOutput::default()), workers);
        }
    }

    fn redrive_child(&mut self, row: RowId, id: ExecutionId) {
        let child = self.children.get_mut(&id).expect("it was started");
        let ending = child.run.ending.as_ref().expect("what runs is not redriven");
        assert!(!child.is_awaited, "what is awaited is not redriven");
        match self.state.wanted(row, id) {
            ChildWanted::Pending => return,
            ChildWanted::Running(attempt) => child.start.parent.attempt = attempt,
            ChildWanted::Nothing => panic!("a child of which nothing is wanted is not redriven"),
        }
        child.is_awaited = true;
        if matches!(ending, Ending::Succeeded { .. }) {
            self.later(0, Happening::ChildEnded(id));
        } else {
            child.run.at(self.now, Happening::Redrive);
        }
    }

    fn hand_out(&mut self, row: RowId, attempt: AttemptId, workers: &mut dyn Workers) -> Attempt {
        let request =
            task_request(self.definition, &self.state, row).expect("a task that was just scheduled");
        assert_eq!(request.attempt, attempt);
        self.attempts.insert(attempt, row);
        workers.attempt(&request)
    }

    /// Plans the answers to an attempt that starts now.
    fn answer(&mut self, row: RowId, attempt: AttemptId, plan: Attempt) {
        let waits_for_token = task_request(self.definition, &self.state, row)
            .is_some_and(|request| request.resource.ends_with(".waitForTaskToken"));
        let is_activity = task_request(self.definition, &self.state, row)
            .is_some_and(|request| request.resource.contains(":activity:"));
        if waits_for_token {
            let outcome = plan.submitted;
            self.later(0, Happening::Event(Event::TaskReturned { row, attempt, outcome, usage: None }));
        }
        for after in plan.heartbeats {
            self.later(after, Happening::Event(Event::Heartbeat { row, attempt }));
        }
        let Some(outcome) = plan.outcome else { return };
        let event = if waits_for_token || is_activity {
            Event::TaskAnswered { row, attempt, outcome }
        } else {
            Event::TaskReturned { row, attempt, outcome, usage: None }
        };
        self.later(plan.after, Happening::Event(event));
    }

    fn later(&mut self, after: i64, happening: Happening) {
        self.at(self.now.saturating_add_milliseconds(after), happening);
    }

    fn at(&mut self, at: Timestamp, happening: Happening) {
        self.queue.insert((at, self.queued), happening);
        self.queued += 1;
    }

    fn check_end(&mut self) {
        // An attempt whose thread no longer waits for it has been answered.
        self.attempts.retain(|attempt, row| {
            task_request(self.definition, &self.state, *row)
                .is_some_and(|request| request.attempt == *attempt)
        });
        if let Some(ending) = &self.ending {
            assert!(self.timers.is_empty(), "no timer outlives its execution");
            let outlives = self.children.values().any(|child| child.is_awaited);
            assert!(!outlives, "no child outlives its parent");
            assert!(self.attempts.is_empty(), "no attempt outlives its execution");
            assert_eq!(self.state.header.ready, [], "nothing goes on after the end");
            let rows = self.state.rows().collect();
            let is_full = self.state.header.next_event >= HISTORY_EVENTS_MAX;
            let is_express = self.state.info.map_item().is_some_and(|item| item.express);
            if is_full || is_express || matches!(ending, Ending::Succeeded { .. }) {
                assert_eq!(rows, BTreeMap::new(), "no row outlives its execution");
            } else if let Err(rule) = resting::check(&rows) {
                panic!("{rule}: {rows:?}");
            }
        }
    }
}

fn assert_same(left: &ExecutionState, right: &ExecutionState, why: &str) {
    assert_eq!(left.header, right.header, "{why}");
    assert!(left.rows().eq(right.rows()), "{why}: {left:?} {right:?}");
}
