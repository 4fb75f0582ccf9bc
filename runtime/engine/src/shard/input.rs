//! What comes into a shard.

use asl::Data;
use asl::Timestamp;
use asl::interpreter::{AttemptId, CallbackRequest, ErrorOutput, ExecutionId, RowId, TaskToken, TaskUsage};
use store::{
    ActivityRecord, ExecutionRecord, MachineRecord, ModuleHead, ModuleRecord, QueuedTask, RevisionRecord,
    RowKey, SecretKey, SecretRecord, StoredState, TimerKey,
};

use crate::arn::{ActivityArn, StateMachineArn};
use crate::module_change::{ChangeModule, ModuleChanged};
use crate::request::{
    ActivityTask, AnswerCallback, CreateActivity, CreateAlias, CreateStateMachine, Created, PublishVersion,
    PublishedVersion, PutSecret, RedriveExecution, Refusal, StartExecution, StartExpress, StartForTask,
    Started, StopExecution, Tagged, UpdateAlias, UpdateMapRun, UpdateStateMachine, Updated,
};

/// Names the client that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReplyTo(pub u64);

/// One thing for a shard to handle.
#[derive(Debug, Clone)]
pub enum Input {
    Request {
        reply: ReplyTo,
        request: Request,
    },
    /// An executor is done with an attempt.
    TaskReturned(TaskReturned),
    /// A running task is alive.
    TaskHeartbeat(TaskKey),
    TimerDue(TimerKey),
    /// An execution that had written enough in one step goes on.
    Continue(ExecutionId),
    /// The parent of an execution that has ended is to be told.
    DeliverEnd(ExecutionId),
    /// The execution that started this one no longer awaits it, or has it redriven.
    SettleChild(ExecutionId),
    /// A poller went away or has waited long enough.
    Withdraw(ReplyTo),
    /// An activity's task was handed out, and its worker went away before it had it.
    TakeBack(TaskKey),
    /// After a restart: an attempt that was with an executor.
    Recover(TaskKey),
}

#[derive(Debug, Clone)]
pub struct TaskReturned {
    pub task: TaskKey,
    pub outcome: Result<Data, ErrorOutput>,
    pub usage: Option<TaskUsage>,
}

/// One attempt of one task of one execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskKey {
    pub execution: ExecutionId,
    pub row: RowId,
    pub attempt: AttemptId,
}

impl TaskKey {
    pub(crate) fn row_key(self) -> RowKey {
        RowKey { execution: self.execution, row: self.row }
    }
}

/// Identity and secrets of a new execution, made outside the shard.
#[derive(Clone, Copy)]
pub struct Fresh {
    pub id: ExecutionId,
    pub seed: [u8; 32],
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Fresh").field("id", &self.id).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
pub enum Request {
    CreateStateMachine(Box<CreateStateMachine>),
    /// With the id of the revision to make.
    UpdateStateMachine(Box<UpdateStateMachine>, String),
    /// Marks the machine so that it starts nothing more.
    DeleteStateMachine(StateMachineArn),
    /// Removes a marked machine, when none of its executions runs.
    ForgetStateMachine(StateMachineArn),
    PublishVersion(PublishVersion),
    DeleteVersion(StateMachineArn, u32),
    CreateAlias(CreateAlias),
    UpdateAlias(UpdateAlias),
    DeleteAlias(StateMachineArn, String),
    StartExecution(Box<StartExecution>, Fresh),
    StartExpress(Box<StartExpress>, Fresh),
    Tag(Tagged, Vec<(String, String)>),
    Untag(Tagged, Vec<String>),
    StartForTask(Box<StartForTask>, Fresh),
    StopExecution(StopExecution),
    RedriveExecution(RedriveExecution),
    UpdateMapRun(UpdateMapRun),
    CreateActivity(CreateActivity),
    DeleteActivity(ActivityArn),
    GetActivityTask(ActivityArn, Option<String>),
    SendTask(TaskToken, TaskAnswer),
    /// Asks somebody for the answer to the attempt of a token.
    AskCallback(TaskToken, Box<CallbackRequest>),
    AnswerCallback(Box<AnswerCallback>),
    ChangeModule(Box<ChangeModule>),
    PutSecret(PutSecret),
    DeleteSecret(SecretKey),
}

/// What a worker says about its task.
#[derive(Debug, Clone)]
pub enum TaskAnswer {
    Success(Data),
    Failure(ErrorOutput),
    Heartbeat,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Done,
    At(Timestamp),
    Created(Created),
    Updated(Updated),
    Published(PublishedVersion),
    Started(Started),
    /// An Express execution: as it ended if it was waited for, else as it started.
    Express(Box<ExecutionRecord>),
    ActivityTask(Option<ActivityTask>),
    /// The number of the request, which its links name.
    Asked(u64),
    ModuleChanged(ModuleChanged),
    Refused(Refusal),
}

/// What a shard must be given before it can handle an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    Machine(String),
    /// The revision of a published version.
    Revision(u64),
    Execution(ExecutionId),
    /// What an execution that has ended has kept.
    Kept(ExecutionId),
    /// The id of an execution by machine name and execution name.
    Name(String, String),
    Module(String),
    /// Whether a module has a version.
    ModuleVersion(String, u32),
    Secret(SecretKey),
}

/// What was missing, as the store has it.
#[derive(Debug, Clone)]
pub enum Loaded {
    Machine(String, Option<(MachineRecord, RevisionRecord)>),
    Revision(u64, RevisionRecord),
    Execution(ExecutionId, LoadedExecution),
    Kept(ExecutionId, Option<Box<(RevisionRecord, StoredState)>>),
    Name(String, String, Option<ExecutionId>),
    /// With its newest upload.
    Module(String, Option<(ModuleHead, ModuleRecord)>),
    ModuleVersion(String, u32, bool),
    Secret(SecretKey, Option<SecretRecord>),
}

#[derive(Debug, Clone)]
pub enum LoadedExecution {
    Absent,
    Ended(Box<ExecutionRecord>),
    Running { record: Box<ExecutionRecord>, revision: Box<RevisionRecord>, state: Box<StoredState> },
}

/// What a shard starts with: everything that it keeps in memory for its whole life.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub sequence: u64,
    pub activities: Vec<(ActivityRecord, Vec<(u64, QueuedTask)>)>,
}
