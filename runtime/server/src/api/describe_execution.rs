//! DescribeExecution.

use asl::limits::HISTORY_EVENTS_MAX;
use asl::{Data, Timestamp};
use engine::arn::ExecutionArn;
use serde_json::{Map, Value, json};
use store::{ExecutionRecord, ExecutionStatus, Store};

use super::describe::{Included, STATUSES, find_execution, word};
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::{App, now};

/// AWS: an execution can be redriven for 14 days after its end.
const REDRIVABLE_SECONDS: i64 = 14 * 24 * 60 * 60;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("executionArn", TextRule::ARN)?;
    let included = Included::read(&mut fields)?;
    fields.finish()?;

    let (_, execution) = find_execution(app, &ExecutionArn::parse(&arn)?).await?;
    Ok(render(&execution, included, now()))
}

/// Absent members are left out.
fn render(execution: &ExecutionRecord, included: Included, now: Timestamp) -> Value {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
    };
    put("executionArn", (*execution.arn).into());
    put("stateMachineArn", (*execution.state_machine_arn).into());
    put("name", (*execution.name).into());
    put("status", word(STATUSES, execution.status).into());
    put("startDate", execution.started_at.as_epoch_seconds().into());
    put("stopDate", execution.stopped_at.map(Timestamp::as_epoch_seconds).into());
    let mut payload = |name: &str, details: &str, data: &Data| {
        let all = included == Included::All;
        put(name, all.then(|| data.text()).into());
        put(details, json!({"included": all}));
    };
    payload("input", "inputDetails", &execution.input);
    if let Some(output) = &execution.output {
        payload("output", "outputDetails", output);
    }
    // AWS tells neither of an execution that has timed out.
    let error = execution.error.as_ref().filter(|_| execution.status != ExecutionStatus::TimedOut);
    put("error", error.and_then(|error| error.error.as_deref()).into());
    put("cause", error.and_then(|error| error.cause.as_deref()).into());
    put("traceHeader", execution.trace_header.as_deref().into());
    let item = execution.parent.as_ref().and_then(|parent| parent.item.as_ref());
    put("mapRunArn", item.map(|item| &*item.map_run_arn).into());
    put("stateMachineVersionArn", execution.version_arn.as_deref().into());
    put("stateMachineAliasArn", execution.alias_arn.as_deref().into());
    put("redriveCount", execution.redrive_count.into());
    put("redriveDate", execution.redriven_at.map(Timestamp::as_epoch_seconds).into());
    let reason = not_redrivable(execution, now);
    let status = match (reason, item) {
        (Some(_), _) => "NOT_REDRIVABLE",
        (None, Some(_)) => "REDRIVABLE_BY_MAP_RUN",
        (None, None) => "REDRIVABLE",
    };
    put("redriveStatus", status.into());
    put("redriveStatusReason", reason.into());
    Value::Object(members)
}

/// Why the execution can't be redriven, in AWS's words.
fn not_redrivable(execution: &ExecutionRecord, now: Timestamp) -> Option<&'static str> {
    match execution.status {
        ExecutionStatus::Running => return Some("Execution is RUNNING and cannot be redriven"),
        ExecutionStatus::Succeeded => return Some("Execution is SUCCEEDED and cannot be redriven"),
        ExecutionStatus::PendingRedrive => {
            return Some("Execution is PENDING_REDRIVE and cannot be redriven");
        }
        ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => (),
    }
    if execution.event_count >= HISTORY_EVENTS_MAX - 1 {
        return Some("Execution history event limit exceeded");
    }
    let too_late = |stopped_at: Timestamp| stopped_at.saturating_add_seconds(REDRIVABLE_SECONDS) < now;
    execution.stopped_at.is_some_and(too_late).then_some("Execution redrivable period exceeded")
}

#[cfg(test)]
mod tests {
    use asl::interpreter::ErrorOutput;

    use super::*;

    fn execution(status: ExecutionStatus) -> ExecutionRecord {
        let ended = status != ExecutionStatus::Running;
        ExecutionRecord {
            arn: "arn:aws:states:r:1:execution:m:e".into(),
            name: "e".into(),
            state_machine_arn: "arn:aws:states:r:1:stateMachine:m".into(),
            machine_id: 1,
            revision: 2,
            status,
            started_at: Timestamp::from_milliseconds(1_500),
            stopped_at: ended.then_some(Timestamp::from_milliseconds(2_250)),
            input: json!({}).into(),
            output: (status == ExecutionStatus::Succeeded).then(|| json!({"a": 1}).into()),
            error: ended.then(|| ErrorOutput::bare("Boom")).filter(|_| status != ExecutionStatus::Succeeded),
            last_lsn: 0,
            event_count: 4,
            seed: [0; 32],
            redrive_count: 0,
            redriven_at: None,
            trace_header: None,
            version_arn: None,
            alias_arn: None,
            parent: None,
            lists: None,
        }
    }

    fn check(status: ExecutionStatus, included: Included, expected: &str) {
        let shown = render(&execution(status), included, Timestamp::from_milliseconds(3_000)).to_string();
        let common = "{\"executionArn\":\"arn:aws:states:r:1:execution:m:e\",\"stateMachineArn\":\
                      \"arn:aws:states:r:1:stateMachine:m\",\"name\":\"e\",";
        assert_eq!(shown.strip_prefix(common).unwrap(), expected);
    }

    #[test]
    fn shows_what_the_status_has() {
        check(
            ExecutionStatus::Succeeded,
            Included::All,
            "\"status\":\"SUCCEEDED\",\"startDate\":1.5,\"stopDate\":2.25,\"input\":\"{}\",\"inputDetails\":\
             {\"included\":true},\"output\":\"{\\\"a\\\":1}\",\"outputDetails\":{\"included\":true},\"redriveCount\":0,\
             \"redriveStatus\":\"NOT_REDRIVABLE\",\"redriveStatusReason\":\"Execution is SUCCEEDED and cannot be \
             redriven\"}",
        );
        check(
            ExecutionStatus::Running,
            Included::Metadata,
            "\"status\":\"RUNNING\",\"startDate\":1.5,\"inputDetails\":{\"included\":false},\"redriveCount\":0,\
             \"redriveStatus\":\"NOT_REDRIVABLE\",\"redriveStatusReason\":\"Execution is RUNNING and cannot be \
             redriven\"}",
        );
        check(
            ExecutionStatus::Failed,
            Included::All,
            "\"status\":\"FAILED\",\"startDate\":1.5,\"stopDate\":2.25,\"input\":\"{}\",\"inputDetails\":\
             {\"included\":true},\"error\":\"Boom\",\"redriveCount\":0,\"redriveStatus\":\"REDRIVABLE\"}",
        );
        check(
            ExecutionStatus::TimedOut,
            Included::All,
            "\"status\":\"TIMED_OUT\",\"startDate\":1.5,\"stopDate\":2.25,\"input\":\"{}\",\"inputDetails\":\
             {\"included\":true},\"redriveCount\":0,\"redriveStatus\":\"REDRIVABLE\"}",
        );
    }

    #[test]
    fn an_execution_can_be_redriven_for_two_weeks() {
        let mut failed = execution(ExecutionStatus::Failed);
        let day_15 = Timestamp::EPOCH.saturating_add_seconds(15 * 24 * 3600);
        assert_eq!(not_redrivable(&failed, day_15), Some("Execution redrivable period exceeded"));
        failed.event_count = 24_999;
        assert_eq!(not_redrivable(&failed, Timestamp::EPOCH), Some("Execution history event limit exceeded"));
    }
}
