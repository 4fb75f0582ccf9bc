//! The imports and the export of the WIT world, for a module that runs under a host.

use std::time::{Duration, SystemTime};

use crate::log::Level;
use crate::{Context, SecretError, TaskError};

/// Generated from the WIT world.
#[allow(
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    clippy::mem_forget,
    reason = "generated code"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/stepwell-task",
        world: "task",
        pub_export_macro: true,
        export_macro_name: "export_bindings",
        default_bindings_module: "stepwell::__private::bindings",
    });
}

pub use bindings::export_bindings;
use bindings::stepwell::task as imports;

pub(crate) fn context() -> Context {
    let invocation = imports::context::current();
    Context {
        execution_arn: invocation.execution_arn,
        execution_name: invocation.execution_name,
        state_machine_arn: invocation.state_machine_arn,
        state_name: invocation.state_name,
        attempt: invocation.attempt,
        deadline: SystemTime::UNIX_EPOCH + Duration::from_millis(invocation.deadline),
        task_token: invocation.task_token,
    }
}

pub(crate) fn write_log(level: Level, message: &str) {
    let level = match level {
        Level::Trace => imports::log::Level::Trace,
        Level::Debug => imports::log::Level::Debug,
        Level::Info => imports::log::Level::Info,
        Level::Warn => imports::log::Level::Warn,
        Level::Error => imports::log::Level::Error,
    };
    imports::log::write(level, message);
}

pub(crate) fn heartbeat() {
    imports::heartbeat::beat();
}

pub(crate) fn secret(name: &str) -> Result<String, SecretError> {
    imports::secrets::get(name).map_err(|error| match error {
        imports::secrets::SecretError::NotGranted => SecretError::NotGranted,
        imports::secrets::SecretError::Missing => SecretError::Missing,
        imports::secrets::SecretError::Unavailable => SecretError::Unavailable,
    })
}

/// The error as the host takes it.
#[must_use]
pub fn to_wire(error: TaskError) -> bindings::TaskError {
    let (error, cause) = error.into_parts();
    bindings::TaskError { error, cause }
}
