//! The logs of calls, for whoever keeps them.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use asl::Text;
use asl::interpreter::ExecutionId;
use engine::TaskDispatch;
use uuid::Uuid;
use wasm_host::{Call, Host, LogLine, LogWatch, Outcome};

/// Ours: how long the lines of a call that goes on may wait to be seen.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What one call wrote to its log, standard output and standard error: all of it, or a part in its order.
#[derive(Debug, Clone, PartialEq)]
pub struct CallLog {
    pub caller: LogCaller,
    /// The module's name.
    pub module: Arc<str>,
    /// As AWS writes it.
    pub version: String,
    /// At least one.
    pub lines: Vec<LogLine>,
}

/// Who called the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogCaller {
    Attempt {
        execution: ExecutionId,
        execution_arn: Text,
        state_name: Text,
        /// 0 for the first attempt of the state, then one more for each retry.
        attempt: u32,
        /// Another one for each attempt of the execution.
        attempt_id: u64,
    },
    /// A client of the Lambda API.
    Request(Uuid),
}

impl LogCaller {
    pub(crate) fn attempt(task: &TaskDispatch) -> LogCaller {
        LogCaller::Attempt {
            execution: task.execution,
            execution_arn: task.execution_arn.clone(),
            state_name: task.request.state_name.clone(),
            attempt: task.request.retry_count,
            attempt_id: task.request.attempt.0,
        }
    }
}

/// Keeps the logs of calls.
pub trait LogKeeper: fmt::Debug + Send + Sync + 'static {
    /// A task waits for this, so it must not wait for anything.
    fn keep(&self, log: CallLog);
}

/// Where the log of one call goes, while it runs and when it is over.
#[derive(Debug)]
pub(crate) struct LogTarget {
    pub(crate) keeper: Option<Arc<dyn LogKeeper>>,
    pub(crate) caller: LogCaller,
    pub(crate) module: Arc<str>,
    pub(crate) version: String,
    /// Lines that were handed over.
    pub(crate) told: usize,
}

impl LogTarget {
    /// Performs a call, and hands over now and then what it has logged since.
    pub(crate) async fn call(&mut self, host: &Host, mut call: Call) -> Outcome {
        let watch = LogWatch::default();
        call.log_watch = Some(watch.clone());
        let mut calling = pin!(host.call(call));
        loop {
            tokio::select! {
                // Most calls are over when they are first polled, and no timer is set for them.
                biased;
                outcome = &mut calling => return outcome,
                () = tokio::time::sleep(LOOK_INTERVAL) => {
                    let lines = watch.lines_after(self.told);
                    self.told += lines.len();
                    self.hand_over(lines);
                }
            }
        }
    }

    /// Hands over the rest of what a call has logged.
    pub(crate) fn finish(self, mut lines: Vec<LogLine>) {
        let rest = lines.split_off(self.told.min(lines.len()));
        self.hand_over(rest);
    }

    fn hand_over(&self, lines: Vec<LogLine>) {
        for line in &lines {
            tracing::debug!(source = line.source.name(), message = %line.message, "the module wrote to its log");
        }
        if let Some(keeper) = self.keeper.as_ref().filter(|_| !lines.is_empty()) {
            let (caller, module, version) =
                (self.caller.clone(), Arc::clone(&self.module), self.version.clone());
            keeper.keep(CallLog { caller, module, version, lines });
        }
    }
}
