//! The deeds of the example module `hostile`, see its source, and how each must end on a server that grants it nothing.

use serde_json::{Value, json};

/// One input of the module.
#[derive(Debug, Clone)]
pub struct Deed {
    pub input: Value,
    pub end: End,
}

/// How a deed ends: in an error, with a part of its cause; or in a result that did no harm.
#[derive(Debug, Clone)]
pub enum End {
    Error(&'static str, &'static str),
    Output(Value),
}

/// All that there are.
pub fn deeds() -> Vec<Deed> {
    let failing = failing().into_iter().map(|(input, error, cause)| (input, End::Error(error, cause)));
    let harmless = harmless().into_iter().map(|(input, output)| (input, End::Output(output)));
    failing.chain(harmless).map(|(input, end)| Deed { input, end }).collect()
}

fn failing() -> Vec<(Value, &'static str, &'static str)> {
    let raw = |text: &str| json!({"do": "raw", "text": text});
    let nested = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    vec![
        (json!({"do": "loop"}), "Runtime.OutOfFuel", "10000000000 units"),
        (json!({"do": "allocate"}), "Runtime.OutOfMemory", "134217728"),
        (json!({"do": "recurse"}), "Runtime.Trap", "stack"),
        (json!({"do": "panic"}), "Runtime.Trap", "on request"),
        (json!({"do": "exit"}), "Runtime.ExitError", ""),
        (json!({"do": "big-output"}), "States.DataLimitExceeded", "function:hostile' returned a result"),
        (raw("{\"half\": "), "Runtime.InvalidOutput", "JSON"),
        // By the grammar it is JSON, and whoever reads it falls over it.
        (raw("[1e999]"), "Runtime.InvalidOutput", "out of range"),
        (raw(r#"{"a": "\ud800"}"#), "Runtime.InvalidOutput", "hex escape"),
        (raw(&nested), "Runtime.InvalidOutput", "recursion"),
        (json!({"do": "sleep"}), "States.Timeout", ""),
        (json!({"do": "open-file"}), "OpenFailed", "deniedAccess"),
        (json!({"do": "open-file", "path": "../../etc/passwd"}), "OpenFailed", ""),
        (json!({"do": "write-file"}), "WriteFailed", "deniedAccess"),
        (json!({"do": "list-dir"}), "ListFailed", "deniedAccess"),
        (json!({"do": "connect"}), "ConnectFailed", ""),
        (json!({"do": "connect", "address": "169.254.169.254:80"}), "ConnectFailed", ""),
        (json!({"do": "resolve"}), "ResolveFailed", ""),
        (json!({"do": "secret", "name": "payment-key"}), "NoSecret", "deniedAccess"),
        (json!({"do": "fail", "error": "States.Timeout"}), "Runtime.ReservedErrorName", "States.Timeout"),
        (json!({"do": "fail", "error": "Own", "cause": "\u{1b}[2J".repeat(20_000)}), "Own", ""),
        (json!({"do": "dance"}), "InvalidInput", "dance"),
    ]
}

fn harmless() -> Vec<(Value, Value)> {
    vec![
        (json!({"do": "print", "lines": 20_000}), json!({"lines": 20_000, "failures": 0})),
        (json!({"do": "log", "lines": 20_000}), json!({"lines": 20_000})),
        (json!({"do": "heartbeat", "times": 20_000}), json!({"times": 20_000})),
        (json!({"do": "environment"}), json!({"variables": [], "arguments": []})),
        (json!({"do": "count"}), json!({"calls": 1})),
    ]
}
