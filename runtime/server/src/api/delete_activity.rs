//! DeleteActivity: succeeds for an activity that is not there, as AWS does.

use engine::arn::ActivityArn;
use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("activityArn", TextRule::ARN)?;
    fields.finish()?;

    match app.engine().delete_activity(ActivityArn::parse(&arn)?).await {
        Ok(()) | Err(engine::Refusal::ActivityDoesNotExist { .. }) => Ok(json!({})),
        Err(refusal) => Err(refusal.into()),
    }
}
