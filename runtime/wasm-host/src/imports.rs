//! What a guest may import: the Stepwell interfaces and WASI 0.2.

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::guest_files;
use crate::http_names;
use crate::log::LogSource;
use crate::secrets::Refused;
use crate::sockets;
use crate::state::GuestState;

#[allow(
    unreachable_pub,
    missing_debug_implementations,
    clippy::str_to_string,
    reason = "this is generated from the WIT package"
)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/stepwell-task",
        world: "task",
        imports: {
            "stepwell:task/secrets.get": async | trappable,
            default: trappable,
        },
    });
}

use bindings::stepwell::task::{context, heartbeat, log, secrets, types};

/// Interfaces by name, without their version.
const STEPWELL: [&str; 5] = [
    "stepwell:task/types",
    "stepwell:task/context",
    "stepwell:task/log",
    "stepwell:task/heartbeat",
    "stepwell:task/secrets",
];
const WASI_PACKAGES: [&str; 8] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];

/// A linker with all that guests may import, for every module alike.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    guest_files::add_to_linker(&mut linker)?;
    sockets::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    http_names::add_to_linker(&mut linker)?;
    types::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut GuestState| state)?;
    context::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut GuestState| state)?;
    log::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut GuestState| state)?;
    heartbeat::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut GuestState| state)?;
    secrets::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut GuestState| state)?;
    Ok(linker)
}

/// Whether an import of this name and version is one of ours, to name the culprit when linking fails.
pub(crate) fn is_offered(name: &str) -> bool {
    let (interface, version) = name.split_once('@').unwrap_or((name, ""));
    let is_stepwell = STEPWELL.contains(&interface) && version.starts_with("0.1.");
    let is_wasi =
        WASI_PACKAGES.iter().any(|package| interface.starts_with(package)) && version.starts_with("0.2.");
    is_stepwell || is_wasi
}

impl types::Host for GuestState {}

impl context::Host for GuestState {
    fn current(&mut self) -> wasmtime::Result<context::Invocation> {
        let context = &self.context;
        Ok(context::Invocation {
            execution_arn: context.execution_arn.to_string(),
            execution_name: context.execution_name.to_string(),
            state_machine_arn: context.state_machine_arn.to_string(),
            state_name: context.state_name.to_string(),
            attempt: context.attempt,
            deadline: self.deadline_ms,
            task_token: context.task_token.clone(),
        })
    }
}

impl log::Host for GuestState {
    fn write(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let source = match level {
            log::Level::Trace => LogSource::Trace,
            log::Level::Debug => LogSource::Debug,
            log::Level::Info => LogSource::Info,
            log::Level::Warn => LogSource::Warn,
            log::Level::Error => LogSource::Error,
        };
        self.captured.lock().log_message(source, &message);
        Ok(())
    }
}

impl heartbeat::Host for GuestState {
    fn beat(&mut self) -> wasmtime::Result<()> {
        GuestState::beat(self);
        Ok(())
    }
}

impl secrets::Host for GuestState {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, secrets::SecretError>> {
        Ok(match self.secrets.get(&name).await {
            // It goes into the guest's memory from here, and no further on this side.
            Ok(secret) => Ok(secret.to_string()),
            Err(Refused::NotGranted) => Err(secrets::SecretError::NotGranted),
            Err(Refused::Missing) => Err(secrets::SecretError::Missing),
            Err(Refused::Unavailable) => Err(secrets::SecretError::Unavailable),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_offered;

    #[test]
    fn imports_are_known_by_interface_and_version() {
        for name in ["wasi:cli/stdin@0.2.0", "wasi:io/poll@0.2.12", "stepwell:task/log@0.1.0"] {
            assert!(is_offered(name), "{name}");
        }
        for name in
            ["wasi:http/incoming-handler@0.2.0", "wasi:cli/stdin@0.3.0", "stepwell:task/log@0.2.0", "log", ""]
        {
            assert!(!is_offered(name), "{name}");
        }
    }
}
