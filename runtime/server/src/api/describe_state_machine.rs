//! DescribeStateMachine: a machine as it is, by the label of one of its distributed Maps too, or one of its versions as it
//! was published.

use asl::interpreter::map_labels;
use engine::arn::StateMachineReference;
use serde_json::Value;
use store::{MachineStatus, Store};

use super::describe::{Included, KINDS, find_machine, find_revision, parsed, revision_members, word};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let included = Included::read(&mut fields)?;
    fields.finish()?;

    let missing = || ApiError::state_machine_does_not_exist(&arn);
    let reference = StateMachineReference::parse(&arn)?;
    let machine = find_machine(app, reference.machine(), &arn).await?;
    let version = match &reference {
        StateMachineReference::Machine(_) | StateMachineReference::Label { .. } => None,
        StateMachineReference::Version { version, .. } => {
            Some(machine.version(*version).ok_or_else(missing)?)
        }
        // An alias may lead to two versions, so there is nothing to describe.
        StateMachineReference::Alias { .. } => return Err(missing()),
    };
    let revision = find_revision(app, version.map_or(machine.revision, |version| version.revision)).await?;
    let label = match &reference {
        StateMachineReference::Label { machine, label } => {
            let labels = parsed(&revision).map(|definition| map_labels(&definition, machine.as_str()));
            Some(labels.into_iter().flatten().find(|known| **known == **label).ok_or_else(missing)?)
        }
        StateMachineReference::Machine(_)
        | StateMachineReference::Version { .. }
        | StateMachineReference::Alias { .. } => None,
    };
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
    if let Some(label) = label {
        put("label", label.into());
    }
    if let Some(description) = version.and_then(|version| version.description.as_deref()) {
        put("description", description.into());
    }
    Ok(Value::Object(members))
}
