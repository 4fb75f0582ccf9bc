//! StartSyncExecution: runs an Express execution to its end. A failed one is an answer, not an error.

use asl::{Data, Timestamp};
use engine::ExpressStart;
use engine::arn::is_valid_name;
use serde_json::{Map, Value, json};
use store::{ExecutionRecord, ExecutionStatus, Store};

use super::describe::{Included, STATUSES, tested, word};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use super::payload::execution_input;
use crate::app::App;

/// AWS bills the duration in steps of 100 ms.
const BILLED_MILLISECONDS: i64 = 100;
/// AWS bills memory in steps of 64 MB. What an execution itself takes is far below one.
const BILLED_MEGABYTES: u32 = 64;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("stateMachineArn", TextRule::ARN)?;
    let name = fields.text("name", TextRule::NAME)?;
    let input = fields.text("input", TextRule::PAYLOAD)?;
    let trace_header = fields.trace_header()?;
    let included = Included::read(&mut fields)?;
    fields.finish()?;

    let (state_machine, test_case) = tested(&arn)?;
    if let Some(name) = name.as_deref().filter(|name| !is_valid_name(name)) {
        return Err(ApiError::invalid_name(name));
    }
    let input = execution_input(input.as_deref())?;
    let request = ExpressStart { state_machine, name, input, trace_header, test_case };
    let execution = app.express().run_execution(request).await?;
    Ok(render(&execution, included))
}

pub(crate) fn render(execution: &ExecutionRecord, included: Included) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    let stopped_at = execution.stopped_at.unwrap_or(execution.started_at);
    put("executionArn", (*execution.arn).into());
    put("stateMachineArn", (*execution.state_machine_arn).into());
    put("name", (*execution.name).into());
    put("startDate", execution.started_at.as_epoch_seconds().into());
    put("stopDate", stopped_at.as_epoch_seconds().into());
    put("status", word(STATUSES, execution.status).into());
    let is_included = included == Included::All;
    let payload = |data: &Data| is_included.then(|| data.text().to_owned());
    put("input", payload(&execution.input).into());
    put("inputDetails", json!({"included": is_included}));
    put("output", execution.output.as_ref().and_then(payload).into());
    put("outputDetails", json!({"included": is_included}));
    let timeout = (execution.status == ExecutionStatus::TimedOut).then_some("States.Timeout");
    let error = execution.error.as_ref();
    put("error", error.and_then(|error| error.error.as_deref()).or(timeout).into());
    put("cause", error.and_then(|error| error.cause.as_deref()).into());
    put("traceHeader", execution.trace_header.as_deref().into());
    put("billingDetails", billing(execution.started_at, stopped_at));
    Value::Object(members)
}

fn billing(started_at: Timestamp, stopped_at: Timestamp) -> Value {
    let milliseconds = stopped_at.as_milliseconds().saturating_sub(started_at.as_milliseconds()).max(1);
    let steps = (milliseconds + BILLED_MILLISECONDS - 1) / BILLED_MILLISECONDS;
    json!({
        "billedMemoryUsedInMB": BILLED_MEGABYTES,
        "billedDurationInMilliseconds": steps * BILLED_MILLISECONDS,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_billed_in_steps() {
        let check = |milliseconds: i64, billed: i64| {
            let details = billing(Timestamp::EPOCH, Timestamp::from_milliseconds(milliseconds));
            assert_eq!(details["billedDurationInMilliseconds"], billed);
        };
        check(0, 100);
        check(100, 100);
        check(101, 200);
        check(-5, 100);
    }
}
