//! Where a guest runs: its first moment among other short calls, and what takes longer on threads of a lower priority.
//!
//! Most calls take less than a millisecond, and must not wait for one that computes for seconds. Nobody can tell them
//! apart before they run. So each begins in the quick lane, where modules take turns for a place, and moves to the slow
//! lane when it is busy at its second tick, or when it has come back from the host very often.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::gate::{Gate, Slot};
use crate::options::Options;
use crate::threads::GuestThreads;
use crate::turns::TickMark;

/// Ticks that a guest may be busy at within the quick lane. The first may come a moment after it has begun.
const QUICK_TICKS_MAX: u32 = 1;
/// How often a guest may come back from the host within the quick lane.
const QUICK_POLLS_MAX: u32 = 64;

/// The two lanes of a host. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Lanes {
    places: Gate,
    quick: Handle,
    slow: Handle,
}

impl Lanes {
    /// The quick lane has a place for each thread, and a line with room for every call that has a slot.
    pub(crate) fn new(threads: &GuestThreads, options: &Options) -> Lanes {
        let places = u32::try_from(options.guest_threads.max(1)).unwrap_or(u32::MAX);
        Lanes {
            places: Gate::new(places, options.slots as usize),
            quick: threads.quick().clone(),
            slow: threads.slow().clone(),
        }
    }

    /// Where calls begin.
    pub(crate) fn quick(&self) -> &Handle {
        &self.quick
    }

    /// Whether the caller is there.
    pub(crate) fn have_caller(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.quick.id())
    }

    /// Runs a call to its end; to be polled in the quick lane. The mark is the call's.
    pub(crate) async fn run<F>(self, module: Arc<str>, mark: TickMark, call: Pin<Box<F>>) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        // Without a place, as when the line is full after all, it begins all the same.
        let place = self.places.enter(&module, u32::MAX, &CancellationToken::new()).await.ok();
        let quick = Quick { call: Some(call), mark: mark.clone(), place, polls: 0, ticks: 0 };
        let call = match quick.await {
            Ended::Done(output) => return output,
            Ended::Slow(call) => call,
        };
        mark.leave_quick_lane();
        match AbortOnDropHandle::new(self.slow.spawn(call)).await {
            Ok(output) => output,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            // The threads end, and this one with them.
            Err(_aborted) => std::future::pending().await,
        }
    }
}

/// How a call leaves the quick lane.
enum Ended<T, F> {
    Done(T),
    Slow(Pin<Box<F>>),
}

/// A call in the quick lane.
struct Quick<F> {
    call: Option<Pin<Box<F>>>,
    mark: TickMark,
    /// Given back when the call first waits.
    place: Option<Slot>,
    polls: u32,
    ticks: u32,
}

impl<F: Future> Future for Quick<F> {
    type Output = Ended<F::Output, F>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut call = this.call.take().expect("it is not polled after its end");
        let polled = call.as_mut().poll(cx);
        this.place = None;
        this.polls += 1;
        match polled {
            Poll::Ready(output) => Poll::Ready(Ended::Done(output)),
            Poll::Pending => {
                this.ticks += u32::from(this.mark.take());
                if this.ticks > QUICK_TICKS_MAX || this.polls > QUICK_POLLS_MAX {
                    return Poll::Ready(Ended::Slow(call));
                }
                this.call = Some(call);
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Where a call ends that is busy at so many ticks and waits so often.
    async fn ends_on(ticks: u32, waits: u32) -> Option<String> {
        let threads = GuestThreads::start(1).unwrap();
        let lanes = Lanes::new(&threads, &Options::default());
        let mark = TickMark::default();
        let tick = mark.clone();
        let call = Box::pin(async move {
            for number in 0..ticks + waits {
                if number < ticks {
                    tick.set();
                }
                tokio::task::yield_now().await;
            }
            thread::current().name().map(str::to_owned)
        });
        threads.quick().spawn(lanes.run("module".into(), mark, call)).await.unwrap()
    }

    #[tokio::test]
    async fn a_call_that_takes_longer_moves_to_the_slow_lane() {
        for (ticks, waits, lane) in [
            (0, 0, "wasm-guest"),
            (1, 0, "wasm-guest"),
            (2, 0, "wasm-slow"),
            (0, QUICK_POLLS_MAX, "wasm-guest"),
            (0, QUICK_POLLS_MAX + 1, "wasm-slow"),
        ] {
            assert_eq!(ends_on(ticks, waits).await.as_deref(), Some(lane), "{ticks} {waits}");
        }
    }

    #[tokio::test]
    async fn a_panic_in_the_slow_lane_is_a_panic() {
        let threads = GuestThreads::start(1).unwrap();
        let lanes = Lanes::new(&threads, &Options::default());
        let call = Box::pin(async {
            for _ in 0..=QUICK_POLLS_MAX {
                tokio::task::yield_now().await;
            }
            assert_ne!(thread::current().name(), Some("wasm-slow"));
        });
        let ended = threads.quick().spawn(lanes.run("module".into(), TickMark::default(), call)).await;
        assert!(ended.unwrap_err().is_panic());
    }
}
