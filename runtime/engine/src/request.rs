//! What clients ask of the engine, and what it answers. Every answer is given after its commit.

use std::sync::Arc;

use asl::Data;
use asl::interpreter::{ErrorOutput, ExecutionId};
use asl::{Definition, Timestamp};

use crate::arn::{ActivityArn, ExecutionArn, StateMachineArn};

pub use store::MachineKind;

/// Why a request was refused. One type for all requests, because one queue answers them; the API names the
/// ones that an operation can give.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("a state machine of this name has another definition or configuration")]
    StateMachineAlreadyExists { arn: StateMachineArn },
    #[error("there is no such state machine")]
    StateMachineDoesNotExist { arn: StateMachineArn },
    #[error("the state machine is being deleted")]
    StateMachineDeleting { arn: StateMachineArn },
    #[error("executions of Express state machines are not supported yet")]
    ExpressNotSupported,
    #[error("an execution of this name has another input or has ended")]
    ExecutionAlreadyExists { arn: ExecutionArn },
    #[error("there is no such execution")]
    ExecutionDoesNotExist { arn: ExecutionArn },
    #[error("there is no such activity")]
    ActivityDoesNotExist { arn: ActivityArn },
    #[error("the activity exists with another configuration")]
    ActivityAlreadyExists { arn: ActivityArn },
    #[error("too many workers poll this activity")]
    ActivityWorkerLimitExceeded,
    #[error("too many executions are open")]
    ExecutionLimitExceeded,
    #[error("the token is malformed or was not made here")]
    InvalidToken,
    #[error("the task has timed out or has ended")]
    TaskTimedOut,
    #[error("the task does not exist")]
    TaskDoesNotExist,
    #[error("there is no such module")]
    ModuleDoesNotExist { name: String },
    /// A queue is full; nothing was done, try again.
    #[error("the engine is overloaded")]
    Overloaded,
    /// The store could not be written; what was asked may or may not have been done.
    #[error("the store is unavailable")]
    Unavailable,
    #[error("the engine is stopping")]
    Stopping,
}

#[derive(Debug, Clone)]
pub struct CreateStateMachine {
    pub arn: StateMachineArn,
    pub kind: MachineKind,
    /// The definition as the author wrote it.
    pub text: Arc<str>,
    pub definition: Arc<Definition>,
    pub role_arn: String,
    /// The configurations as JSON in the shapes of the API; none for the default.
    pub logging: Option<Data>,
    pub tracing: Option<Data>,
    pub encryption: Option<Data>,
    pub tags: Vec<(String, String)>,
}

/// Fields that are none stay as they are.
#[derive(Debug, Clone)]
pub struct UpdateStateMachine {
    pub arn: StateMachineArn,
    pub definition: Option<(Arc<str>, Arc<Definition>)>,
    pub role_arn: Option<String>,
    pub logging: Option<Data>,
    pub tracing: Option<Data>,
    pub encryption: Option<Data>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Updated {
    pub at: Timestamp,
    pub revision_id: String,
}

#[derive(Debug, Clone)]
pub struct StartExecution {
    pub state_machine: StateMachineArn,
    /// None makes a UUID.
    pub name: Option<String>,
    pub input: Data,
    pub trace_header: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    pub id: ExecutionId,
    pub arn: ExecutionArn,
    pub at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct StopExecution {
    pub arn: ExecutionArn,
    pub reason: ErrorOutput,
}

#[derive(Debug, Clone)]
pub struct CreateActivity {
    pub arn: ActivityArn,
    pub encryption: Option<Data>,
    pub tags: Vec<(String, String)>,
}

/// A task handed to an activity worker.
#[derive(Clone, PartialEq)]
pub struct ActivityTask {
    pub token: String,
    pub input: Data,
}

/// Tokens and inputs are no business of a log.
impl std::fmt::Debug for ActivityTask {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("ActivityTask").finish_non_exhaustive()
    }
}

/// A new version of a task module, whose bytes the module host already holds.
#[derive(Debug, Clone)]
pub struct PutModule {
    pub name: String,
    /// `sha256:…` of the component.
    pub digest: String,
    pub size_bytes: u64,
    pub exports: Vec<String>,
}
