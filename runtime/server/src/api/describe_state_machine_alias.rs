//! DescribeStateMachineAlias.

use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::{qualified, routing};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineAliasArn", TextRule::ARN)?;
    fields.finish()?;

    let (machine_arn, name) = qualified::alias(&arn)?;
    let missing = || ApiError::resource_not_found(&arn);
    let machine = app.store().machine(machine_arn.name()).await?;
    let machine = machine.filter(|machine| *machine.arn == *machine_arn.as_str()).ok_or_else(missing)?;
    let alias = machine.alias(&name).ok_or_else(missing)?;
    let mut answer = json!({
        "stateMachineAliasArn": arn,
        "name": name,
        "routingConfiguration": routing::render(&machine_arn, alias),
        "creationDate": alias.created_at.as_epoch_seconds(),
        "updateDate": alias.updated_at.as_epoch_seconds(),
    });
    if let Some(description) = &alias.description {
        answer["description"] = description.as_str().into();
    }
    Ok(answer)
}
