//! SendTaskSuccess.

use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::payload::task_output;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let token = fields.required_text("taskToken", TextRule::TASK_TOKEN)?;
    let output = fields.required_text("output", TextRule::PAYLOAD)?;
    fields.finish()?;

    app.engine().send_task_success(&token, task_output(&output)?).await?;
    Ok(json!({}))
}
