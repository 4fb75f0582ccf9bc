//! Performs task attempts: picks what a Task's Resource names and runs it.
#![warn(clippy::wildcard_enum_match_arm)]

mod failure;
mod invoke;
mod module;
mod resource;

pub use module::{Account, ModuleExecutor, ModuleVersion, Modules};
