//! ListMapRuns.

use engine::arn::ExecutionArn;
use serde_json::{Value, json};
use store::{MapRunRecord, Store};

use super::describe::find_execution;
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::page::{self, Listing, PageRequest};
use crate::app::{App, now};

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("executionArn", TextRule::ARN)?;
    let request = PageRequest::read(&mut fields, TextRule::PAGE_TOKEN)?;
    fields.finish()?;

    let (id, _) = find_execution(app, &ExecutionArn::parse(&arn)?).await?;
    let parts = ["ListMapRuns", arn.as_str()];
    let (listing, now) = (Listing(&parts), now());
    let from = request.position(&listing, now)?;
    let runs = app.store().list_map_runs(id, from.as_ref(), request.max_results()).await?;
    let items = runs.items.iter().map(item).collect();
    Ok(page::answer("mapRuns", items, runs.next.as_ref(), &listing, now))
}

fn item(run: &MapRunRecord) -> Value {
    let labeled = run.arn.rsplit_once(':').map_or(&*run.arn, |(labeled, _)| labeled);
    let mut item = json!({
        "executionArn": &*run.execution_arn,
        "mapRunArn": &*run.arn,
        "stateMachineArn": labeled.replacen(":mapRun:", ":stateMachine:", 1),
        "startDate": run.started_at.as_epoch_seconds(),
    });
    if let Some(at) = run.stopped_at {
        item["stopDate"] = at.as_epoch_seconds().into();
    }
    item
}
