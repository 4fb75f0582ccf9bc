//! A round on a server: the module becomes the newest version of its name, and TestState calls it once.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::client::Client;
use super::super::invoke::pretty;
use super::super::terminal::printable;
use super::super::{Failure, Terminal, Verdict, invoke, module};

/// TestState asks for a role, as AWS does.
const ROLE: &str = "arn:aws:iam::123456789012:role/stepwell";

pub(super) async fn run(
    client: &Client,
    name: &str,
    upload: Vec<u8>,
    input: &str,
    terminal: Terminal,
) -> Result<Verdict, Failure> {
    let pushed = module::push(client, name, upload, None).await?;
    terminal.note(&format!("Uploaded as {name} version {}.", pushed["version"]));
    let state = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": { "FunctionName": name, "Payload.$": "$", "LogType": "Tail" },
        "End": true,
    });
    let request = json!({ "definition": state.to_string(), "roleArn": ROLE, "input": input });
    let tested = client.call("TestState", &request).await?;
    Ok(tell(&tested, terminal))
}

fn tell(tested: &Value, terminal: Terminal) -> Verdict {
    let output = tested["output"].as_str().and_then(|output| serde_json::from_str::<Value>(output).ok());
    let Some(output) = output else {
        terminal.note(&failed(tested));
        return Verdict::Exit(invoke::EXIT_TASK_FAILED);
    };
    let (lines, report) = log(&output);
    for line in lines {
        terminal.note(&printable(&line));
    }
    terminal.answer(&pretty(&output["Payload"].to_string()));
    terminal.note(&printable(&report));
    Verdict::Good
}

/// The lines of a log's end, and what it says of the cost.
fn log(output: &Value) -> (Vec<String>, String) {
    let tail = output["LogResult"].as_str().and_then(|text| BASE64_STANDARD.decode(text).ok());
    let tail = String::from_utf8_lossy(&tail.unwrap_or_default()).into_owned();
    let (mut lines, mut report) = (Vec::new(), String::new());
    for line in tail.lines() {
        if let Some((_, cost)) = line.split_once("REPORT RequestId: ") {
            report = cost.split('\t').skip(1).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
        } else if !line.starts_with("START RequestId: ") && !line.starts_with("END RequestId: ") {
            lines.push(line.to_owned());
        }
    }
    (lines, report)
}

fn failed(tested: &Value) -> String {
    let text = |name: &str| tested[name].as_str().unwrap_or_default();
    let cause = serde_json::from_str::<Value>(text("cause")).ok();
    let message =
        cause.as_ref().and_then(|cause| cause["errorMessage"].as_str()).unwrap_or_else(|| text("cause"));
    let told = format!("Failed as {}: {message}", text("error"));
    printable(&format!("{told}\nAn answer of a failed call has no log; `stepwell dev --local` shows it."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_taken_out_of_its_frame() {
        let tail = "START RequestId: 1 Version: $LATEST\nhello\nEND RequestId: 1\n\
                    REPORT RequestId: 1\tDuration: 1.20 ms\tMax Memory Used: 2 MB\t\n";
        let output = json!({ "LogResult": BASE64_STANDARD.encode(tail), "Payload": 1 });
        let (lines, report) = log(&output);
        assert_eq!(lines, ["hello"]);
        assert_eq!(report, "Duration: 1.20 ms, Max Memory Used: 2 MB");
        assert_eq!(log(&json!({})), (Vec::new(), String::new()));
    }

    #[test]
    fn a_failure_is_told_by_its_name() {
        let tested =
            json!({"status": "FAILED", "error": "Declined", "cause": r#"{"errorMessage":"no money"}"#});
        assert!(failed(&tested).starts_with("Failed as Declined: no money\n"));
        assert!(failed(&json!({"error": "E", "cause": "plain"})).starts_with("Failed as E: plain\n"));
    }
}
