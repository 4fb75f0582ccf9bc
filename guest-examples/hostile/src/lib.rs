//! `hostile`: misbehaves as its input asks, so that tests can see the sandbox hold.
//!
//! Input `{"do": "…"}`, see [`Deed`]. A deed that the sandbox lets pass returns what it did; one that the system
//! refuses fails under a name such as `OpenFailed`; the rest is for the host to stop. It uses the SDK's text
//! export, because no task written with `#[stepwell::task]` can return bad JSON.

mod deeds;

use serde::Deserialize;
use serde_json::{Value, json};
use stepwell::TaskError;

/// What to do. Fields other than `do` are optional.
#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", rename_all_fields = "camelCase")]
enum Deed {
    /// Never return.
    Loop,
    /// Take memory, page by page, until it is denied or `mebibytes` are held.
    Allocate { mebibytes: Option<usize> },
    /// Recurse until the stack ends, or `depth` times.
    Recurse { depth: Option<u64> },
    /// Write `lines` lines to standard output and as many to standard error.
    Print { lines: Option<u32>, text: Option<String> },
    /// Write `lines` lines to the task's log.
    Log { lines: Option<u32>, text: Option<String> },
    /// Beat `times` times.
    Heartbeat { times: Option<u32> },
    /// Read a file.
    OpenFile { path: Option<String> },
    /// Write a file.
    WriteFile { path: Option<String> },
    /// List a directory.
    ListDir { path: Option<String> },
    /// Write `files` files of `mebibytes` MiB, and remove each again if `remove` says so.
    Flood { path: String, files: u32, mebibytes: usize, remove: Option<bool> },
    /// Read a secret, and tell how long it is.
    Secret { name: String },
    /// Connect by TCP.
    Connect { address: Option<String> },
    /// Resolve a host name.
    Resolve { host: Option<String> },
    /// Read the environment and the arguments.
    Environment,
    /// Return what the host says about this call.
    Context,
    /// Panic.
    Panic { message: Option<String> },
    /// Leave through the system's exit.
    Exit { code: Option<i32> },
    /// Sleep, without using any CPU.
    Sleep { milliseconds: Option<u64> },
    /// Return a text of `bytes` bytes.
    BigOutput { bytes: Option<usize> },
    /// Return this text, JSON or not.
    Raw { text: String },
    /// Count calls in a static, which a fresh instance starts at 1.
    Count,
    /// Fail under any name, reserved ones included.
    Fail { error: Option<String>, cause: Option<String> },
    /// Return `value`.
    Echo { value: Option<Value> },
}

fn handle(input: &str) -> Result<String, TaskError> {
    let deed = serde_json::from_str(input)
        .map_err(|error| TaskError::new(TaskError::INVALID_INPUT, error.to_string()))?;
    let done = match deed {
        Deed::Loop => deeds::spin(),
        Deed::Allocate { mebibytes } => deeds::allocate(mebibytes),
        Deed::Recurse { depth } => json!({ "sum": deeds::recurse(depth.unwrap_or(u64::MAX)) }),
        Deed::Print { lines, text } => deeds::print(lines.unwrap_or(1_000), text.as_deref()),
        Deed::Log { lines, text } => deeds::log(lines.unwrap_or(1_000), text.as_deref()),
        Deed::Heartbeat { times } => deeds::beat(times.unwrap_or(1)),
        Deed::OpenFile { path } => deeds::open_file(path.as_deref().unwrap_or("/etc/passwd"))?,
        Deed::WriteFile { path } => deeds::write_file(path.as_deref().unwrap_or("/tmp/hostile"))?,
        Deed::ListDir { path } => deeds::list_dir(path.as_deref().unwrap_or("/"))?,
        Deed::Flood { path, files, mebibytes, remove } => {
            deeds::flood(&path, files, mebibytes, remove.unwrap_or(false))?
        }
        Deed::Secret { name } => deeds::secret(&name)?,
        Deed::Connect { address } => deeds::connect(address.as_deref().unwrap_or("127.0.0.1:80"))?,
        Deed::Resolve { host } => deeds::resolve(host.as_deref().unwrap_or("localhost"))?,
        Deed::Environment => deeds::environment(),
        Deed::Context => deeds::context(),
        Deed::Panic { message } => panic!("{}", message.as_deref().unwrap_or("on request")),
        Deed::Exit { code } => std::process::exit(code.unwrap_or(3)),
        Deed::Sleep { milliseconds } => deeds::sleep(milliseconds.unwrap_or(3_600_000)),
        Deed::BigOutput { bytes } => Value::String("x".repeat(bytes.unwrap_or(1_048_576))),
        Deed::Raw { text } => return Ok(text),
        Deed::Count => json!({ "calls": deeds::count() }),
        Deed::Fail { error, cause } => return Err(failure(error.as_deref(), cause.as_deref())),
        Deed::Echo { value } => value.unwrap_or(Value::Null),
    };
    Ok(done.to_string())
}

fn failure(error: Option<&str>, cause: Option<&str>) -> TaskError {
    TaskError::new(error.unwrap_or("Refused"), cause.unwrap_or("on request"))
}

stepwell::export!(handle);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: &str) {
        assert_eq!(handle(input).as_deref(), Ok(expected), "for {input}");
    }

    #[test]
    fn harmless_deeds_return_what_they_did() {
        check(r#"{"do":"echo","value":{"a":[1]}}"#, r#"{"a":[1]}"#);
        check(r#"{"do":"echo"}"#, "null");
        check(r#"{"do":"recurse","depth":10}"#, r#"{"sum":55}"#);
        check(r#"{"do":"allocate","mebibytes":2}"#, r#"{"mebibytes":2}"#);
        check(r#"{"do":"sleep","milliseconds":0}"#, r#"{"slept":0}"#);
        check(r#"{"do":"big-output","bytes":3}"#, r#""xxx""#);
        check(r#"{"do":"raw","text":"{half: "}"#, "{half: ");
    }

    #[test]
    fn what_reaches_the_host_is_counted() {
        stepwell::testing::reset();
        check(r#"{"do":"log","lines":3,"text":"hm"}"#, r#"{"lines":3}"#);
        check(r#"{"do":"heartbeat","times":2}"#, r#"{"times":2}"#);
        assert_eq!(stepwell::testing::log_lines().len(), 3);
        assert_eq!(stepwell::testing::heartbeats(), 2);
    }

    #[test]
    fn failures_are_named() {
        let names = [
            (r#"{"do":"fail","error":"States.Timeout","cause":"no"}"#, "States.Timeout"),
            (r#"{"do":"open-file","path":"/no/such/file"}"#, "OpenFailed"),
            (r#"{"do":"list-dir","path":"/no/such/folder"}"#, "ListFailed"),
            (r#"{"do":"write-file","path":"/no/such/file"}"#, "WriteFailed"),
            (r#"{"do":"connect","address":"not an address"}"#, "ConnectFailed"),
            (r#"{"do":"dance"}"#, "InvalidInput"),
            ("[]", "InvalidInput"),
        ];
        for (input, name) in names {
            assert_eq!(handle(input).expect_err("it fails").error(), name, "for {input}");
        }
    }
}
