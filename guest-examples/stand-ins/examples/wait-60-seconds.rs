//! `wait_60_seconds`: returns its input after a minute. It is there to be timed out.

use std::time::Duration;

use stepwell::TaskError;

fn handle(input: &str) -> Result<String, TaskError> {
    std::thread::sleep(Duration::from_secs(60));
    stand_ins::returned(input)
}

stepwell::export!(handle);
