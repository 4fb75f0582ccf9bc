//! Every limit of a call, and what each failure says.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wasm_host::{Failure, Limits};

use crate::Fixture;
use crate::guests::{Parts, echo, sleep, spin, task, task_with};

const PAGE: usize = 65_536;
/// So long that only a limit can end it.
const FOR_EVER: u64 = u64::MAX / 4;

fn short() -> Limits {
    Limits { timeout: Duration::from_millis(50), fuel: u64::MAX, ..Limits::default() }
}

#[tokio::test]
async fn a_loop_runs_out_of_fuel() {
    let outcome = Fixture::new().call_with(&spin(), "1", |call| call.limits.fuel = 1_000_000).await;
    assert_eq!(outcome.result, Err(Failure::OutOfFuel { fuel: 1_000_000 }));
    assert_eq!(outcome.usage.fuel, 1_000_000);
}

#[tokio::test]
async fn the_same_call_uses_the_same_fuel() {
    let fixture = Fixture::new();
    let first = fixture.call(&echo(), "[1]").await.usage.fuel;
    assert_eq!(fixture.call(&echo(), "[1]").await.usage.fuel, first);
}

#[tokio::test]
async fn a_loop_is_timed_out() {
    let outcome = Fixture::new().call_with(&spin(), "1", |call| call.limits = short()).await;
    assert_eq!(outcome.result, Err(Failure::TimedOut { after: Duration::from_millis(50) }));
    assert!(outcome.usage.wall >= Duration::from_millis(50));
    assert!(outcome.usage.fuel > 0, "fuel is reported after a timeout");
}

#[tokio::test]
async fn a_guest_may_sleep_within_its_time() {
    assert_eq!(Fixture::new().call(&sleep(1_000_000), "1").await.result, Ok("1".to_owned()));
}

#[tokio::test]
async fn a_cancelled_call_ends() {
    let fixture = Fixture::new();
    for guest in [spin(), sleep(FOR_EVER)] {
        let cancel = CancellationToken::new();
        let call = fixture.call_with(&guest, "1", |call| {
            call.limits.fuel = u64::MAX;
            call.cancel = cancel.clone();
        });
        let cancelled = async {
            while fixture.host.stats().live == 0 {
                tokio::task::yield_now().await;
            }
            cancel.cancel();
        };
        let (outcome, ()) = tokio::join!(call, cancelled);
        assert_eq!(outcome.result, Err(Failure::Cancelled));
    }
}

#[tokio::test]
async fn a_call_that_is_cancelled_before_it_begins_never_runs() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let outcome = Fixture::new().call_with(&echo(), "1", |call| call.cancel = cancel).await;
    assert_eq!(outcome.result, Err(Failure::Cancelled));
    assert_eq!(outcome.usage.fuel, 0);
}

#[tokio::test]
async fn growing_beyond_the_memory_limit_is_named_exactly() {
    let guest = task("(drop (memory.grow (i32.const 3))) (call $ok (local.get $ptr) (local.get $len))");
    let fixture = Fixture::new();
    let fits = fixture.call_with(&guest, "1", |call| call.limits.memory_bytes = 4 * PAGE).await;
    assert_eq!((fits.result, fits.usage.memory_bytes_peak), (Ok("1".to_owned()), 4 * PAGE));
    let outcome = fixture.call_with(&guest, "1", |call| call.limits.memory_bytes = 2 * PAGE).await;
    assert_eq!(outcome.result, Err(Failure::OutOfMemory { limit: 2 * PAGE, requested: 4 * PAGE }));
    assert_eq!(outcome.usage.memory_bytes_peak, PAGE);
}

#[tokio::test]
async fn no_limit_of_a_call_goes_beyond_the_hosts() {
    let fixture = Fixture::with(|options| options.memory_bytes_max = 2 * PAGE);
    let guest = task("(drop (memory.grow (i32.const 2))) (unreachable)");
    let outcome = fixture.call_with(&guest, "1", |call| call.limits.memory_bytes = usize::MAX).await;
    assert_eq!(outcome.result, Err(Failure::OutOfMemory { limit: 2 * PAGE, requested: 3 * PAGE }));
}

#[tokio::test]
async fn a_modules_own_maximum_is_its_own_affair() {
    let guest = task_with(Parts {
        fields: "(memory $small 1 2)",
        body: "(if (i32.ne (memory.grow $small (i32.const 2)) (i32.const -1)) (then (unreachable)))
               (call $ok (local.get $ptr) (local.get $len))",
        ..Parts::default()
    });
    assert_eq!(Fixture::new().call(&guest, "1").await.result, Ok("1".to_owned()));
}

#[tokio::test]
async fn output_over_its_limit_is_refused() {
    let fixture = Fixture::new();
    let input = format!("\"{}\"", "x".repeat(98));
    let exact = fixture.call_with(&echo(), &input, |call| call.limits.output_bytes = 100).await;
    assert_eq!(exact.result, Ok(input.clone()));
    let outcome = fixture.call_with(&echo(), &input, |call| call.limits.output_bytes = 99).await;
    assert_eq!(outcome.result, Err(Failure::OutputTooLarge { size: 100, limit: 99 }));
}

#[tokio::test]
async fn limits_without_end_are_no_trouble() {
    let outcome = Fixture::new()
        .call_with(&echo(), "1", |call| {
            call.limits = Limits {
                fuel: u64::MAX,
                memory_bytes: usize::MAX,
                timeout: Duration::MAX,
                concurrency: u32::MAX,
                output_bytes: usize::MAX,
                log_bytes: usize::MAX,
            };
        })
        .await;
    assert_eq!(outcome.result, Ok("1".to_owned()));
}
