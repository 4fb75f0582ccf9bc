//! `large_output_string`: returns more than a state's output may have, and no JSON.

use stepwell::TaskError;

/// 1 KiB over AWS's limit.
const OUTPUT_BYTES: usize = 263_168;

#[expect(clippy::unnecessary_wraps, reason = "a task may fail")]
fn handle(_input: &str) -> Result<String, TaskError> {
    Ok("a".repeat(OUTPUT_BYTES))
}

stepwell::export!(handle);
