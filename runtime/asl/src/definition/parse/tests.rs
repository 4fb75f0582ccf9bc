//! What parsing makes of whole definitions, and the table check that the rules' tests share.

use crate::definition::{MachineType, ScopeId, StateKind, parse};
use crate::validate::Severity;

/// Checks every diagnostic of a definition, one a line: `message at location`, with the code before it where it
/// is not SCHEMA_VALIDATION_FAILED, and `warning` before that.
pub(crate) fn check(text: &str, expected: &[&str]) {
    check_as(MachineType::Standard, text, expected);
}

pub(crate) fn check_as(machine_type: MachineType, text: &str, expected: &[&str]) {
    let parsed = parse(text, machine_type);
    let line = |diagnostic: &crate::validate::Diagnostic| {
        let text = diagnostic.to_string();
        let text = text.strip_prefix("SCHEMA_VALIDATION_FAILED: ").unwrap_or(&text);
        match diagnostic.severity {
            Severity::Error => String::from(text),
            Severity::Warning => format!("warning {text}"),
        }
    };
    let actual: Vec<String> = parsed.diagnostics.iter().map(line).collect();
    assert_eq!(actual, expected, "{text}");
    let has_errors = parsed.diagnostics.iter().any(|found| found.severity == Severity::Error);
    assert_eq!(parsed.definition.is_none(), has_errors, "{text}");
}

/// Checks a machine of one state, `A`, given by its fields.
pub(crate) fn check_state(fields: &str, expected: &[&str]) {
    check(&format!(r#"{{"StartAt": "A", "States": {{"A": {{{fields}}}}}}}"#), expected);
}

/// Checks a Task state `A` that ends, given by its other fields.
pub(crate) fn check_task(fields: &str, expected: &[&str]) {
    let task = r#""Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true"#;
    check_state(&format!("{task}, {fields}"), expected);
}

#[test]
fn text_that_is_no_object() {
    for text in ["", " \n", "[]", "7", "null", "\"text\""] {
        check(text, &["Definition must be a valid JSON object"]);
    }
    let text = format!("{{\"Comment\": \"{}\"}}", "x".repeat(crate::limits::DEFINITION_BYTES_MAX));
    check(&text, &["The definition has 1048591 bytes; the maximum is 1048576"]);
}

#[test]
fn machine_fields() {
    check("{}", &["These fields are required: [States, StartAt] at /"]);
    check(r#"{"StartAt": "A"}"#, &["These fields are required: [States] at /"]);
    check(
        r#"{"StartAt": "A", "States": {}}"#,
        &[
            "Value cannot be empty at /States",
            "MISSING_TRANSITION_TARGET: Missing 'StartAt' target: A at /StartAt",
        ],
    );
    check(
        r#"{"StartAt": 1, "States": {"A": {"Type": "Succeed"}}, "Version": "2.0", "TimeoutSeconds": 0,
            "QueryLanguage": "XPath", "Staets": {}}"#,
        &[
            "The field 'Staets' is not supported in a state machine at /Staets",
            "The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata] at /QueryLanguage",
            "The field 'Version' should have one of these values: [1.0] at /Version",
            "The field 'TimeoutSeconds' should be an integer between 1 and 99999999 at /TimeoutSeconds",
            "The field 'StartAt' should be a string at /StartAt",
        ],
    );
}

#[test]
fn states_without_a_type() {
    check(
        r#"{"StartAt": "A", "States": {"A": {"End": true}}}"#,
        &["These fields are required: [Type] at /States/A"],
    );
    check_state(
        r#""Type": "Job""#,
        &[
            "The field 'Type' should have one of these values: [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map] \
         at /States/A/Type",
        ],
    );
    check(
        r#"{"StartAt": "A", "States": {"A": [], "QueryLanguage": "JSONata"}}"#,
        &[
            "A state should be an object at /States/A",
            "A state should be an object; the field 'QueryLanguage' belongs to the machine: move it out of 'States' at \
         /States/QueryLanguage",
        ],
    );
}

#[test]
fn ids_follow_the_document_depth_first() {
    let text = r#"{"StartAt": "Z", "States": {
        "Z": {"Type": "Parallel", "Next": "A", "Branches": [
            {"StartAt": "Y", "States": {"Y": {"Type": "Map", "End": true, "ItemProcessor":
                {"StartAt": "X", "States": {"X": {"Type": "Pass", "End": true}}}}}},
            {"StartAt": "W", "States": {"W": {"Type": "Pass", "End": true}}}]},
        "A": {"Type": "Succeed"}}}"#;
    let definition = parse(text, MachineType::Standard).definition.unwrap();
    let names: Vec<&str> = definition.states().map(|(_, state)| &*state.name).collect();
    assert_eq!(names, ["Z", "Y", "X", "W", "A"]);
    let locations: Vec<String> = definition.states().map(|(id, _)| definition.location(id)).collect();
    assert_eq!(
        locations,
        [
            "/States/Z",
            "/States/Z/Branches[0]/States/Y",
            "/States/Z/Branches[0]/States/Y/ItemProcessor/States/X",
            "/States/Z/Branches[1]/States/W",
            "/States/A",
        ]
    );
    let (first, state) = definition.states().next().unwrap();
    let StateKind::Parallel(parallel) = &state.kind else { panic!("Z is a Parallel") };
    assert_eq!(parallel.branches, [ScopeId(1), ScopeId(3)]);
    assert_eq!(definition.scope(ScopeId(1)).owner, Some(first));
    assert_eq!(definition.state(definition.scope(ScopeId(3)).start_at).name.as_ref(), "W");
}

#[test]
fn nested_locations() {
    check(
        r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [7, {"StartAt": "M", "States": {
            "M": {"Type": "Map", "End": true, "Iterator": {"StartAt": "X", "States": {"Y": {"Type": "Succeed"}}}}}}]}}}"#,
        &[
            "Each entry of 'Branches' should be an object with 'StartAt' and 'States' at /States/P/Branches[0]",
            "MISSING_TRANSITION_TARGET: Missing 'StartAt' target: X at \
             /States/P/Branches[1]/States/M/Iterator/StartAt",
        ],
    );
    check_state(
        r#""Type": "Parallel", "End": true, "Branches": []"#,
        &["Value cannot be empty at /States/A/Branches"],
    );
    check_state(
        r#""Type": "Parallel", "End": true, "Branches": [{}]"#,
        &["These fields are required: [States, StartAt] at /States/A/Branches[0]"],
    );
}

#[test]
fn hostile_nesting_is_refused() {
    let mut text = String::from(r#"{"Type": "Succeed"}"#);
    for _ in 0..1000 {
        text = format!(
            r#"{{"Type": "Map", "End": true, "ItemProcessor": {{"StartAt": "A", "States": {{"A": {text}}}}}}}"#
        );
    }
    let parsed = parse(&format!(r#"{{"StartAt": "A", "States": {{"A": {text}}}}}"#), MachineType::Standard);
    assert!(parsed.definition.is_none());
    let message = &parsed.diagnostics[0].message;
    assert!(message.starts_with("The definition nests too deeply: at most 127 "), "{message}");
}

#[test]
fn a_hostile_definition_gives_a_bounded_report() {
    let fields: Vec<String> = (0..50_000).map(|at| format!("\"{at}\": 1")).collect();
    let name = "n".repeat(100_000);
    let text = format!(
        r#"{{"StartAt": "{name}", "States": {{"{name}": {{"Type": "Succeed", {}}}}}}}"#,
        fields.join(",")
    );
    let parsed = parse(&text, MachineType::Standard);
    assert!(parsed.definition.is_none());
    assert!(parsed.diagnostics.len() < 20);
}
