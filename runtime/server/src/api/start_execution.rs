//! StartExecution: of a Standard machine durably, of an Express one in memory.

use asl::{Text, Timestamp};
use engine::arn::is_valid_name;
use engine::{ExpressStart, Refusal, StartExecution};
use serde_json::json;
use store::Store;

use super::describe::tested;
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::payload::execution_input;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, fields: Fields) -> Answer {
    let request = read(fields)?;
    let (arn, at) = match app.engine().start_execution(request.clone()).await {
        Ok(started) => (started.arn.as_str().into(), started.at),
        // Only the engine knows the type without a read, and most machines are of the other one.
        Err(Refusal::ExpressNotSupported) => start_express(app, request).await?,
        Err(refusal) => return Err(refusal.into()),
    };
    Ok(json!({"executionArn": &*arn, "startDate": at.as_epoch_seconds()}))
}

/// Starts an execution in memory; gives its ARN and its time.
pub(super) async fn start_express<S: Store + Clone>(
    app: &App<S>,
    request: StartExecution,
) -> Result<(Text, Timestamp), ApiError> {
    let StartExecution { state_machine, name, input, trace_header, test_case } = request;
    let request = ExpressStart { state_machine, name, input, trace_header, test_case };
    let started = app.express().start_execution(request).await?;
    Ok((started.arn, started.started_at))
}

/// The request; tasks make it too.
pub(super) fn read(mut fields: Fields) -> Result<StartExecution, ApiError> {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let name = fields.text("name", TextRule::NAME)?;
    let input = fields.text("input", TextRule::PAYLOAD)?;
    let trace_header = fields.trace_header()?;
    fields.finish()?;

    let (state_machine, test_case) = tested(&arn)?;
    if let Some(name) = name.as_deref().filter(|name| !is_valid_name(name)) {
        return Err(ApiError::invalid_name(name));
    }
    let input = execution_input(input.as_deref())?;
    Ok(StartExecution { state_machine, name, input, trace_header, test_case })
}
