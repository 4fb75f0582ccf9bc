//! `stepwell express`, and how a finished Express execution is followed and shown.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::arguments::{ExpressCommand, ExpressListOptions};
use super::client::{Client, Refused, path_part};
use super::terminal::{Terminal, printable};
use super::{Failure, Verdict};
use crate::limits::{FOLLOW_INTERVAL, PAGE_RESULTS_MAX};

/// An Express execution takes five minutes at most.
const LONGEST: Duration = Duration::from_secs(asl::limits::EXPRESS_SECONDS_MAX as u64 + 10);

pub(crate) async fn run(
    client: &Client,
    command: ExpressCommand,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let ExpressCommand::List(options) = command;
    let executions = list(client, &options).await?;
    if executions.is_empty() {
        terminal.note("There are no finished Express executions like that among those that are kept.");
    } else {
        terminal.answer(&table(&executions));
    }
    Ok(Verdict::Good)
}

async fn list(client: &Client, options: &ExpressListOptions) -> Result<Vec<Value>, Failure> {
    let mut path = format!("/express/executions?max={}", options.max.min(PAGE_RESULTS_MAX));
    if let Some(machine) = &options.machine {
        let arn = client.state_machine_arn(machine).await?;
        path.push_str(&format!("&stateMachineArn={}", path_part(&arn)));
    }
    if let Some(status) = &options.status {
        path.push_str(&format!("&status={}", path_part(status)));
    }
    let mut page = client.get(&path).await?;
    let Value::Array(executions) = page["executions"].take() else { return Ok(Vec::new()) };
    Ok(executions)
}

/// All events of a finished execution, and whether some are missing.
pub(super) async fn events(
    client: &Client,
    arn: &str,
    with_data: bool,
) -> Result<(Vec<Value>, bool), Failure> {
    let path = format!(
        "/express/executions/{}/history?max={PAGE_RESULTS_MAX}&includeExecutionData={with_data}",
        path_part(arn)
    );
    let mut events = Vec::new();
    let mut page = client.get(&path).await?;
    loop {
        if let Value::Array(list) = page["events"].take() {
            events.extend(list);
        }
        let Some(next) = page["next"].as_u64() else {
            return Ok((events, page["truncated"].as_bool().unwrap_or(false)));
        };
        page = client.get(&format!("{path}&next={next}")).await?;
    }
}

/// Waits for the end of an execution; none if it cannot be looked at.
pub(super) async fn ended(client: &Client, arn: &str) -> Result<Option<Value>, Failure> {
    let path = format!("/express/executions/{}", path_part(arn));
    let asked_at = Instant::now();
    loop {
        match client.get(&path).await {
            Ok(execution) => return Ok(Some(execution)),
            // It has ended, and others have driven it out.
            Err(_) if asked_at.elapsed() > LONGEST => return Ok(None),
            Err(error) => match error.downcast_ref::<Refused>().map(|refused| refused.code.as_str()) {
                // It runs.
                Some("ExecutionDoesNotExist") => tokio::time::sleep(FOLLOW_INTERVAL).await,
                Some("ExpressExecutionsNotKept") => return Ok(None),
                Some(_) | None => return Err(error),
            },
        }
    }
}

/// One line for each execution, in columns.
fn table(executions: &[Value]) -> String {
    let text = |execution: &Value, name: &str| printable(execution[name].as_str().unwrap_or("?"));
    let mut lines = vec!["STATUS      SECONDS  ARN".to_owned()];
    lines.extend(executions.iter().map(|execution| {
        let date = |name: &str| execution[name].as_f64().unwrap_or_default();
        let seconds = date("stopDate") - date("startDate");
        format!("{:<10}  {seconds:>7.3}  {}", text(execution, "status"), text(execution, "executionArn"))
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn executions_are_shown_in_columns() {
        let execution = |status: &str, stop: f64| json!({"status": status, "startDate": 1_700_000_000.25, "stopDate": stop, "executionArn": "arn"});
        let shown =
            table(&[execution("SUCCEEDED", 1_700_000_000.5), execution("TIMED_OUT", 1_700_000_300.25)]);
        let expected = "\
STATUS      SECONDS  ARN
SUCCEEDED     0.250  arn
TIMED_OUT   300.000  arn";
        assert_eq!(shown, expected);
    }
}
