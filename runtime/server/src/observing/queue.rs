//! A queue that never makes its sender wait: what does not fit is lost and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// The sender's side; a clone is another one on the same queue.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    sender: SyncSender<(usize, T)>,
    shared: Arc<Shared>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        Queue { sender: self.sender.clone(), shared: Arc::clone(&self.shared) }
    }
}

/// The receiver's side.
#[derive(Debug)]
pub(crate) struct Outlet<T> {
    receiver: Receiver<(usize, T)>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bytes: AtomicUsize,
    bytes_max: usize,
    /// What was lost since it was last asked for.
    lost: AtomicU64,
}

/// A queue of at most so many items and bytes.
pub(crate) fn queue<T>(items_max: usize, bytes_max: usize) -> (Queue<T>, Outlet<T>) {
    let (sender, receiver) = sync_channel(items_max);
    let shared = Arc::new(Shared { bytes: AtomicUsize::new(0), bytes_max, lost: AtomicU64::new(0) });
    (Queue { sender, shared: Arc::clone(&shared) }, Outlet { receiver, shared })
}

impl<T> Queue<T> {
    /// Puts an item in if it fits; otherwise `count` things are lost. An item larger than the whole queue never fits.
    pub(crate) fn offer(&self, bytes: usize, count: u64, item: T) -> bool {
        let before = self.shared.bytes.fetch_add(bytes, Ordering::Relaxed);
        let fits = before.saturating_add(bytes) <= self.shared.bytes_max;
        let is_in = fits && self.sender.try_send((bytes, item)).is_ok();
        if !is_in {
            self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.lose(count);
        }
        is_in
    }

    /// Counts what its sender does not even offer.
    pub(crate) fn lose(&self, count: u64) {
        self.shared.lost.fetch_add(count, Ordering::Relaxed);
    }
}

impl<T> Outlet<T> {
    /// Waits for the next item; none when every sender is gone and the queue is empty.
    pub(crate) fn next(&self) -> Option<T> {
        self.receiver.recv().ok().map(|taken| self.take(taken))
    }

    /// The next item if there is one already.
    pub(crate) fn next_waiting(&self) -> Option<T> {
        self.receiver.try_recv().ok().map(|taken| self.take(taken))
    }

    fn take(&self, (bytes, item): (usize, T)) -> T {
        self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
        item
    }

    /// What was lost since this was last asked.
    pub(crate) fn take_lost(&self) -> u64 {
        self.shared.lost.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_lost_and_counted() {
        let (queue, outlet) = queue(3, 100);
        assert!(queue.offer(60, 1, "a"));
        assert!(!queue.offer(41, 5, "too many bytes"));
        queue.offer(40, 1, "b");
        assert_eq!(outlet.take_lost(), 5);
        assert_eq!(
            (outlet.next(), outlet.next_waiting(), outlet.next_waiting()),
            (Some("a"), Some("b"), None)
        );
        for item in ["c", "d", "e"] {
            queue.offer(1, 1, item);
        }
        queue.offer(1, 2, "too many items");
        assert_eq!((outlet.take_lost(), outlet.take_lost()), (2, 0));
        assert_eq!(outlet.next(), Some("c"));
        queue.offer(98, 1, "f");
        queue.offer(1, 7, "the bytes of those that are out are free, of those that are in are not");
        drop(queue);
        assert_eq!([outlet.next(), outlet.next(), outlet.next()], [Some("d"), Some("e"), Some("f")]);
        assert_eq!((outlet.next(), outlet.take_lost()), (None, 7));
    }
}
