//! `QueryLanguage`, and the fields that belong to one of the two languages only.

use crate::definition::QueryLanguage;
use crate::definition::parse::reader::Reader;

pub(crate) const NAMES: [(&str, QueryLanguage); 2] =
    [("JSONPath", QueryLanguage::JsonPath), ("JSONata", QueryLanguage::Jsonata)];

/// Checks the language of a state against that of its machine.
pub(crate) fn check(state: &Reader<'_>, machine: QueryLanguage) {
    let language = state.word("QueryLanguage", &NAMES);
    if language == Some(QueryLanguage::JsonPath) && machine == QueryLanguage::Jsonata {
        state
            .place
            .error("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine");
    }
}

/// Reports a field that the other language has.
pub(crate) fn report_field(reader: &Reader<'_>, name: &str) {
    let (language, other) = match reader.scope.language {
        QueryLanguage::JsonPath => ("JSONPath", "JSONata"),
        QueryLanguage::Jsonata => ("JSONata", "JSONPath"),
    };
    let advice = match replacement(name) {
        Some(replacement) => format!("use {replacement}, or set 'QueryLanguage' to '{other}'"),
        None => format!("set 'QueryLanguage' to '{other}'"),
    };
    reader.place.field(name).error(format!("The field '{name}' is not supported in {language}: {advice}"));
}

/// What says the same in the other language.
fn replacement(name: &str) -> Option<&'static str> {
    match name {
        "InputPath" | "Parameters" => Some("'Arguments' with an expression of $states.input"),
        "OutputPath" | "ResultPath" | "ResultSelector" | "Result" => Some("'Output'"),
        "ItemsPath" => Some("'Items'"),
        "SecondsPath" => Some("an expression in 'Seconds'"),
        "TimestampPath" => Some("an expression in 'Timestamp'"),
        "TimeoutSecondsPath" => Some("an expression in 'TimeoutSeconds'"),
        "HeartbeatSecondsPath" => Some("an expression in 'HeartbeatSeconds'"),
        "ErrorPath" => Some("an expression in 'Error'"),
        "CausePath" => Some("an expression in 'Cause'"),
        "MaxConcurrencyPath" => Some("an expression in 'MaxConcurrency'"),
        "ToleratedFailureCountPath" => Some("an expression in 'ToleratedFailureCount'"),
        "ToleratedFailurePercentagePath" => Some("an expression in 'ToleratedFailurePercentage'"),
        "MaxItemsPath" => Some("an expression in 'MaxItems'"),
        "MaxItemsPerBatchPath" => Some("an expression in 'MaxItemsPerBatch'"),
        "MaxInputBytesPerBatchPath" => Some("an expression in 'MaxInputBytesPerBatch'"),
        "Variable" => Some("'Condition'"),
        "Arguments" => Some("'Parameters'"),
        "Output" => Some("'ResultSelector', 'ResultPath' and 'OutputPath'"),
        "Items" => Some("'ItemsPath'"),
        "Condition" => Some("'Variable' with a comparison operator"),
        _other => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::{check, check_state};

    #[test]
    fn a_jsonata_machine_holds_no_json_path_state() {
        check(
            r#"{"StartAt": "A", "QueryLanguage": "JSONata", "States":
                {"A": {"Type": "Pass", "QueryLanguage": "JSONPath", "End": true}}}"#,
            &[
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at /States/A",
            ],
        );
        check_state(
            r#""Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input %}", "End": true"#,
            &[],
        );
        check_state(
            r#""Type": "Pass", "QueryLanguage": "jsonata", "End": true"#,
            &["The field 'QueryLanguage' should have one of these values: [JSONPath, JSONata] at \
             /States/A/QueryLanguage"],
        );
    }

    #[test]
    fn fields_belong_to_one_language() {
        check_state(
            r#""Type": "Pass", "End": true, "Output": 1"#,
            &[
                "The field 'Output' is not supported in JSONPath: use 'ResultSelector', 'ResultPath' and 'OutputPath', \
             or set 'QueryLanguage' to 'JSONata' at /States/A/Output",
            ],
        );
        check_state(
            r#""Type": "Wait", "QueryLanguage": "JSONata", "SecondsPath": "$.s", "End": true"#,
            &[
                "One of these fields is required: [Seconds, Timestamp] at /States/A",
                "The field 'SecondsPath' is not supported in JSONata: use an expression in 'Seconds', or set \
             'QueryLanguage' to 'JSONPath' at /States/A/SecondsPath",
            ],
        );
    }

    #[test]
    fn every_field_of_json_path_is_refused_in_jsonata() {
        for (kind, field) in [
            ("Pass", "InputPath"),
            ("Pass", "OutputPath"),
            ("Pass", "ResultPath"),
            ("Pass", "Parameters"),
            ("Pass", "Result"),
            ("Parallel", "ResultSelector"),
            ("Map", "ItemsPath"),
            ("Map", "MaxConcurrencyPath"),
            ("Map", "ToleratedFailureCountPath"),
            ("Map", "ToleratedFailurePercentagePath"),
            ("Task", "TimeoutSecondsPath"),
            ("Task", "HeartbeatSecondsPath"),
            ("Fail", "ErrorPath"),
            ("Fail", "CausePath"),
        ] {
            let text = format!(
                r#"{{"StartAt": "A", "QueryLanguage": "JSONata", "States": {{"A": {{"Type": "{kind}",
                    "{field}": "$.a"}}}}}}"#
            );
            let parsed = crate::definition::parse(&text, crate::definition::MachineType::Standard);
            let refusal = format!("The field '{field}' is not supported in JSONata: ");
            let found = parsed.diagnostics.iter().filter(|found| found.message.starts_with(&refusal)).count();
            assert_eq!(found, 1, "{kind} {field}");
        }
    }
}
