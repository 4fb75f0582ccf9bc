//! DescribeMapRun.

use asl::interpreter::MapRunStatus;
use engine::arn::MapRunArn;
use serde_json::{Value, json};
use store::{MapRunRecord, MapRunTotals, Store};

use super::describe::{find_map_run, word};
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

const STATUSES: &[(&str, MapRunStatus)] = &[
    ("RUNNING", MapRunStatus::Running),
    ("SUCCEEDED", MapRunStatus::Succeeded),
    ("FAILED", MapRunStatus::Failed),
    ("ABORTED", MapRunStatus::Aborted),
];

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("mapRunArn", TextRule::LONG_ARN)?;
    fields.finish()?;

    let (_, _, run) = find_map_run(app, &MapRunArn::parse(&arn)?).await?;
    Ok(render(&run))
}

fn render(run: &MapRunRecord) -> Value {
    let mut members = json!({
        "mapRunArn": &*run.arn,
        "executionArn": &*run.execution_arn,
        "status": word(STATUSES, run.status),
        "startDate": run.started_at.as_epoch_seconds(),
    });
    if let Some(at) = run.stopped_at {
        members["stopDate"] = at.as_epoch_seconds().into();
    }
    members["maxConcurrency"] = run.concurrency_max.into();
    members["toleratedFailurePercentage"] = run.tolerance.percentage.unwrap_or(0.0).into();
    members["toleratedFailureCount"] = run.tolerance.count.unwrap_or(0).into();
    members["itemCounts"] = counts(&run.items);
    members["executionCounts"] = counts(&run.children);
    // AWS tells them of a Map Run that was redriven.
    if let Some(at) = run.redriven_at {
        members["redriveCount"] = run.redrive_count.into();
        members["redriveDate"] = at.as_epoch_seconds().into();
    }
    members
}

fn counts(totals: &MapRunTotals) -> Value {
    let by_status = &totals.by_status;
    let mut counts = json!({
        "pending": totals.pending,
        "running": by_status.running,
        "succeeded": by_status.succeeded,
        "failed": by_status.failed,
        "timedOut": by_status.timed_out,
        "aborted": by_status.aborted,
        "total": totals.pending + by_status.started(),
        // Recorded: without a ResultWriter the results count as written, to the state's output.
        "resultsWritten": by_status.succeeded,
    });
    // Left out by AWS where there is none of it, as optional members are.
    for (name, count) in
        [("failuresNotRedrivable", by_status.not_redrivable), ("pendingRedrive", by_status.pending_redrive)]
    {
        if let Some(count) = count {
            counts[name] = count.into();
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use asl::Timestamp;
    use asl::interpreter::{ExecutionId, MapRunCounts, Tolerance};

    use super::*;

    #[test]
    fn shows_counts_and_bounds() {
        let by_status = MapRunCounts {
            running: 1,
            succeeded: 2,
            failed: 3,
            timed_out: 4,
            aborted: 5,
            pending_redrive: None,
            not_redrivable: None,
        };
        let mut run = MapRunRecord {
            arn: "arn:aws:states:r:1:mapRun:m/l:u".into(),
            execution: ExecutionId(1),
            execution_arn: "arn:aws:states:r:1:execution:m:e".into(),
            status: MapRunStatus::Running,
            started_at: Timestamp::from_milliseconds(1_500),
            stopped_at: None,
            concurrency_max: 10,
            tolerance: Tolerance { count: None, percentage: Some(12.5) },
            items: MapRunTotals { pending: 6, by_status },
            children: MapRunTotals { pending: 0, by_status },
            redrive_count: 0,
            redriven_at: None,
        };
        let counts = r#""running":1,"succeeded":2,"failed":3,"timedOut":4,"aborted":5"#;
        let expected = format!(
            r#"{{"mapRunArn":"arn:aws:states:r:1:mapRun:m/l:u","executionArn":"arn:aws:states:r:1:execution:m:e","status":"RUNNING","startDate":1.5,"maxConcurrency":10,"toleratedFailurePercentage":12.5,"toleratedFailureCount":0,"itemCounts":{{"pending":6,{counts},"total":21,"resultsWritten":2}},"executionCounts":{{"pending":0,{counts},"total":15,"resultsWritten":2}}}}"#
        );
        assert_eq!(render(&run).to_string(), expected);
        run.stopped_at = Some(Timestamp::from_milliseconds(2_250));
        run.status = MapRunStatus::Aborted;
        let shown = render(&run);
        assert_eq!((&shown["status"], &shown["stopDate"]), (&json!("ABORTED"), &json!(2.25)));
        (run.redrive_count, run.redriven_at) = (2, Some(Timestamp::from_milliseconds(3_000)));
        run.children.by_status.pending_redrive = Some(4);
        run.children.by_status.not_redrivable = Some(1);
        let shown = render(&run);
        assert_eq!((&shown["redriveCount"], &shown["redriveDate"]), (&json!(2), &json!(3.0)));
        let counts = &shown["executionCounts"];
        assert_eq!((&counts["pendingRedrive"], &counts["failuresNotRedrivable"]), (&json!(4), &json!(1)));
        assert_eq!(
            counts["total"], 19,
            "what waits is part of the whole, what can't be redriven is counted already"
        );
    }
}
