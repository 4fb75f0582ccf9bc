//! What the engine is started with.

use std::sync::Arc;
use std::time::Duration;

use crate::observer::Observer;
use crate::shard;

/// Bounds of the engine. Each has a default that suits one machine.
#[derive(Debug, Clone)]
pub struct Options {
    pub shard: shard::Options,
    /// Requests that may wait for the driver; beyond it they are refused as overload.
    pub requests_max: usize,
    /// Task attempts that run at once; the others wait in order.
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
            tasks_running_max: 1_024,
            activity_poll: Duration::from_secs(60),
            observer: None,
        }
    }
}
