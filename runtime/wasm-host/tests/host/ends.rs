//! The ways a call can end by the guest's own doing.

use std::sync::Arc;

use wasm_host::Failure;

use crate::guests::{Parts, echo, task, task_with};
use crate::{Fixture, result, trap_message};

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
async fn endless_recursion_is_a_stack_overflow() {
    let guest = task("(call $handle (local.get $ptr) (local.get $len))");
    let message = trap_message(result(&guest, "1").await.unwrap_err());
    assert_eq!(message, "stack overflow: calls are nested too deeply");
}

#[tokio::test]
async fn other_traps_keep_their_names() {
    for (body, message) in [
        ("(i32.div_u (i32.const 1) (i32.const 0))", "integer divide by zero"),
        ("(i32.load (i32.const -4))", "out of bounds memory access (a stack overflow in Rust or C ends"),
    ] {
        let failure = result(&task(body), "1").await.unwrap_err();
        let trap = trap_message(failure);
        assert!(trap.starts_with(message), "{trap}");
    }
}

#[tokio::test]
async fn output_that_is_not_json_is_refused() {
    for input in ["", "{", "hello", "1 2"] {
        let failure = result(&echo(), input).await.unwrap_err();
        assert!(matches!(failure, Failure::InvalidOutput(_)), "{input}: {failure:?}");
    }
}

#[tokio::test]
async fn deeply_nested_output_is_json_too() {
    let nested = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(result(&echo(), &nested).await, Ok(nested));
}

#[tokio::test]
async fn output_that_is_not_text_is_a_trap() {
    let guest = task("(i32.store8 (i32.const 64) (i32.const 255)) (call $ok (i32.const 64) (i32.const 1))");
    assert!(trap_message(result(&guest, "1").await.unwrap_err()).contains("utf-8"));
}

#[tokio::test]
async fn a_trap_while_the_instance_is_made_is_a_trap() {
    let guest = task_with(Parts {
        fields: "(func $begin (unreachable)) (start $begin)",
        body: "(unreachable)",
        ..Parts::default()
    });
    let failure = result(&guest, "1").await.unwrap_err();
    assert_eq!(trap_message(failure), "`unreachable` was executed (a panic or an abort)");
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
