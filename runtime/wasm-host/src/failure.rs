//! Turns the engine's error into a [`Failure`] that names what really happened.
//!
//! The order matters: a guest that was refused memory ends in whatever trap its runtime prefers, and the refusal
//! is the true cause.

use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::call::Limits;
use crate::invoke::HOST_CALL_BYTES_MAX;
use crate::limiter::Denial;
use crate::outcome::{CAUSE_CHARS_MAX, Failure, first_chars};
use crate::state::GuestState;

/// Frames of a trace that are kept; the innermost say most.
const TRACE_FRAMES_MAX: usize = 16;
/// Of the name of a function, which the module's author writes.
const FRAME_CHARS_MAX: usize = 512;
/// The end of standard error that a trap's message quotes: room for a panic message.
const STDERR_QUOTE_CHARS: usize = 2_000;

/// How the engine's refusal to copy more than `HOST_CALL_BYTES_MAX` begins; it has no public type.
const TOO_MUCH_DATA: &str = "too much data";

/// Why a guest that ended with `error` failed.
pub(crate) fn classify(error: &wasmtime::Error, state: &GuestState, limits: &Limits) -> Failure {
    if let Some(denial) = state.limiter.denial() {
        return denied(denial, state);
    }
    let captured = state.captured.lock();
    if let Some(size) = captured.output_overflow() {
        return Failure::OutputTooLarge { size, limit: limits.output_bytes };
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        let stderr = first_chars(&captured.stderr(), CAUSE_CHARS_MAX).to_owned();
        return Failure::Exited { code: *code, stderr };
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Failure::Overloaded;
    }
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return Failure::Host(error.to_string());
    }
    let trap = error.downcast_ref::<Trap>();
    if trap == Some(&Trap::OutOfFuel) {
        return Failure::OutOfFuel { fuel: limits.fuel };
    }
    let message = trap.map_or_else(|| root_cause(error), describe);
    Failure::Trap { message: with_stderr(message, &captured.stderr()), trace: trace(error) }
}

/// Whether the engine refused to copy what the guest returned, as opposed to what it passed to an import: after
/// the guest has returned there is none of its code on the stack.
pub(crate) fn is_oversized_result(error: &wasmtime::Error) -> bool {
    error.root_cause().to_string().starts_with(TOO_MUCH_DATA) && trace(error).is_empty()
}

fn denied(denial: Denial, state: &GuestState) -> Failure {
    match denial {
        Denial::Memory { requested } => {
            Failure::OutOfMemory { limit: state.limiter.memory_bytes_max(), requested }
        }
        Denial::Table { requested } => {
            let limit = state.limiter.table_elements_max();
            let message =
                format!("the module asked for tables of {requested} elements; the limit is {limit}");
            Failure::Trap { message, trace: Vec::new() }
        }
    }
}

fn describe(trap: &Trap) -> String {
    match trap {
        Trap::StackOverflow => "stack overflow: calls are nested too deeply".to_owned(),
        Trap::MemoryOutOfBounds => {
            "out of bounds memory access (a stack overflow in Rust or C ends like this too)".to_owned()
        }
        Trap::UnreachableCodeReached => "`unreachable` was executed (a panic or an abort)".to_owned(),
        other => other.to_string().trim_start_matches("wasm trap: ").to_owned(),
    }
}

/// The innermost error without the backtrace, which comes separately.
fn root_cause(error: &wasmtime::Error) -> String {
    let message = error.root_cause().to_string();
    if message.starts_with(TOO_MUCH_DATA) {
        return format!("it passed more than {HOST_CALL_BYTES_MAX} bytes to the host in one call");
    }
    message
}

fn with_stderr(message: String, stderr: &str) -> String {
    if stderr.is_empty() {
        return message;
    }
    let skipped = stderr.chars().count().saturating_sub(STDERR_QUOTE_CHARS);
    let quote: String = stderr.chars().skip(skipped).collect();
    format!("{message}; its standard error ends with: {quote}")
}

fn trace(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
        Some(name) => first_chars(name, FRAME_CHARS_MAX).to_owned(),
        None => format!("function {}", frame.func_index()),
    };
    backtrace.frames().iter().take(TRACE_FRAMES_MAX).map(name).collect()
}
