//! Many calls at once: slots, the queue, turns, and the end of the host.

use std::time::Duration;

use futures::future::join_all;
use tokio_util::sync::CancellationToken;
use wasm_host::{Call, Digest, Failure, Host};

use crate::Fixture;
use crate::guests::{echo, sleep, spin};

const FOR_EVER: u64 = u64::MAX / 4;

/// A call without a limit that matters; `cancel` ends it.
fn endless(digest: Digest, cancel: &CancellationToken) -> Call {
    let mut call = Call { cancel: cancel.clone(), ..Call::new(digest, "1") };
    call.limits.fuel = u64::MAX;
    call.limits.timeout = Duration::from_secs(3_600);
    call
}

fn start(host: &Host, call: Call) -> tokio::task::JoinHandle<Result<String, Failure>> {
    let host = host.clone();
    tokio::spawn(async move { host.call(call).await.result })
}

async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn more_calls_than_slots_all_end_well() {
    let fixture = Fixture::with(|options| options.slots = 3);
    let digest = fixture.added(&echo()).await;
    let calls = (0..100).map(|_| fixture.host.call(Call::new(digest, "1")));
    for outcome in join_all(calls).await {
        assert_eq!(outcome.result, Ok("1".to_owned()));
    }
}

/// A million slots need more address space than there is, so instances are made on demand.
#[tokio::test]
async fn without_a_pool_calls_end_well_too() {
    let fixture = Fixture::with(|options| options.slots = 1_000_000);
    assert_eq!(fixture.call(&echo(), "1").await.result, Ok("1".to_owned()));
}

#[tokio::test]
async fn a_call_beyond_the_queue_is_refused() {
    let fixture = Fixture::with(|options| (options.slots, options.queue_max) = (1, 1));
    let digest = fixture.added(&sleep(FOR_EVER)).await;
    let cancel = CancellationToken::new();
    let running = start(&fixture.host, endless(digest, &cancel));
    until(|| fixture.host.stats().live == 1).await;
    let waiting = start(&fixture.host, endless(digest, &cancel));
    until(|| fixture.host.stats().waiting == 1).await;
    assert_eq!(fixture.host.call(Call::new(digest, "1")).await.result, Err(Failure::Overloaded));
    cancel.cancel();
    assert_eq!(running.await.unwrap(), Err(Failure::Cancelled));
    assert_eq!(waiting.await.unwrap(), Err(Failure::Cancelled));
    until(|| fixture.host.stats().live == 0).await;
}

#[tokio::test]
async fn a_module_with_many_calls_does_not_keep_another_waiting() {
    let fixture = Fixture::with(|options| (options.slots, options.queue_max) = (2, 4));
    let (sleep, echo) = (fixture.added(&sleep(FOR_EVER)).await, fixture.added(&echo()).await);
    let cancel = CancellationToken::new();
    let call = |concurrency: u32| {
        let mut call = Call { module: "sleep".into(), ..endless(sleep, &cancel) };
        call.limits.concurrency = concurrency;
        call
    };
    let mut flood = vec![start(&fixture.host, call(1))];
    until(|| fixture.host.stats().live == 1).await;
    for waiting in 1..=4 {
        flood.push(start(&fixture.host, call(1)));
        until(|| fixture.host.stats().waiting == waiting).await;
    }
    assert_eq!(fixture.host.call(call(1)).await.result, Err(Failure::Overloaded));
    // The other slot is not for the module that has its share.
    assert_eq!(fixture.host.call(Call::new(echo, "1")).await.result, Ok("1".to_owned()));
    cancel.cancel();
    for call in flood {
        assert_eq!(call.await.unwrap(), Err(Failure::Cancelled));
    }
}

#[tokio::test]
async fn busy_guests_let_others_have_their_turn() {
    let fixture = Fixture::with(|options| {
        (options.guest_threads, options.running_max) = (1, 1);
    });
    let (spin, echo, sleep) =
        (fixture.added(&spin()).await, fixture.added(&echo()).await, fixture.added(&sleep(1_000_000)).await);
    let cancel = CancellationToken::new();
    let busy = [0, 1].map(|_| start(&fixture.host, endless(spin, &cancel)));
    until(|| fixture.host.stats().live == 2).await;
    for digest in [echo, sleep] {
        assert_eq!(fixture.host.call(Call::new(digest, "1")).await.result, Ok("1".to_owned()));
    }
    cancel.cancel();
    for call in busy {
        assert_eq!(call.await.unwrap(), Err(Failure::Cancelled));
    }
}

#[tokio::test]
async fn sleeping_guests_keep_nobody_from_running() {
    let fixture = Fixture::with(|options| options.running_max = 1);
    let (sleep, echo) = (fixture.added(&sleep(FOR_EVER)).await, fixture.added(&echo()).await);
    let cancel = CancellationToken::new();
    let sleeping = [0, 1, 2].map(|_| start(&fixture.host, endless(sleep, &cancel)));
    until(|| fixture.host.stats().live == 3).await;
    assert_eq!(fixture.host.call(Call::new(echo, "1")).await.result, Ok("1".to_owned()));
    cancel.cancel();
    for call in sleeping {
        assert_eq!(call.await.unwrap(), Err(Failure::Cancelled));
    }
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_ends() {
    let fixture = Fixture::new();
    let digest = fixture.added(&spin()).await;
    let call = start(&fixture.host, endless(digest, &CancellationToken::new()));
    until(|| fixture.host.stats().live == 1).await;
    call.abort();
    until(|| fixture.host.stats().live == 0).await;
}

/// The engine has attempts run there.
#[tokio::test]
async fn calls_that_are_made_on_the_threads_of_guests_are_like_others() {
    let fixture = Fixture::with(|options| (options.guest_threads, options.running_max) = (1, 1));
    let (spin, echo) = (fixture.added(&spin()).await, fixture.added(&echo()).await);
    let start = |call: Call| {
        let host = fixture.host.clone();
        fixture.host.runtime().spawn(async move { host.call(call).await.result })
    };
    let cancel = CancellationToken::new();
    let (cancelled, dropped) =
        (start(endless(spin, &cancel)), start(endless(spin, &CancellationToken::new())));
    until(|| fixture.host.stats().live == 2).await;
    assert_eq!(start(Call::new(echo, "1")).await.unwrap(), Ok("1".to_owned()));
    let mut slow = endless(spin, &CancellationToken::new());
    slow.limits.timeout = Duration::from_millis(1);
    assert!(matches!(start(slow).await.unwrap(), Err(Failure::TimedOut { .. })));
    cancel.cancel();
    assert_eq!(cancelled.await.unwrap(), Err(Failure::Cancelled));
    dropped.abort();
    until(|| fixture.host.stats().live == 0).await;
}

#[tokio::test]
async fn a_host_that_shuts_down_ends_its_calls_and_takes_no_more() {
    let fixture = Fixture::new();
    let (spin, echo) = (fixture.added(&spin()).await, fixture.added(&echo()).await);
    let call = start(&fixture.host, endless(spin, &CancellationToken::new()));
    until(|| fixture.host.stats().live == 1).await;
    fixture.host.shutdown(Duration::from_millis(1)).await;
    assert_eq!(call.await.unwrap(), Err(Failure::Cancelled));
    let outcome = fixture.host.call(Call::new(echo, "1")).await;
    assert!(matches!(outcome.result, Err(Failure::Host(_))), "{:?}", outcome.result);
}

#[tokio::test]
async fn a_host_may_be_dropped_in_the_middle_of_its_work() {
    let fixture = Fixture::new();
    let digest = fixture.added(&spin()).await;
    let call = start(&fixture.host, endless(digest, &CancellationToken::new()));
    until(|| fixture.host.stats().live == 1).await;
    drop(fixture);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
}
