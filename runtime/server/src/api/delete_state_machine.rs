//! DeleteStateMachine: succeeds for a machine that is not there, as AWS does.

use serde_json::json;
use store::Store;

use super::describe::machine_arn;
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    fields.finish()?;

    app.engine().delete_state_machine(machine_arn(&arn)?).await?;
    Ok(json!({}))
}
