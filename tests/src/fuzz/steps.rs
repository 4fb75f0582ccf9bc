//! Any definition, taken through any order of events by the bytes.

use std::sync::Arc;

use asl::definition::{MachineType, parse};
use asl::interpreter::{
    AttemptId, Command, Ending, ErrorOutput, Event, ExecutionState, LinkMaker, RowId, StartChild,
    Surroundings, Timer, Transition,
};
use asl::{Data, Definition, Timestamp};

use crate::children;
use crate::memory::Memory;
use crate::runner;

/// Enough to get through every kind of state, and little enough for many runs in a second.
const STEPS_MAX: usize = 200;
/// What a history may weigh before a run is given up: it is kept nowhere, but made.
const HISTORY_BYTES_MAX: usize = 8 << 20;

struct NoActivities;

impl Surroundings for NoActivities {
    fn activity_exists(&self, _: &str) -> bool {
        true
    }

    fn link_maker(&self) -> Option<&LinkMaker> {
        Some(&runner::LINK_MAKER)
    }
}

/// The definition stands before a line `---`; each byte after it chooses what happens next.
pub(super) fn interpreter(bytes: &[u8]) {
    let (text, choices) = split(bytes);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Some(definition) = parse(text, MachineType::Standard).definition else { return };
    if !definition.unsupported().is_empty() {
        return;
    }
    let now = Timestamp::from_milliseconds(1_700_000_000_000);
    let input = Data::from(serde_json::json!({"items": [1, 2, 3], "text": "a", "number": 2, "truth": true}));
    let state = ExecutionState::new(Arc::new(runner::info(input, now)));
    let memory = Memory::new(&state);
    let mut run = Run {
        definition: &definition,
        state,
        memory,
        now,
        timers: Vec::new(),
        attempts: Vec::new(),
        children: Vec::new(),
        weight: 0,
        events: 0,
        ended: false,
    };
    run.take(Event::Start);
    for choice in choices.iter().chain(std::iter::repeat(&0)).take(STEPS_MAX) {
        if run.ended || run.weight > HISTORY_BYTES_MAX || !run.choose(*choice) {
            return;
        }
    }
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    const LINE: &[u8] = b"\n---\n";
    let at = bytes.windows(LINE.len()).position(|part| part == LINE);
    at.map_or((bytes, &[]), |at| (&bytes[..at], &bytes[at + LINE.len()..]))
}

struct Run<'a> {
    definition: &'a Definition,
    state: ExecutionState,
    memory: Memory,
    now: Timestamp,
    timers: Vec<(Timer, Timestamp)>,
    attempts: Vec<(RowId, AttemptId)>,
    children: Vec<StartChild>,
    weight: usize,
    events: u32,
    ended: bool,
}

impl Run<'_> {
    /// Lets one thing happen that may happen; false if there is none.
    fn choose(&mut self, choice: u8) -> bool {
        let index = usize::from(choice >> 3);
        let nth = |length: usize| (length > 0).then(|| index % length);
        let event = match choice & 7 {
            _ if self.only_children_wait() || (choice & 7 == 6 && !self.children.is_empty()) => {
                self.end_child(choice)
            }
            7 if choice > 200 => Event::Stop(ErrorOutput::new("Stopped", "by the bytes")),
            0..=2 => match nth(self.attempts.len()) {
                Some(at) => self.answer(at, choice),
                None => match nth(self.timers.len()) {
                    Some(at) => self.fire(at),
                    None => return false,
                },
            },
            3..=5 => match nth(self.timers.len()) {
                Some(at) => self.fire(at),
                None => match nth(self.attempts.len()) {
                    Some(at) => self.answer(at, choice),
                    None => return false,
                },
            },
            // What nobody waits for changes nothing, which the step checks.
            _ => Event::Heartbeat { row: RowId(u64::from(choice)), attempt: AttemptId(u64::from(choice)) },
        };
        self.take(event);
        true
    }

    fn answer(&mut self, at: usize, choice: u8) -> Event {
        let (row, attempt) = self.attempts.swap_remove(at);
        let outcome = match choice & 3 {
            0 => Ok(Data::from(serde_json::json!({"Payload": {"items": [1, [2]], "text": "b"}}))),
            1 => Ok(Data::from(serde_json::json!([1, 2, 3]))),
            _ => Err(ErrorOutput::new("Busy", "try again")),
        };
        Event::TaskReturned { row, attempt, outcome, usage: None }
    }

    fn only_children_wait(&self) -> bool {
        self.attempts.is_empty() && self.timers.is_empty() && !self.children.is_empty()
    }

    fn end_child(&mut self, choice: u8) -> Event {
        let child = self.children.swap_remove(usize::from(choice >> 3) % self.children.len());
        let ending = if choice & 32 == 0 {
            Ending::Succeeded { output: child.input.clone() }
        } else {
            Ending::Failed(ErrorOutput::new("Busy", "try again"))
        };
        children::ended(&child, self.now, self.now, ending)
    }

    fn fire(&mut self, at: usize) -> Event {
        let (timer, due) = self.timers.swap_remove(at);
        self.now = self.now.max(due);
        Event::Timer(timer)
    }

    fn take(&mut self, event: Event) {
        let mut transition = self.step(event);
        while transition.more && self.weight <= HISTORY_BYTES_MAX {
            transition = self.step(Event::Continue);
        }
    }

    /// As the engine does after a crash: from what is stored, and with the same result as from what is in memory.
    fn step(&mut self, event: Event) -> Transition {
        let mut reloaded = self.memory.load();
        let again = asl::step(self.definition, &mut reloaded, event.clone(), self.now, &NoActivities);
        let transition = asl::step(self.definition, &mut self.state, event, self.now, &NoActivities);
        assert_eq!(transition, again, "a step from the store is the step from memory");
        self.memory.save(&mut self.state);
        for event in &transition.history {
            self.events += 1;
            assert_eq!(event.id, self.events, "ids have no gaps");
            assert!(event.previous < event.id, "an event follows an earlier one: {event:?}");
            self.weight += format!("{:?}", event.kind).len();
        }
        for command in &transition.commands {
            self.apply(command);
        }
        transition
    }

    fn apply(&mut self, command: &Command) {
        match command {
            Command::StartTask { row, attempt } | Command::OfferActivity { row, attempt, .. } => {
                self.attempts.push((*row, *attempt));
            }
            Command::CancelTask { attempt, .. } => self.attempts.retain(|(_, found)| found != attempt),
            Command::SetTimer { timer, due } => self.timers.push((*timer, *due)),
            Command::ClearTimer { timer, .. } => self.timers.retain(|(found, _)| found != timer),
            // Children are other executions.
            Command::StartChild(child) => self.children.push((**child).clone()),
            Command::StopChild(id) => self.children.retain(|child| child.id != *id),
            Command::AskCallback { .. } | Command::MapRun { .. } | Command::RedriveChild { .. } => {}
            Command::End(_) => self.ended = true,
        }
    }
}
