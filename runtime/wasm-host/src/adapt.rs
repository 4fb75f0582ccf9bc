//! Makes a component of a core module for WASI preview 1, with wasmtime's own adapters.
//!
//! A module with `_start` becomes a command. One that holds the world of its task, as the tools for other languages
//! put it in, becomes that task.

use std::borrow::Cow;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::ComponentEncoder;

use crate::error::ModuleError;

/// The bytes as they are, if they are a component.
pub(crate) fn component(bytes: &[u8]) -> Result<Cow<'_, [u8]>, ModuleError> {
    // The layer: 0 is a core module, 1 a component.
    if bytes.get(6) != Some(&0) {
        return Ok(Cow::Borrowed(bytes));
    }
    // The adapter for commands asks for `_start`, so what it refuses may be a task.
    encode(bytes, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER)
        .or_else(|no_command| {
            encode(bytes, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)
                .map_err(|no_task| format!("{no_task}; as a command: {no_command}"))
        })
        .map(Cow::Owned)
        .map_err(|why| ModuleError::CoreModule { why })
}

fn encode(bytes: &[u8], adapter: &[u8]) -> Result<Vec<u8>, String> {
    let encoder = ComponentEncoder::default().validate(true).module(bytes);
    let encoder = encoder.and_then(|encoder| encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter));
    encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| format!("{error:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        component(&wat::parse_str(text).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn a_component_stays_as_it_is() {
        let bytes = wat::parse_str("(component)").unwrap();
        assert!(matches!(component(&bytes).unwrap(), Cow::Borrowed(_)));
    }

    #[test]
    fn a_command_becomes_a_component() {
        let bytes = wat::parse_str(
            r#"(module
                (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (memory (export "memory") 1)
                (func (export "_start") (call $exit (i32.const 0))))"#,
        );
        let bytes = bytes.unwrap();
        assert_eq!(component(&bytes).unwrap()[6], 1);
    }

    #[test]
    fn what_is_for_something_else_is_told_the_command_that_converts_it() {
        let other = refusal(r#"(module (import "env" "log" (func)) (func (export "_start")))"#);
        assert!(other.contains("env") && other.contains("`wasm-tools component new"), "{other}");
        let damaged = component(b"\0asm\x01\0\0\0\xff").unwrap_err().to_string();
        assert!(damaged.contains("could not be adapted"), "{damaged}");
    }
}
