//! The clock that makes guests yield: advances the engine's epoch every 10 ms.
//!
//! It has a thread of its own, because a runtime whose workers all run guests would not get to a timer, and that
//! is exactly when the tick is needed.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasmtime::Engine;

/// Measured: with 10 ms, other work on a guest's thread waits for 10 to 20 ms at most, and the tick costs nothing.
const TICK: Duration = Duration::from_millis(10);

/// Ends its thread when dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    /// Never sent on: closing it is the signal.
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> io::Result<Self> {
        let engine = engine.weak();
        let (stop, stopped) = sync_channel(0);
        let thread = thread::Builder::new().name("wasm-ticker".to_owned()).spawn(move || {
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let Some(engine) = engine.upgrade() else { return };
                engine.increment_epoch();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // It sleeps at most until the channel closes, so this does not wait; it cannot have panicked.
            let _ = thread.join();
        }
    }
}
