//! PublishStateMachineVersion: gives the current revision a number, once.

use engine::PublishVersion;
use serde_json::json;
use store::Store;

use super::describe::machine_arn;
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let revision_id = fields.text("revisionId", TextRule::REVISION)?;
    let description = fields.text("description", TextRule::DESCRIPTION)?;
    fields.finish()?;

    let arn = machine_arn(&arn)?;
    let request = PublishVersion { arn: arn.clone(), revision_id, description };
    let published = app.engine().publish_version(request).await?;
    Ok(json!({
        "creationDate": published.at.as_epoch_seconds(),
        "stateMachineVersionArn": arn.qualified(published.version),
    }))
}
