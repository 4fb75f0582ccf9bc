//! `raise_exception`: fails with Python's general exception.

use stepwell::TaskError;

fn handle(_input: &str) -> Result<String, TaskError> {
    let message = "Some exception was raised.";
    Err(stand_ins::raised("Exception", message, 2, &format!("raise Exception(\"{message}\")")))
}

stepwell::export!(handle);
