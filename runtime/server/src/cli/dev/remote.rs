//! A round on a server: the module becomes the newest version of its name, and the Lambda API calls it once.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use super::super::client::{Client, path_part};
use super::super::invoke::{self, pretty};
use super::super::terminal::printable;
use super::super::{Failure, Terminal, Verdict, logs, module};

pub(super) async fn run(
    client: &Client,
    name: &str,
    upload: Vec<u8>,
    input: &str,
    terminal: Terminal,
) -> Result<Verdict, Failure> {
    let pushed = module::push(client, name, upload, None).await?;
    terminal.note(&format!("Uploaded as {name} version {}.", pushed["version"]));
    let path = format!("/2015-03-31/functions/{}/invocations", path_part(name));
    let request = client.request(Method::POST, &path).header("x-amz-log-type", "Tail");
    let request = request.body(Bytes::from(input.to_owned()))?;
    let (head, answer) = client.exchange(request, Box::new(|_| {})).await?;
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let (tail, report) = unframed(header("x-amz-log-result").unwrap_or_default());
    // The answer has only the end of the log.
    let kept = logs::of_call(client, name, header("x-amzn-requestid").unwrap_or_default()).await;
    let lines = kept.map_or(tail, |kept| kept.iter().map(line).collect());
    for line in lines {
        terminal.note(&printable(&line));
    }
    let failed = header("x-amz-function-error").is_some();
    if failed {
        terminal.note(&failure(&answer));
    } else {
        terminal.answer(&pretty(&answer.to_string()));
    }
    terminal.note(&printable(&report));
    Ok(if failed { Verdict::Exit(invoke::EXIT_TASK_FAILED) } else { Verdict::Good })
}

/// As `stepwell invoke` shows it.
fn line(line: &Value) -> String {
    let text = |name: &str| line[name].as_str().unwrap_or_default();
    format!("{:6} {}", text("source"), text("message"))
}

/// The lines of a log's end, and what it says of the cost.
fn unframed(log: &str) -> (Vec<String>, String) {
    let tail = BASE64_STANDARD.decode(log).unwrap_or_default();
    let tail = String::from_utf8_lossy(&tail).into_owned();
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

fn failure(answer: &Value) -> String {
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    let denied = answer["deniedAccess"].as_array().into_iter().flatten().filter_map(Value::as_str);
    invoke::told_failure(text("errorType"), text("errorMessage"), answer, denied)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_log_is_taken_out_of_its_frame() {
        let tail = "START RequestId: 1 Version: $LATEST\nhello\nEND RequestId: 1\n\
                    REPORT RequestId: 1\tDuration: 1.20 ms\tMax Memory Used: 2 MB\t\n";
        let (lines, report) = unframed(&BASE64_STANDARD.encode(tail));
        assert_eq!(lines, ["hello"]);
        assert_eq!(report, "Duration: 1.20 ms, Max Memory Used: 2 MB");
        assert_eq!(unframed(""), (Vec::new(), String::new()));
    }

    #[test]
    fn a_failure_is_told_by_its_name() {
        let answer = json!({"errorType": "Declined", "errorMessage": "no money", "trace": ["a"], "deniedAccess": ["b"]});
        assert_eq!(failure(&answer), "Failed as Declined: no money\n  at a\nDenied: b");
    }
}
