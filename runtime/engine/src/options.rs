//! What the engine is started with.

use std::sync::Arc;
use std::time::Duration;

use crate::observer::Observer;
use crate::shard;

/// Ours: each holds an input of up to 256 KiB. One function that is alone gets 1,024 of them.
const TASKS_RUNNING_MAX_DEFAULT: usize = 1_280;

/// Bounds of the engine. Each has a default that suits one machine.
#[derive(Debug, Clone)]
pub struct Options {
    pub shard: shard::Options,
    /// Requests that may wait for the driver; beyond it they are refused as overload.
    pub requests_max: usize,
    /// Task attempts that run at once; the others wait, each function's in order. One function never has more than four
    /// fifths of these places.
    pub tasks_running_max: usize,
    /// AWS: how long a worker's poll is held.
    pub activity_poll: Duration,
    /// Who is told of what `shard` observes.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            shard: shard::Options::default(),
            requests_max: 8_192,
            tasks_running_max: TASKS_RUNNING_MAX_DEFAULT,
            activity_poll: Duration::from_secs(60),
            observer: None,
        }
    }
}
