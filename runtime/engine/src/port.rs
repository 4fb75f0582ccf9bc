//! The port through which the engine has tasks performed.

use std::sync::Arc;

use asl::Data;
use asl::interpreter::{ErrorOutput, ExecutionId, TaskRequest, TaskUsage};
use tokio_util::sync::CancellationToken;

/// One attempt of one task, with what its context needs.
#[derive(Clone)]
pub struct TaskDispatch {
    pub execution: ExecutionId,
    pub execution_arn: asl::Text,
    pub execution_name: asl::Text,
    pub state_machine_arn: asl::Text,
    pub request: TaskRequest,
    /// Tells the engine that the attempt is alive.
    pub heartbeat: Arc<dyn Fn() + Send + Sync>,
}

/// Inputs and tokens are no business of a log.
impl std::fmt::Debug for TaskDispatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TaskDispatch")
            .field("execution", &self.execution_arn)
            .field("state", &self.request.state_name)
            .field("resource", &self.request.resource)
            .field("attempt", &self.request.attempt)
            .finish_non_exhaustive()
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskOutcome {
    pub result: Result<Data, ErrorOutput>,
    pub usage: Option<TaskUsage>,
}

/// Performs task attempts. An attempt may be performed again after a crash; only one result is accepted.
pub trait TaskExecutor: Send + Sync + 'static {
    /// Runs one attempt to its end, or until it is cancelled, when the result no longer matters.
    fn run(&self, task: TaskDispatch, cancel: CancellationToken) -> impl Future<Output = TaskOutcome> + Send;
}
