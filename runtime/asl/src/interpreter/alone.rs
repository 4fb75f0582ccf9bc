//! One state on its own, for TestState: the same stepper runs it, stops where the state ends, and tells on the way
//! what became of the data.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::data::evaluate::Failure;
use crate::data::flow;
use crate::data::inspection::Inspection;
use crate::data::json::Data;
use crate::data::timestamp::Timestamp;
use crate::definition::{
    Definition, Items, Map, Mode, Parallel, Pass, QueryLanguage, StateId, StateKind, Transition as Target,
};
use crate::limits::PAYLOAD_BYTES_MAX;

use super::callback_link::LinkMaker;
use super::event::{Command, Event, TaskRequest, Timer, Transition};
use super::execution::{ExecutionInfo, ExecutionState, Phase, Row, RowId, Thread, Variables};
use super::failure::StateError;
use super::history::ErrorOutput;
use super::item;
use super::map;
use super::stepper::{Stepper, Surroundings, step_with};
use super::task::task_request;
use super::time_scale::TimeScale;

/// AWS service model: bytes of a member of `inspectionData`.
const SELECTED_ITEMS_BYTES_MAX: usize = PAYLOAD_BYTES_MAX;

/// What the work of a state is said to give, instead of being done.
#[derive(Debug, Clone, PartialEq)]
pub enum Mock {
    Result(Data),
    Error(ErrorOutput),
}

/// What surrounds the state.
#[derive(Debug, Clone)]
pub struct Setup {
    pub state: StateId,
    pub info: Arc<ExecutionInfo>,
    pub variables: Variables,
    /// The context object, an object without what the state itself adds (`Task`, `Map`).
    pub context: Value,
    pub mock: Option<Mock>,
    /// How often the retrier that takes up an error has done so already.
    pub retries_used: u32,
    /// How many iterations of a Map are said to have failed.
    pub failed_iterations: u32,
    /// What an ItemReader is said to have read.
    pub reader_items: Option<Data>,
    /// How long a Wait lasts.
    pub time_scale: TimeScale,
}

/// How the state ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub status: Status,
    pub output: Option<Data>,
    pub error: Option<ErrorOutput>,
    pub next: Option<StateId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Succeeded,
    Failed,
    /// A retrier would run the state again.
    Retriable,
    CaughtError,
}

/// Which retrier and catcher took up the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErrorDetails {
    pub catch_index: Option<usize>,
    pub retry_index: Option<usize>,
    /// Set if the retrier has an attempt left.
    pub retry_delay_milliseconds: Option<i64>,
}

/// What the state waits for, or its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// The attempt is to be run, and its outcome to be told with [`Event::TaskReturned`].
    Task(Box<TaskRequest>),
    /// A time has to pass; see [`Trial::timer`].
    Waiting,
    Done(Verdict),
}

/// The stepper's side of a test.
#[derive(Debug)]
pub(super) struct Alone {
    context: Value,
    inspection: RefCell<Inspection>,
    details: ErrorDetails,
    caught: Option<ErrorOutput>,
    verdict: Option<Verdict>,
    mock: Option<Mock>,
    retries_used: u32,
    failed_iterations: u32,
    reader_items: Option<Data>,
}

/// A test of one state.
#[derive(Debug)]
pub struct Trial<'d> {
    definition: &'d Definition,
    state: ExecutionState,
    alone: Alone,
    timers: BTreeMap<Timer, Timestamp>,
    time_scale: TimeScale,
}

/// Activities need not be there: without a mock none is called. Links look as they do and lead nowhere.
struct Anything {
    link_maker: LinkMaker,
    time_scale: TimeScale,
}

impl Anything {
    fn new(time_scale: TimeScale) -> Anything {
        Anything { link_maker: LinkMaker::new([0; 32], "https://links.invalid"), time_scale }
    }
}

impl Surroundings for Anything {
    fn activity_exists(&self, _arn: &str) -> bool {
        true
    }

    fn link_maker(&self) -> Option<&LinkMaker> {
        Some(&self.link_maker)
    }

    fn time_scale(&self) -> TimeScale {
        self.time_scale
    }
}

impl<'d> Trial<'d> {
    /// Runs the state until it waits. With a mock it ends at once.
    pub fn start(definition: &'d Definition, setup: Setup, now: Timestamp) -> (Trial<'d>, Progress) {
        let mut state = ExecutionState::new(setup.info);
        let row = state.reserve_rows(1);
        let mut thread = Thread::new(setup.state, state.info.input.clone());
        thread.variables = setup.variables;
        thread.entered_at = now;
        thread.phase = Phase::Working;
        let alone = Alone {
            context: setup.context,
            inspection: RefCell::new(first_sight(definition, &thread)),
            details: ErrorDetails::default(),
            caught: None,
            verdict: None,
            mock: setup.mock,
            retries_used: setup.retries_used,
            failed_iterations: setup.failed_iterations,
            reader_items: setup.reader_items,
        };
        state.put(row, Row::Thread(Box::new(thread)));
        state.header.ready = vec![row];
        let mut trial =
            Trial { definition, state, alone, timers: BTreeMap::new(), time_scale: setup.time_scale };
        let mut progress = trial.take(Event::Continue, now);
        if let (Progress::Task(request), Some(outcome)) = (&progress, trial.mocked_outcome()) {
            let (row, attempt) = (request.row, request.attempt);
            trial.step(Event::TaskStarted { row, attempt, worker_name: None }, now);
            progress = trial.take(Event::TaskAnswered { row, attempt, outcome }, now);
        }
        (trial, progress)
    }

    /// Goes on with an event that the state waited for.
    pub fn take(&mut self, event: Event, now: Timestamp) -> Progress {
        self.step(event, now);
        if let Some(verdict) = &self.alone.verdict {
            return Progress::Done(verdict.clone());
        }
        match task_request(self.definition, &self.state, RowId::ROOT) {
            Some(request) => {
                let retry_count = self.alone.retries_used;
                Progress::Task(Box::new(TaskRequest { retry_count, ..request }))
            }
            None => Progress::Waiting,
        }
    }

    /// The next timer and when it is due; its event is [`Event::Timer`].
    pub fn timer(&self) -> Option<(Timer, Timestamp)> {
        self.timers.iter().map(|(timer, due)| (*timer, *due)).min_by_key(|(_, due)| *due)
    }

    /// What was seen so far. Of some fields AWS tells nothing, depending on the type of the state.
    pub fn inspection(&self) -> Inspection {
        let seen = self.alone.inspection.borrow().clone();
        told(&self.definition.state(self.tested()).kind, seen)
    }

    pub fn error_details(&self) -> ErrorDetails {
        self.alone.details
    }

    /// The variables as the state leaves them.
    pub fn variables(&self) -> &Variables {
        &self.thread().variables
    }

    fn thread(&self) -> &Thread {
        self.state.thread(RowId::ROOT).expect("the thread of a test stays")
    }

    fn tested(&self) -> StateId {
        self.thread().state
    }

    fn mocked_outcome(&self) -> Option<Result<Data, ErrorOutput>> {
        Some(match self.alone.mock.clone()? {
            Mock::Result(result) => Ok(result),
            Mock::Error(error) => Err(error),
        })
    }

    fn step(&mut self, event: Event, now: Timestamp) {
        if let Event::TaskReturned { outcome: Ok(result), .. }
        | Event::TaskAnswered { outcome: Ok(result), .. } = &event
        {
            self.alone.inspection.get_mut().result = Some(result.clone());
        }
        let alone = Some(&mut self.alone);
        let surroundings = Anything::new(self.time_scale);
        let transition = step_with(self.definition, &mut self.state, event, now, &surroundings, alone);
        self.keep_timers(&transition);
    }

    fn keep_timers(&mut self, transition: &Transition) {
        for command in &transition.commands {
            if let Command::SetTimer { timer, due } = command {
                self.timers.insert(*timer, *due);
            } else if let Command::ClearTimer { timer, .. } = command {
                self.timers.remove(timer);
            }
        }
    }
}

/// What is known before the state begins. A Fail state has no InputPath, and AWS tells the input in its place.
fn first_sight(definition: &Definition, thread: &Thread) -> Inspection {
    let state = definition.state(thread.state);
    let is_failing = matches!(state.kind, StateKind::Fail(_));
    let input = (is_failing && state.query_language == QueryLanguage::JsonPath).then(|| thread.input.clone());
    Inspection { after_input_path: input, ..Inspection::default() }
}

/// What AWS tells of a state of this type.
fn told(kind: &StateKind, seen: Inspection) -> Inspection {
    match kind {
        // A literal Result makes the input meaningless.
        StateKind::Pass(Pass { result: Some(result), .. }) => Inspection {
            after_input_path: None,
            after_parameters: None,
            result: seen.after_result_path.is_some().then(|| Data::from(result.clone())),
            ..seen
        },
        StateKind::Pass(_) => Inspection { after_arguments: None, ..seen },
        StateKind::Task(_) => seen,
        StateKind::Choice(_) | StateKind::Wait(_) | StateKind::Succeed(_) | StateKind::Fail(_) => {
            Inspection { after_input_path: seen.after_input_path, ..Inspection::default() }
        }
        StateKind::Parallel(_) => Inspection {
            after_result_selector: seen.after_result_selector,
            after_result_path: seen.after_result_path,
            ..Inspection::default()
        },
        StateKind::Map(_) => Inspection { after_parameters: None, after_arguments: None, ..seen },
    }
}

impl Stepper<'_> {
    /// The context object and the observer of a test, for what is computed.
    pub(super) fn observer(&self) -> (Option<&Value>, Option<&RefCell<Inspection>>) {
        match &self.alone {
            Some(alone) => (Some(&alone.context), Some(&alone.inspection)),
            None => (None, None),
        }
    }

    pub(super) fn leave_alone(&mut self, output: Data, target: Target) {
        let Some(alone) = &mut self.alone else { return };
        let next = match target {
            Target::Next(next) => Some(next),
            Target::End => None,
        };
        let error = alone.caught.take();
        let status = if error.is_some() { Status::CaughtError } else { Status::Succeeded };
        alone.verdict = Some(Verdict { status, output: Some(output), error, next });
        self.ended = true;
    }

    pub(super) fn fail_alone(&mut self, error: StateError) {
        self.end_alone(Status::Failed, error.output);
    }

    /// A retrier has taken up the error.
    pub(super) fn retry_alone(&mut self, milliseconds: i64, error: &StateError) {
        if let Some(alone) = &mut self.alone {
            alone.details.retry_delay_milliseconds = Some(milliseconds);
        }
        self.end_alone(Status::Retriable, error.output.clone());
    }

    fn end_alone(&mut self, status: Status, error: ErrorOutput) {
        let Some(alone) = &mut self.alone else { return };
        alone.verdict = Some(Verdict { status, output: None, error: Some(error), next: None });
        self.ended = true;
    }

    /// How many attempts a retrier has used, which a test is told from outside.
    pub(super) fn retries_used(&mut self, index: usize, used: u32) -> u32 {
        let Some(alone) = &mut self.alone else { return used };
        alone.details.retry_index = Some(index);
        alone.retries_used
    }

    pub(super) fn note_catch(&mut self, index: usize, error: &StateError) {
        if let Some(alone) = &mut self.alone {
            alone.details.catch_index = Some(index);
            alone.caught = Some(error.output.clone());
        }
    }

    /// A Parallel whose branches are mocked.
    pub(super) fn parallel_alone(&mut self, row: RowId, parallel: &Parallel) -> Result<(), Failure> {
        self.compute(row, None, |scope, thread| flow::effective_input(&parallel.flow, scope, &thread.input))?;
        self.leave_mocked_fork(row);
        Ok(())
    }

    /// A Map whose iterations are mocked.
    pub(super) fn map_alone(&mut self, row: RowId, map: &Map) -> Result<(), Failure> {
        self.compute(row, None, |scope, thread| flow::selected_input(&map.flow, scope, &thread.input))?;
        let items = self.items_alone(row, map)?;
        self.compute(row, None, |scope, thread| map::concurrency(map, scope, &thread.input))?;
        let length = items.as_ref().or_else(|| self.mocked_result());
        let length = length.map_or(0, |items| item::count(items.value()));
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let tolerance = self.compute(row, None, |scope, thread| map::tolerance(map, scope, &thread.input))?;
        let tolerated = map::tolerated_failures(tolerance, length);
        if let Some(items) = items {
            self.select_items_alone(row, map, items, length)?;
        }
        let failed = self.alone.as_ref().map_or(0, |alone| alone.failed_iterations);
        match (self.mocked_result(), tolerated) {
            (Some(_), Some(tolerated)) if failed > tolerated => {
                self.fail_state(row, StateError::threshold_exceeded().of_inner());
            }
            (Some(_) | None, Some(_) | None) => self.leave_mocked_fork(row),
        }
        Ok(())
    }

    /// The items of the Map; none if an ItemReader would read them and the test does not say what.
    fn items_alone(&self, row: RowId, map: &Map) -> Result<Option<Data>, Failure> {
        if let Mode::Distributed(distributed) = &map.mode
            && distributed.item_reader.is_some()
        {
            return Ok(self.alone.as_ref().and_then(|alone| alone.reader_items.clone()));
        }
        self.compute(row, None, |scope, thread| {
            let items = map::items(map, scope, &thread.input)?;
            if let Items::Input | Items::Path(_) = &map.items {
                scope.note(|seen| seen.after_items_path = Some(items.clone()));
            }
            Ok(Some(items))
        })
    }

    fn select_items_alone(&mut self, row: RowId, map: &Map, items: Data, length: u32) -> Result<(), Failure> {
        if map.item_selector.is_none() {
            return Ok(());
        }
        let items_row = self.state.reserve_rows(1);
        self.state.put(items_row, Row::Items(items));
        let mut text = String::from("[");
        for index in 0..length {
            let input = self.item_input(map, row, items_row, index)?;
            if index > 0 {
                text.push(',');
            }
            text.push_str(input.text());
            if text.len() > SELECTED_ITEMS_BYTES_MAX {
                return Err(Failure::data_limit());
            }
        }
        text.push(']');
        if let (_, Some(inspection)) = self.observer() {
            inspection.borrow_mut().after_item_selector = Some(Data::from_valid_text(text));
        }
        Ok(())
    }

    fn mocked_result(&self) -> Option<&Data> {
        match self.alone.as_ref()?.mock.as_ref()? {
            Mock::Result(result) => Some(result),
            Mock::Error(_) => None,
        }
    }

    fn leave_mocked_fork(&mut self, row: RowId) {
        let mock = self.alone.as_ref().and_then(|alone| alone.mock.clone());
        match mock.expect("a Parallel or Map is tested with a mock") {
            Mock::Result(result) => self.leave_fork(row, result),
            Mock::Error(error) => self.fail_state(row, StateError::new(error).of_inner()),
        }
    }
}
