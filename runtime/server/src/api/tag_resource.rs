//! TagResource: a tag whose key is there gets the new value.

use serde_json::json;
use store::Store;

use super::configuration::added_tags;
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use super::tags;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("resourceArn", TextRule::ARN)?;
    let added = added_tags(&mut fields)?;
    fields.finish()?;

    app.engine().tag(tags::resource(&arn)?, added).await?;
    Ok(json!({}))
}
