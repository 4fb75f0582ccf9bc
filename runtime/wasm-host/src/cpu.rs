//! The CPU time of one call: the clock of its thread, read before and after each poll of the guest.
//!
//! Wall-clock time says how long somebody waited, on a busy machine mostly for others; this says what the call itself
//! took. What other threads do for the guest, such as reading a file, is not in it. A reading takes up to half a
//! microsecond, so a poll that is over at once is taken as its wall-clock time, and needs one only.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The system lets a thread run for longer than this, so a poll that takes less was hardly ever interrupted.
const UNINTERRUPTED: Duration = Duration::from_micros(100);

/// What a call has spent so far, in nanoseconds; a clone is the same account.
#[derive(Debug, Clone, Default)]
pub(crate) struct CpuTime(Arc<AtomicU64>);

impl CpuTime {
    /// The future, with the time of its polls on this account.
    pub(crate) fn of<F: Future + Unpin>(&self, future: F) -> OnAccount<F> {
        OnAccount { future, account: Arc::clone(&self.0) }
    }

    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

/// A future whose polls are counted.
pub(crate) struct OnAccount<F> {
    future: F,
    account: Arc<AtomicU64>,
}

impl<F: Future + Unpin> Future for OnAccount<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let (begun, begun_at) = (thread_time(), Instant::now());
        let polled = Pin::new(&mut self.future).poll(cx);
        let elapsed = begun_at.elapsed();
        let spent =
            if elapsed < UNINTERRUPTED { nanoseconds(elapsed) } else { thread_time().saturating_sub(begun) };
        // Relaxed is enough: whoever reads it has polled the future, or dropped it.
        self.account.fetch_add(spent, Ordering::Relaxed);
        polled
    }
}

/// Nanoseconds of CPU that this thread has had.
fn thread_time() -> u64 {
    nanoseconds(Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::hint::black_box;
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_poll_that_is_over_at_once_costs_no_more_than_it_took() {
        let account = CpuTime::default();
        let mut future = pin!(account.of(std::future::ready(7)));
        let begun_at = Instant::now();
        assert_eq!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(7));
        assert!((1..=begun_at.elapsed().as_nanos()).contains(&account.spent().as_nanos()));
    }

    #[test]
    fn every_poll_is_counted_and_nothing_between_them() {
        let account = CpuTime::default();
        let mut inner = Vec::new();
        let busy = poll_fn(|_| {
            let begun = thread_time();
            black_box((0..1_000_000_u64).fold(0, |sum, number| black_box(sum ^ number)));
            inner.push(thread_time() - begun);
            if inner.len() < 3 { Poll::Pending } else { Poll::Ready(inner.iter().sum::<u64>()) }
        });
        let mut future = pin!(account.of(busy));
        let mut cx = Context::from_waker(Waker::noop());
        let begun = thread_time();
        assert!(future.as_mut().poll(&mut cx).is_pending());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        let Poll::Ready(within) = future.as_mut().poll(&mut cx) else { panic!("three polls are all") };
        let around = thread_time() - begun;
        let spent = u64::try_from(account.spent().as_nanos()).unwrap();
        assert!(0 < within && within <= spent && spent <= around, "{within} {spent} {around}");
    }
}
