//! DescribeStateMachineForExecution: the machine as it was when the execution started.

use engine::arn::ExecutionArn;
use serde_json::Value;
use store::Store;

use super::describe::{Included, find_execution, find_revision, revision_members};
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("executionArn", TextRule::ARN)?;
    let included = Included::read(&mut fields)?;
    fields.finish()?;

    let (_, execution) = find_execution(app, &ExecutionArn::parse(&arn)?).await?;
    let revision = find_revision(app, execution.revision).await?;
    let mut members = revision_members(&revision, included);
    let item = execution.parent.as_ref().and_then(|parent| parent.item.as_ref());
    if let (Some(item), Some((_, label))) = (item, execution.state_machine_arn.split_once('/')) {
        // The members of a child of a Map Run name the part of the machine that it runs.
        members.insert("stateMachineArn".to_owned(), (*execution.state_machine_arn).into());
        members.insert("mapRunArn".to_owned(), (*item.map_run_arn).into());
        members.insert("label".to_owned(), label.into());
    }
    members.insert("updateDate".to_owned(), revision.updated_at.as_epoch_seconds().into());
    Ok(Value::Object(members))
}
