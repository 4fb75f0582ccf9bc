//! ListActivities.

use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::page::{self, Listing, PageRequest};
use crate::app::{App, now};

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let request = PageRequest::read(&mut fields, TextRule::PAGE_TOKEN)?;
    fields.finish()?;

    let (listing, now) = (Listing(&["ListActivities"]), now());
    let from = request.position(&listing, now)?;
    let activities = app.store().list_activities(from.as_ref(), request.max_results()).await?;
    let items = activities.items.iter().map(|activity| {
        json!({
            "activityArn": &*activity.arn,
            "name": &*activity.name,
            "creationDate": activity.created_at.as_epoch_seconds(),
        })
    });
    Ok(page::answer("activities", items.collect(), activities.next.as_ref(), &listing, now))
}
