//! ListExecutions.

use engine::MachineKind;
use engine::arn::MapRunArn;
use serde_json::{Value, json};
use store::{ExecutionStatus, ExecutionSummary, Store, map_run_listing};

use super::describe::{STATUSES, find_machine, find_map_run, reference, word};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::page::{self, Listing, PageRequest};
use super::qualified;
use crate::app::{App, now};

/// Ours: pages of the store that are read for one of a filtered list. A page may have fewer items than were asked for,
/// as on AWS.
const FILTERED_PAGES_MAX: usize = 100;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.text("stateMachineArn", TextRule::ARN)?;
    let map_run_arn = fields.text("mapRunArn", TextRule::LONG_ARN)?;
    let status = fields.choice("statusFilter", STATUSES)?;
    let redrive = fields.choice("redriveFilter", &[("REDRIVEN", true), ("NOT_REDRIVEN", false)])?;
    let request = PageRequest::read(&mut fields, TextRule::EXECUTIONS_PAGE_TOKEN)?;
    fields.finish()?;

    let arn = match (arn, map_run_arn, redrive) {
        (Some(arn), None, None) => arn,
        (None, Some(arn), redrive) => return of_map_run(app, &arn, status, redrive, &request).await,
        (Some(_), None, Some(_)) => {
            return Err(ApiError::validation("The redriveFilter can only be specified with a mapRunArn."));
        }
        (Some(_), Some(_), _) | (None, None, _) => {
            return Err(ApiError::validation(
                "Exactly one of stateMachineArn and mapRunArn must be specified.",
            ));
        }
    };
    let reference = reference(&arn)?;
    let machine = find_machine(app, reference.machine(), &arn).await?;
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

/// The child executions of a Map Run.
async fn of_map_run<S: Store + Clone>(
    app: &App<S>,
    arn: &str,
    status: Option<ExecutionStatus>,
    is_redriven: Option<bool>,
    request: &PageRequest,
) -> Answer {
    let (id, _, _) = find_map_run(app, &MapRunArn::parse(arn)?).await?;
    let redrive = is_redriven.map_or("", |is_redriven| if is_redriven { "REDRIVEN" } else { "NOT_REDRIVEN" });
    let parts = ["ListExecutions", arn, status.map_or("", |status| word(STATUSES, status)), redrive];
    let (listing, now) = (Listing(&parts), now());
    let from = request.position(&listing, now)?;
    let is_wanted = |execution: &ExecutionSummary| {
        is_redriven.is_none_or(|is_redriven| is_redriven == (execution.redrive_count > 0))
    };
    let (mut items, mut next) = (Vec::new(), from);
    for _ in 0..FILTERED_PAGES_MAX {
        let room = request.max_results() - items.len();
        let page = app.store().list_executions(map_run_listing(id), status, next.as_ref(), room).await?;
        let wanted = page.items.iter().filter(|(_, execution)| is_wanted(execution));
        items.extend(wanted.map(|(_, execution)| item(execution)));
        next = page.next;
        if next.is_none() || items.len() == request.max_results() {
            break;
        }
    }
    Ok(page::answer("executions", items, next.as_ref(), &listing, now))
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
    let map_item = execution.parent.as_ref().and_then(|parent| parent.item.as_ref());
    put("mapRunArn", map_item.map(|item| (*item.map_run_arn).into()));
    put("itemCount", map_item.map(|item| item.count.into()));
    put("stateMachineVersionArn", execution.version_arn.as_deref().map(Into::into));
    put("stateMachineAliasArn", execution.alias_arn.as_deref().map(Into::into));
    item
}
