//! The engine for Express executions: the same as the other, over a store in memory, with nothing kept.

use std::sync::Arc;

use asl::interpreter::ExecutionId;
use asl::{Data, Text};
use store::{ExecutionRecord, MachineKind, MemoryStore, ReadError, Store};
use uuid::Uuid;

use crate::arn::StateMachineReference;
use crate::engine::{Engine, StartError};
use crate::handle::Handle;
use crate::options::Options;
use crate::port::TaskExecutor;
use crate::request::{Refusal, StartExpress};
use crate::shard;

/// Ours: Express executions that are open at once. All of them are in memory, with their payloads.
const OPEN_MAX: usize = 10_000;

/// Starts Express executions of machines that `S` holds.
#[derive(Debug, Clone)]
pub struct Express<S> {
    machines: S,
    handle: Handle<MemoryStore>,
}

/// What a client asks for.
#[derive(Debug, Clone)]
pub struct ExpressStart {
    pub state_machine: StateMachineReference,
    /// None makes a UUID. The same name may be used again at any time.
    pub name: Option<String>,
    pub input: Data,
    pub trace_header: Option<String>,
    pub test_case: Option<Text>,
}

impl<S: Store + Clone> Express<S> {
    pub async fn start<E: TaskExecutor>(
        options: Options,
        machines: S,
        executor: Arc<E>,
    ) -> Result<(Express<S>, Engine), StartError> {
        let shard =
            shard::Options { executions_resident_max: OPEN_MAX, keeps_executions: false, ..options.shard };
        let options = Options { shard, ..options };
        let (handle, engine) = Engine::start(options, MemoryStore::new(0), executor).await?;
        Ok((Express { machines, handle }, engine))
    }

    /// Gives the execution as it started.
    pub async fn start_execution(&self, request: ExpressStart) -> Result<ExecutionRecord, Refusal> {
        self.run(request, false).await
    }

    /// Waits for the end and gives the execution as it ended. One that nobody waits for any more goes on.
    pub async fn run_execution(&self, request: ExpressStart) -> Result<ExecutionRecord, Refusal> {
        self.run(request, true).await
    }

    async fn run(&self, request: ExpressStart, is_awaited: bool) -> Result<ExecutionRecord, Refusal> {
        let ExpressStart { state_machine, name, input, trace_header, test_case } = request;
        let unreadable = |error: ReadError| {
            tracing::error!(%state_machine, %error, "an Express machine could not be read");
            Refusal::Unavailable
        };
        let id = ExecutionId(Uuid::now_v7().as_u128());
        let machine = self.machines.machine(state_machine.machine().name()).await.map_err(unreadable)?;
        let machine = machine.filter(|machine| *machine.arn == *state_machine.machine().as_str());
        let target = shard::target(machine.as_ref(), &state_machine, id)?;
        if target.kind != MachineKind::Express {
            return Err(Refusal::ExpressNotSupported);
        }
        let revision = self.machines.revision(target.revision).await.map_err(unreadable)?;
        let missing = || Refusal::StateMachineDoesNotExist { arn: state_machine.to_string() };
        let revision = revision.ok_or_else(missing)?;
        let name = name.unwrap_or_else(|| Uuid::new_v4().to_string());
        let request = StartExpress { target, revision, name, input, trace_header, test_case, is_awaited };
        self.handle.start_express(request, id).await
    }
}
