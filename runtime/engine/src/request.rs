//! What clients ask of the engine, and what it answers. Every answer is given after its commit.

use std::sync::Arc;

use asl::Data;
use asl::interpreter::{CallbackAnswer, CallbackRequest, ErrorOutput, ExecutionId, MapRunUpdate};
use asl::{Definition, Text, Timestamp};

use crate::arn::{ActivityArn, ExecutionArn, StateMachineArn, StateMachineReference};
use crate::module_change::ModuleRefusal;
use crate::redrive::NotRedrivable;
use crate::shard::TaskKey;

use crate::shard::Target;

pub use store::{MachineKind, Route};
use store::{RevisionRecord, RowKey, SecretKey};

/// Why a request was refused. One type for all requests, because one queue answers them; the API names the
/// ones that an operation can give.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("a state machine of this name has another definition or configuration")]
    StateMachineAlreadyExists { arn: StateMachineArn },
    #[error("there is no such state machine")]
    /// The ARN as it was asked for: of the machine, of a version or of an alias.
    StateMachineDoesNotExist { arn: String },
    /// It was stored by a version with other rules.
    #[error("the stored definition is not valid")]
    StoredDefinitionInvalid { why: String },
    #[error("the state machine is being deleted")]
    StateMachineDeleting { arn: StateMachineArn },
    #[error("the machine is at another revision")]
    RevisionConflict { wanted: String, current: String },
    #[error("the machine has as many versions as it can have")]
    VersionLimitExceeded,
    #[error("the version is referenced by aliases")]
    VersionInUse { aliases: Vec<String> },
    #[error("an alias of this name has another description or another routing")]
    AliasAlreadyExists,
    #[error("the machine has as many aliases as it can have")]
    AliasLimitExceeded,
    #[error("the version or alias does not exist")]
    ResourceNotFound { arn: String },
    #[error("the machine or activity does not exist")]
    TaggedDoesNotExist { arn: String },
    #[error("the resource has as many tags as it can have")]
    TooManyTags { arn: String },
    /// Express executions run with the engine that keeps nothing; see [`StartExpress`].
    #[error("the operation is not for Express state machines")]
    ExpressNotSupported,
    #[error("an execution of this name has another input or has ended")]
    ExecutionAlreadyExists { arn: ExecutionArn },
    #[error("there is no such execution")]
    ExecutionDoesNotExist { arn: ExecutionArn },
    #[error("the execution cannot be redriven")]
    ExecutionNotRedrivable(#[source] NotRedrivable),
    #[error("the Map Run has ended")]
    MapRunEnded,
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
    #[error("there is a secret of this name")]
    SecretAlreadyExists { name: String },
    #[error("there is no such secret")]
    SecretDoesNotExist { name: String },
    #[error("there is no such test case")]
    TestCaseDoesNotExist { machine: String, test_case: String },
    #[error("the test case names a state that the machine does not have")]
    MockedStateDoesNotExist { machine: String, test_case: String, state: String },
    #[error("there is no such module")]
    ModuleDoesNotExist { name: String },
    #[error(transparent)]
    Module(#[from] ModuleRefusal),
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
    /// Makes the machine's first version too.
    pub publish: Option<Publish>,
}

/// What a version says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    pub description: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Created {
    pub at: Timestamp,
    /// The version that was published with it.
    pub version: Option<u32>,
}

/// Fields that are none stay as they are.
#[derive(Debug, Clone)]
pub struct UpdateStateMachine {
    pub arn: StateMachineArn,
    pub definition: Option<(Arc<str>, Arc<Definition>)>,
    pub role_arn: Option<String>,
    /// Configurations are none within for the default.
    pub logging: Option<Option<Data>>,
    pub tracing: Option<Option<Data>>,
    pub encryption: Option<Option<Data>>,
    pub publish: Option<Publish>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Updated {
    /// When the machine was last changed; an update to what it is already changes nothing.
    pub at: Timestamp,
    /// None for the revision with which the machine was created.
    pub revision_id: Option<String>,
    pub version: Option<u32>,
}

#[derive(Debug, Clone)]
pub struct PublishVersion {
    pub arn: StateMachineArn,
    /// Refuses unless the machine is at this revision; see [`INITIAL_REVISION`].
    pub revision_id: Option<String>,
    pub description: Option<String>,
}

/// AWS: how a caller names the revision with which a machine was created, which has no id.
pub const INITIAL_REVISION: &str = "INITIAL";

#[derive(Debug, Clone, PartialEq)]
pub struct PublishedVersion {
    pub version: u32,
    pub at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct CreateAlias {
    pub machine: StateMachineArn,
    pub name: String,
    pub description: Option<String>,
    /// One or two, whose weights add up to 100.
    pub routes: Vec<Route>,
}

/// Fields that are none stay as they are.
#[derive(Debug, Clone)]
pub struct UpdateAlias {
    pub machine: StateMachineArn,
    pub name: String,
    pub description: Option<String>,
    pub routes: Option<Vec<Route>>,
}

#[derive(Debug, Clone)]
pub struct StartExecution {
    /// A version and an alias start their own revision.
    pub state_machine: StateMachineReference,
    /// None makes a UUID.
    pub name: Option<String>,
    pub input: Data,
    pub trace_header: Option<String>,
    /// The test case whose answers stand in for tasks.
    pub test_case: Option<Text>,
}

/// Starts an execution of an Express machine, whose revision lies in another store.
#[derive(Debug, Clone)]
pub struct StartExpress {
    pub target: Target,
    pub revision: RevisionRecord,
    pub name: String,
    pub input: Data,
    pub trace_header: Option<String>,
    pub test_case: Option<Text>,
    /// Answer when it has ended.
    pub is_awaited: bool,
}

/// What can have tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tagged {
    Machine(StateMachineArn),
    Activity(ActivityArn),
}

impl std::fmt::Display for Tagged {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Tagged::Machine(arn) => write!(formatter, "{arn}"),
            Tagged::Activity(arn) => write!(formatter, "{arn}"),
        }
    }
}

/// An execution that a task starts.
#[derive(Debug, Clone)]
pub struct StartForTask {
    pub task: TaskKey,
    pub start: StartExecution,
    /// Whether the task awaits the end of the execution, which is then stopped with it.
    pub is_awaited: bool,
    pub answer: StartAnswer,
}

/// What the service says to the task of an execution that it has started. The engine knows the execution, and who
/// speaks for the service knows how it answers.
#[derive(Debug, Clone)]
pub struct StartAnswer {
    /// Of the execution's ARN, the time of its start and the request's id.
    pub write: fn(&str, Timestamp, &str) -> Data,
    pub request_id: String,
}

impl StartAnswer {
    pub fn of(&self, arn: &str, at: Timestamp) -> Data {
        (self.write)(arn, at, &self.request_id)
    }
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
pub struct RedriveExecution {
    pub arn: ExecutionArn,
    /// Makes a repeated request the same one.
    pub token: Option<String>,
}

#[derive(Debug, Clone)]
pub struct UpdateMapRun {
    /// The Map Run's row in its execution, as the store has it.
    pub place: RowKey,
    pub update: MapRunUpdate,
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

/// What a person has said who followed a callback link. Whoever has read the link vouches for it.
#[derive(Debug, Clone)]
pub struct AnswerCallback {
    pub task: TaskKey,
    /// What was asked.
    pub request: CallbackRequest,
    pub answer: CallbackAnswer,
}

/// A secret, already encrypted.
#[derive(Clone)]
pub struct PutSecret {
    pub key: SecretKey,
    pub mode: PutMode,
    /// What anybody may see of it.
    pub public: Option<Data>,
    pub sealed: Vec<u8>,
}

/// What a write expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutMode {
    /// Nothing; refused with [`Refusal::SecretAlreadyExists`].
    Create,
    /// One of this name; refused with [`Refusal::SecretDoesNotExist`].
    Update,
}

/// Sealed or not, a secret is no business of a log.
impl std::fmt::Debug for PutSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PutSecret").field("key", &self.key).finish_non_exhaustive()
    }
}
