//! The one executor: hands each task to whoever knows its resource.

use engine::{TaskDispatch, TaskExecutor, TaskOutcome};
use tokio_util::sync::CancellationToken;

use crate::module::{ModuleExecutor, Modules};
use crate::step_functions::{self, Call, StepFunctions};

/// Performs every task for which this project has an integration.
#[derive(Debug)]
pub struct Executor<M, F> {
    modules: ModuleExecutor<M>,
    step_functions: F,
}

impl<M: Modules, F: StepFunctions> Executor<M, F> {
    pub fn new(modules: ModuleExecutor<M>, step_functions: F) -> Executor<M, F> {
        Executor { modules, step_functions }
    }
}

impl<M: Modules, F: StepFunctions> TaskExecutor for Executor<M, F> {
    async fn run(&self, task: TaskDispatch, cancel: CancellationToken) -> TaskOutcome {
        match Call::of(&task.request.resource) {
            Some(call) => step_functions::perform(&self.step_functions, &call, &task, &cancel).await,
            None => self.modules.run(task, cancel).await,
        }
    }
}
