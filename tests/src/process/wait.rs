//! Waiting for what another process does in its own time. Tests pause here and nowhere else.

use std::thread;
use std::time::{Duration, Instant};

/// What a test grants the server for anything that it should do soon; a machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// Looks until there is something, and fails when that takes longer than `patience`.
#[track_caller]
pub fn wait_for<T>(what: &str, patience: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < patience, "waited {} s in vain for {what}", patience.as_secs());
        pause(LOOK_INTERVAL);
    }
}

/// Lets the server work for a while, such as until the moment at which it is killed.
pub fn pause(duration: Duration) {
    thread::park_timeout(duration);
}
