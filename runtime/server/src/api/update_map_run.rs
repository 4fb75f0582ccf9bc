//! UpdateMapRun: changes what bounds a Map Run that runs.

use asl::interpreter::MapRunUpdate;
use engine::UpdateMapRun;
use engine::arn::MapRunArn;
use serde_json::json;
use store::Store;

use super::describe::find_map_run;
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use crate::app::App;

/// AWS's service model gives the counts no upper bound.
const COUNT_MAX: u32 = u32::MAX;
const PERCENTAGE_MAX: f64 = 100.0;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("mapRunArn", TextRule::LONG_ARN)?;
    let update = MapRunUpdate {
        concurrency_max: fields.integer("maxConcurrency", 0, COUNT_MAX)?,
        tolerated_failure_percentage: fields.number("toleratedFailurePercentage", 0.0, PERCENTAGE_MAX)?,
        tolerated_failure_count: fields.long("toleratedFailureCount", 0, COUNT_MAX)?,
    };
    fields.finish()?;

    let arn = MapRunArn::parse(&arn)?;
    if update == MapRunUpdate::default() {
        return Err(ApiError::validation_because(
            "MISSING_REQUIRED_PARAMETER",
            "One of maxConcurrency, toleratedFailurePercentage and toleratedFailureCount must be specified.",
        ));
    }
    let (_, place, _) = find_map_run(app, &arn).await?;
    app.engine().update_map_run(UpdateMapRun { place, update }).await?;
    Ok(json!({}))
}
