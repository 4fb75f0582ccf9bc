//! Durable execution of many state machines: shard, driver, timers, activity queues and task tokens.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod arn;
mod dispatch;
mod driver;
mod engine;
mod express;
mod handle;
mod hash;
mod lines;
mod load;
mod logging;
mod module_change;
mod observer;
mod offline;
mod options;
mod port;
mod redrive;
mod request;
pub mod shard;

pub use engine::{Engine, StartError};
pub use express::{Express, ExpressStart};
pub use handle::Handle;
pub use load::find_execution;
pub use logging::{LogLevel, Logging};
pub use module_change::{
    ChangeModule, Expected, ModuleChange, ModuleChanged, ModuleRefusal, PutModule, PutModuleAlias,
};
pub use observer::{Observed, Observer, Written};
pub use offline::Offline;
pub use options::Options;
pub use port::{Exchange, ExchangeSide, Line, TaskDispatch, TaskExecutor, TaskOutcome, Watch};
pub use redrive::{NotRedrivable, not_redrivable};
pub use request::{
    ActivityTask, AnswerCallback, CreateActivity, CreateAlias, CreateStateMachine, Created, INITIAL_REVISION,
    MachineKind, Publish, PublishVersion, PublishedVersion, PutMode, PutSecret, RedriveExecution, Refusal,
    Route, StartAnswer, StartExecution, StartExpress, StartForTask, Started, StopExecution, Tagged,
    UpdateAlias, UpdateMapRun, UpdateStateMachine, Updated,
};
