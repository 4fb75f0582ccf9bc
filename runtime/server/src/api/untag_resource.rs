//! UntagResource: removing a tag that is not there succeeds.

use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::tags;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("resourceArn", TextRule::ARN)?;
    let keys = fields.required_texts("tagKeys", TextRule::TAG_KEY)?;
    fields.finish()?;

    app.engine().untag(tags::resource(&arn)?, keys).await?;
    Ok(json!({}))
}
