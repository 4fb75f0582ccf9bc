//! What the tasks of the simulation do. Each result depends on the input alone, and each failure on the input
//! and the count of retries, so that what an execution ends with does not depend on what went wrong around it.

use asl::interpreter::ErrorOutput;
use serde_json::{Value, json};

/// Numbers stay below it.
const MODULUS: i64 = 997;

/// The answer of a function, by the last part of the resource.
pub(super) fn perform(resource: &str, input: &Value, retry_count: u32) -> Result<Value, ErrorOutput> {
    let name = resource.rsplit(':').next().unwrap_or_default();
    // The number is in the payload, and the token is on its way.
    if name == "invoke.waitForTaskToken" {
        return Ok(json!({}));
    }
    let n = number(input);
    match name {
        "double" => Ok(result(2 * n + 1)),
        // Fails at most twice, and three retries are allowed.
        "flaky" if i64::from(retry_count) < n % 3 => Err(ErrorOutput::new("Busy", "try again")),
        "flaky" => Ok(result(3 * n + 2)),
        "broken" if n % 4 == 0 => Err(broken()),
        "broken" => Ok(result(n + 3)),
        other => panic!("there is no function {other}"),
    }
}

/// The answer of a worker who knows the input only.
pub(super) fn answer(input: &Value) -> Result<Value, ErrorOutput> {
    let n = number(input);
    if n % 5 == 0 { Err(broken()) } else { Ok(result(7 * n + 5)) }
}

fn number(input: &Value) -> i64 {
    input["n"].as_i64().unwrap_or_else(|| panic!("a task has a number in its input: {input}"))
}

fn result(n: i64) -> Value {
    json!({ "n": n.rem_euclid(MODULUS) })
}

/// The one error that nothing cures. Where several branches fail, it does not matter which is the first.
fn broken() -> ErrorOutput {
    ErrorOutput::new("Broken", "it is broken")
}
