//! The ways a call can end by the guest's own doing.

use std::sync::Arc;

use wasm_host::Failure;

use crate::guests::{Parts, echo, task, task_with};
use crate::{Fixture, result};

#[tokio::test]
async fn a_task_returns_its_json() {
    let outcome = Fixture::new().call(&echo(), r#"{"a":[1,"ä"]}"#).await;
    assert_eq!(outcome.result.unwrap(), r#"{"a":[1,"ä"]}"#);
    assert!(outcome.usage.fuel > 0);
    assert_eq!(outcome.usage.memory_bytes_peak, 65_536);
    assert_eq!(outcome.log, []);
}

#[tokio::test]
async fn a_tasks_own_error_keeps_its_name() {
    let guest = task_with(Parts {
        fields: r#"(data (i32.const 64) "OutOfStocknone left")"#,
        body: "(call $err (i32.const 64) (i32.const 10) (i32.const 74) (i32.const 9))",
        ..Parts::default()
    });
    let failure = Failure::Task { error: "OutOfStock".to_owned(), cause: "none left".to_owned() };
    assert_eq!(result(&guest, "1").await, Err(failure));
}

#[tokio::test]
async fn what_a_guest_frees_after_the_call_was_read_before() {
    // What languages with a garbage collector do, and allocators that write into what is free.
    let freeing = |body: &str| {
        let free = r#"(func (export "free") (param i32) (memory.fill (i32.const 16) (i32.const 255) (i32.const 8192)))"#;
        let guest = task_with(Parts { fields: free, body, ..Parts::default() });
        let lift = r#"(canon lift (core func $guest "handle") (memory $memory) (realloc $realloc)"#;
        assert!(guest.contains(lift), "{guest}");
        guest.replace(lift, &format!("{lift} (post-return (core func $guest \"free\"))"))
    };
    let echo = freeing("(call $ok (local.get $ptr) (local.get $len))");
    assert_eq!(result(&echo, r#"{"a":1}"#).await.as_deref(), Ok(r#"{"a":1}"#));
    let fail = freeing("(call $err (local.get $ptr) (i32.const 3) (local.get $ptr) (local.get $len))");
    let failure = Failure::Task { error: "123".to_owned(), cause: "12345".to_owned() };
    assert_eq!(result(&fail, "12345").await, Err(failure));
}

#[tokio::test]
async fn error_and_cause_are_cut_to_what_aws_allows() {
    let guest = task(
        "(memory.fill (i32.const 1000) (i32.const 97) (i32.const 40000))
         (call $err (i32.const 1000) (i32.const 40000) (i32.const 1000) (i32.const 40000))",
    );
    let failure = Failure::Task { error: "a".repeat(256), cause: "a".repeat(32_768) };
    assert_eq!(result(&guest, "1").await, Err(failure));
}

#[tokio::test]
async fn a_panic_is_a_trap() {
    let outcome = Fixture::new().call(&task("(unreachable)"), "1").await;
    let Err(Failure::Trap { message, trace }) = outcome.result else { panic!("{:?}", outcome.result) };
    assert_eq!(message, "`unreachable` was executed (a panic or an abort)");
    assert_eq!(trace, ["handle"]);
    assert!(outcome.usage.fuel > 0, "fuel is reported after a trap");
}

#[tokio::test]
async fn a_panic_in_the_hosts_heartbeat_fails_that_call_only() {
    let fixture = Fixture::new();
    let guest = crate::logs::beating();
    let outcome =
        fixture.call_with(&guest, "1", |call| call.heartbeat = Some(Arc::new(|| panic!("heartbeat")))).await;
    assert!(matches!(outcome.result, Err(Failure::Host(_))), "{:?}", outcome.result);
    assert_eq!(fixture.call(&echo(), "1").await.result, Ok("1".to_owned()));
}
