//! CreateActivity: a second request for the same name gives the first one's answer.

use engine::CreateActivity;
use engine::arn::is_valid_name;
use serde_json::json;
use store::Store;

use super::configuration::{Configuration, encryption, tags};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let name = fields.required_text("name", TextRule::NAME)?;
    let encryption = encryption(&mut fields)?;
    let tags = tags(&mut fields)?;
    fields.finish()?;

    if !is_valid_name(&name) {
        return Err(ApiError::invalid_name(&name));
    }
    let encryption = Configuration { encryption, ..Configuration::default() }.without_defaults().encryption;
    let arn = app.activity_arn(&name)?;
    let created_at =
        app.engine().create_activity(CreateActivity { arn: arn.clone(), encryption, tags }).await?;
    Ok(json!({"activityArn": arn.as_str(), "creationDate": created_at.as_epoch_seconds()}))
}
