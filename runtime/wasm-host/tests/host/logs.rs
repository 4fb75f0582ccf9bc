//! What a guest tells us while it runs: its log, its heartbeat; and what it may ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio_util::sync::CancellationToken;
use wasm_host::{Context, Failure, LogSource, LogWatch, Outcome};

use crate::Fixture;
use crate::guests::{Parts, logging, task_with};

const RETURN: &str = "(call $ok (local.get $ptr) (local.get $len))";

fn lines(outcome: &Outcome) -> Vec<(LogSource, &str)> {
    outcome.log.iter().map(|line| (line.source, line.message.as_str())).collect()
}

/// A module that beats a thousand times.
pub(crate) fn beating() -> String {
    task_with(Parts {
        imports: r#"
            (import "stepwell:task/heartbeat@0.1.0" (instance $heartbeat (export "beat" (func))))
            (core func $beat (canon lower (func $heartbeat "beat")))"#,
        lowered: r#"(export "beat" (func $beat))"#,
        fields: r#"(import "host" "beat" (func $beat))"#,
        body: "(local $n i32)
            (loop $again
                (call $beat)
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))
            (call $ok (local.get $ptr) (local.get $len))",
    })
}

#[tokio::test]
async fn log_lines_keep_their_level_and_order() {
    let body = format!(
        "(call $log (i32.const 3) (i32.const 64) (i32.const 5)) (call $log (i32.const 0) (local.get $ptr) (local.get $len)) {RETURN}"
    );
    let outcome = Fixture::new().call(&logging(r#"(data (i32.const 64) "first")"#, &body), "[2]").await;
    assert_eq!(lines(&outcome), [(LogSource::Warn, "first"), (LogSource::Trace, "[2]")]);
}

#[tokio::test]
async fn the_log_of_a_failed_call_is_kept() {
    let body = "(call $log (i32.const 4) (i32.const 64) (i32.const 4)) (unreachable)";
    let outcome = Fixture::new().call(&logging(r#"(data (i32.const 64) "last")"#, body), "1").await;
    assert_eq!(lines(&outcome), [(LogSource::Error, "last")]);
}

#[tokio::test]
async fn lines_are_seen_while_the_guest_goes_on() {
    let body =
        "(call $log (i32.const 2) (i32.const 64) (i32.const 5)) (loop $again (br $again)) (unreachable)";
    let module = logging(r#"(data (i32.const 64) "first")"#, body);
    let (fixture, watch, cancel) = (Fixture::new(), LogWatch::default(), CancellationToken::new());
    let call = fixture.call_with(&module, "1", |call| {
        call.log_watch = Some(watch.clone());
        call.cancel = cancel.clone();
    });
    let look = async {
        while watch.lines_after(0).is_empty() {
            tokio::task::yield_now().await;
        }
        let seen = watch.lines_after(0);
        cancel.cancel();
        seen
    };
    let (outcome, seen) = tokio::join!(call, look);
    assert_eq!(outcome.result, Err(Failure::Cancelled));
    assert_eq!(lines(&outcome), [(LogSource::Info, "first")]);
    assert_eq!(seen, outcome.log);
    assert_eq!(watch.lines_after(0), [], "the outcome has them");
}

#[tokio::test]
async fn a_flood_of_log_is_cut_and_said_once() {
    let body =
        "(loop $again (call $log (i32.const 2) (i32.const 0) (i32.const 60000)) (br $again)) (unreachable)";
    let outcome = Fixture::new()
        .call_with(&logging("", body), "1", |call| {
            call.limits.fuel = 20_000;
            call.limits.log_bytes = 1_000;
        })
        .await;
    let lines = lines(&outcome);
    assert_eq!((lines.len(), lines[0].1.len()), (2, 1_000));
    assert_eq!(lines[1].0, LogSource::Host);
    assert!(lines[1].1.starts_with("the log is full at 1000 bytes: "), "{}", lines[1].1);
}

#[tokio::test]
async fn heartbeats_arrive_and_are_not_a_flood() {
    let beats = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&beats);
    let beat = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    let outcome =
        Fixture::new().call_with(&beating(), "1", |call| call.heartbeat = Some(Arc::new(beat))).await;
    assert_eq!(outcome.result, Ok("1".to_owned()));
    assert!((1..1_000).contains(&beats.load(Ordering::Relaxed)));
}

#[tokio::test]
async fn heartbeats_that_nobody_wants_do_no_harm() {
    assert_eq!(Fixture::new().call(&beating(), "1").await.result, Ok("1".to_owned()));
}

/// Returns the text at the given offset of `invocation`, quoted by its neighbours in memory.
fn asking(offset: u32) -> String {
    let body = format!(
        "(local $text i32) (local $size i32)
         (call $current (i32.const 256))
         (local.set $text (i32.load (i32.const {})))
         (local.set $size (i32.load (i32.const {})))
         (i32.store8 (i32.const 400) (i32.const 34))
         (memory.copy (i32.const 401) (local.get $text) (local.get $size))
         (i32.store8 (i32.add (i32.const 401) (local.get $size)) (i32.const 34))
         (call $ok (i32.const 400) (i32.add (local.get $size) (i32.const 2)))",
        256 + offset,
        260 + offset
    );
    task_with(Parts {
        imports: r#"
            (import "stepwell:task/context@0.1.0" (instance $context
                (type $record (record (field "execution-arn" string) (field "execution-name" string)
                    (field "state-machine-arn" string) (field "state-name" string) (field "attempt" u32)
                    (field "deadline" u64) (field "task-token" (option string))))
                (export "invocation" (type $invocation (eq $record)))
                (export "current" (func (result $invocation)))))
            (core func $current (canon lower (func $context "current") (memory $memory) (realloc $realloc)))"#,
        lowered: r#"(export "current" (func $current))"#,
        fields: r#"(import "host" "current" (func $current (param i32)))"#,
        body: &body,
    })
}

#[tokio::test]
async fn a_guest_may_ask_which_attempt_it_is() {
    let context = Context {
        execution_arn: "arn:execution".into(),
        execution_name: "order-7".into(),
        state_machine_arn: "arn:machine".into(),
        state_name: "Pay".into(),
        attempt: 2,
        seed: 7,
        task_token: Some("token".to_owned()),
    };
    let fixture = Fixture::new();
    for (offset, expected) in
        [(0, "arn:execution"), (8, "order-7"), (16, "arn:machine"), (24, "Pay"), (52, "token")]
    {
        let outcome = fixture.call_with(&asking(offset), "1", |call| call.context = context.clone()).await;
        assert_eq!(outcome.result, Ok(format!("\"{expected}\"")));
    }
}
