//! States that would take a long time to compute: the step ends within its allowance, and other executions get their
//! turn between two states.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::data::allowance::Stopwatch;
use crate::data::json::Data;
use crate::data::timestamp::Timestamp;
use crate::definition::{MachineType, parse};

use super::event::{Command, Ending, Event};
use super::execution::{ExecutionInfo, ExecutionState};
use super::stepper::{Surroundings, step};
use super::table::info;

/// Fields of one state, more than can be computed.
const FIELDS: usize = 2_000;
/// Items of the input, which has about 200 KB.
const ITEMS: usize = 30_000;
/// Far more than a step takes on a machine that does other things too.
const TIME_MAX: Duration = Duration::from_secs(20);

/// Surroundings with a clock.
struct Clocked;

impl Surroundings for Clocked {
    fn activity_exists(&self, _: &str) -> bool {
        true
    }

    fn stopwatch(&self) -> Stopwatch {
        || {
            static STARTED: OnceLock<Instant> = OnceLock::new();
            STARTED.get_or_init(Instant::now).elapsed()
        }
    }
}

/// How an execution with the states ends, and the steps that it takes.
fn run(language: &str, states: &str, items: usize) -> (Ending, usize) {
    let text = format!(r#"{{"QueryLanguage": "{language}", "StartAt": "S0", "States": {{{states}}}}}"#);
    let parsed = parse(&text, MachineType::Standard);
    let definition = parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
    let input = Data::from(json!({"a": (0..items).collect::<Vec<_>>()}));
    let mut state = ExecutionState::new(Arc::new(ExecutionInfo { input, ..info() }));
    let started = Instant::now();
    let (mut event, mut steps) = (Event::Start, 0);
    loop {
        steps += 1;
        let transition = step(&definition, &mut state, event, Timestamp::EPOCH, &Clocked);
        let end = transition.commands.into_iter().find(|command| matches!(command, Command::End(_)));
        if let Some(Command::End(ending)) = end {
            assert!(started.elapsed() < TIME_MAX, "{:?}", started.elapsed());
            return (ending, steps);
        }
        event = Event::Continue;
    }
}

/// A state with as many fields, each computed in the same way.
fn state_of(field: &str, name: &str, expression: &str) -> String {
    let mut fields = String::new();
    for number in 0..FIELDS {
        let comma = if number == 0 { "" } else { "," };
        write!(fields, r#"{comma}"f{number}{name}": "{expression}""#).unwrap();
    }
    format!(r#""S0": {{"Type": "Pass", "{field}": {{{fields}}}, "End": true}}"#)
}

fn check_fails(language: &str, states: &str, expected: &str) {
    let (ending, _) = run(language, states, ITEMS);
    let Ending::Failed(error) = ending else { panic!("{ending:?}") };
    let cause = error.cause.unwrap();
    assert!(cause.contains(expected), "{cause}");
}

#[test]
fn many_paths_end_together() {
    check_fails(
        "JSONPath",
        &state_of("Parameters", ".$", "$.a[?(@ == -1)]"),
        "Paths look at too many values",
    );
}

#[test]
fn many_rules_end_together() {
    let rule = r#"{"Variable": "$.a[?(@ == -1)]", "IsPresent": false, "Next": "S1"}"#;
    let rules = vec![rule; FIELDS].join(",");
    let states = format!(r#""S0": {{"Type": "Choice", "Choices": [{rules}]}}, "S1": {{"Type": "Succeed"}}"#);
    check_fails("JSONPath", &states, "Paths look at too many values");
}

#[test]
fn many_intrinsic_functions_end_together() {
    let states = state_of("Parameters", ".$", "States.ArrayLength($.a)");
    check_fails("JSONPath", &states, "Intrinsic functions work on too many bytes");
}

#[test]
fn many_expressions_end_together() {
    let states = state_of("Output", "", "{% $sum($map([1..100000], function($x) { $x * $x })) %}");
    check_fails("JSONata", &states, "D1012");
}

/// Each of the states is well within what a step may compute; all of them together are not, and have little else to do.
#[test]
fn a_chain_of_states_takes_turns() {
    let mut states = String::new();
    for number in 0..40 {
        let next = number + 1;
        // Every item looks at every item.
        write!(
            states,
            r#""S{number}": {{"Type": "Pass", "Parameters": {{"x.$": "$.a[?($..b)]"}}, "ResultPath": null,
                "Next": "S{next}"}},"#
        )
        .unwrap();
    }
    states.push_str(r#""S40": {"Type": "Pass", "Result": "done", "End": true}"#);
    let (ending, steps) = run("JSONPath", &states, 1_000);
    assert_eq!(ending, Ending::Succeeded { output: json!("done").into() });
    assert!(steps > 10, "{steps}");
}

/// To find and to replace a variable takes no longer where there are many.
#[test]
fn many_variables_are_found() {
    let assign = |expression: fn(usize) -> String| {
        let fields: Vec<String> = (0..20_000).map(expression).collect();
        fields.join(",")
    };
    let first = assign(|number| format!(r#""v{number}": {number}"#));
    let then = assign(|number| format!(r#""v{number}.$": "$v{}""#, 19_999 - number));
    let states = format!(
        r#""S0": {{"Type": "Pass", "Assign": {{{first}}}, "Next": "S1"}}, "S1": {{"Type": "Pass", "Assign": {{{then}}}, "Next": "S2"}},
           "S2": {{"Type": "Pass", "Parameters": {{"x.$": "States.Array($v0, $v19999)"}}, "OutputPath": "$.x", "End": true}}"#
    );
    let (ending, _) = run("JSONPath", &states, 1);
    assert_eq!(ending, Ending::Succeeded { output: json!([19_999, 0]).into() });
}
