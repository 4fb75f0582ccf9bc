//! `return_bytes_str`: returns a JSON string, whatever its input is.

use stepwell::TaskError;

#[expect(clippy::unnecessary_wraps, reason = "a task may fail")]
fn handle(_input: &str) -> Result<String, TaskError> {
    Ok("\"HelloWorld!\"".to_owned())
}

stepwell::export!(handle);
