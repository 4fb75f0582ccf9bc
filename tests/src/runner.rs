//! Drives `asl::step` alone: a queue of what is to happen, a clock that jumps to it, and checks after each step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, LazyLock};

use asl::interpreter::{
    AttemptId, Command, Ending, ErrorOutput, Event, ExecutionId, ExecutionInfo, ExecutionState, HistoryEvent,
    LinkMaker, RowId, StartChild, Surroundings, Timer, Transition, task_request,
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
    let now = info.started_at;
    let state = ExecutionState::new(Arc::new(info));
    let mut run = Run {
        definition,
        options,
        workers,
        memory: Memory::new(&state),
        state,
        now,
        queue: BTreeMap::new(),
        queued: 0,
        timers: Timers::default(),
        attempts: BTreeMap::new(),
        children: BTreeSet::new(),
        redrives: options.redrives.clone().into(),
        history: Vec::new(),
        ending: None,
    };
    run.later(0, Happening::Event(Event::Start));
    if let Some((after, reason)) = &options.stop {
        run.later(*after, Happening::Event(Event::Stop(reason.clone())));
    }
    run.run();
    assert!(run.redrives.is_empty(), "every redrive finds an execution that ended without success");
    Outcome { history: run.history, ending: run.ending }
}

/// Something that is to happen at a certain time.
#[derive(Debug)]
enum Happening {
    Event(Event),
    Redrive,
    Timer(Timer),
    ChildEnded(ExecutionId, Event),
    /// A worker takes an activity task.
    Taken {
        row: RowId,
        attempt: AttemptId,
        plan: Attempt,
    },
}

struct Run<'a> {
    definition: &'a Definition,
    options: &'a Options,
    workers: &'a mut dyn Workers,
    memory: Memory,
    state: ExecutionState,
    now: Timestamp,
    /// By time, then in the order in which it was planned.
    queue: BTreeMap<(Timestamp, u64), Happening>,
    queued: u64,
    timers: Timers,
    /// Attempts that were handed out and neither accepted nor cancelled, with their rows.
    attempts: BTreeMap<AttemptId, RowId>,
    /// Executions that were started and neither stopped nor have ended.
    children: BTreeSet<ExecutionId>,
    redrives: VecDeque<i64>,
    history: Vec<HistoryEvent>,
    ending: Option<Ending>,
}

impl Run<'_> {
    fn run(&mut self) {
        for _ in 0..STEPS_MAX {
            let Some(((at, _), happening)) = self.queue.pop_first() else { return };
            self.now = at;
            match happening {
                Happening::Event(event) => _ = self.event(event),
                Happening::Redrive => self.redrive(),
                Happening::Timer(timer) => {
                    if self.timers.fire(timer, at) {
                        self.event(Event::Timer(timer));
                    } else {
                        // A clock that fires although it was told not to.
                        self.stale(&Event::Timer(timer));
                    }
                }
                Happening::ChildEnded(child, event) => {
                    // One that was stopped is told of late, or never.
                    let awaited = self.children.remove(&child);
                    assert_eq!(self.event(event.clone()), awaited);
                    self.stale(&event);
                }
                Happening::Taken { row, attempt, plan } => {
                    let worker_name = plan.worker_name.clone();
                    let started = self.event(Event::TaskStarted { row, attempt, worker_name });
                    if started {
                        self.answer(row, attempt, plan);
                    }
                }
            }
        }
        panic!("the execution does not end");
    }

    fn redrive(&mut self) {
        self.ending = None;
        assert!(self.event(Event::Redrive), "an execution that ended without success can be redriven");
        if self.ending.is_none() {
            self.stale(&Event::Redrive);
        }
    }

    /// An event that nobody waits for must not be accepted.
    fn stale(&mut self, event: &Event) {
        let accepted = self.event(event.clone());
        assert!(!accepted, "a stale event was accepted: {event:?}");
    }

    /// Takes the execution through an event and everything that it causes at once.
    fn event(&mut self, event: Event) -> bool {
        let accepted = self.step(event);
        let mut more = accepted.more;
        while more {
            more = self.step(Event::Continue).more;
        }
        accepted.accepted
    }

    fn step(&mut self, event: Event) -> Transition {
        if self.options.restart {
            self.state = self.memory.load();
        }
        let before = self.state.clone();
        let shown = format!("{event:?}");
        let transition = asl::step(self.definition, &mut self.state, event, self.now, self.options);
        if !transition.accepted {
            assert_eq!(transition.history, [], "a stale event writes no history: {shown}");
            assert_eq!(transition.commands, [], "a stale event has no effect: {shown}");
            assert_same(&before, &self.state, "a stale event changes nothing");
        }
        self.memory.save(&mut self.state);
        assert_same(&self.memory.load(), &self.state, "what is stored is what is in memory");
        self.write_history(&transition.history);
        for command in &transition.commands {
            self.apply(command);
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

    fn apply(&mut self, command: &Command) {
        self.timers.apply(command);
        match command {
            Command::StartTask { row, attempt } => {
                let plan = self.hand_out(*row, *attempt);
                self.answer(*row, *attempt, plan);
            }
            Command::OfferActivity { row, attempt, .. } => {
                let plan = self.hand_out(*row, *attempt);
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
            Command::StopChild(child) => {
                assert!(self.children.remove(child), "only a child that runs is stopped");
            }
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

    /// Runs a child to its end, of which its parent hears at the time of that end.
    fn start_child(&mut self, child: &StartChild) {
        assert!(self.children.insert(child.id), "a child is started once");
        let (info, started_at) = (children::info(&self.state.info, child, self.now), self.now);
        let options = Options { stop: None, redrives: Vec::new(), ..self.options.clone() };
        let outcome = run(self.definition, info, &mut *self.workers, &options);
        if let (Some(ending), Some(last)) = (outcome.ending, outcome.history.last()) {
            let event = children::ended(child, started_at, last.at, ending);
            self.at(last.at, Happening::ChildEnded(child.id, event));
        }
    }

    fn hand_out(&mut self, row: RowId, attempt: AttemptId) -> Attempt {
        let request =
            task_request(self.definition, &self.state, row).expect("a task that was just scheduled");
        assert_eq!(request.attempt, attempt);
        self.attempts.insert(attempt, row);
        self.workers.attempt(&request)
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
            assert!(self.children.is_empty(), "no child outlives its parent");
            assert!(self.attempts.is_empty(), "no attempt outlives its execution");
            assert_eq!(self.state.header.ready, [], "nothing goes on after the end");
            let rows = self.state.rows().collect();
            let is_full = self.state.header.next_event >= HISTORY_EVENTS_MAX;
            if is_full || matches!(ending, Ending::Succeeded { .. }) {
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
