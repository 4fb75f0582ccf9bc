//! The text of a definition: parsed, validated, and refused as a whole if this engine cannot run a part of it.

use std::sync::Arc;

use asl::Definition;
use asl::definition::{MachineType, parse};
use asl::validate::{Diagnostic, Severity};
use engine::MachineKind;

use super::error::ApiError;

/// Gives the definition, or all of its errors in one refusal.
pub(crate) fn check(text: &str, kind: MachineKind) -> Result<Arc<Definition>, ApiError> {
    let (definition, findings) = findings(text, kind);
    definition.map(Arc::new).ok_or_else(|| invalid(&findings))
}

/// Everything that there is to say about a text, and the definition unless something is an error: then it is not
/// valid, or this engine cannot run it.
pub(crate) fn findings(text: &str, kind: MachineKind) -> (Option<Definition>, Vec<Diagnostic>) {
    let machine_type = match kind {
        MachineKind::Standard => MachineType::Standard,
        MachineKind::Express => MachineType::Express,
    };
    let parsed = parse(text, machine_type);
    let mut findings = parsed.diagnostics;
    let Some(definition) = parsed.definition else { return (None, findings) };
    let unsupported = definition.unsupported();
    let runs = unsupported.is_empty();
    findings.extend(unsupported);
    (runs.then_some(definition), findings)
}

/// Refuses a definition for its errors.
pub(crate) fn invalid(diagnostics: &[Diagnostic]) -> ApiError {
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let texts: Vec<String> = errors.map(ToString::to_string).collect();
    ApiError::new("InvalidDefinition", format!("Invalid State Machine Definition: '{}'", texts.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str, kind: MachineKind, expected: &str) {
        let actual =
            check(text, kind).map_or_else(|error| error.message().to_owned(), |_| "valid".to_owned());
        assert_eq!(actual, expected);
    }

    #[test]
    fn refuses_in_the_recorded_words() {
        check_text(
            r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}"#,
            MachineKind::Standard,
            "valid",
        );
        check_text(
            r#"{"Comment": "BASE_INVALID_DER", "StartAt": "State_1"}"#,
            MachineKind::Standard,
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'",
        );
    }

    #[test]
    fn refuses_what_cannot_run_yet() {
        let text = r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}}}}"#;
        if asl::definition::parse(text, MachineType::Standard)
            .definition
            .is_some_and(|d| !d.unsupported().is_empty())
        {
            let error = check(text, MachineKind::Standard).unwrap_err();
            assert!(error.message().contains("UNSUPPORTED_FEATURE"), "{}", error.message());
        }
    }
}
