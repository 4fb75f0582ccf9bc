//! One state on its own: its verdict, and what a test gets to see of the way of its data.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "helpers of tests are tests too")]

use std::sync::Arc;

use asl::definition::{Definition, MachineType, StateId, parse};
use asl::interpreter::{
    ErrorOutput, Event, ExecutionId, ExecutionInfo, Mock, Progress, Setup, Status, TimeScale, TimerKind,
    Trial,
};
use asl::{Data, Text, Timestamp};
use serde_json::{Map, Value, json};

const NOW: Timestamp = Timestamp::from_milliseconds(1_000_000);
const TASK: &str = r#""Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage""#;
const MAP: &str = r#""Type": "Map", "End": true,
    "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}}"#;

/// The state `A` of a machine that also has a state `B`.
fn definition(fields: &str) -> Definition {
    let text = format!(
        r#"{{"StartAt": "S", "States": {{"A": {{{fields}}}, "B": {{"Type": "Succeed"}},
            "S": {{"Type": "Choice", "Choices": [{{"Variable": "$", "IsNull": true, "Next": "A"}}], "Default": "B"}}}}}}"#
    );
    let parsed = parse(&text, MachineType::Standard);
    parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
}

fn setup(definition: &Definition, input: &str) -> Setup {
    let state = definition.states().find(|(_, state)| &*state.name == "A").unwrap().0;
    let text = |text: &str| Text::from(text);
    let info = ExecutionInfo {
        id: ExecutionId(1),
        arn: text("arn"),
        name: text("e"),
        input: Data::parse(input).unwrap(),
        started_at: NOW,
        role_arn: text("role"),
        state_machine_arn: text("machine"),
        state_machine_name: text("m"),
        version_arn: None,
        alias_arn: None,
        region: text("us-east-1"),
        seed: [7; 32],
        redrive_count: 0,
        redriven_at: None,
        parent: None,
    };
    Setup {
        state,
        info: Arc::new(info),
        variables: Vec::new(),
        context: json!({"State": {"Name": "N"}}),
        mock: None,
        retries_used: 0,
        failed_iterations: 0,
        reader_items: None,
        time_scale: TimeScale::REAL,
    }
}

fn result(text: &str) -> Option<Mock> {
    Some(Mock::Result(Data::parse(text).unwrap()))
}

fn error(name: &str) -> Option<Mock> {
    Some(Mock::Error(ErrorOutput::new(name, "why")))
}

/// Runs a state to its end and shows all that there is to see, in one object.
fn run(fields: &str, input: &str, change: impl FnOnce(&mut Setup)) -> Value {
    let definition = definition(fields);
    let mut setup = setup(&definition, input);
    change(&mut setup);
    let (trial, progress) = Trial::start(&definition, setup, NOW);
    show(&definition, &trial, &progress)
}

fn show(definition: &Definition, trial: &Trial<'_>, progress: &Progress) -> Value {
    let Progress::Done(verdict) = progress else { panic!("the state waits: {progress:?}") };
    let status = match verdict.status {
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::Retriable => "retriable",
        Status::CaughtError => "caught",
    };
    let mut shown = Map::new();
    let mut put = |name: &str, value: Option<Value>| value.map(|value| shown.insert(name.to_owned(), value));
    let data = |data: &Option<Data>| data.as_ref().map(|data| data.value().clone());
    put("status", Some(status.into()));
    put("output", data(&verdict.output));
    put("next", verdict.next.map(|next: StateId| json!(&*definition.state(next).name)));
    let error = verdict.error.clone().unwrap_or_default();
    put("error", error.error.map(Value::from));
    put("cause", error.cause.map(Value::from));
    let seen = trial.inspection();
    put("InputPath", data(&seen.after_input_path));
    put("Parameters", data(&seen.after_parameters));
    put("result", data(&seen.result));
    put("ResultSelector", data(&seen.after_result_selector));
    put("ResultPath", data(&seen.after_result_path));
    put("ItemsPath", data(&seen.after_items_path));
    put("ItemSelector", data(&seen.after_item_selector));
    put("MaxConcurrency", seen.concurrency_max.map(Value::from));
    put("ToleratedFailureCount", seen.tolerated_failure_count.map(Value::from));
    put("ToleratedFailurePercentage", seen.tolerated_failure_percentage.map(Value::from));
    let details = trial.error_details();
    put("catch", details.catch_index.map(Value::from));
    put("retry", details.retry_index.map(Value::from));
    put("delay", details.retry_delay_milliseconds.map(Value::from));
    let variables = trial.variables();
    let variables = || variables.iter().map(|(name, value)| (name.to_string(), value.value().clone()));
    put("variables", (!trial.variables().is_empty()).then(|| variables().collect::<Map<_, _>>().into()));
    Value::Object(shown)
}

fn check(fields: &str, input: &str, expected: Value) {
    assert_eq!(run(fields, input, |_| ()), expected, "{fields}");
}

fn check_mock(fields: &str, input: &str, mock: Option<Mock>, expected: Value) {
    assert_eq!(run(fields, input, |setup| setup.mock = mock), expected, "{fields}");
}

#[test]
fn a_scaled_wait_is_short_and_a_retry_still_tells_its_delay() {
    let definition = definition(r#""Type": "Wait", "Seconds": 100, "End": true"#);
    let scaled = |factor| {
        let time_scale = TimeScale::new(factor).unwrap();
        Trial::start(&definition, Setup { time_scale, ..setup(&definition, "{}") }, NOW)
    };
    let (trial, progress) = scaled(0.5);
    assert_eq!(progress, Progress::Waiting);
    assert_eq!(trial.timer().map(|(_, due)| due), Some(NOW.saturating_add_seconds(50)));
    let (trial, progress) = scaled(0.0);
    assert_eq!(show(&definition, &trial, &progress)["status"], "succeeded");

    let retry = r#", "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 10}], "End": true"#;
    let shown = run(&format!("{TASK}{retry}"), "{}", |setup| {
        setup.mock = error("E");
        setup.time_scale = TimeScale::new(0.0).unwrap();
    });
    assert_eq!(shown["delay"], 10_000);
}

#[test]
fn the_way_of_a_pass_states_data() {
    check(
        r#""Type": "Pass", "InputPath": "$.a", "Parameters": {"c.$": "$.b"}, "ResultPath": "$.r", "Next": "B""#,
        r#"{"a": {"b": 1}}"#,
        json!({
            "status": "succeeded", "next": "B", "InputPath": {"b": 1}, "Parameters": {"c": 1},
            "ResultSelector": {"c": 1}, "ResultPath": {"a": {"b": 1}, "r": {"c": 1}},
            "output": {"a": {"b": 1}, "r": {"c": 1}},
        }),
    );
    check(
        r#""Type": "Pass", "Result": 5, "Assign": {"v.$": "$$.State.Name"}, "End": true"#,
        "{}",
        json!({
            "status": "succeeded", "result": 5, "ResultSelector": 5, "ResultPath": 5, "output": 5,
            "variables": {"v": "N"},
        }),
    );
}

#[test]
fn states_without_a_result_tell_their_input() {
    check(r#""Type": "Succeed""#, "[1]", json!({"status": "succeeded", "InputPath": [1], "output": [1]}));
    check(
        r#""Type": "Choice", "InputPath": "$.a", "Choices": [{"Variable": "$", "NumericEquals": 1, "Next": "B"}]"#,
        r#"{"a": 1}"#,
        json!({"status": "succeeded", "InputPath": 1, "output": 1, "next": "B"}),
    );
    check(
        r#""Type": "Fail", "Error": "E", "CausePath": "$.c""#,
        r#"{"c": "C"}"#,
        json!({"status": "failed", "InputPath": {"c": "C"}, "error": "E", "cause": "C"}),
    );
}

#[test]
fn a_failed_field_shows_how_far_the_data_came() {
    check(
        r#""Type": "Pass", "InputPath": "$.a", "Parameters": {"c.$": "$.none"}, "End": true"#,
        r#"{"a": {"b": 1}}"#,
        json!({
            "status": "failed", "InputPath": {"b": 1}, "error": "States.Runtime",
            "cause": "The JSONPath '$.none' specified for the field 'c.$' could not be found in the input '{\"b\":1}'",
        }),
    );
}

#[test]
fn a_mocked_task_takes_the_rest_of_its_way() {
    let fields = format!(
        r#"{TASK}, "Parameters": {{"p.$": "$.x"}}, "ResultSelector": {{"s.$": "$.r"}}, "ResultPath": "$.t", "Next": "B""#
    );
    check_mock(
        &fields,
        r#"{"x": 1}"#,
        result(r#"{"r": 2}"#),
        json!({
            "status": "succeeded", "InputPath": {"x": 1}, "Parameters": {"p": 1}, "result": {"r": 2},
            "ResultSelector": {"s": 2}, "ResultPath": {"x": 1, "t": {"s": 2}}, "output": {"x": 1, "t": {"s": 2}},
            "next": "B",
        }),
    );
    // What waits for a token, and what waits for a worker, takes the mock for the answer.
    for resource in
        ["arn:aws:states:::sqs:sendMessage.waitForTaskToken", "arn:aws:states:us-east-1:1:activity:a"]
    {
        let fields = format!(r#""Type": "Task", "Resource": "{resource}", "End": true"#);
        let shown = run(&fields, "{}", |setup| setup.mock = result("[1]"));
        assert_eq!((&shown["status"], &shown["output"]), (&json!("succeeded"), &json!([1])), "{resource}");
    }
}

#[test]
fn errors_meet_retriers_and_catchers() {
    let fields = format!(
        r#"{TASK}, "End": true,
           "Retry": [{{"ErrorEquals": ["Other"]}}, {{"ErrorEquals": ["E"], "MaxAttempts": 3, "IntervalSeconds": 2}}],
           "Catch": [{{"ErrorEquals": ["Other"], "Next": "B"}}, {{"ErrorEquals": ["E"], "ResultPath": "$.e", "Next": "B"}}]"#
    );
    let with_retries = |retries_used: u32| {
        run(&fields, "{}", |setup| {
            setup.mock = error("E");
            setup.retries_used = retries_used;
        })
    };
    let path = json!({"InputPath": {}, "Parameters": {}, "error": "E", "cause": "why", "retry": 1});
    let expected = |more: Value| {
        let mut expected = path.clone();
        expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        expected
    };
    assert_eq!(with_retries(0), expected(json!({"status": "retriable", "delay": 2000})));
    assert_eq!(with_retries(2), expected(json!({"status": "retriable", "delay": 8000})));
    let output = json!({"e": {"Error": "E", "Cause": "why"}});
    assert_eq!(
        with_retries(3),
        expected(json!({"status": "caught", "catch": 1, "next": "B", "output": output}))
    );
    let shown = run(&fields, "{}", |setup| setup.mock = error("Third"));
    assert_eq!(
        shown,
        json!({"status": "failed", "InputPath": {}, "Parameters": {}, "error": "Third", "cause": "why"})
    );
}

#[test]
fn branches_are_mocked() {
    let fields = r#""Type": "Parallel", "InputPath": "$.a", "ResultPath": "$.r", "End": true, "Branches": [
        {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}}]"#;
    check_mock(
        fields,
        r#"{"a": 1}"#,
        result("[5]"),
        json!({
            "status": "succeeded", "ResultSelector": [5], "ResultPath": {"a": 1, "r": [5]},
            "output": {"a": 1, "r": [5]},
        }),
    );
    check_mock(fields, r#"{"a": 1}"#, error("E"), json!({"status": "failed", "error": "E", "cause": "why"}));
    check_mock(
        fields,
        "{}",
        result("[5]"),
        json!({
            "status": "failed", "error": "States.Runtime",
            "cause": "Invalid path '$.a' : No results for path: $['a']",
        }),
    );
}

#[test]
fn iterations_are_mocked() {
    let fields = format!(
        r#"{MAP}, "ItemsPath": "$.items", "MaxConcurrency": 2, "ToleratedFailureCount": 1,
           "ItemSelector": {{"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "n.$": "$$.State.Name"}}"#
    );
    let way = json!({
        "InputPath": {"items": ["a", "b"]}, "ItemsPath": ["a", "b"], "MaxConcurrency": 2, "ToleratedFailureCount": 1,
        "ItemSelector": [{"i": 0, "v": "a", "n": "N"}, {"i": 1, "v": "b", "n": "N"}],
    });
    let with_failures = |failed_iterations: u32| {
        run(&fields, r#"{"items": ["a", "b"]}"#, |setup| {
            setup.mock = result("[7, 8]");
            setup.failed_iterations = failed_iterations;
        })
    };
    let expected = |more: Value| {
        let mut expected = way.clone();
        expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        expected
    };
    let end =
        json!({"status": "succeeded", "ResultSelector": [7, 8], "ResultPath": [7, 8], "output": [7, 8]});
    assert_eq!(with_failures(1), expected(end));
    let end = json!({
        "status": "failed", "error": "States.ExceedToleratedFailureThreshold",
        "cause": "The specified tolerated failure threshold was exceeded",
    });
    assert_eq!(with_failures(2), expected(end));
    check_mock(
        MAP,
        r#"{"items": 1}"#,
        result("[]"),
        json!({
            "status": "failed", "InputPath": {"items": 1}, "error": "States.Runtime",
            "cause": "Reference path \"$\" must point to array.",
        }),
    );
}

#[test]
fn without_a_mock_the_task_is_handed_out() {
    let definition = definition(&format!(r#"{TASK}, "TimeoutSeconds": 9, "End": true"#));
    let (mut trial, progress) = Trial::start(&definition, setup(&definition, "[3]"), NOW);
    let Progress::Task(request) = progress else { panic!("the task is not handed out") };
    assert_eq!((request.input.text(), &*request.state_name), ("[3]", "A"));
    let (timer, due) = trial.timer().unwrap();
    assert_eq!((timer.kind, due), (TimerKind::TaskTimeout, NOW.saturating_add_seconds(9)));
    let outcome = Ok(Data::parse("4").unwrap());
    let event = Event::TaskReturned { row: request.row, attempt: request.attempt, outcome, usage: None };
    let progress = trial.take(event, NOW);
    assert_eq!(
        show(&definition, &trial, &progress),
        json!({
            "status": "succeeded", "InputPath": [3], "Parameters": [3], "result": 4, "ResultSelector": 4,
            "ResultPath": 4, "output": 4,
        })
    );

    let (mut trial, _) = Trial::start(&definition, setup(&definition, "[3]"), NOW);
    let progress = trial.take(Event::Timer(timer), due);
    let shown = show(&definition, &trial, &progress);
    assert_eq!((&shown["status"], &shown["error"]), (&json!("failed"), &json!("States.Timeout")));
}

#[test]
fn a_wait_is_over_when_its_time_has_come() {
    let definition = definition(r#""Type": "Wait", "SecondsPath": "$.s", "Next": "B""#);
    let (mut trial, progress) = Trial::start(&definition, setup(&definition, r#"{"s": 5}"#), NOW);
    assert_eq!(progress, Progress::Waiting);
    let (timer, due) = trial.timer().unwrap();
    assert_eq!(trial.take(Event::Timer(timer), NOW), Progress::Waiting);
    let progress = trial.take(Event::Timer(timer), due);
    let input = json!({"s": 5});
    assert_eq!(
        show(&definition, &trial, &progress),
        json!({"status": "succeeded", "InputPath": input, "output": input, "next": "B"})
    );
}
