//! StartExecution: of a Standard machine durably, of an Express one in memory.

use engine::arn::is_valid_name;
use engine::{ExpressStart, Refusal, StartExecution};
use serde_json::json;
use store::Store;

use super::describe::reference;
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::payload::execution_input;
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let name = fields.text("name", TextRule::NAME)?;
    let input = fields.text("input", TextRule::PAYLOAD)?;
    let trace_header = fields.text("traceHeader", TextRule::TRACE_HEADER)?;
    fields.finish()?;

    let state_machine = reference(&arn)?;
    if let Some(name) = name.as_deref().filter(|name| !is_valid_name(name)) {
        return Err(ApiError::invalid_name(name));
    }
    let input = execution_input(input.as_deref())?;
    let express = ExpressStart {
        state_machine: state_machine.clone(),
        name: name.clone(),
        input: input.clone(),
        trace_header: trace_header.clone(),
    };
    let request = StartExecution { state_machine, name, input, trace_header };
    match app.engine().start_execution(request).await {
        Ok(started) => {
            Ok(json!({"executionArn": started.arn.as_str(), "startDate": started.at.as_epoch_seconds()}))
        }
        // Only the engine knows the type without a read, and most machines are of the other one.
        Err(Refusal::ExpressNotSupported) => {
            let started = app.express().start_execution(express).await?;
            Ok(json!({"executionArn": &*started.arn, "startDate": started.started_at.as_epoch_seconds()}))
        }
        Err(refusal) => Err(refusal.into()),
    }
}
