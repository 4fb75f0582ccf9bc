//! What tasks have logged, kept on disk: by execution, state and attempt, and by module for calls of the Lambda API.
//!
//! A call hands over what it logs, every second and when it ends, and never waits. One thread behind a bounded queue writes it to segments in the
//! data folder; what does not fit is lost, counted, and told. Each module has segments of its own: when there is no more room,
//! the oldest one of the module that has most goes. Places of entries are kept in memory and found anew at the start.

pub(crate) mod api;
mod entry;
mod follow;
mod page;
mod segment;
mod shelf;
mod writer;

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use executors::{CallLog, LogKeeper};
use tokio::sync::{Semaphore, watch};
use wasm_host::{Share, Shares};

use crate::limits::{
    TASK_LOG_ENTRIES_MAX, TASK_LOG_FOLLOWERS_MAX, TASK_LOG_QUEUE_BYTES_MAX, TASK_LOG_QUEUE_ITEMS_MAX,
    TASK_LOG_WRITE_PATIENCE,
};
use crate::observing::queue::{Queue, queue};
use shelf::Shelf;
use writer::Writer;

/// The folder in the data folder.
const FOLDER: &str = "task-logs";

/// The logs of tasks. The thread ends when nobody has them any more.
#[derive(Debug)]
pub struct TaskLogs {
    queue: Queue<(Share, CallLog)>,
    /// Of what waits to be written: a module that logs faster than that loses its own lines.
    pending: Shares,
    shelf: Arc<Shelf>,
    folder: PathBuf,
    /// Those that the queue has taken, and one for what was there before.
    offered: AtomicU64,
    /// How many of them are written, or lost.
    done: watch::Receiver<u64>,
    followers: Arc<Semaphore>,
}

/// How much is kept.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    bytes: u64,
    entries: usize,
}

/// The logs of tasks cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("the folder of the logs of tasks, {folder}, cannot be made: {source}. --task-logs-mib 0 keeps none.")]
pub struct TaskLogsError {
    folder: PathBuf,
    source: io::Error,
}

impl TaskLogs {
    /// Keeps so much in the folder `task-logs` of the data folder.
    pub fn start(data: &Path, mebibytes: u64) -> Result<TaskLogs, TaskLogsError> {
        let bounds = Bounds { bytes: mebibytes << 20, entries: TASK_LOG_ENTRIES_MAX };
        let folder = data.join(FOLDER);
        TaskLogs::start_in(&folder, bounds).map_err(|source| TaskLogsError { folder, source })
    }

    fn start_in(folder: &Path, bounds: Bounds) -> io::Result<TaskLogs> {
        // What tasks log is nobody else's business.
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let (queue, outlet) = queue(TASK_LOG_QUEUE_ITEMS_MAX, TASK_LOG_QUEUE_BYTES_MAX);
        let shelf = Arc::new(Shelf::new());
        let (sender, done) = watch::channel(0);
        let writer = Writer {
            folder: folder.to_owned(),
            bounds,
            outlet,
            shelf: Arc::clone(&shelf),
            done: sender,
            current: HashMap::new(),
            untold: 0,
            complained_at: None,
        };
        thread::Builder::new().name("task-logs".to_owned()).spawn(move || writer.run())?;
        Ok(TaskLogs {
            queue,
            pending: Shares::new(TASK_LOG_QUEUE_BYTES_MAX as u64),
            shelf,
            folder: folder.to_owned(),
            offered: AtomicU64::new(1),
            done,
            followers: Arc::new(Semaphore::new(TASK_LOG_FOLLOWERS_MAX)),
        })
    }

    /// Waits until all that was handed over before is written, or lost.
    pub async fn settle(&self, patience: Duration) {
        let goal = self.offered.load(Ordering::Acquire);
        let mut done = self.done.clone();
        let settled = tokio::time::timeout(patience, done.wait_for(|done| *done >= goal)).await;
        if settled.is_err() {
            tracing::warn!("logs of tasks wait for the disk");
        }
    }

    /// The same for a reader.
    async fn settle_to_read(&self) {
        self.settle(TASK_LOG_WRITE_PATIENCE).await;
    }

    /// Lines that were not kept since the start.
    fn lost(&self) -> u64 {
        self.shelf.lock().lost
    }
}

impl LogKeeper for TaskLogs {
    fn keep(&self, log: CallLog) {
        let texts: usize = log.lines.iter().map(|line| size_of_val(line) + line.message.len()).sum();
        let (bytes, lines) = (size_of_val(&log) + texts, log.lines.len() as u64);
        let share = self.pending.take(&log.module, bytes as u64);
        let Some(share) = share else { return self.queue.lose(lines) };
        if self.queue.offer(bytes, lines, (share, log)) {
            self.offered.fetch_add(1, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
