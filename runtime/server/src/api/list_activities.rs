//! ListActivities: the oldest first, as AWS lists them.

use serde_json::json;
use store::{ActivityRecord, ReadError, Store};

use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::page::{self, Listing, PageRequest};
use crate::app::{App, now};

/// Activities that are read at once; all of them are read for each page.
const READ_AT_ONCE: usize = 1_000;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let request = PageRequest::read(&mut fields, TextRule::PAGE_TOKEN)?;
    fields.finish()?;

    let (listing, now) = (Listing(&["ListActivities"]), now());
    let after = request.place(&listing, now)?.map(|place| parse_place(&place)).transpose()?;
    let mut activities = all(app.store()).await?;
    activities.sort_by(|left, right| order(left).cmp(&order(right)));
    if let Some((at, name)) = &after {
        activities.retain(|activity| order(activity) > (*at, name));
    }
    let has_more = activities.len() > request.max_results();
    activities.truncate(request.max_results());
    let next = activities.last().filter(|_| has_more).map(|last| format!("{}:{}", order(last).0, last.name));
    let items = activities.iter().map(|activity| {
        json!({
            "activityArn": &*activity.arn,
            "name": &*activity.name,
            "creationDate": activity.created_at.as_epoch_seconds(),
        })
    });
    Ok(page::answer("activities", items.collect(), next.as_ref(), &listing, now))
}

async fn all<S: Store>(store: &S) -> Result<Vec<ActivityRecord>, ReadError> {
    let mut activities = Vec::new();
    let mut from = None;
    loop {
        let page = store.list_activities(from.as_ref(), READ_AT_ONCE).await?;
        activities.extend(page.items);
        if page.next.is_none() {
            return Ok(activities);
        }
        from = page.next;
    }
}

fn order(activity: &ActivityRecord) -> (i64, &str) {
    (activity.created_at.as_milliseconds(), &activity.name)
}

/// The last activity of the page before; it may be gone since.
fn parse_place(place: &str) -> Result<(i64, String), ApiError> {
    let parsed = place.split_once(':').and_then(|(at, name)| Some((at.parse().ok()?, name.to_owned())));
    parsed.ok_or_else(ApiError::invalid_token)
}
