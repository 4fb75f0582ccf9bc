//! The interpreter: one execution, one event at a time.

mod alone;
mod callback_link;
mod callback_request;
mod child;
mod choice;
mod context;
#[cfg(test)]
mod costly;
mod event;
mod execution;
mod failure;
mod fork;
mod history;
mod item;
mod map;
mod map_run;
mod map_run_redrive;
mod map_run_row;
mod nested;
mod parallel;
mod pass;
mod redrive;
mod stepper;
#[cfg(test)]
mod table;
mod task;
mod test_case;
mod time_scale;
mod token;
mod wait;

pub use alone::{ErrorDetails, Mock, Progress, Setup, Status, Trial, Verdict};
pub use callback_link::{CALLBACK_PATH, CallbackLink, CallbackUrls, LinkMaker, LinkUse};
pub(crate) use callback_request::FIELDS as CALLBACK_FIELDS;
pub use callback_request::{CallbackAnswer, CallbackRequest, Decision, InvalidRequest, NewCallbackRequest};
pub use child::{ChildEnd, MapItem, Parent, StartChild, child_identity};
pub use event::{Command, Ending, Event, TaskRequest, Timer, TimerKind, Transition};
pub use execution::{
    AttemptId, ExecutionId, ExecutionInfo, ExecutionState, Fork, Header, Phase, Row, RowId, Stopped,
    TaskPhase, TaskStage, Thread, Variables,
};
pub use history::{
    ErrorOutput, HistoryEvent, HistoryKind, Iteration, Scheduled, ServiceName, StateType, TaskScheduled,
    TaskUsage,
};
pub use map_run::map_labels;
pub use map_run_row::{
    Batches, ChildFailure, ChildWanted, MapRun, MapRunChild, MapRunCounts, MapRunEnd, MapRunRedrive,
    MapRunStatus, MapRunUpdate, Tolerance,
};
pub use stepper::{Surroundings, fail_undefined, step};
pub use task::task_request;
pub use test_case::{Answers, TestCase};
pub use time_scale::{InvalidTimeScale, TimeScale};
pub use token::TaskToken;
