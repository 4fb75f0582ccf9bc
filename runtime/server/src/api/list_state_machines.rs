//! ListStateMachines.

use serde_json::json;
use store::Store;

use super::describe::{KINDS, word};
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::page::{self, Listing, PageRequest};
use crate::app::{App, now};

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let request = PageRequest::read(&mut fields, TextRule::PAGE_TOKEN)?;
    fields.finish()?;

    let (listing, now) = (Listing(&["ListStateMachines"]), now());
    let from = request.position(&listing, now)?;
    let machines = app.store().list_machines(from.as_ref(), request.max_results()).await?;
    let items = machines.items.iter().map(|machine| {
        json!({
            "stateMachineArn": &*machine.arn,
            "name": &*machine.name,
            "type": word(KINDS, machine.kind),
            "creationDate": machine.created_at.as_epoch_seconds(),
        })
    });
    Ok(page::answer("stateMachines", items.collect(), machines.next.as_ref(), &listing, now))
}
