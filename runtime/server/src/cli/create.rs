//! `stepwell create`: creates a state machine, or updates the one of that name.

use asl::validate::Severity;
use serde_json::json;

use super::arguments::{CreateOptions, Kind};
use super::client::{Client, Refused};
use super::terminal::{Terminal, read_text};
use super::{Failure, Verdict, validate};

pub(crate) async fn run(
    client: &Client,
    options: &CreateOptions,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let text = read_text(&options.file)?;
    // Checked here as well, because only here the line in the file is known.
    let findings = validate::findings(&text, options.kind);
    for finding in &findings {
        terminal.note(&validate::line(&options.file, &text, finding));
    }
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Ok(Verdict::Bad);
    }
    let kind = match options.kind {
        Kind::Standard => "STANDARD",
        Kind::Express => "EXPRESS",
    };
    let machine = json!({"name": options.name, "definition": text, "roleArn": options.role, "type": kind});
    match client.call("CreateStateMachine", &machine).await {
        Ok(created) => {
            terminal.answer(created["stateMachineArn"].as_str().unwrap_or_default());
            Ok(Verdict::Good)
        }
        Err(error) if already_exists(&error) => {
            let arn = client.state_machine_arn(&options.name).await?;
            let update = json!({"stateMachineArn": arn, "definition": text, "roleArn": options.role});
            client.call("UpdateStateMachine", &update).await?;
            terminal.note("Updated. Executions that run keep the definition they started with.");
            terminal.answer(&arn);
            Ok(Verdict::Good)
        }
        Err(error) => Err(error),
    }
}

fn already_exists(error: &Failure) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|refused| refused.code == "StateMachineAlreadyExists")
}
