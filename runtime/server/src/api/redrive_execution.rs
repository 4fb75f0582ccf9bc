//! RedriveExecution.

use engine::RedriveExecution;
use engine::arn::ExecutionArn;
use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

/// The characters of a token, as the service model has them.
const TOKEN_PATTERN: &str = "[!-~]+";

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("executionArn", TextRule::ARN)?;
    let is_visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    let token = fields.pattern("clientToken", TextRule::CLIENT_TOKEN, TOKEN_PATTERN, is_visible)?;
    fields.finish()?;

    let request = RedriveExecution { arn: ExecutionArn::parse(&arn)?, token };
    let redriven_at = app.engine().redrive_execution(request).await?;
    Ok(json!({"redriveDate": redriven_at.as_epoch_seconds()}))
}
