//! `stepwell validate`: the findings about a definition, with their places in the file.

use std::path::Path;

use asl::validate::{Diagnostic, Severity, position};
use engine::MachineKind;

use super::arguments::{Kind, ValidateOptions};
use super::terminal::{Terminal, printable, read_text};
use super::{Failure, Verdict};
use crate::api;

pub(crate) fn run(options: &ValidateOptions, terminal: &Terminal) -> Result<Verdict, Failure> {
    let text = read_text(&options.file)?;
    let findings = findings(&text, options.kind);
    for finding in &findings {
        terminal.answer(&line(&options.file, &text, finding));
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    if errors == 0 {
        terminal.note(&format!("{} is valid.", options.file.display()));
        return Ok(Verdict::Good);
    }
    terminal.note(&format!(
        "{} has {errors} error{}.",
        options.file.display(),
        if errors == 1 { "" } else { "s" }
    ));
    Ok(Verdict::Bad)
}

/// Everything that the server would find.
pub(crate) fn findings(text: &str, kind: Kind) -> Vec<Diagnostic> {
    let kind = match kind {
        Kind::Standard => MachineKind::Standard,
        Kind::Express => MachineKind::Express,
    };
    api::definition_findings(text, kind).1
}

/// `file:line:column: error[CODE]: message (/States/Ship/Next)`.
pub(crate) fn line(file: &Path, text: &str, finding: &Diagnostic) -> String {
    let location = finding.location.as_deref();
    let (row, column) = location.and_then(|location| position::locate(text, location)).unwrap_or((1, 1));
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    // The parser's own message about text that is not JSON ends with a second line that quotes the text.
    let message = printable(finding.message.lines().next().unwrap_or_default());
    let place = match location {
        Some(location) if location.starts_with('/') && location != "/" => {
            format!(" ({})", printable(location))
        }
        Some(_) | None => String::new(),
    };
    format!("{}:{row}:{column}: {severity}[{}]: {message}{place}", file.display(), finding.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let findings = findings(text, Kind::Standard);
        let lines: Vec<_> = findings.iter().map(|finding| line(Path::new("m.json"), text, finding)).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn findings_have_a_line_and_a_column() {
        check(r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#, &[]);
        check(
            "{\n  \"StartAt\": \"A\",\n  \"States\": {\n    \"A\": {\"Type\": \"Past\", \"End\": true}\n  }\n}",
            &[
                "m.json:4:11: error[SCHEMA_VALIDATION_FAILED]: The field 'Type' should have one of these values: [Task, \
               Wait, Pass, Succeed, Fail, Choice, Parallel, Map] (/States/A/Type)",
            ],
        );
    }

    #[test]
    fn text_that_is_not_json_has_a_place_too() {
        let findings = findings("{\n  nope\n}", Kind::Standard);
        let shown = line(Path::new("m.json"), "{\n  nope\n}", &findings[0]);
        assert!(shown.starts_with("m.json:2:"), "{shown}");
        assert!(shown.contains("error[INVALID_JSON_DESCRIPTION]"), "{shown}");
        assert!(!shown.contains('\n'), "{shown}");
    }
}
