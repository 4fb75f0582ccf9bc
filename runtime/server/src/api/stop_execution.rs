//! StopExecution.

use asl::interpreter::ErrorOutput;
use engine::StopExecution;
use engine::arn::ExecutionArn;
use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("executionArn", TextRule::ARN)?;
    let error = fields.text("error", TextRule::ERROR)?;
    let cause = fields.text("cause", TextRule::CAUSE)?;
    fields.finish()?;

    let request = StopExecution { arn: ExecutionArn::parse(&arn)?, reason: ErrorOutput { error, cause } };
    let stopped_at = app.engine().stop_execution(request).await?;
    Ok(json!({"stopDate": stopped_at.as_epoch_seconds()}))
}
