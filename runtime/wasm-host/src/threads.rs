//! The threads that run guests and compile modules: runtimes of their own, below everybody else's priority. What takes
//! longer is below what doesn't.
//!
//! Guests must never delay HTTP, timers or the writer of the store. Measured: with both cores busy and equal
//! priorities, each write to the disk waited a scheduler tick (4 ms) more.

use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::runtime::{Builder, Handle, Runtime};

use crate::guest_files::limits::FILE_OPERATIONS_MAX;

/// The threads of each lane, the quickest first: their name, and what is added to the process's own nice value. Each has
/// about half of the share of the one before.
const LANES: [(&str, i32); LANES_COUNT] =
    [("wasm-guest", 5), ("wasm-short", 8), ("wasm-long", 11), ("wasm-slow", 14)];
pub(crate) const LANES_COUNT: usize = 4;
/// Threads for the guests' file access, and as many for loading and compiling modules.
const BLOCKING_THREADS_MAX: usize = 2 * FILE_OPERATIONS_MAX as usize;
/// After so many tasks a thread looks at those that came from other threads. With tokio's own 31 to 127, a call waits
/// behind dozens of calls that are on the thread already.
const TASKS_BEFORE_ARRIVALS: u32 = 2;
/// The same for timers and sockets, where tokio's is 61.
const TASKS_BEFORE_EVENTS: u32 = 16;

#[derive(Debug)]
pub(crate) struct GuestThreads {
    lanes: [Handle; LANES_COUNT],
    runtimes: Mutex<Vec<Runtime>>,
}

impl GuestThreads {
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let runtimes = LANES.map(|(name, nice)| runtime(name, count, nice));
        let runtimes = runtimes.into_iter().collect::<io::Result<Vec<_>>>()?;
        let lanes = std::array::from_fn(|lane| runtimes[lane].handle().clone());
        Ok(Self { lanes, runtimes: Mutex::new(runtimes) })
    }

    /// The quickest first.
    pub(crate) fn lanes(&self) -> &[Handle; LANES_COUNT] {
        &self.lanes
    }

    /// For what computes.
    pub(crate) fn slow(&self) -> &Handle {
        &self.lanes[LANES_COUNT - 1]
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
        .global_queue_interval(TASKS_BEFORE_ARRIVALS)
        .event_interval(TASKS_BEFORE_EVENTS)
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
        for (handle, (_, added)) in threads.lanes().iter().zip(LANES) {
            let guest = handle.spawn(async { getpriority_process(None).unwrap() });
            assert_eq!(guest.await.unwrap(), (own + added).min(19));
        }
    }
}
