//! The threads that run guests and compile modules: two runtimes of their own, below everybody else's priority. What takes
//! long is below what doesn't.
//!
//! Guests must never delay HTTP, timers or the writer of the store. Measured: with both cores busy and equal
//! priorities, each write to the disk waited a scheduler tick (4 ms) more.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};

/// Added to the process's own nice value.
const NICE: i32 = 5;
/// The same for guests that compute for long, and for compiling: a third of the share of those that have just begun.
const NICE_SLOW: i32 = 10;
/// Threads for the guests' file access and for compiling.
const BLOCKING_THREADS_MAX: usize = 32;

#[derive(Debug)]
pub(crate) struct GuestThreads {
    quick: Handle,
    slow: Handle,
    runtimes: Mutex<Vec<Runtime>>,
}

impl GuestThreads {
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let (quick, slow) = (runtime("wasm-guest", count, NICE)?, runtime("wasm-slow", count, NICE_SLOW)?);
        Ok(Self {
            quick: quick.handle().clone(),
            slow: slow.handle().clone(),
            runtimes: Mutex::new(vec![quick, slow]),
        })
    }

    /// For what takes a moment.
    pub(crate) fn quick(&self) -> &Handle {
        &self.quick
    }

    /// For what computes.
    pub(crate) fn slow(&self) -> &Handle {
        &self.slow
    }

    /// Stops all that runs at its next pause, without waiting for it.
    pub(crate) fn stop(&self) {
        let runtimes = std::mem::take(&mut *self.runtimes.lock().unwrap_or_else(PoisonError::into_inner));
        for runtime in runtimes {
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

fn runtime(name: &'static str, threads: usize, nice: i32) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_name(name)
        .on_thread_start(move || lower_priority(nice))
        .enable_all()
        .build()
}

#[cfg(target_os = "linux")]
fn lower_priority(added: i32) {
    use rustix::process::{getpriority_process, setpriority_process};
    // On Linux "this process" in these calls is the calling thread alone.
    let lowered = getpriority_process(None).and_then(|nice| setpriority_process(None, nice + added));
    if let Err(error) = lowered {
        tracing::warn!(%error, "guest thread keeps its priority");
    }
}

/// Elsewhere the call would change the whole process.
#[cfg(not(target_os = "linux"))]
fn lower_priority(_: i32) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[tokio::test]
    async fn guest_threads_have_a_lower_priority() {
        let threads = GuestThreads::start(1).unwrap();
        let own = getpriority_process(None).unwrap();
        for (handle, added) in [(threads.quick(), NICE), (threads.slow(), NICE_SLOW)] {
            let guest = handle.spawn(async { getpriority_process(None).unwrap() });
            assert_eq!(guest.await.unwrap(), (own + added).min(19));
        }
    }
}
