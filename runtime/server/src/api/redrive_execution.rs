//! RedriveExecution.

use engine::RedriveExecution;
use engine::arn::ExecutionArn;
use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("executionArn", TextRule::ARN)?;
    let token = fields.text("clientToken", TextRule::CLIENT_TOKEN)?;
    fields.finish()?;

    let request = RedriveExecution { arn: ExecutionArn::parse(&arn)?, token };
    let redriven_at = app.engine().redrive_execution(request).await?;
    Ok(json!({"redriveDate": redriven_at.as_epoch_seconds()}))
}
