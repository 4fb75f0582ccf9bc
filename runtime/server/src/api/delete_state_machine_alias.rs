//! DeleteStateMachineAlias: succeeds for an alias that is not there, as AWS does.

use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::qualified;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineAliasArn", TextRule::ARN)?;
    fields.finish()?;

    let (machine, name) = qualified::alias(&arn)?;
    app.engine().delete_alias(machine, name).await?;
    Ok(json!({}))
}
