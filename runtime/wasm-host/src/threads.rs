//! The threads that run guests and compile modules: a runtime of their own, below everybody else's priority.
//!
//! Guests must never delay HTTP, timers or the writer of the store. Measured: with both cores busy and equal
//! priorities, each write to the disk waited a scheduler tick (4 ms) more.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};

/// Added to the process's own nice value.
const NICE: i32 = 5;
/// Threads for the guests' file access and for compiling.
const BLOCKING_THREADS_MAX: usize = 32;

#[derive(Debug)]
pub(crate) struct GuestThreads {
    handle: Handle,
    runtime: Mutex<Option<Runtime>>,
}

impl GuestThreads {
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(count.max(1))
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .thread_name("wasm-guest")
            .on_thread_start(lower_priority)
            .enable_all()
            .build()?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Mutex::new(Some(runtime)) })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Stops all that runs at its next pause, without waiting for it.
    pub(crate) fn stop(&self) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(runtime) = runtime {
            // A plain drop would panic when the last handle to the host goes in an async context.
            runtime.shutdown_background();
        }
    }
}

impl Drop for GuestThreads {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(target_os = "linux")]
fn lower_priority() {
    use rustix::process::{getpriority_process, setpriority_process};
    // On Linux "this process" in these calls is the calling thread alone.
    let lowered = getpriority_process(None).and_then(|nice| setpriority_process(None, nice + NICE));
    if let Err(error) = lowered {
        tracing::warn!(%error, "guest thread keeps its priority");
    }
}

/// Elsewhere the call would change the whole process.
#[cfg(not(target_os = "linux"))]
fn lower_priority() {
    let _ = NICE;
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[tokio::test]
    async fn guest_threads_have_a_lower_priority() {
        let threads = GuestThreads::start(1).unwrap();
        let own = getpriority_process(None).unwrap();
        let guest = threads.handle().spawn(async { getpriority_process(None).unwrap() });
        assert_eq!(guest.await.unwrap(), (own + NICE).min(19));
    }
}
