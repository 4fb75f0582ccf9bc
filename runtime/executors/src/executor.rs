//! The one executor: hands each task to whoever knows its resource.

use std::sync::Arc;

use asl::interpreter::TaskRequest;
use engine::{Line, TaskDispatch, TaskExecutor, TaskOutcome};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::http::{self, Connections, HttpTasks};
use crate::module::{ModuleExecutor, Modules};
use crate::step_functions::{self, Call, StepFunctions};

/// Ours: a task that does nothing but await its answer. It hands back its input, so that history shows what is asked.
const AWAIT_CALLBACK: &str = "arn:aws:states:::stepwell:awaitCallback.waitForTaskToken";

/// Performs every task for which this project has an integration.
#[derive(Debug)]
pub struct Executor<M, F, C> {
    modules: Arc<ModuleExecutor<M>>,
    step_functions: F,
    http: HttpTasks<C>,
}

impl<M: Modules, F: StepFunctions, C: Connections> Executor<M, F, C> {
    pub fn new(modules: Arc<ModuleExecutor<M>>, step_functions: F, http: HttpTasks<C>) -> Executor<M, F, C> {
        Executor { modules, step_functions, http }
    }
}

impl<M: Modules, F: StepFunctions, C: Connections> TaskExecutor for Executor<M, F, C> {
    async fn run(&self, task: TaskDispatch, cancel: CancellationToken) -> TaskOutcome {
        if http::is_http(&task.request.resource) {
            return self.http.run(&task, &cancel).await;
        }
        if &*task.request.resource == AWAIT_CALLBACK {
            return TaskOutcome { result: Ok(task.request.input), usage: None };
        }
        match Call::of(&task.request.resource) {
            Some(call) => step_functions::perform(&self.step_functions, &call, &task, &cancel).await,
            None => self.modules.run(task, cancel).await,
        }
    }

    fn runtime(&self, request: &TaskRequest) -> Option<&Handle> {
        let resource = &request.resource;
        let is_module =
            !http::is_http(resource) && &**resource != AWAIT_CALLBACK && Call::of(resource).is_none();
        if is_module { self.modules.runtime(request) } else { None }
    }

    fn line(&self, request: &TaskRequest) -> Line {
        if http::is_http(&request.resource) { http::line(request) } else { self.modules.line(request) }
    }
}
