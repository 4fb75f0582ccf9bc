//! Where what executions have written goes besides the store: to the logs that their machines ask for, and to the
//! Express executions that are kept to look at.
//!
//! The engine's driver hands events over and never waits. Each destination has a thread of its own behind a queue that
//! is bounded in bytes; what does not fit is lost, counted, and told.

mod group;
mod kept;
mod logs;
pub(crate) mod queue;

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use engine::{Observed, Observer, Written};

pub use kept::{Kept, KeptLimits};
pub use logs::LogsTo;

pub(crate) use kept::Wanted;

use kept::Keeper;
use logs::LogQueue;

/// The threads, for whoever must stop them.
#[derive(Debug)]
pub struct Observing {
    logs: Option<LogQueue>,
    kept: Option<(Keeper, Arc<Kept>)>,
    threads: Vec<JoinHandle<()>>,
}

/// Logs could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the folder of the execution logs cannot be made: {0}")]
pub struct ObservingError(#[from] std::io::Error);

impl Observing {
    /// Logs go to the folder `logs` of the data folder. Without limits no Express execution is kept.
    pub fn start(data: &Path, logs: LogsTo, limits: Option<KeptLimits>) -> Result<Observing, ObservingError> {
        let mut threads = Vec::new();
        let logs = logs::start(data, logs)?.map(|(queue, thread)| {
            threads.push(thread);
            queue
        });
        let kept = match limits {
            None => None,
            Some(limits) => {
                let (keeper, kept, thread) = kept::start(limits)?;
                threads.push(thread);
                Some((keeper, kept))
            }
        };
        Ok(Observing { logs, kept, threads })
    }

    /// For the engine of Standard executions.
    pub fn standard(&self) -> (Observed, Arc<dyn Observer>) {
        let observed = if self.logs.is_some() { Observed::Logged } else { Observed::Nothing };
        (observed, Arc::new(Outlets { logs: self.logs.clone(), keeper: None }))
    }

    /// For that of Express executions.
    pub fn express(&self) -> (Observed, Arc<dyn Observer>) {
        let keeper = self.kept.as_ref().map(|(keeper, _)| keeper.clone());
        let observed = match (&keeper, &self.logs) {
            (Some(_), _) => Observed::All,
            (None, Some(_)) => Observed::Logged,
            (None, None) => Observed::Nothing,
        };
        (observed, Arc::new(Outlets { logs: self.logs.clone(), keeper }))
    }

    /// The Express executions that are kept, if any are.
    pub fn kept(&self) -> Option<Arc<Kept>> {
        self.kept.as_ref().map(|(_, kept)| Arc::clone(kept))
    }

    /// Waits until all that was handed over is written; the engines must have stopped.
    pub async fn stop(self, patience: Duration) {
        let Observing { logs, kept, threads } = self;
        drop((logs, kept));
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread of the execution logs failed");
                }
            }
        });
        if tokio::time::timeout(patience, joined).await.is_err() {
            tracing::warn!("the execution logs were cut off by the stop");
        }
    }
}

/// What one engine tells.
#[derive(Debug)]
struct Outlets {
    logs: Option<LogQueue>,
    keeper: Option<Keeper>,
}

impl Observer for Outlets {
    fn wrote(&self, written: Written) {
        if let (Some(logs), Some(logging)) = (&self.logs, &written.logging) {
            logs.log(&written, logging);
        }
        if let Some(keeper) = &self.keeper {
            keeper.keep(written);
        }
    }
}
