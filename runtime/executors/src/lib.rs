//! Performs task attempts: picks what a Task's Resource names and runs it.
#![warn(clippy::wildcard_enum_match_arm)]

mod call_log;
mod direct;
mod executor;
mod failure;
mod function_endpoint;
mod http;
mod invoke;
mod module;
mod outgoing;
mod resource;
mod step_functions;

pub use call_log::{CallLog, LogCaller, LogKeeper};
pub use direct::{DirectAnswer, DirectCall, DirectError, DirectTarget};
pub use executor::Executor;
pub use failure::call_error;
pub use function_endpoint::FunctionEndpoint;
pub use http::{
    Authorization, Connection, ConnectionError, Connections, HttpTasks, OAuth, Parameter, Parameters,
    is_forbidden_header,
};
pub use module::{Account, Caller, Found, ModuleExecutor, ModuleVersion, Modules};
pub use outgoing::ModuleRequests;
pub use step_functions::{ServiceError, StepFunctions};
