//! ValidateStateMachineDefinition.

use asl::validate::{Diagnostic, Severity};
use engine::MachineKind;
use serde_json::{Map, Value, json};
use store::Store;

use super::definition;
use super::describe::KINDS;
use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;
use crate::limits::DIAGNOSTICS_MAX;

/// What is told: errors alone, or warnings too. AWS names the least severe that it tells.
const SEVERITIES: &[(&str, Severity)] = &[("ERROR", Severity::Error), ("WARNING", Severity::Warning)];

/// Answers from the text alone; the store is neither read nor written.
#[allow(clippy::unused_async, reason = "the table of operations awaits every answer")]
pub(super) async fn answer<S: Store + Clone>(_app: &App<S>, mut fields: Fields) -> Answer {
    let text = fields.required_text("definition", TextRule::DEFINITION)?;
    let kind = fields.choice("type", KINDS)?.unwrap_or(MachineKind::Standard);
    let severity = fields.choice("severity", SEVERITIES)?.unwrap_or(Severity::Error);
    let results_max = fields.integer("maxResults", 0, DIAGNOSTICS_MAX)?;
    fields.finish()?;

    let results_max = results_max.filter(|results_max| *results_max > 0).unwrap_or(DIAGNOSTICS_MAX);
    Ok(report(&definition::findings(&text, kind).1, severity, results_max as usize))
}

/// The verdict is that of all findings, also of those that are not told.
fn report(findings: &[Diagnostic], severity: Severity, results_max: usize) -> Value {
    let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
    let result = if findings.iter().any(is_error) { "FAIL" } else { "OK" };
    let told = |finding: &&Diagnostic| severity == Severity::Warning || is_error(finding);
    let mut diagnostics: Vec<Value> = findings.iter().filter(told).map(diagnostic).collect();
    let truncated = diagnostics.len() > results_max;
    diagnostics.truncate(results_max);
    json!({"result": result, "diagnostics": diagnostics, "truncated": truncated})
}

fn diagnostic(finding: &Diagnostic) -> Value {
    let severity = match finding.severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
    };
    let mut shown = Map::new();
    shown.insert("severity".to_owned(), severity.into());
    shown.insert("code".to_owned(), finding.code.into());
    shown.insert("message".to_owned(), finding.message.as_str().into());
    if let Some(location) = &finding.location {
        shown.insert("location".to_owned(), location.as_str().into());
    }
    Value::Object(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the answer as `RESULT` and `SEVERITY CODE message (location)` for each diagnostic.
    fn check(text: &str, kind: MachineKind, severity: Severity, expected: &[&str]) {
        let answer = report(&definition::findings(text, kind).1, severity, 100);
        let line = |shown: &Value| {
            let member = |name: &str| shown.get(name).and_then(Value::as_str).unwrap_or("none").to_owned();
            let [severity, code, message, location] = ["severity", "code", "message", "location"].map(member);
            format!("{severity} {code} {message} ({location})")
        };
        let mut lines = vec![answer["result"].as_str().unwrap().to_owned()];
        lines.extend(answer["diagnostics"].as_array().unwrap().iter().map(line));
        assert_eq!(lines, expected, "{text}");
        assert_eq!(answer["truncated"], false, "{text}");
    }

    #[test]
    fn tells_what_aws_was_recorded_to_tell() {
        let check = |text: &str, kind, expected: &[&str]| check(text, kind, Severity::Error, expected);
        let pass = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#;
        check(pass, MachineKind::Standard, &["OK"]);
        check(pass, MachineKind::Express, &["OK"]);
        check(
            " ",
            MachineKind::Standard,
            &["FAIL", "ERROR SCHEMA_VALIDATION_FAILED Definition must be a valid JSON object (none)"],
        );
        let place = "[Source: (String)\"not a definition\"; line: 1, column: 4]";
        let message = format!(
            "ERROR INVALID_JSON_DESCRIPTION Unrecognized token 'not': was expecting (JSON String, Number, Array, \
             Object or token 'null', 'true' or 'false')\n at {place} ({place})"
        );
        check("not a definition", MachineKind::Standard, &["FAIL", &message]);
        check(
            r#"{"States": {"A": {"Type": "Pass", "End": true}}}"#,
            MachineKind::Standard,
            &["FAIL", "ERROR SCHEMA_VALIDATION_FAILED These fields are required: [StartAt] (/)"],
        );
        let callback = r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "End": true,
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken"}}}"#;
        check(callback, MachineKind::Standard, &["OK"]);
        check(
            callback,
            MachineKind::Express,
            &[
                "FAIL",
                "ERROR SCHEMA_VALIDATION_FAILED Express state machine does not support '.waitForTaskToken' service \
                 integration  (/States/A/Resource)",
            ],
        );
    }

    #[test]
    fn warnings_are_told_when_asked_for() {
        let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "States.RanOutOfTime"}}}"#;
        check(text, MachineKind::Standard, Severity::Error, &["OK"]);
        check(
            text,
            MachineKind::Standard,
            Severity::Warning,
            &[
                "OK",
                "WARNING UNKNOWN_ERROR_NAME The prefix 'States.' is reserved and 'States.RanOutOfTime' is no predefined \
                 error name; use another prefix (/States/A/Error)",
            ],
        );
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let findings = definition::findings(r#"{"a": 1, "b": 2, "c": 3}"#, MachineKind::Standard).1;
        assert_eq!(findings.len(), 4);
        for (results_max, told, truncated) in [(3, 3, true), (4, 4, false), (100, 4, false)] {
            let answer = report(&findings, Severity::Error, results_max);
            assert_eq!(answer["diagnostics"].as_array().unwrap().len(), told);
            assert_eq!(answer["truncated"], truncated);
        }
    }
}
