//! DescribeStateMachine.

use serde_json::Value;
use store::{MachineStatus, Store};

use super::describe::{Included, KINDS, find_machine, find_revision, machine_arn, revision_members, word};
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let included = Included::read(&mut fields)?;
    fields.finish()?;

    let machine = find_machine(app, &machine_arn(&arn)?).await?;
    let revision = find_revision(app, machine.revision).await?;
    let status = match machine.status {
        MachineStatus::Active => "ACTIVE",
        MachineStatus::Deleting => "DELETING",
    };
    let mut members = revision_members(&revision, included);
    members.insert("status".to_owned(), status.into());
    members.insert("type".to_owned(), word(KINDS, machine.kind).into());
    members.insert("creationDate".to_owned(), machine.created_at.as_epoch_seconds().into());
    Ok(Value::Object(members))
}
