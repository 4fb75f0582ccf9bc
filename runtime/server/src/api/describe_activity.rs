//! DescribeActivity.

use engine::arn::ActivityArn;
use serde_json::json;
use store::Store;

use super::configuration::encryption_default;
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("activityArn", TextRule::ARN)?;
    fields.finish()?;

    let arn = ActivityArn::parse(&arn)?;
    let found = app.store().activity(arn.name()).await?.filter(|activity| &*activity.arn == arn.as_str());
    let activity = found.ok_or_else(|| ApiError::activity_does_not_exist(arn.as_str()))?;
    Ok(json!({
        "activityArn": &*activity.arn,
        "name": &*activity.name,
        "creationDate": activity.created_at.as_epoch_seconds(),
        "encryptionConfiguration": activity.encryption.map_or_else(encryption_default, |data| data.value().clone()),
    }))
}
