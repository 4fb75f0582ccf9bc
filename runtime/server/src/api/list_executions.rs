//! ListExecutions.

use engine::MachineKind;
use serde_json::{Value, json};
use store::{ExecutionSummary, Store};

use super::describe::{STATUSES, find_machine, reference, word};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::page::{self, Listing, PageRequest};
use super::qualified;
use crate::app::{App, now};

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.text("stateMachineArn", TextRule::ARN)?;
    let map_run_arn = fields.text("mapRunArn", TextRule::LONG_ARN)?;
    let status = fields.choice("statusFilter", STATUSES)?;
    let redrive = fields.choice("redriveFilter", &[("REDRIVEN", ()), ("NOT_REDRIVEN", ())])?;
    let request = PageRequest::read(&mut fields, TextRule::EXECUTIONS_PAGE_TOKEN)?;
    fields.finish()?;

    let arn = match (arn, map_run_arn, redrive) {
        (Some(arn), None, None) => arn,
        (None, Some(_), _) => {
            return Err(ApiError::new(
                "ResourceNotFound",
                "Request references a resource that does not exist.",
            ));
        }
        (Some(_), None, Some(())) => {
            return Err(ApiError::validation("The redriveFilter can only be specified with a mapRunArn."));
        }
        (Some(_), Some(_), _) | (None, None, _) => {
            return Err(ApiError::validation(
                "Exactly one of stateMachineArn and mapRunArn must be specified.",
            ));
        }
    };
    let reference = reference(&arn)?;
    let machine = find_machine(app, reference.machine()).await?;
    let list = qualified::list(&machine, &reference)?;
    if machine.kind == MachineKind::Express {
        return Err(ApiError::new(
            "StateMachineTypeNotSupported",
            "This operation is not supported by this type of state machine",
        ));
    }
    let parts = ["ListExecutions", &arn, status.map_or("", |status| word(STATUSES, status))];
    let (listing, now) = (Listing(&parts), now());
    let from = request.position(&listing, now)?;
    let executions = app.store().list_executions(list, status, from.as_ref(), request.max_results()).await?;
    let items = executions.items.iter().map(|(_, execution)| item(execution)).collect();
    Ok(page::answer("executions", items, executions.next.as_ref(), &listing, now))
}

fn item(execution: &ExecutionSummary) -> Value {
    let mut item = json!({
        "executionArn": &*execution.arn,
        "stateMachineArn": &*execution.state_machine_arn,
        "name": &*execution.name,
        "status": word(STATUSES, execution.status),
        "startDate": execution.started_at.as_epoch_seconds(),
        "redriveCount": execution.redrive_count,
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            item[name] = value;
        }
    };
    put("stopDate", execution.stopped_at.map(|at| at.as_epoch_seconds().into()));
    put("redriveDate", execution.redriven_at.map(|at| at.as_epoch_seconds().into()));
    put("stateMachineVersionArn", execution.version_arn.as_deref().map(Into::into));
    put("stateMachineAliasArn", execution.alias_arn.as_deref().map(Into::into));
    item
}
