//! ListStateMachineAliases: of a machine, or those that lead to one of its versions; by their names.

use engine::Refusal;
use engine::arn::StateMachineReference;
use serde_json::json;
use store::{AliasRecord, MachineStatus, Store};

use super::describe::{find_machine, reference};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::page::{self, Listing, PageRequest};
use crate::app::{App, now};

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let request = PageRequest::read(&mut fields, TextRule::PAGE_TOKEN)?;
    fields.finish()?;

    let reference = reference(&arn)?;
    let parts = ["ListStateMachineAliases", &arn];
    let (listing, now) = (Listing(&parts), now());
    let after = request.place(&listing, now)?;
    let machine = find_machine(app, reference.machine(), &arn).await?;
    if machine.status == MachineStatus::Deleting {
        return Err(Refusal::StateMachineDeleting { arn: reference.machine().clone() }.into());
    }
    let version = match &reference {
        StateMachineReference::Machine(_) => None,
        StateMachineReference::Version { version, .. } if machine.version(*version).is_some() => {
            Some(*version)
        }
        StateMachineReference::Version { .. }
        | StateMachineReference::Alias { .. }
        | StateMachineReference::Label { .. } => return Err(ApiError::resource_not_found(&arn)),
    };
    let leads_there = |alias: &&AliasRecord| {
        version.is_none_or(|version| alias.routes.iter().any(|route| route.version == version))
    };
    let is_later = |alias: &&AliasRecord| after.as_deref().is_none_or(|after| &*alias.name > after);
    let rest = machine.aliases().iter().filter(leads_there).filter(is_later);
    let (aliases, next) = page::cut(rest, request.max_results(), |alias| alias.name.to_string());
    let item = |alias: &&AliasRecord| {
        json!({
            "stateMachineAliasArn": reference.machine().qualified(&*alias.name),
            "creationDate": alias.created_at.as_epoch_seconds(),
        })
    };
    let items = aliases.iter().map(item).collect();
    Ok(page::answer("stateMachineAliases", items, next.as_ref(), &listing, now))
}
