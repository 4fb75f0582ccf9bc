//! Every phase of a thread against every event: nothing panics, and what nobody awaits changes nothing.

use std::sync::Arc;

use serde_json::Value;

use crate::data::json::Data;
use crate::data::timestamp::Timestamp;
use crate::definition::{Definition, MachineType, parse};

use super::child::ChildEnd;
use super::event::{Command, Ending, Event, Timer, TimerKind, Transition};
use super::execution::{AttemptId, ExecutionId, ExecutionInfo, ExecutionState, Phase, RowId};
use super::history::ErrorOutput;
use super::stepper::{Surroundings, step};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";
const ACTIVITY: &str = "arn:aws:states:us-east-1:123456789012:activity:a";
const NESTED: &str = "arn:aws:states:::states:startExecution.sync";
const CALLBACK: &str = "arn:aws:states:::lambda:invoke.waitForTaskToken";

pub(super) struct AnyActivity;

impl Surroundings for AnyActivity {
    fn activity_exists(&self, _: &str) -> bool {
        true
    }
}

/// An execution at rest, and the thread that events are for.
struct Rest {
    definition: Definition,
    state: ExecutionState,
    row: RowId,
}

impl Rest {
    /// An execution that starts at 0 and has gone through some events at 0.
    fn after(states: &str, row: RowId, events: impl IntoIterator<Item = Event>) -> Rest {
        let text = format!(r#"{{"StartAt": "S", "TimeoutSeconds": 1000, "States": {{{states}}}}}"#);
        let parsed = parse(&text, MachineType::Standard);
        let definition = parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
        let mut rest = Rest { definition, state: ExecutionState::new(Arc::new(info())), row };
        for event in events {
            assert!(rest.step(event, 0).accepted);
        }
        rest
    }

    fn step(&mut self, event: Event, seconds: i64) -> Transition {
        let now = Timestamp::from_milliseconds(seconds * 1000);
        step(&self.definition, &mut self.state, event, now, &AnyActivity)
    }
}

pub(super) fn info() -> ExecutionInfo {
    ExecutionInfo {
        id: ExecutionId(1),
        arn: "arn".into(),
        name: "run".into(),
        input: Data::empty_object(),
        started_at: Timestamp::EPOCH,
        role_arn: "role".into(),
        state_machine_arn: "machine".into(),
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

fn task(resource: &str) -> String {
    format!(
        r#""S": {{"Type": "Task", "Resource": "{resource}", "Parameters": {{"FunctionName": "f"}}, "TimeoutSeconds": 50,
            "HeartbeatSeconds": 20, "Retry": [{{"ErrorEquals": ["E"], "IntervalSeconds": 10}}], "End": true}}"#
    )
}

fn started(row: RowId, attempt: AttemptId) -> Event {
    Event::TaskStarted { row, attempt, worker_name: None }
}

fn returned(row: RowId, attempt: AttemptId, outcome: Result<Data, ErrorOutput>) -> Event {
    Event::TaskReturned { row, attempt, outcome, usage: None }
}

fn child_started(row: RowId, attempt: AttemptId) -> Event {
    Event::ChildStarted { row, attempt, child: ExecutionId(2), answer: Data::empty_object() }
}

fn child_ended(row: RowId, attempt: AttemptId, id: u128) -> Event {
    let end = ChildEnd {
        id: ExecutionId(id),
        arn: "child".into(),
        name: "child".into(),
        state_machine_arn: "machine".into(),
        input: Data::empty_object(),
        started_at: Timestamp::EPOCH,
        stopped_at: Timestamp::EPOCH,
        ending: Ending::Succeeded { output: Data::empty_object() },
        is_final: false,
    };
    Event::ChildEnded { row, attempt, end: Box::new(end) }
}

const FIRST: AttemptId = AttemptId(1);

/// The phases, by name.
fn phases() -> Vec<(&'static str, Rest)> {
    let root = RowId::ROOT;
    let fork = r#""S": {"Type": "Parallel", "End": true, "Branches": [
        {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 10, "End": true}}},
        {"StartAt": "B", "States": {"B": {"Type": "Pass", "End": true}}}]}"#;
    let wait = r#""S": {"Type": "Wait", "Seconds": 10, "End": true}"#;
    let pass = r#""S": {"Type": "Pass", "End": true}"#;
    let endless = r#""S": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Choice", "Default": "S",
        "Choices": [{"Variable": "$.end", "IsPresent": true, "Next": "E"}]}, "E": {"Type": "Succeed"}"#;
    let mut working = Rest::after(endless, root, [Event::Start]);
    working.state.thread_mut(root).phase = Phase::Working;
    let failed = Err(ErrorOutput::bare("E"));
    let ok = Ok(Data::empty_object());
    vec![
        ("not started", Rest::after(wait, root, [])),
        ("entering", Rest::after(endless, root, [Event::Start])),
        ("working", working),
        ("activity queued", Rest::after(&task(ACTIVITY), root, [Event::Start])),
        ("activity taken", Rest::after(&task(ACTIVITY), root, [Event::Start, started(root, FIRST)])),
        ("function", Rest::after(&task(FUNCTION), root, [Event::Start])),
        ("callback", Rest::after(&task(CALLBACK), root, [Event::Start])),
        ("submitted", Rest::after(&task(CALLBACK), root, [Event::Start, returned(root, FIRST, ok)])),
        ("job", Rest::after(&task(NESTED), root, [Event::Start])),
        ("child", Rest::after(&task(NESTED), root, [Event::Start, child_started(root, FIRST)])),
        ("retry at 10", Rest::after(&task(FUNCTION), root, [Event::Start, returned(root, FIRST, failed)])),
        ("wait until 10", Rest::after(wait, root, [Event::Start])),
        ("forked", Rest::after(fork, root, [Event::Start])),
        ("branch waits", Rest::after(fork, RowId(2), [Event::Start])),
        ("branch done", Rest::after(fork, RowId(3), [Event::Start])),
        ("stopped", Rest::after(wait, root, [Event::Start, Event::Stop(ErrorOutput::default())])),
        ("branch stopped", Rest::after(fork, RowId(2), [Event::Start, Event::Stop(ErrorOutput::default())])),
        ("succeeded", Rest::after(pass, root, [Event::Start])),
    ]
}

/// The events for a thread, by name, with the second at which each comes.
fn events(row: RowId) -> Vec<(&'static str, Event, i64)> {
    let ok = || Ok(Data::from(Value::from(1)));
    let timer = |kind| Event::Timer(Timer { row, kind });
    let late = AttemptId(9);
    let nobody = RowId(99);
    vec![
        ("Start", Event::Start, 1),
        ("Continue", Event::Continue, 1),
        ("TaskStarted", started(row, FIRST), 1),
        ("TaskStarted of another attempt", started(row, late), 1),
        ("TaskReturned", returned(row, FIRST, ok()), 1),
        ("TaskReturned with an error", returned(row, FIRST, Err(ErrorOutput::bare("E"))), 1),
        ("TaskReturned of another attempt", returned(row, late, ok()), 1),
        ("TaskReturned for no row", returned(nobody, FIRST, ok()), 1),
        ("TaskAnswered", Event::TaskAnswered { row, attempt: FIRST, outcome: ok() }, 1),
        ("TaskAnswered of another attempt", Event::TaskAnswered { row, attempt: late, outcome: ok() }, 1),
        ("Heartbeat", Event::Heartbeat { row, attempt: FIRST }, 1),
        ("Heartbeat of another attempt", Event::Heartbeat { row, attempt: late }, 1),
        ("ChildStarted", child_started(row, FIRST), 1),
        ("ChildStarted for another attempt", child_started(row, late), 1),
        ("ChildEnded", child_ended(row, FIRST, 2), 1),
        ("ChildEnded for another attempt", child_ended(row, late, 2), 1),
        ("ChildEnded of another child", child_ended(row, FIRST, 3), 1),
        ("Wake too early", timer(TimerKind::Wake), 9),
        ("Wake", timer(TimerKind::Wake), 10),
        ("HeartbeatTimeout too early", timer(TimerKind::HeartbeatTimeout), 19),
        ("HeartbeatTimeout", timer(TimerKind::HeartbeatTimeout), 20),
        ("TaskTimeout too early", timer(TimerKind::TaskTimeout), 49),
        ("TaskTimeout", timer(TimerKind::TaskTimeout), 50),
        ("Wake for no row", Event::Timer(Timer { row: nobody, kind: TimerKind::Wake }), 100),
        ("ExecutionTimeout too early", timer(TimerKind::ExecutionTimeout), 999),
        ("ExecutionTimeout", timer(TimerKind::ExecutionTimeout), 1000),
        ("Stop", Event::Stop(ErrorOutput::bare("Operator")), 1),
        ("Redrive", Event::Redrive, 1),
    ]
}

/// Which events each phase accepts; all others are stale.
const ACCEPTED: &str = "
not started: Start
entering: Continue, ExecutionTimeout, Stop
working: Continue, ExecutionTimeout, Stop
activity queued: TaskStarted, TaskTimeout, ExecutionTimeout, Stop
activity taken: TaskReturned, TaskReturned with an error, TaskAnswered, Heartbeat, HeartbeatTimeout, TaskTimeout, \
    ExecutionTimeout, Stop
function: TaskReturned, TaskReturned with an error, TaskAnswered, Heartbeat, HeartbeatTimeout, TaskTimeout, \
    ExecutionTimeout, Stop
callback: TaskReturned, TaskReturned with an error, TaskAnswered, Heartbeat, ChildStarted, HeartbeatTimeout, \
    TaskTimeout, ExecutionTimeout, Stop
submitted: TaskAnswered, Heartbeat, HeartbeatTimeout, TaskTimeout, ExecutionTimeout, Stop
job: TaskReturned, TaskReturned with an error, TaskAnswered, Heartbeat, ChildStarted, HeartbeatTimeout, TaskTimeout, \
    ExecutionTimeout, Stop
child: TaskAnswered, Heartbeat, ChildEnded, HeartbeatTimeout, TaskTimeout, ExecutionTimeout, Stop
retry at 10: Wake, ExecutionTimeout, Stop
wait until 10: Wake, ExecutionTimeout, Stop
forked: ExecutionTimeout, Stop
branch waits: Wake, ExecutionTimeout, Stop
branch done: ExecutionTimeout, Stop
stopped: Redrive
branch stopped: Redrive
succeeded: ";

#[test]
fn every_phase_takes_the_events_it_awaits_and_no_other() {
    let mut table = String::new();
    for (index, (phase, rest)) in phases().iter().enumerate() {
        let accepted: Vec<&str> = events(rest.row)
            .into_iter()
            .filter(|(name, event, seconds)| {
                let mut fresh = phases().swap_remove(index).1;
                check(&mut fresh, event.clone(), *seconds, &format!("{name} when {phase}"))
            })
            .map(|(name, _, _)| name)
            .collect();
        table.push_str(&format!("\n{phase}: {}", accepted.join(", ")));
    }
    assert_eq!(table, ACCEPTED.replace("\\\n    ", ""));
}

/// Takes an execution through one event; says whether it was accepted.
fn check(rest: &mut Rest, event: Event, seconds: i64, case: &str) -> bool {
    let before = rest.state.clone();
    rest.state.take_changed();
    let mut transition = rest.step(event, seconds);
    let accepted = transition.accepted;
    if !accepted {
        assert_eq!(transition.history, [], "{case}");
        assert_eq!(transition.commands, [], "{case}");
        assert_eq!(rest.state.header, before.header, "{case}");
        assert_eq!(rest.state.rows, before.rows, "{case}");
        assert_eq!(rest.state.take_changed(), [], "{case}");
        assert_eq!(transition.more, !before.header.ready.is_empty(), "{case}");
    }
    let mut next = before.header.next_event;
    for _ in 0..3 {
        for event in &transition.history {
            assert_eq!(event.id, next, "{case}");
            assert!(event.previous < event.id, "{case}");
            next += 1;
        }
        if !accepted || !transition.more {
            break;
        }
        transition = rest.step(Event::Continue, seconds);
        assert!(transition.accepted, "{case}");
    }
    accepted
}

#[test]
fn a_child_is_stopped_with_the_task_that_awaits_it() {
    let stops = |event: Event, seconds: i64| {
        let mut rest =
            Rest::after(&task(NESTED), RowId::ROOT, [Event::Start, child_started(RowId::ROOT, FIRST)]);
        let transition = rest.step(event, seconds);
        transition.commands.contains(&Command::StopChild(ExecutionId(2)))
    };
    let timer = |kind| Event::Timer(Timer { row: RowId::ROOT, kind });
    assert!(stops(Event::Stop(ErrorOutput::default()), 1));
    assert!(stops(timer(TimerKind::TaskTimeout), 50));
    assert!(stops(timer(TimerKind::HeartbeatTimeout), 20));
    assert!(stops(timer(TimerKind::ExecutionTimeout), 1000));
    assert!(!stops(child_ended(RowId::ROOT, FIRST, 2), 1));
}
