//! SendTaskFailure.

use asl::interpreter::ErrorOutput;
use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let token = fields.required_text("taskToken", TextRule::TASK_TOKEN)?;
    let error = fields.text("error", TextRule::ERROR)?;
    let cause = fields.text("cause", TextRule::CAUSE)?;
    fields.finish()?;

    app.engine().send_task_failure(&token, ErrorOutput { error, cause }).await?;
    Ok(json!({}))
}
