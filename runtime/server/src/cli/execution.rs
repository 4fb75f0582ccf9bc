//! `stepwell start`, `stepwell redrive` and `stepwell history`.

use std::path::Path;

use anyhow::Context;
use asl::Timestamp;
use serde_json::{Value, json};

use super::arguments::{HistoryOptions, RedriveOptions, StartOptions};
use super::client::{Client, all_pages};
use super::express;
use super::logs;
use super::progress::{End, Progress};
use super::terminal::{Terminal, printable, read_text};
use super::{Failure, Verdict};
use crate::express::is_express;
use crate::limits::{FOLLOW_INTERVAL, PAGE_RESULTS_DEFAULT, PAGE_RESULTS_MAX};

pub(crate) async fn start(
    client: &Client,
    options: &StartOptions,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let input = input(&options.input)?;
    let machine = client.state_machine_arn(&options.machine).await?;
    let mut request = json!({"stateMachineArn": machine, "input": input});
    if let Some(name) = &options.name {
        request["name"] = json!(name);
    }
    let started = client.call("StartExecution", &request).await?;
    let arn = started["executionArn"].as_str().context("the answer has no executionArn")?;
    if options.detach {
        terminal.answer(arn);
        return Ok(Verdict::Good);
    }
    terminal.note(arn);
    if is_express(arn) {
        return express_end(client, arn, options.logs, terminal).await;
    }
    let logs_since = options.logs.then(String::new);
    let watched = Watched { client, arn, logs_since, terminal };
    watch(&watched, Progress::default(), 0).await
}

/// Lets an execution go on that ended without success.
pub(crate) async fn redrive(
    client: &Client,
    options: &RedriveOptions,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let arn = client.execution_arn(&options.execution).await?;
    // What was before tells to which states the new events belong.
    let mut progress = Progress::default();
    let mut seen = 0;
    if !options.detach {
        for event in &events_after(client, &arn, 0).await? {
            seen = event["id"].as_u64().unwrap_or(seen);
            progress.line(event);
        }
        progress.begin_again();
    }
    let redriven = client.call("RedriveExecution", &json!({"executionArn": arn})).await?;
    if options.detach {
        terminal.answer(&arn);
        return Ok(Verdict::Good);
    }
    terminal.note(&arn);
    let since = redriven["redriveDate"].as_f64().map(timestamp).unwrap_or_default();
    let logs_since = options.logs.then_some(since);
    watch(&Watched { client, arn: &arn, logs_since, terminal }, progress, seen).await
}

/// An execution that somebody looks at.
struct Watched<'a> {
    client: &'a Client,
    arn: &'a str,
    /// Shows what its tasks log from a moment on; none shows nothing of it.
    logs_since: Option<String>,
    terminal: &'a Terminal,
}

/// Shows what happens in an execution after an event that was seen, and then how it ended. Who has seen enough stops
/// the watching and not the execution.
async fn watch(watched: &Watched<'_>, progress: Progress, seen: u64) -> Result<Verdict, Failure> {
    let Watched { client, arn, ref logs_since, terminal } = *watched;
    let followed = async {
        let progress = follow(client, arn, progress, seen, terminal);
        match logs_since {
            None => progress.await,
            Some(since) => tokio::join!(progress, logs::beside(client, arn, since, *terminal)).0,
        }
    };
    tokio::select! {
        end = followed => report(client, arn, &end?, terminal).await,
        _stopped = tokio::signal::ctrl_c() => {
            terminal.note(&format!("The execution goes on. See `stepwell history {arn}`."));
            Ok(Verdict::Bad)
        }
    }
}

/// A time of an answer as lines of logs write it.
#[expect(clippy::cast_possible_truncation, reason = "the time of a clock in milliseconds")]
fn timestamp(seconds: f64) -> String {
    Timestamp::from_milliseconds((seconds * 1e3).round() as i64).to_string()
}

/// Shows an Express execution when it has ended: until then nobody can look at it.
async fn express_end(
    client: &Client,
    arn: &str,
    with_logs: bool,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let Some(execution) = express::ended(client, arn).await? else {
        terminal.note(
            "It cannot be looked at: the server keeps no finished Express executions, or not this one.",
        );
        return Ok(Verdict::Good);
    };
    let (events, is_cut) = express::events(client, arn, false).await?;
    let mut progress = Progress::default();
    for line in events.iter().filter_map(|event| progress.line(event)) {
        terminal.note(&line);
    }
    if is_cut {
        terminal.note(CUT);
    }
    if with_logs {
        logs::of_ended(client, arn, *terminal).await;
    }
    let status = execution["status"].as_str().unwrap_or("?");
    let status = ["SUCCEEDED", "FAILED", "TIMED_OUT"].into_iter().find(|known| *known == status);
    let state = progress.end().and_then(|end| end.state.clone());
    let end = End { status: status.unwrap_or("UNKNOWN"), state };
    Ok(tell_end(&execution, &end, terminal))
}

/// Said of a history of which not everything was kept.
const CUT: &str = "Some events are missing: the history was longer than what is kept of one execution.";

pub(crate) async fn history(
    client: &Client,
    options: &HistoryOptions,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let arn = client.execution_arn(&options.execution).await?;
    let request = json!({
        "executionArn": arn, "maxResults": PAGE_RESULTS_MAX, "includeExecutionData": options.json,
    });
    let events = if is_express(&arn) {
        let (events, is_cut) = express::events(client, &arn, options.json).await?;
        if is_cut {
            terminal.note(CUT);
        }
        events
    } else {
        all_pages(client, "GetExecutionHistory", request, "events").await?
    };
    if options.json {
        terminal.answer(&serde_json::to_string_pretty(&events)?);
        return Ok(Verdict::Good);
    }
    let mut progress = Progress::default();
    for event in &events {
        if let Some(line) = progress.line(event) {
            terminal.answer(&line);
        }
    }
    Ok(Verdict::Good)
}

/// JSON as it is given, or the content of the file of that name.
pub(super) fn input(given: &str) -> Result<String, Failure> {
    if serde_json::from_str::<Value>(given).is_ok() {
        return Ok(given.to_owned());
    }
    let looks_like_json = given.trim_start().starts_with(['{', '[', '"']);
    if looks_like_json && !Path::new(given).exists() {
        let problem =
            serde_json::from_str::<Value>(given).err().map_or_else(String::new, |error| error.to_string());
        anyhow::bail!("--input is not valid JSON: {problem}");
    }
    let text = read_text(Path::new(given)).context("--input is neither JSON nor a file that can be read")?;
    match serde_json::from_str::<Value>(&text) {
        Ok(_) => Ok(text),
        Err(error) => anyhow::bail!("--input: {given} is not valid JSON: {error}"),
    }
}

/// Prints what happens until the execution ends.
async fn follow(
    client: &Client,
    arn: &str,
    mut progress: Progress,
    mut seen: u64,
    terminal: &Terminal,
) -> Result<End, Failure> {
    loop {
        for event in events_after(client, arn, seen).await? {
            seen = event["id"].as_u64().unwrap_or(seen);
            if let Some(line) = progress.line(&event) {
                terminal.note(&line);
            }
        }
        if let Some(end) = progress.end() {
            return Ok(end.clone());
        }
        tokio::time::sleep(FOLLOW_INTERVAL).await;
    }
}

/// The events after one that was seen, oldest first. They are read from the newest back, so that the cost is that of
/// what is new, not of the whole history.
async fn events_after(client: &Client, arn: &str, seen: u64) -> Result<Vec<Value>, Failure> {
    let mut request = json!({
        "executionArn": arn, "reverseOrder": true, "includeExecutionData": false, "maxResults": PAGE_RESULTS_DEFAULT,
    });
    let mut events = Vec::new();
    loop {
        let mut page = client.call("GetExecutionHistory", &request).await?;
        let Value::Array(list) = page["events"].take() else { break };
        let count = list.len();
        let new = list.into_iter().take_while(|event| event["id"].as_u64().is_some_and(|id| id > seen));
        let before = events.len();
        events.extend(new);
        let all_new = events.len() - before == count;
        match page["nextToken"].take() {
            Value::String(token) if all_new => request["nextToken"] = json!(token),
            _reached_the_seen => break,
        }
    }
    events.reverse();
    Ok(events)
}

/// Describes an execution that has ended.
async fn report(client: &Client, arn: &str, end: &End, terminal: &Terminal) -> Result<Verdict, Failure> {
    let execution = client.call("DescribeExecution", &json!({"executionArn": arn})).await?;
    Ok(tell_end(&execution, end, terminal))
}

/// The output, or what failed.
fn tell_end(execution: &Value, end: &End, terminal: &Terminal) -> Verdict {
    if end.status == "SUCCEEDED" {
        let output = execution["output"].as_str().unwrap_or("null");
        let pretty =
            serde_json::from_str::<Value>(output).and_then(|value| serde_json::to_string_pretty(&value));
        terminal.answer(&pretty.unwrap_or_else(|_| output.to_owned()));
        return Verdict::Good;
    }
    terminal.note(&failure(end, execution));
    Verdict::Bad
}

fn failure(end: &End, execution: &Value) -> String {
    let place = end.state.as_ref().map_or_else(String::new, |state| format!(" in the state {state}"));
    let mut text = format!("The execution ended as {}{place}.", end.status);
    for (name, label) in [("error", "Error"), ("cause", "Cause")] {
        if let Some(found) = execution[name].as_str() {
            text.push_str(&format!("\n{label}: {found}"));
        }
    }
    printable(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_json_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("order.json");
        std::fs::write(&file, r#"{"order": 7}"#).unwrap();
        assert_eq!(input(r#"{"a": 1}"#).unwrap(), r#"{"a": 1}"#);
        assert_eq!(input("3").unwrap(), "3");
        assert_eq!(input(file.to_str().unwrap()).unwrap(), r#"{"order": 7}"#);
        let check = |given: &str, expected: &str| {
            let error = format!("{:#}", input(given).unwrap_err());
            assert!(error.starts_with(expected), "{error}");
        };
        check("{order: 7}", "--input is not valid JSON: ");
        check(
            "no-such-file",
            "--input is neither JSON nor a file that can be read: no-such-file cannot be read",
        );
        std::fs::write(&file, "{").unwrap();
        check(file.to_str().unwrap(), "--input: ");
    }

    #[test]
    fn a_failure_names_state_error_and_cause() {
        let end = End { status: "FAILED", state: Some("Charge".to_owned()) };
        assert_eq!(
            failure(&end, &json!({"error": "Declined", "cause": "no money"})),
            "The execution ended as FAILED in the state Charge.\nError: Declined\nCause: no money"
        );
        let end = End { status: "TIMED_OUT", state: None };
        assert_eq!(failure(&end, &json!({})), "The execution ended as TIMED_OUT.");
    }
}
