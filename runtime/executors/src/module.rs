//! Runs tasks as WebAssembly modules in the sandbox.

use std::sync::Arc;
use std::time::Duration;

use asl::interpreter::{ErrorOutput, ExecutionId, TaskRequest, TaskUsage};
use asl::{Data, Timestamp};
use engine::arn::FunctionArn;
use engine::{Line, TaskDispatch, TaskExecutor, TaskOutcome};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use wasm_host::{
    Call, Context, Digest, Effective, Failure, Host, LogLine, Outcome, SecretSource, Source, Usage,
};

use crate::call_log::{LogCaller, LogKeeper, LogTarget};
use crate::failure::{self, Denied, error_output};
use crate::function_endpoint::FunctionEndpoint;
use crate::invoke::{self, Answer, Cost};
use crate::resource::{self, Form, FunctionCall, Invocation, LogType};

/// What history calls the service of `lambda:invoke`.
pub(crate) const SERVICE: &str = "lambda";

/// The account and region of names without them.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    pub region: String,
}

/// What a function's name and qualifier mean now.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleVersion {
    /// The module's name.
    pub name: Arc<str>,
    /// None if the newest upload was asked for, whatever its number.
    pub version: Option<u32>,
    pub digest: Digest,
    /// Its limits and grants.
    pub permits: Effective,
}

impl ModuleVersion {
    /// As AWS writes it.
    pub(crate) fn version_name(&self) -> String {
        self.version.map_or_else(|| "$LATEST".to_owned(), |version| version.to_string())
    }
}

/// For whom a function is looked up.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Names mean what they meant then, so that an execution keeps the versions that it began with.
    pub began_at: Timestamp,
    /// Chooses between the two versions of an alias: the same number, the same version.
    pub draw: u64,
}

impl Caller {
    /// An execution, which draws with its id.
    pub fn execution(id: ExecutionId, began_at: Timestamp) -> Caller {
        // The low half of an id is random.
        Caller { began_at, draw: u64::try_from(id.0 & u128::from(u64::MAX >> 2)).expect("62 bits") }
    }
}

/// What the registry knows of a function.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    Version(Arc<ModuleVersion>),
    /// There is a module of this name, but not this version of it.
    NoVersion,
    NoModule,
}

/// Finds modules by name; whoever has the registry implements it.
pub trait Modules: Send + Sync + 'static {
    /// What a name and a version or alias meant when the caller began; an error if what is kept of it cannot be read.
    fn find(
        &self,
        name: &str,
        qualifier: Option<&str>,
        caller: Caller,
    ) -> impl Future<Output = Result<Found, String>> + Send;

    /// The values of the secrets that are put for a module.
    fn secrets(&self, name: &str) -> Arc<dyn SecretSource>;
}

/// The executor of tasks whose Resource is a function or `lambda:invoke`.
#[derive(Debug)]
pub struct ModuleExecutor<M> {
    host: Host,
    modules: Arc<M>,
    account: Account,
    /// Where functions are called that are no modules here.
    endpoint: Option<FunctionEndpoint>,
    /// Who keeps what calls log, if anybody does.
    logs: Option<Arc<dyn LogKeeper>>,
}

impl<M: Modules> ModuleExecutor<M> {
    pub fn new(host: Host, modules: M, account: Account) -> ModuleExecutor<M> {
        ModuleExecutor { host, modules: Arc::new(modules), account, endpoint: None, logs: None }
    }

    /// Calls functions at an endpoint for which there is no module.
    pub fn with_endpoint(self, endpoint: Option<FunctionEndpoint>) -> ModuleExecutor<M> {
        ModuleExecutor { endpoint, ..self }
    }

    /// Hands the log of each call over.
    pub fn with_logs(self, logs: Option<Arc<dyn LogKeeper>>) -> ModuleExecutor<M> {
        ModuleExecutor { logs, ..self }
    }

    async fn perform(
        &self,
        task: TaskDispatch,
        cancel: CancellationToken,
    ) -> Result<TaskOutcome, ErrorOutput> {
        let function_call = resource::read(&task.request.resource, &task.request.input, &self.account)?;
        let caller = Caller::execution(task.execution, task.started_at);
        let Some(module) = self.find(&function_call.function, caller).await? else {
            let result = match &self.endpoint {
                Some(endpoint) => endpoint.call(&function_call, &self.account, &cancel).await,
                None => Err(failure::not_found(&function_call.function)),
            };
            return Ok(TaskOutcome { result, usage: None });
        };
        let FunctionCall { function, payload, form, client_context: _ } = function_call;
        let resource = task.request.resource.clone();
        let permits = &module.permits;
        let version = module.version_name();
        let mut target = self.log_target(LogCaller::attempt(&task), &module.name, &version);
        let call = self.call(task, &module, &payload, cancel);
        let Form::Envelope { invocation, log } = form else {
            let outcome = target.call(&self.host, call).await;
            return Ok(task_outcome(
                outcome,
                target,
                |failure, denied| {
                    error_output(failure, &denied.also(&permits.withheld), &function, &resource)
                },
                |_, _, output| output,
            ));
        };
        if invocation != Invocation::RequestResponse {
            if invocation == Invocation::Event {
                self.call_apart(call, target);
            }
            let answer = Answer { invocation, version: &version, payload: None, log: None };
            return Ok(TaskOutcome { result: Ok(invoke::envelope(&answer)), usage: None });
        }
        let memory_bytes = call.limits.memory_bytes;
        let answer = |lines: &[LogLine], usage, output: Data| {
            let log = (log == LogType::Tail).then_some((lines, Cost { usage, memory_bytes }));
            invoke::envelope(&Answer { invocation, version: &version, payload: Some(&output), log })
        };
        let error = |failure: &Failure, denied: Denied<'_>| {
            rewritten(error_output(failure, &denied.also(&permits.withheld), &function, SERVICE))
        };
        let outcome = target.call(&self.host, call).await;
        Ok(task_outcome(outcome, target, error, answer))
    }

    /// It runs on its own, as AWS runs it: the state goes on, and nobody hears how it ended.
    fn call_apart(&self, mut call: Call, mut log: LogTarget) {
        let host = self.host.clone();
        call.cancel = CancellationToken::new();
        tokio::spawn(async move {
            let outcome = log.call(&host, call).await;
            log.finish(outcome.log);
        });
    }

    pub(crate) fn log_target(&self, caller: LogCaller, module: &Arc<str>, version: &str) -> LogTarget {
        let (keeper, version) = (self.logs.clone(), version.to_owned());
        LogTarget { keeper, caller, module: Arc::clone(module), version, told: 0 }
    }

    /// None if the function is no module.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn modules(&self) -> &M {
        &self.modules
    }

    async fn find(
        &self,
        function: &FunctionArn,
        caller: Caller,
    ) -> Result<Option<Arc<ModuleVersion>>, ErrorOutput> {
        match self.modules.find(function.name(), function.qualifier(), caller).await {
            Ok(Found::Version(module)) => Ok(Some(module)),
            Ok(Found::NoVersion) => Err(failure::not_found(function)),
            Ok(Found::NoModule) => Ok(None),
            Err(why) => Err(service_exception(why)),
        }
    }

    fn call(
        &self,
        task: TaskDispatch,
        module: &ModuleVersion,
        payload: &Data,
        cancel: CancellationToken,
    ) -> Call {
        let grants = &module.permits.grants;
        let is_deterministic = [grants.clocks, grants.randomness].contains(&Source::Deterministic);
        let seed = if is_deterministic { seed(&task) } else { 0 };
        let context = Context {
            execution_arn: task.execution_arn.0,
            execution_name: task.execution_name.0,
            state_machine_arn: task.state_machine_arn.0,
            state_name: task.request.state_name.0,
            attempt: task.request.retry_count,
            seed,
            task_token: task.request.token,
        };
        let mut call = self.module_call(module, payload.text(), context);
        call.heartbeat = Some(task.heartbeat);
        call.cancel = cancel;
        call
    }

    /// A call of a module within what it is permitted, whoever makes it.
    pub(crate) fn module_call(&self, module: &ModuleVersion, payload: &str, context: Context) -> Call {
        let Effective { limits, grants, withheld: _ } = &module.permits;
        let mut call = Call::of(Arc::clone(&module.name), module.digest, payload);
        call.limits = limits.clone();
        call.grants = grants.clone();
        if !grants.secrets.is_empty() {
            call.secrets = Some(self.modules.secrets(&module.name));
        }
        call.context = context;
        call
    }
}

impl<M: Modules> TaskExecutor for ModuleExecutor<M> {
    async fn run(&self, task: TaskDispatch, cancel: CancellationToken) -> TaskOutcome {
        self.perform(task, cancel)
            .await
            .unwrap_or_else(|error| TaskOutcome { result: Err(error), usage: None })
    }

    /// That of the module host, unless the function may be one at an endpoint, which is no work for threads of guests.
    fn runtime(&self, _request: &TaskRequest) -> Option<&Handle> {
        self.endpoint.is_none().then(|| self.host.runtime())
    }

    fn line(&self, request: &TaskRequest) -> Line {
        let function = resource::function_name(&request.resource, &request.input, &self.account);
        Line::of(function.unwrap_or_else(|| request.resource.clone()))
    }
}

/// The same for every run of one attempt, and for nothing else.
fn seed(task: &TaskDispatch) -> u128 {
    let attempt = format!("{} {} {}", task.execution.0, task.request.row.0, task.request.attempt.0);
    let digest = Digest::of(attempt.as_bytes());
    let start = digest.as_bytes().first_chunk().expect("a digest has 32 bytes");
    u128::from_be_bytes(*start)
}

fn service_exception(why: String) -> ErrorOutput {
    ErrorOutput::new("Lambda.ServiceException", why)
}

fn task_outcome(
    outcome: Outcome,
    log: LogTarget,
    error: impl FnOnce(&Failure, Denied<'_>) -> ErrorOutput,
    answer: impl FnOnce(&[LogLine], Usage, Data) -> Data,
) -> TaskOutcome {
    let usage = usage(&outcome);
    let result = match outcome.result {
        Ok(output) => Ok(answer(&outcome.log, outcome.usage, Data::from_valid_text(output))),
        Err(failure) => Err(error(&failure, Denied::of(&outcome.denied))),
    };
    log.finish(outcome.log);
    TaskOutcome { result, usage: Some(usage) }
}

/// AWS's integration reads a function's error and writes it again; a call by the function's ARN passes it on.
pub(crate) fn rewritten(mut error: ErrorOutput) -> ErrorOutput {
    if let Some(cause) = &mut error.cause
        && let Ok(Value::Object(object)) = serde_json::from_str(cause)
    {
        *cause = Value::Object(object).to_string();
    }
    error
}

fn usage(outcome: &Outcome) -> TaskUsage {
    let Usage { fuel, memory_bytes_peak, wall, cpu, cold } = outcome.usage;
    let microseconds = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    TaskUsage {
        fuel,
        memory_bytes_peak: u64::try_from(memory_bytes_peak).unwrap_or(u64::MAX),
        wall_microseconds: microseconds(wall),
        cold,
        cpu_microseconds: Some(microseconds(cpu)),
        log_lines: Some(u32::try_from(outcome.log.len()).unwrap_or(u32::MAX)),
    }
}
