//! `raise_custom_exception`: fails with an exception of its own, without a message.

use stepwell::TaskError;

fn handle(_input: &str) -> Result<String, TaskError> {
    Err(stand_ins::raised("CustomException", "", 9, "raise CustomException()"))
}

stepwell::export!(handle);
