//! Waits and delays before retries under a time scale; what is no waiting stays as long as it is.
#![allow(clippy::unwrap_used, reason = "a test fails where something unexpected happens")]

use std::sync::Arc;

use asl::definition::{Definition, MachineType, parse};
use asl::interpreter::{
    AttemptId, Command, ErrorOutput, Event, ExecutionId, ExecutionInfo, ExecutionState, HistoryEvent, RowId,
    Surroundings, TimeScale, Timer, TimerKind, step,
};
use asl::{Data, Timestamp};

const FUNCTION: &str =
    r#""Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f", "End": true"#;

struct Scaled(TimeScale);

impl Surroundings for Scaled {
    fn activity_exists(&self, _: &str) -> bool {
        true
    }

    fn time_scale(&self) -> TimeScale {
        self.0
    }
}

/// An execution that starts at 0 and has one state.
struct Run {
    definition: Definition,
    state: ExecutionState,
    scale: Scaled,
    now: Timestamp,
    history: Vec<HistoryEvent>,
    /// Timers in the order in which they were set, with the millisecond at which each is due.
    timers: Vec<(Timer, i64)>,
    ended: bool,
}

impl Run {
    fn start(state: &str, factor: f64) -> Run {
        let text = format!(r#"{{"StartAt": "S", "TimeoutSeconds": 1000, "States": {{"S": {{{state}}}}}}}"#);
        let parsed = parse(&text, MachineType::Standard);
        let mut run = Run {
            definition: parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics)),
            state: ExecutionState::new(Arc::new(info())),
            scale: Scaled(TimeScale::new(factor).unwrap()),
            now: Timestamp::EPOCH,
            history: Vec::new(),
            timers: Vec::new(),
            ended: false,
        };
        run.take(Event::Start);
        run
    }

    fn take(&mut self, event: Event) {
        let transition = step(&self.definition, &mut self.state, event, self.now, &self.scale);
        assert!(transition.accepted);
        assert!(!transition.more);
        self.history.extend(transition.history);
        for command in transition.commands {
            match command {
                Command::SetTimer { timer, due } => self.timers.push((timer, due.as_milliseconds())),
                Command::End(_) => self.ended = true,
                _ => {}
            }
        }
    }

    /// The latest timer of a kind comes when it is due.
    fn fire(&mut self, kind: TimerKind) {
        let (timer, due) = *self.timers.iter().rfind(|(timer, _)| timer.kind == kind).unwrap();
        self.now = Timestamp::from_milliseconds(due);
        self.take(Event::Timer(timer));
    }

    fn fail(&mut self, attempt: u64) {
        let outcome = Err(ErrorOutput::bare("E"));
        self.take(Event::TaskReturned {
            row: RowId::ROOT,
            attempt: AttemptId(attempt),
            outcome,
            usage: None,
        });
    }

    fn due(&self, kind: TimerKind) -> Vec<i64> {
        self.timers.iter().filter(|(timer, _)| timer.kind == kind).map(|(_, due)| *due).collect()
    }
}

fn info() -> ExecutionInfo {
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

#[test]
fn a_wait_lasts_a_part_of_its_time() {
    for wait in [r#""Seconds": 500"#, r#""Timestamp": "1970-01-01T00:08:20Z""#] {
        for (factor, due) in [(1.0, 500_000), (0.5, 250_000), (0.01, 5_000), (0.0001, 50)] {
            let mut run = Run::start(&format!(r#""Type": "Wait", {wait}, "End": true"#), factor);
            assert_eq!(run.due(TimerKind::Wake), [due], "{wait} at {factor}");
            run.fire(TimerKind::Wake);
            assert!(run.ended);
        }
        let run = Run::start(&format!(r#""Type": "Wait", {wait}, "End": true"#), 0.0);
        assert_eq!(run.due(TimerKind::Wake), [0; 0]);
        assert!(run.ended);
    }
}

#[test]
fn a_wait_that_is_too_long_is_so_at_every_scale() {
    let wait = r#""Type": "Wait", "SecondsPath": "$$.Execution.StartTime", "End": true"#;
    let long = r#""Type": "Wait", "Timestamp": "2999-01-01T00:00:00Z", "End": true"#;
    for state in [wait, long] {
        let kinds = |factor| {
            let run = Run::start(state, factor);
            run.history.into_iter().map(|event| event.kind).collect::<Vec<_>>()
        };
        assert_eq!(kinds(0.0), kinds(1.0));
    }
}

#[test]
fn a_retry_comes_after_a_part_of_its_delay() {
    let retry =
        r#""Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 100, "BackoffRate": 2, "MaxAttempts": 2}]"#;
    for (factor, due) in [(1.0, [100_000, 300_000]), (0.01, [1_000, 3_000]), (0.0, [0, 0])] {
        let mut run = Run::start(&format!("{FUNCTION}, {retry}"), factor);
        run.fail(1);
        run.fire(TimerKind::Wake);
        run.fail(2);
        run.fire(TimerKind::Wake);
        assert_eq!(run.due(TimerKind::Wake), due, "at {factor}");
        run.fail(3);
        assert!(run.ended);
    }
}

#[test]
fn without_delay_each_retry_is_a_step_of_its_own() {
    // Its Parameters cannot be computed, so an attempt writes nothing that would end the step.
    let state = format!(
        r#"{FUNCTION}, "Parameters": {{"a.$": "States.StringToJson('[')"}},
        "Retry": [{{"ErrorEquals": ["States.IntrinsicFailure"], "MaxAttempts": 99999999}}]"#
    );
    let mut run = Run::start(&state, 0.0);
    for attempts in 1..=10 {
        assert_eq!(run.due(TimerKind::Wake).len(), attempts);
        run.fire(TimerKind::Wake);
    }
}

#[test]
fn timeouts_and_heartbeats_are_not_scaled() {
    let state = format!(r#"{FUNCTION}, "TimeoutSeconds": 60, "HeartbeatSeconds": 20"#);
    for factor in [1.0, 0.01, 0.0] {
        let run = Run::start(&state, factor);
        assert_eq!(run.due(TimerKind::ExecutionTimeout), [1_000_000]);
        assert_eq!(run.due(TimerKind::TaskTimeout), [60_000]);
        assert_eq!(run.due(TimerKind::HeartbeatTimeout), [20_000]);
    }
}

#[test]
fn the_history_differs_only_in_its_times() {
    let kinds = |factor| {
        let retry = r#""Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 100, "MaxAttempts": 1}]"#;
        let mut run = Run::start(&format!("{FUNCTION}, {retry}"), factor);
        run.fail(1);
        run.fire(TimerKind::Wake);
        run.fail(2);
        assert!(run.ended);
        run.history.into_iter().map(|event| (event.id, event.previous, event.kind)).collect::<Vec<_>>()
    };
    assert_eq!(kinds(0.0), kinds(1.0));
    assert_eq!(kinds(0.01), kinds(1.0));
}
