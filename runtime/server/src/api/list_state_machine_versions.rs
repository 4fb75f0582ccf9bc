//! ListStateMachineVersions: the newest first.

use serde_json::json;
use store::Store;

use super::describe::{find_machine, machine_arn};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::page::{self, Listing, PageRequest};
use crate::app::{App, now};

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let request = PageRequest::read(&mut fields, TextRule::PAGE_TOKEN)?;
    fields.finish()?;

    let arn = machine_arn(&arn)?;
    let parts = ["ListStateMachineVersions", arn.as_str()];
    let (listing, now) = (Listing(&parts), now());
    let before: u32 = match request.place(&listing, now)? {
        Some(place) => place.parse().map_err(|_| ApiError::invalid_token())?,
        None => u32::MAX,
    };
    let machine = find_machine(app, &arn, arn.as_str()).await?;
    let rest = machine.versions().iter().rev().filter(|version| version.number < before);
    let (versions, next) = page::cut(rest, request.max_results(), |version| version.number.to_string());
    let item = |version: &&store::VersionRecord| {
        json!({
            "stateMachineVersionArn": arn.qualified(version.number),
            "creationDate": version.created_at.as_epoch_seconds(),
        })
    };
    let items = versions.iter().map(item).collect();
    Ok(page::answer("stateMachineVersions", items, next.as_ref(), &listing, now))
}
