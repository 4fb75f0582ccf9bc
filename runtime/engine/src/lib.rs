//! Durable execution of many state machines: shard, driver, timers, activity queues and task tokens.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod arn;
mod handle;
mod request;

pub use handle::Handle;
pub use request::{
    ActivityTask, CreateActivity, CreateStateMachine, MachineKind, PutModule, Refusal, StartExecution, Started,
    StopExecution, UpdateStateMachine, Updated,
};
