//! SendTaskSuccess.

use asl::interpreter::TaskToken;
use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::payload::task_output;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let token = fields.required_text("taskToken", TextRule::TASK_TOKEN)?;
    let output = fields.required_text("output", TextRule::PAYLOAD)?;
    fields.finish()?;

    // AWS looks at the token before it reads the output.
    if TaskToken::parse(&token).is_none() {
        return Err(ApiError::invalid_token());
    }
    app.engine().send_task_success(&token, task_output(&output)?).await?;
    Ok(json!({}))
}
