//! What is known of a call while it runs, and the guest that heeds it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use crate::cpu::CpuTime;

/// Told by whoever polls the call and by the engine's tick. Clones are the same. Relaxed is enough: all of it is written
/// and read on the thread that polls the call.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Arc<Known>);

#[derive(Debug)]
struct Known {
    cpu: CpuTime,
    has_turn: AtomicBool,
    /// The guest is still busy, not waiting.
    is_busy: AtomicBool,
}

impl Progress {
    pub(crate) fn new() -> Progress {
        Progress(Arc::new(Known {
            cpu: CpuTime::new(),
            has_turn: AtomicBool::new(false),
            is_busy: AtomicBool::new(false),
        }))
    }

    pub(crate) fn cpu(&self) -> &CpuTime {
        &self.0.cpu
    }

    /// Called by the engine's tick, just before a guest yields.
    pub(crate) fn set_busy(&self) {
        self.0.is_busy.store(true, Ordering::Relaxed);
    }

    /// Whether a tick came since the last time that somebody asked.
    pub(crate) fn take_busy(&self) -> bool {
        self.0.is_busy.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn set_turn(&self, has_turn: bool) {
        self.0.has_turn.store(has_turn, Ordering::Relaxed);
    }

    fn has_turn(&self) -> bool {
        self.0.has_turn.load(Ordering::Relaxed)
    }
}

/// A guest that goes on only while its call has a turn. Around it the call can still be cancelled and time out; whoever
/// gives turns wakes it.
pub(crate) struct InTurns<F> {
    guest: F,
    progress: Progress,
}

impl<F: Future + Unpin> InTurns<F> {
    pub(crate) fn new(guest: F, progress: Progress) -> Self {
        Self { guest, progress }
    }
}

impl<F: Future + Unpin> Future for InTurns<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.progress.has_turn() { Pin::new(&mut self.guest).poll(cx) } else { Poll::Pending }
    }
}
