//! Runs tasks as WebAssembly modules in the sandbox.

use std::sync::Arc;

use asl::Data;
use asl::interpreter::{ErrorOutput, TaskUsage};
use engine::arn::FunctionArn;
use engine::{TaskDispatch, TaskExecutor, TaskOutcome};
use tokio_util::sync::CancellationToken;
use wasm_host::{Call, Context, Digest, Host, Limits, Outcome, Usage};

use crate::failure;
use crate::invoke;
use crate::resource::{self, Form, Invocation, ModuleCall};

/// The account and region of names without them.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    pub region: String,
}

/// What a function's name and qualifier mean now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleVersion {
    pub version: u32,
    pub digest: Digest,
}

/// Finds modules by name; whoever has the registry implements it.
pub trait Modules: Send + Sync + 'static {
    /// None if there is no such module or version; an error if the registry cannot be read.
    fn find(
        &self,
        name: &str,
        qualifier: Option<&str>,
    ) -> impl Future<Output = Result<Option<ModuleVersion>, String>> + Send;
}

/// The executor of tasks whose Resource is a function or `lambda:invoke`.
#[derive(Debug)]
pub struct ModuleExecutor<M> {
    host: Host,
    modules: Arc<M>,
    account: Account,
    limits: Limits,
}

impl<M: Modules> ModuleExecutor<M> {
    pub fn new(host: Host, modules: M, account: Account) -> ModuleExecutor<M> {
        ModuleExecutor { host, modules: Arc::new(modules), account, limits: Limits::default() }
    }

    async fn perform(
        &self,
        task: TaskDispatch,
        cancel: CancellationToken,
    ) -> Result<TaskOutcome, ErrorOutput> {
        let ModuleCall { function, payload, form } =
            resource::read(&task.request.resource, &task.request.input, &self.account)?;
        let module = self.find(&function).await?;
        let call = self.call(task, module.digest, &payload, cancel);
        let version = match function.qualifier() {
            None | Some("$LATEST") => "$LATEST".to_owned(),
            Some(_) => module.version.to_string(),
        };
        match form {
            Form::Plain => Ok(outcome(self.host.call(call).await, &function, |output| output)),
            Form::Envelope(invocation @ Invocation::RequestResponse) => {
                let envelope = |output: Data| invoke::envelope(invocation, &version, Some(&output));
                Ok(outcome(self.host.call(call).await, &function, envelope))
            }
            Form::Envelope(invocation @ Invocation::DryRun) => {
                Ok(TaskOutcome { result: Ok(invoke::envelope(invocation, &version, None)), usage: None })
            }
            Form::Envelope(invocation @ Invocation::Event) => {
                // It runs on its own, as AWS runs it: the state goes on, and nobody hears how it ended.
                let (host, mut call) = (self.host.clone(), call);
                call.cancel = CancellationToken::new();
                tokio::spawn(async move { host.call(call).await });
                Ok(TaskOutcome { result: Ok(invoke::envelope(invocation, &version, None)), usage: None })
            }
        }
    }

    async fn find(&self, function: &FunctionArn) -> Result<ModuleVersion, ErrorOutput> {
        match self.modules.find(function.name(), function.qualifier()).await {
            Ok(Some(module)) => Ok(module),
            Ok(None) => Err(failure::not_found(function)),
            Err(why) => Err(ErrorOutput::new("Lambda.ServiceException", why)),
        }
    }

    fn call(&self, task: TaskDispatch, digest: Digest, payload: &Data, cancel: CancellationToken) -> Call {
        let mut call = Call::new(digest, payload.text());
        call.limits = self.limits.clone();
        call.context = Context {
            execution_arn: task.execution_arn.to_string(),
            execution_name: task.execution_name.to_string(),
            state_machine_arn: task.state_machine_arn.to_string(),
            state_name: task.request.state_name.to_string(),
            attempt: task.request.retry_count,
            task_token: task.request.token,
        };
        call.heartbeat = Some(task.heartbeat);
        call.cancel = cancel;
        call
    }
}

impl<M: Modules> TaskExecutor for ModuleExecutor<M> {
    async fn run(&self, task: TaskDispatch, cancel: CancellationToken) -> TaskOutcome {
        self.perform(task, cancel)
            .await
            .unwrap_or_else(|error| TaskOutcome { result: Err(error), usage: None })
    }
}

fn outcome(outcome: Outcome, function: &FunctionArn, answer: impl FnOnce(Data) -> Data) -> TaskOutcome {
    for line in &outcome.log {
        tracing::debug!(source = ?line.source, message = %line.message, "the module wrote to its log");
    }
    let result = match outcome.result {
        Ok(output) => Ok(answer(Data::from_valid_text(output))),
        Err(failure) => Err(failure::error_output(&failure, function)),
    };
    TaskOutcome { result, usage: Some(usage(outcome.usage)) }
}

fn usage(usage: Usage) -> TaskUsage {
    TaskUsage {
        fuel: usage.fuel,
        memory_bytes_peak: u64::try_from(usage.memory_bytes_peak).unwrap_or(u64::MAX),
        wall_microseconds: u64::try_from(usage.wall.as_micros()).unwrap_or(u64::MAX),
        cold: usage.cold,
    }
}
