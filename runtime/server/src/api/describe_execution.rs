//! DescribeExecution.

use asl::{Data, Timestamp};
use engine::arn::ExecutionArn;
use engine::{NotRedrivable, not_redrivable};
use serde_json::{Map, Value, json};
use store::{ExecutionRecord, ExecutionStatus, MachineRecord, Store};

use super::describe::{Included, STATUSES, find_execution, word};
use super::dispatch::Answer;
use super::error::ApiError;
use super::fields::{Fields, TextRule};
use crate::app::{App, now};

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("executionArn", TextRule::ARN)?;
    let included = Included::read(&mut fields)?;
    fields.finish()?;

    let arn = ExecutionArn::parse(&arn)?;
    let (_, execution) = find_execution(app, &arn).await?;
    let machine = machine_of(app, &arn, &execution).await?;
    Ok(render(&execution, not_redrivable(&execution, machine.as_ref(), now()), included))
}

/// Absent members are left out.
fn render(execution: &ExecutionRecord, not_redrivable: Option<NotRedrivable>, included: Included) -> Value {
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
    let status = match (not_redrivable, item) {
        (Some(_), _) => "NOT_REDRIVABLE",
        (None, Some(_)) => "REDRIVABLE_BY_MAP_RUN",
        (None, None) => "REDRIVABLE",
    };
    put("redriveStatus", status.into());
    put("redriveStatusReason", not_redrivable.map(|why| why.to_string()).into());
    Value::Object(members)
}

/// The machine that has the name of the execution's, which tells whether an unsuccessful execution can be redriven.
async fn machine_of<S: Store + Clone>(
    app: &App<S>,
    arn: &ExecutionArn,
    execution: &ExecutionRecord,
) -> Result<Option<MachineRecord>, ApiError> {
    match execution.status {
        ExecutionStatus::Running | ExecutionStatus::Succeeded | ExecutionStatus::PendingRedrive => Ok(None),
        ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => {
            Ok(app.store().machine(arn.state_machine_name()).await?)
        }
    }
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
            redrives: None,
            test_case: None,
        }
    }

    fn check(status: ExecutionStatus, included: Included, expected: &str) {
        let why = match status {
            ExecutionStatus::Running => Some(NotRedrivable::Running),
            ExecutionStatus::Succeeded => Some(NotRedrivable::Succeeded),
            _ => None,
        };
        let shown = render(&execution(status), why, included).to_string();
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
}
