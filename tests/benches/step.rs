//! What one step of the interpreter costs: by state type, by the length of the history, by the number of items.
//!
//! `cargo bench --package tests --bench step`
#![allow(clippy::unwrap_used, reason = "a benchmark stops where something unexpected happens")]

use std::fmt::Write;
use std::sync::Arc;

use asl::definition::{MachineType, parse};
use asl::interpreter::{Command, ErrorOutput, Event, ExecutionState, Surroundings, Transition, task_request};
use asl::{Data, Definition, Timestamp, step};
use divan::{Bencher, black_box};
use tests::runner;

const NOW: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);
/// The longest history that AWS allows is 25,000 events, so that nothing longer can be measured.
const HISTORY_LENGTHS: [u32; 3] = [10, 1_000, 20_000];
const ITEM_COUNTS: [usize; 3] = [10, 1_000, 100_000];

fn main() {
    divan::main();
}

struct NoActivities;

impl Surroundings for NoActivities {
    fn activity_exists(&self, _: &str) -> bool {
        false
    }
}

fn definition(text: &str) -> Definition {
    let parsed = parse(text, MachineType::Standard);
    parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
}

fn fresh(input: &str) -> ExecutionState {
    ExecutionState::new(Arc::new(runner::info(Data::parse(input).unwrap(), NOW)))
}

/// Takes an execution through an event and all that it causes at once.
fn drive(definition: &Definition, state: &mut ExecutionState, event: Event) -> Transition {
    let mut last = step(definition, state, event, NOW, &NoActivities);
    assert!(last.accepted);
    while last.more {
        last = step(definition, state, Event::Continue, NOW, &NoActivities);
    }
    last
}

/// A machine of one state, and `Done` after it where it has a next one.
fn single(state: &str, language: &str) -> Definition {
    let done = if state.contains("Next") { r#", "Done": {"Type": "Succeed"}"# } else { "" };
    definition(&format!(
        r#"{{"QueryLanguage": "{language}", "StartAt": "S", "States": {{"S": {state}{done}}}}}"#
    ))
}

const PATH_STATES: [(&str, &str); 10] = [
    ("pass", r#"{"Type": "Pass", "Next": "Done"}"#),
    (
        "pass with parameters",
        r#"{"Type": "Pass", "Parameters": {"id.$": "$.order.id", "n.$": "States.MathAdd($.n, 1)"}, "ResultPath": "$.made", "Next": "Done"}"#,
    ),
    ("pass with assign", r#"{"Type": "Pass", "Assign": {"total.$": "$.n"}, "Next": "Done"}"#),
    (
        "choice",
        r#"{"Type": "Choice", "Choices": [{"Variable": "$.n", "NumericGreaterThan": 9, "Next": "Done"}, {"Variable": "$.order.id", "StringMatches": "A*", "Next": "Done"}]}"#,
    ),
    ("wait", r#"{"Type": "Wait", "SecondsPath": "$.n", "Next": "Done"}"#),
    ("succeed", r#"{"Type": "Succeed", "OutputPath": "$.order"}"#),
    ("fail", r#"{"Type": "Fail", "Error": "E", "CausePath": "$.order.id"}"#),
    (
        "task",
        r#"{"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Parameters": {"id.$": "$.order.id"}, "TimeoutSeconds": 60, "Next": "Done"}"#,
    ),
    (
        "parallel of 2",
        r#"{"Type": "Parallel", "Branches": [{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}, {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}}], "Next": "Done"}"#,
    ),
    (
        "map of 3",
        r#"{"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}}, "Next": "Done"}"#,
    ),
];

const EXPRESSION_STATES: [(&str, &str); 8] = [
    ("pass", r#"{"Type": "Pass", "Next": "Done"}"#),
    (
        "pass with output",
        r#"{"Type": "Pass", "Output": {"id": "{% $states.input.order.id %}", "n": "{% $states.input.n + 1 %}"}, "Next": "Done"}"#,
    ),
    (
        "pass with sum",
        r#"{"Type": "Pass", "Output": "{% $sum($states.input.order.lines.price) %}", "Next": "Done"}"#,
    ),
    ("pass with assign", r#"{"Type": "Pass", "Assign": {"total": "{% $states.input.n %}"}, "Next": "Done"}"#),
    (
        "choice",
        r#"{"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n > 9 %}", "Next": "Done"}, {"Condition": "{% $states.input.order.id = 'A1' %}", "Next": "Done"}]}"#,
    ),
    ("wait", r#"{"Type": "Wait", "Seconds": "{% $states.input.n %}", "Next": "Done"}"#),
    (
        "task",
        r#"{"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Arguments": {"id": "{% $states.input.order.id %}"}, "TimeoutSeconds": 60, "Next": "Done"}"#,
    ),
    (
        "map of 3",
        r#"{"Type": "Map", "Items": "{% $states.input.items %}", "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}}, "Next": "Done"}"#,
    ),
];

const INPUT: &str =
    r#"{"order": {"id": "A1", "lines": [{"price": 3}, {"price": 4}]}, "n": 5, "items": [1, 2, 3]}"#;

fn names(states: &'static [(&str, &str)]) -> impl Iterator<Item = &'static str> {
    states.iter().map(|(name, _)| *name)
}

fn bench_state(bencher: Bencher<'_, '_>, states: &[(&str, &str)], name: &str, language: &str) {
    let (_, text) = states.iter().find(|(found, _)| *found == name).unwrap();
    let definition = single(text, language);
    bencher
        .with_inputs(|| fresh(INPUT))
        .bench_local_values(|mut state| drive(black_box(&definition), &mut state, Event::Start));
}

/// From the start of an execution to where it waits or ends.
#[divan::bench(args = names(&PATH_STATES))]
fn state_with_jsonpath(bencher: Bencher<'_, '_>, name: &str) {
    bench_state(bencher, &PATH_STATES, name, "JSONPath");
}

#[divan::bench(args = names(&EXPRESSION_STATES))]
fn state_with_jsonata(bencher: Bencher<'_, '_>, name: &str) {
    bench_state(bencher, &EXPRESSION_STATES, name, "JSONata");
}

/// A machine that goes round, which makes a long history in little room.
fn looping() -> Definition {
    definition(
        r#"{"StartAt": "Wait", "States": {
            "Wait": {"Type": "Wait", "Seconds": 1, "Next": "Again"},
            "Again": {"Type": "Choice", "Default": "Wait",
                "Choices": [{"Variable": "$.n", "NumericGreaterThan": 9, "Next": "Done"}]},
            "Done": {"Type": "Succeed"}}}"#,
    )
}

/// The clock runs for as long as the machine waits.
fn tick(
    definition: &Definition,
    state: &mut ExecutionState,
    now: &mut Timestamp,
    waiting: &Transition,
) -> Transition {
    let timer = waiting.commands.iter().find_map(|command| match command {
        Command::SetTimer { timer, due } => Some((*timer, *due)),
        _ => None,
    });
    let (timer, due) = timer.expect("the machine waits");
    *now = due;
    step(definition, state, Event::Timer(timer), *now, &NoActivities)
}

/// One turn of a loop of two states, after a history of so many events.
#[divan::bench(args = HISTORY_LENGTHS)]
fn turn_after_a_history_of(bencher: Bencher<'_, '_>, events: u32) {
    let definition = looping();
    let (mut state, mut now) = (fresh(INPUT), NOW);
    let mut waiting = step(&definition, &mut state, Event::Start, now, &NoActivities);
    while state.header.next_event < events {
        waiting = tick(&definition, &mut state, &mut now, &waiting);
        state.take_changed();
    }
    bencher
        .with_inputs(|| state.clone())
        .bench_local_values(|mut state| tick(&definition, &mut state, &mut now.clone(), &waiting));
}

/// One item of a Map ends and the next one starts, among so many items.
#[divan::bench(args = ITEM_COUNTS)]
fn item_of_a_map_of(bencher: Bencher<'_, '_>, items: usize) {
    let definition = definition(
        r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "ItemsPath": "$", "MaxConcurrency": 4, "End": true,
            "ItemProcessor": {"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}}}}}}"#,
    );
    let mut input = "[1".to_owned();
    (1..items).for_each(|_| write!(input, ",1").unwrap());
    input.push(']');
    let mut state = fresh(&input);
    let started = drive(&definition, &mut state, Event::Start);
    let attempt = started.commands.iter().find_map(|command| match command {
        Command::StartTask { row, attempt } => Some((*row, *attempt)),
        _ => None,
    });
    let (row, attempt) = attempt.expect("a task starts");
    state.take_changed();
    let returned =
        || Event::TaskReturned { row, attempt, outcome: Ok(Data::parse("1").unwrap()), usage: None };
    bencher.with_inputs(|| (state.clone(), returned())).bench_local_values(|(mut state, event)| {
        let transition = drive(&definition, &mut state, event);
        (transition, state.take_changed())
    });
}

/// A task fails and its state is retried.
#[divan::bench]
fn task_that_is_retried(bencher: Bencher<'_, '_>) {
    let definition = single(
        r#"{"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "Next": "Done",
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 3, "JitterStrategy": "FULL"}]}"#,
        "JSONPath",
    );
    let mut state = fresh(INPUT);
    let started = drive(&definition, &mut state, Event::Start);
    let Some(Command::StartTask { row, attempt }) = started.commands.last().cloned() else {
        panic!("a task starts")
    };
    assert!(task_request(&definition, &state, row).is_some());
    let failed =
        || Event::TaskReturned { row, attempt, outcome: Err(ErrorOutput::new("Busy", "later")), usage: None };
    bencher
        .with_inputs(|| (state.clone(), failed()))
        .bench_local_values(|(mut state, event)| drive(&definition, &mut state, event));
}
