//! What an execution ends with when nothing goes wrong: the interpreter alone, with tasks that answer at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use asl::definition::{MachineType, ScopeId};
use asl::interpreter::{
    Command, Ending, Event, ExecutionInfo, ExecutionState, RowId, Surroundings, Timer, task_request,
};
use asl::{Data, Definition, Timestamp};

use store::ExecutionRecord;

use crate::children;

use super::functions;

/// Ends by definition, what part of it is run, and input.
#[derive(Debug, Default)]
pub(super) struct References {
    definitions: BTreeMap<String, Definition>,
    endings: BTreeMap<(String, Option<ScopeId>, String), Ending>,
}

impl References {
    pub(super) fn ending(&mut self, definition: &str, record: &ExecutionRecord) -> &Ending {
        let parsed = self.definitions.entry(definition.to_owned()).or_insert_with(|| {
            let parsed = asl::definition::parse(definition, MachineType::Standard);
            let mut parsed = parsed.definition.expect("what was stored is valid");
            // How long an execution takes depends on what goes wrong.
            parsed.timeout_seconds = None;
            parsed
        });
        let item = record.parent.as_ref().and_then(|parent| parent.item.as_ref());
        let part = item.map(|item| item.processor);
        let key = (definition.to_owned(), part, record.input.text().to_owned());
        self.endings.entry(key).or_insert_with(|| {
            let info = crate::runner::info(record.input.clone(), Timestamp::EPOCH);
            run(parsed, ExecutionInfo { parent: record.parent.clone(), ..info })
        })
    }
}

struct Everything;

impl Surroundings for Everything {
    fn activity_exists(&self, _arn: &str) -> bool {
        true
    }
}

fn run(definition: &Definition, info: ExecutionInfo) -> Ending {
    let mut now = info.started_at;
    let mut state = ExecutionState::new(Arc::new(info));
    let mut events = VecDeque::from([Event::Start]);
    let mut timers: BTreeSet<(Timestamp, Timer)> = BTreeSet::new();
    loop {
        let event = events.pop_front().unwrap_or_else(|| {
            let (due, timer) = timers.pop_first().expect("an execution that runs waits for something");
            now = due;
            Event::Timer(timer)
        });
        let transition = asl::step(definition, &mut state, event, now, &Everything);
        if transition.more {
            events.push_front(Event::Continue);
        }
        for command in transition.commands {
            match command {
                Command::StartTask { row, .. } | Command::OfferActivity { row, .. } => {
                    events.extend(answers(definition, &state, row));
                }
                Command::StartChild(child) => {
                    let info = children::info(&state.info, &child, now);
                    let ending = run(definition, info);
                    events.push_back(children::ended(&child, now, now, ending));
                }
                Command::AskCallback { .. }
                | Command::CancelTask { .. }
                | Command::StopChild(_)
                | Command::RedriveChild { .. }
                | Command::MapRun { .. } => {}
                Command::SetTimer { timer, due } => _ = timers.insert((due, timer)),
                Command::ClearTimer { timer, due } => _ = timers.remove(&(due, timer)),
                Command::End(ending) => return ending,
            }
        }
    }
}

/// What becomes of an attempt that was scheduled.
fn answers(definition: &Definition, state: &ExecutionState, row: RowId) -> Vec<Event> {
    // A sibling's failure in the same step may have cancelled it.
    let Some(request) = task_request(definition, state, row) else { return Vec::new() };
    let (attempt, input) = (request.attempt, request.input.value());
    let answered = |input| {
        let outcome = functions::answer(input).map(Data::from);
        Event::TaskAnswered { row, attempt, outcome }
    };
    if request.resource.contains(":activity:") {
        return vec![Event::TaskStarted { row, attempt, worker_name: None }, answered(input)];
    }
    let outcome = functions::perform(&request.resource, input, request.retry_count).map(Data::from);
    let returned = Event::TaskReturned { row, attempt, outcome, usage: None };
    if request.token.is_some() { vec![returned, answered(&input["Payload"])] } else { vec![returned] }
}
