//! The port through which the engine has tasks performed.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use asl::interpreter::{ErrorOutput, ExecutionId, TaskRequest, TaskUsage};
use asl::{Data, Text, Timestamp};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// One attempt of one task, with what its context needs.
#[derive(Clone)]
pub struct TaskDispatch {
    pub execution: ExecutionId,
    pub execution_arn: asl::Text,
    pub execution_name: asl::Text,
    pub state_machine_arn: asl::Text,
    /// When the execution began; a redrive does not change it.
    pub started_at: Timestamp,
    pub request: TaskRequest,
    /// Tells the engine that the attempt is alive.
    pub heartbeat: Arc<dyn Fn() + Send + Sync>,
    /// Set where somebody looks at what an attempt says over HTTP.
    pub watch: Option<Watch>,
}

/// Whoever is told of requests and their answers.
#[derive(Clone)]
pub struct Watch {
    pub reveals_secrets: bool,
    pub tell: Arc<dyn Fn(Exchange) + Send + Sync>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Watch")
            .field("reveals_secrets", &self.reveals_secrets)
            .finish_non_exhaustive()
    }
}

/// A request of an attempt, and its answer if there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub request: ExchangeSide,
    pub response: Option<ExchangeSide>,
}

/// As it is shown to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeSide {
    pub protocol: String,
    /// The method, or the status.
    pub first: String,
    /// The URL, or the words beside the status.
    pub second: String,
    pub headers: String,
    pub body: String,
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

/// Names a line in which attempts wait for places.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Line {
    pub name: Text,
    /// The lines of a group have together no more places than a line without one may have alone. For names of which
    /// anybody can make any number.
    pub group: Option<&'static str>,
}

impl Line {
    pub fn of(name: Text) -> Line {
        Line { name, group: None }
    }
}

/// Performs task attempts. An attempt may be performed again after a crash; only one result is accepted.
pub trait TaskExecutor: Send + Sync + 'static {
    /// Runs one attempt to its end, or until it is cancelled, when the result no longer matters.
    fn run(&self, task: TaskDispatch, cancel: CancellationToken) -> impl Future<Output = TaskOutcome> + Send;

    /// Where an attempt runs, if not where the engine does. An executor whose work is done on threads of its own saves
    /// each attempt the way there and back.
    fn runtime(&self, _request: &TaskRequest) -> Option<&Handle> {
        None
    }

    /// The line in which an attempt waits for a place: those of one line cannot keep the others waiting. It is named
    /// after what may be slow, such as the function.
    fn line(&self, request: &TaskRequest) -> Line {
        Line::of(request.resource.clone())
    }
}

/// Runs an attempt; a panic of the executor becomes an outcome.
pub(crate) async fn run_guarded<E: TaskExecutor>(
    executor: &E,
    task: TaskDispatch,
    cancel: CancellationToken,
) -> TaskOutcome {
    let work = AssertUnwindSafe(executor.run(task, cancel));
    work.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("an executor panicked");
        let error = ErrorOutput::new("Lambda.ServiceException", "The executor of this task failed.");
        TaskOutcome { result: Err(error), usage: None }
    })
}

/// The executor without its type, for attempts that belong to no execution.
#[derive(Clone)]
pub(crate) struct AnyExecutor(
    Arc<dyn Fn(TaskDispatch, CancellationToken) -> BoxFuture<'static, TaskOutcome> + Send + Sync>,
);

impl AnyExecutor {
    pub(crate) fn new<E: TaskExecutor>(executor: Arc<E>) -> AnyExecutor {
        AnyExecutor(Arc::new(move |task, cancel| {
            let executor = Arc::clone(&executor);
            async move { run_guarded(&*executor, task, cancel).await }.boxed()
        }))
    }

    pub(crate) async fn run(&self, task: TaskDispatch, cancel: CancellationToken) -> TaskOutcome {
        (self.0)(task, cancel).await
    }
}

impl std::fmt::Debug for AnyExecutor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AnyExecutor").finish_non_exhaustive()
    }
}
