//! DescribeStateMachine: a machine as it is, or one of its versions as it was published.

use engine::arn::StateMachineReference;
use serde_json::Value;
use store::{MachineStatus, Store};

use super::describe::{Included, KINDS, find_machine, find_revision, reference, revision_members, word};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let included = Included::read(&mut fields)?;
    fields.finish()?;

    let missing = || ApiError::state_machine_does_not_exist(&arn);
    let reference = reference(&arn)?;
    let machine = find_machine(app, reference.machine(), &arn).await?;
    let version = match &reference {
        StateMachineReference::Machine(_) => None,
        StateMachineReference::Version { version, .. } => {
            Some(machine.version(*version).ok_or_else(missing)?)
        }
        // An alias may lead to two versions, so there is nothing to describe.
        StateMachineReference::Alias { .. } | StateMachineReference::Label { .. } => return Err(missing()),
    };
    let revision = find_revision(app, version.map_or(machine.revision, |version| version.revision)).await?;
    let status = match machine.status {
        MachineStatus::Active => "ACTIVE",
        MachineStatus::Deleting => "DELETING",
    };
    let mut members = revision_members(&revision, included);
    let mut put = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
    put("stateMachineArn", arn.as_str().into());
    put("status", status.into());
    put("type", word(KINDS, machine.kind).into());
    let created_at = version.map_or(machine.created_at, |version| version.created_at);
    put("creationDate", created_at.as_epoch_seconds().into());
    if let Some(description) = version.and_then(|version| version.description.as_deref()) {
        put("description", description.into());
    }
    Ok(Value::Object(members))
}
