//! The deeds themselves. Each does what a careless or malicious module might do; `black_box` keeps the optimiser
//! from turning one into nothing.

use std::hint::black_box;
use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use stepwell::{Context, OrTaskError, TaskError};

const MEBIBYTE: usize = 1 << 20;

/// The size of a page of memory: one touched byte in each makes all of it real.
const PAGE: usize = 4_096;

pub(crate) fn spin() -> Value {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

pub(crate) fn allocate(mebibytes: Option<usize>) -> Value {
    let mut held = Vec::new();
    while mebibytes.is_none_or(|enough| held.len() < enough) {
        let mut block = vec![0_u8; MEBIBYTE];
        for byte in block.iter_mut().step_by(PAGE) {
            *byte = 1;
        }
        held.push(black_box(block));
    }
    json!({ "mebibytes": held.len() })
}

/// Adds the numbers up to `depth`, one stack frame for each.
pub(crate) fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if depth == 0 { 0 } else { frame[0].wrapping_add(recurse(depth - 1)) }
}

pub(crate) fn print(lines: u32, text: Option<&str>) -> Value {
    let text = text.unwrap_or("the quick brown fox jumps over the lazy dog");
    let failures = (0..lines)
        .flat_map(|line| {
            [
                writeln!(std::io::stdout(), "out {line} {text}"),
                writeln!(std::io::stderr(), "err {line} {text}"),
            ]
        })
        .filter(Result::is_err)
        .count();
    json!({ "lines": lines, "failures": failures })
}

pub(crate) fn log(lines: u32, text: Option<&str>) -> Value {
    let text = text.unwrap_or("the quick brown fox jumps over the lazy dog");
    for line in 0..lines {
        stepwell::log::info!("{line} {text}");
    }
    json!({ "lines": lines })
}

pub(crate) fn beat(times: u32) -> Value {
    for _ in 0..times {
        stepwell::heartbeat();
    }
    json!({ "times": times })
}

pub(crate) fn open_file(path: &str) -> Result<Value, TaskError> {
    let content = std::fs::read(path).or_task_error("OpenFailed")?;
    Ok(json!({ "bytes": content.len() }))
}

pub(crate) fn write_file(path: &str) -> Result<Value, TaskError> {
    std::fs::write(path, "hostile").or_task_error("WriteFailed")?;
    Ok(json!({ "written": path }))
}

pub(crate) fn list_dir(path: &str) -> Result<Value, TaskError> {
    let entries = std::fs::read_dir(path).or_task_error("ListFailed")?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(json!({ "names": names.collect::<Vec<_>>() }))
}

pub(crate) fn flood(folder: &str, files: u32, mebibytes: usize, remove: bool) -> Result<Value, TaskError> {
    let block = vec![b'x'; MEBIBYTE];
    for number in 0..files {
        let path = format!("{folder}/{number}");
        let mut file = std::fs::File::create(&path).or_task_error("FloodEnded")?;
        for _ in 0..mebibytes {
            file.write_all(&block).or_task_error("FloodEnded")?;
        }
        drop(file);
        if remove {
            std::fs::remove_file(&path).or_task_error("FloodEnded")?;
        }
    }
    Ok(json!({ "files": files }))
}

pub(crate) fn secret(name: &str) -> Result<Value, TaskError> {
    let secret = stepwell::secret(name).or_task_error("NoSecret")?;
    Ok(json!({ "characters": secret.chars().count() }))
}

pub(crate) fn connect(address: &str) -> Result<Value, TaskError> {
    let stream = TcpStream::connect(address).or_task_error("ConnectFailed")?;
    let peer = stream.peer_addr().or_task_error("ConnectFailed")?;
    Ok(json!({ "connected": peer.to_string() }))
}

pub(crate) fn resolve(host: &str) -> Result<Value, TaskError> {
    let addresses = (host, 80).to_socket_addrs().or_task_error("ResolveFailed")?;
    Ok(json!({ "addresses": addresses.map(|address| address.to_string()).collect::<Vec<_>>() }))
}

pub(crate) fn environment() -> Value {
    let variables = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    json!({ "variables": variables.collect::<Vec<_>>(), "arguments": arguments.collect::<Vec<_>>() })
}

pub(crate) fn context() -> Value {
    let context = Context::current();
    let deadline = context.deadline.duration_since(UNIX_EPOCH).unwrap_or_default();
    json!({
        "executionArn": context.execution_arn,
        "executionName": context.execution_name,
        "stateMachineArn": context.state_machine_arn,
        "stateName": context.state_name,
        "attempt": context.attempt,
        "deadlineMilliseconds": u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
        "remainingMilliseconds": u64::try_from(context.remaining().as_millis()).unwrap_or(u64::MAX),
        "taskToken": context.task_token,
    })
}

pub(crate) fn sleep(milliseconds: u64) -> Value {
    std::thread::sleep(Duration::from_millis(milliseconds));
    json!({ "slept": milliseconds })
}

pub(crate) fn count() -> u32 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed) + 1
}
