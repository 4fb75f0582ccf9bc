//! The logs of calls, for whoever keeps them.

use std::fmt;
use std::sync::Arc;

use asl::Text;
use asl::interpreter::ExecutionId;
use engine::TaskDispatch;
use uuid::Uuid;
use wasm_host::LogLine;

/// What one call wrote to its log, standard output and standard error.
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

/// Where the log of one call goes when it is over.
#[derive(Debug, Clone)]
pub(crate) struct LogTarget {
    pub(crate) keeper: Option<Arc<dyn LogKeeper>>,
    pub(crate) caller: LogCaller,
    pub(crate) module: Arc<str>,
    pub(crate) version: String,
}

impl LogTarget {
    pub(crate) fn keep(self, lines: Vec<LogLine>) {
        for line in &lines {
            tracing::debug!(source = line.source.name(), message = %line.message, "the module wrote to its log");
        }
        if let Some(keeper) = self.keeper.filter(|_| !lines.is_empty()) {
            keeper.keep(CallLog { caller: self.caller, module: self.module, version: self.version, lines });
        }
    }
}
