//! Lets a bounded number of guests run at once in the slow lane and the rest take turns.
//!
//! A guest holds a permit while it is inside its own code, and gives it back while it waits in a host call, so
//! a thousand sleeping guests keep nobody from running. One that computes for long gives its permit to the next
//! in line after a few ticks.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::PollSemaphore;

/// Ticks in a row before a guest goes to the end of the line. Changing guests costs warm caches, so not each tick.
const TICKS_PER_TURN: u32 = 5;

/// What is known of a guest between two polls. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct TickMark(Arc<Mark>);

#[derive(Debug, Default)]
struct Mark {
    /// It is still busy, not waiting.
    is_busy: AtomicBool,
    is_slow: AtomicBool,
}

impl TickMark {
    /// Called by the engine's tick, just before a guest yields.
    pub(crate) fn set(&self) {
        self.0.is_busy.store(true, Ordering::Relaxed);
    }

    /// Relaxed is enough: the mark is set and read on the thread that polls the guest.
    pub(crate) fn take(&self) -> bool {
        self.0.is_busy.swap(false, Ordering::Relaxed)
    }

    /// From now on it takes turns.
    pub(crate) fn leave_quick_lane(&self) {
        self.0.is_slow.store(true, Ordering::Relaxed);
    }

    fn is_slow(&self) -> bool {
        self.0.is_slow.load(Ordering::Relaxed)
    }
}

/// A guest's future that is polled only while it holds a permit, once it is in the slow lane.
pub(crate) struct InTurns<F> {
    guest: F,
    mark: TickMark,
    permits: PollSemaphore,
    permit: Option<OwnedSemaphorePermit>,
    ticks: u32,
}

impl<F: Future + Unpin> InTurns<F> {
    pub(crate) fn new(guest: F, mark: TickMark, permits: Arc<Semaphore>) -> Self {
        Self { guest, mark, permits: PollSemaphore::new(permits), permit: None, ticks: 0 }
    }
}

impl<F: Future + Unpin> Future for InTurns<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        if !this.mark.is_slow() {
            return Pin::new(&mut this.guest).poll(cx);
        }
        if this.permit.is_none() {
            // The semaphore is never closed; if it were, running without a permit would do no harm.
            this.permit = ready!(this.permits.poll_acquire(cx));
            this.ticks = 0;
        }
        this.mark.take();
        let polled = Pin::new(&mut this.guest).poll(cx);
        let is_busy = polled.is_pending() && this.mark.take();
        this.ticks += 1;
        if !is_busy || this.ticks >= TICKS_PER_TURN {
            this.permit = None;
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Waker;

    use super::*;

    /// Polls `count` times and says before each poll whether the permit was free.
    fn free_permits(guest_is_busy: bool, count: usize) -> Vec<bool> {
        let permits = Arc::new(Semaphore::new(1));
        let mark = TickMark::default();
        mark.leave_quick_lane();
        let guest_mark = mark.clone();
        let guest = poll_fn(move |_| {
            if guest_is_busy {
                guest_mark.set();
            }
            Poll::<()>::Pending
        });
        let mut guest = InTurns::new(guest, mark, Arc::clone(&permits));
        let mut cx = Context::from_waker(Waker::noop());
        let mut poll = || {
            assert!(Pin::new(&mut guest).poll(&mut cx).is_pending());
            permits.available_permits() == 1
        };
        (0..count).map(|_| poll()).collect()
    }

    #[test]
    fn a_waiting_guest_gives_its_permit_back() {
        assert_eq!(free_permits(false, 2), [true, true]);
    }

    #[test]
    fn a_busy_guest_keeps_its_permit_for_some_ticks() {
        assert_eq!(free_permits(true, 6), [false, false, false, false, true, false]);
    }
}
