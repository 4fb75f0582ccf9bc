//! DeleteStateMachineVersion: its executions run on, and its number is not used again.

use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::qualified;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineVersionArn", TextRule::LONG_ARN)?;
    fields.finish()?;

    let (machine, version) = qualified::version(&arn)?;
    app.engine().delete_version(machine, version).await?;
    Ok(json!({}))
}
