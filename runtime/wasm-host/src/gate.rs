//! Gives each call a slot, lets a bounded number wait for one, and refuses the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// As many permits as the pool has instances, so that the pool itself never runs out.
#[derive(Debug)]
pub(crate) struct Gate {
    slots: Arc<Semaphore>,
    slots_total: usize,
    waiting: AtomicUsize,
    waiting_max: usize,
}

/// Why a call got no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Cancelled,
}

impl Gate {
    pub(crate) fn new(slots: u32, waiting_max: usize) -> Self {
        let slots = slots as usize;
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            slots_total: slots,
            waiting: AtomicUsize::new(0),
            waiting_max,
        }
    }

    /// First come, first served.
    pub(crate) async fn enter(&self, cancel: &CancellationToken) -> Result<OwnedSemaphorePermit, Refused> {
        if cancel.is_cancelled() {
            return Err(Refused::Cancelled);
        }
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(slot);
        }
        let _place = self.wait_in_line().ok_or(Refused::Full)?;
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Refused::Cancelled),
            // The semaphore is never closed, so there is no other error.
            slot = Arc::clone(&self.slots).acquire_owned() => slot.map_err(|_| Refused::Full),
        }
    }

    pub(crate) fn occupied(&self) -> usize {
        self.slots_total - self.slots.available_permits()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    fn wait_in_line(&self) -> Option<Place<'_>> {
        let join = |waiting| (waiting < self.waiting_max).then_some(waiting + 1);
        self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, join).ok()?;
        Some(Place(&self.waiting))
    }
}

/// A place in the line, given up when dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn one_more_than_the_queue_holds_is_refused() {
        let gate = Gate::new(1, 1);
        let cancel = CancellationToken::new();
        let slot = gate.enter(&cancel).await.unwrap();
        let mut waiting = Box::pin(gate.enter(&cancel));
        assert!(waiting.as_mut().now_or_never().is_none());
        assert_eq!((gate.occupied(), gate.waiting()), (1, 1));
        assert_eq!(gate.enter(&cancel).await.unwrap_err(), Refused::Full);
        drop(slot);
        drop(waiting.await.unwrap());
        assert_eq!((gate.occupied(), gate.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn a_cancelled_call_leaves_the_line() {
        let gate = Gate::new(1, 1);
        let _slot = gate.enter(&CancellationToken::new()).await.unwrap();
        let cancel = CancellationToken::new();
        let mut waiting = Box::pin(gate.enter(&cancel));
        assert!(waiting.as_mut().now_or_never().is_none());
        cancel.cancel();
        assert_eq!(waiting.await.unwrap_err(), Refused::Cancelled);
        assert_eq!(gate.waiting(), 0);
    }
}
