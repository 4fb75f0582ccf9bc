//! What comes into an execution and what goes out of it.

use crate::data::text::Text;

use minicbor::{Decode, Encode};

use crate::data::json::Data;
use crate::data::timestamp::Timestamp;

use super::callback_request::CallbackRequest;
use super::child::{ChildEnd, StartChild};
use super::execution::{AttemptId, ExecutionId, RowId};
use super::history::{ErrorOutput, HistoryEvent, TaskUsage};
use super::map_run_row::{MapRun, MapRunUpdate};

/// One thing that happens to an execution.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Start,
    /// The last step left work because it had written enough.
    Continue,
    /// A worker took the activity task.
    TaskStarted {
        row: RowId,
        attempt: AttemptId,
        worker_name: Option<String>,
    },
    /// An executor is done with the attempt. For `.waitForTaskToken` this is not the end of the task.
    TaskReturned {
        row: RowId,
        attempt: AttemptId,
        outcome: Result<Data, ErrorOutput>,
        usage: Option<TaskUsage>,
    },
    /// A worker answered with the task's token.
    TaskAnswered {
        row: RowId,
        attempt: AttemptId,
        outcome: Result<Data, ErrorOutput>,
    },
    Heartbeat {
        row: RowId,
        attempt: AttemptId,
    },
    Timer(Timer),
    /// The execution for which a task asked has been started. The answer is the service's.
    ChildStarted {
        row: RowId,
        attempt: AttemptId,
        child: ExecutionId,
        answer: Data,
    },
    /// An execution that this one started has ended.
    ChildEnded {
        row: RowId,
        attempt: AttemptId,
        end: Box<ChildEnd>,
    },
    /// UpdateMapRun.
    MapRunUpdated {
        row: RowId,
        update: MapRunUpdate,
    },
    /// StopExecution.
    Stop(ErrorOutput),
    /// RedriveExecution: an execution that ended without success goes on.
    Redrive,
}

/// A timer of one row. Each row has at most one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timer {
    pub row: RowId,
    pub kind: TimerKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum TimerKind {
    /// The end of a Wait, or of the delay before a retry.
    #[n(0)]
    Wake,
    #[n(1)]
    TaskTimeout,
    #[n(2)]
    HeartbeatTimeout,
    /// The machine's `TimeoutSeconds`; its row is [`RowId::EXECUTION`].
    #[n(3)]
    ExecutionTimeout,
    /// An execution that ended without success can be redriven no more. It is the engine's own, and no event.
    #[n(4)]
    RedriveOver,
}

/// What the engine must do after the step is durable.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Run an attempt with an executor; what it needs is in [`super::task_request`].
    StartTask {
        row: RowId,
        attempt: AttemptId,
    },
    /// Put an attempt into an activity's queue.
    OfferActivity {
        row: RowId,
        attempt: AttemptId,
        activity_arn: Text,
    },
    /// The attempt ended otherwise; its result is no longer wanted.
    CancelTask {
        row: RowId,
        attempt: AttemptId,
    },
    /// Start an execution whose end this one awaits.
    StartChild(Box<StartChild>),
    /// The state asks somebody for the answer to its attempt: keep what it asks.
    AskCallback {
        row: RowId,
        attempt: AttemptId,
        request: Box<CallbackRequest>,
    },
    /// A Map Run has started, or its row is gone: what is to be shown of it. In between, its row is.
    MapRun {
        row: RowId,
        run: Box<MapRun>,
    },
    /// Stop an execution that this one started; its end is no longer awaited.
    StopChild(ExecutionId),
    /// A child of a Map Run is to be redriven, or to wait for that, as [`super::ExecutionState::wanted`] tells.
    RedriveChild {
        row: RowId,
        child: ExecutionId,
    },
    SetTimer {
        timer: Timer,
        due: Timestamp,
    },
    ClearTimer {
        timer: Timer,
        due: Timestamp,
    },
    End(Ending),
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    Succeeded { output: Data },
    Failed(ErrorOutput),
    TimedOut(ErrorOutput),
    Aborted(ErrorOutput),
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transition {
    pub history: Vec<HistoryEvent>,
    pub commands: Vec<Command>,
    /// Whether the event was for something that is still awaited; a stale one changes nothing.
    pub accepted: bool,
    /// Whether work is left for [`Event::Continue`].
    pub more: bool,
}

/// One attempt of one task, for an executor.
#[derive(Clone, PartialEq)]
pub struct TaskRequest {
    pub row: RowId,
    pub attempt: AttemptId,
    /// The Task's `Resource` as it is written.
    pub resource: Text,
    pub input: Data,
    pub state_name: Text,
    /// 0 at first, then one more for each retry of the state.
    pub retry_count: u32,
    /// Present where the task is answered by its token.
    pub token: Option<String>,
    pub deadline: Option<Timestamp>,
    pub role_arn: Option<String>,
}

/// Tokens and inputs are no business of a log.
impl std::fmt::Debug for TaskRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TaskRequest")
            .field("row", &self.row)
            .field("attempt", &self.attempt)
            .field("resource", &self.resource)
            .field("state_name", &self.state_name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_token_nor_input_is_printed() {
        let request = TaskRequest {
            row: RowId(1),
            attempt: AttemptId(2),
            resource: "arn".into(),
            input: Data::parse("\"secret\"").unwrap(),
            state_name: "Ask".into(),
            retry_count: 0,
            token: Some("secret".to_owned()),
            deadline: None,
            role_arn: None,
        };
        let printed = format!("{request:?}");
        assert!(printed.contains("Ask") && !printed.contains("secret"), "{printed}");
    }
}
