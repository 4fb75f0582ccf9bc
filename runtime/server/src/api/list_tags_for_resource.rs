//! ListTagsForResource.

use engine::Tagged;
use serde_json::{Value, json};
use store::Store;

use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::tags;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("resourceArn", TextRule::ARN)?;
    fields.finish()?;

    let found = match tags::resource(&arn)? {
        Tagged::Machine(of) => {
            let machine = app.store().machine(of.name()).await?;
            machine.filter(|machine| *machine.arn == *of.as_str()).map(|machine| machine.tags)
        }
        Tagged::Activity(of) => {
            let activity = app.store().activity(of.name()).await?;
            activity.filter(|activity| *activity.arn == *of.as_str()).map(|activity| activity.tags)
        }
    };
    let found = found.ok_or_else(|| ApiError::tagged_does_not_exist(&arn))?;
    let tags: Value = found.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    Ok(json!({"tags": tags}))
}
