//! The interpreter: one execution, one event at a time.

mod alone;
mod child;
mod choice;
mod context;
mod event;
mod execution;
mod failure;
mod fork;
mod history;
mod map;
mod map_run;
mod map_run_row;
mod nested;
mod parallel;
mod pass;
mod stepper;
#[cfg(test)]
mod table;
mod task;
mod token;
mod wait;

pub use alone::{ErrorDetails, Mock, Progress, Setup, Status, Trial, Verdict};
pub use child::{ChildEnd, MapItem, Parent, StartChild, child_identity};
pub use event::{Command, Ending, Event, TaskRequest, Timer, TimerKind, Transition};
pub use execution::{
    AttemptId, ExecutionId, ExecutionInfo, ExecutionState, Fork, Header, Phase, Row, RowId, TaskPhase,
    TaskStage, Thread, Variables,
};
pub use history::{
    ErrorOutput, HistoryEvent, HistoryKind, Iteration, Scheduled, ServiceName, StateType, TaskScheduled,
    TaskUsage,
};
pub use map_run_row::{Batches, MapRun, MapRunChild, MapRunCounts, MapRunStatus, MapRunUpdate, Tolerance};
pub use stepper::{Surroundings, step};
pub use task::task_request;
pub use token::TaskToken;
