//! The program `stepwell`: the AWS Step Functions API, the module API, and the command line.

mod access;
mod api;
mod app;
mod callbacks;
pub mod cli;
mod descriptors;
mod express;
mod lambda;
pub mod limits;
mod listener;
mod mocks;
mod module_rules;
mod module_secrets;
mod modules;
mod observing;
mod outside;
mod package;
mod problem;
mod query;
mod registry;
mod secrets;
mod serve;
mod task_logs;
mod tasks;
mod testing;
mod vault;

pub use access::{Access, Credentials, KeysError, sign};
pub use app::{Account, App, Parts};
pub use module_rules::ModuleRules;
pub use observing::{Kept, KeptLimits, LogsTo, Observing, ObservingError};
pub use registry::{Registry, functions};
pub use task_logs::{TaskLogs, TaskLogsError};
pub use vault::{Vault, VaultError};
