//! Which fields an object of the definition has: those it must have, those that exclude each other, those it
//! may have, in which query language.

use crate::definition::QueryLanguage;
use crate::definition::parse::reader::Reader;

pub(crate) use super::fields::Part;
use super::fields::{Fields, fields};
use super::language;

/// Checks the fields of an object; their values are read elsewhere.
pub(crate) fn check_part(reader: &Reader<'_>, part: Part) {
    let fields = fields(part);
    let (own, other, required) = match reader.scope.language {
        QueryLanguage::JsonPath => (fields.json_path, fields.jsonata, fields.required_json_path),
        QueryLanguage::Jsonata => (fields.jsonata, fields.json_path, fields.required_jsonata),
    };
    let missing: Vec<&str> =
        fields.required.iter().chain(required).copied().filter(|name| !reader.has(name)).collect();
    if !missing.is_empty() {
        reader.place.error(format!("These fields are required: [{}]", missing.join(", ")));
    }
    for group in fields.exactly_one {
        let usable = group.iter().copied().filter(|name| own.contains(name) || fields.both.contains(name));
        check_group(reader, &usable.collect::<Vec<&str>>(), true);
    }
    for group in fields.at_most_one {
        check_group(reader, group, false);
    }
    let is_own =
        |name: &str| fields.common.contains(&name) || fields.both.contains(&name) || own.contains(&name);
    for name in reader.object.keys().map(String::as_str).filter(|name| !is_own(name)) {
        if other.contains(&name) {
            language::report_field(reader, name);
        } else if !(fields.open && reader.scope.language == QueryLanguage::JsonPath) {
            report_unknown(reader, &fields, name);
        }
    }
}

/// Whether a part has a field of this name, in either language.
pub(crate) fn is_field_of(part: Part, name: &str) -> bool {
    let fields = fields(part);
    [fields.common, fields.both, fields.json_path, fields.jsonata].concat().contains(&name)
}

fn check_group(reader: &Reader<'_>, group: &[&str], required: bool) {
    let names = group.join(", ");
    match group.iter().filter(|name| reader.has(name)).count() {
        0 if required => reader.place.error(format!("One of these fields is required: [{names}]")),
        0 | 1 => {}
        _more => reader.place.error(format!("Only one of these fields can be used: [{names}]")),
    }
}

fn report_unknown(reader: &Reader<'_>, fields: &Fields, name: &str) {
    let title = fields.title;
    reader.place.field(name).error(format!("The field '{name}' is not supported in {title}"));
}

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::{check, check_state, check_task};

    #[test]
    fn required_and_unknown_fields() {
        check_state(
            r#""Type": "Task", "End": true"#,
            &["These fields are required: [Resource] at /States/A"],
        );
        check_state(
            r#""Type": "Parallel", "End": true"#,
            &["These fields are required: [Branches] at /States/A"],
        );
        check_state(
            r#""Type": "Pass", "End": true, "Nxt": "B""#,
            &["The field 'Nxt' is not supported in a Pass state at /States/A/Nxt"],
        );
        check_state(
            r#""Type": "Succeed", "Next": "A""#,
            &["The field 'Next' is not supported in a Succeed state at /States/A/Next"],
        );
        check_state(
            r#""Type": "Fail", "InputPath": "$", "Comment": 1"#,
            &[
                "The field 'InputPath' is not supported in a Fail state at /States/A/InputPath",
                "The field 'Comment' should be a string at /States/A/Comment",
            ],
        );
    }

    #[test]
    fn fields_that_exclude_each_other() {
        check_state(r#""Type": "Pass""#, &["One of these fields is required: [Next, End] at /States/A"]);
        check_state(
            r#""Type": "Pass", "Next": "A", "End": true"#,
            &[
                "No state ends: a Succeed or Fail state, or one with 'End': true, is required at /States",
                "Only one of these fields can be used: [Next, End] at /States/A",
            ],
        );
        check_state(
            r#""Type": "Pass", "End": false"#,
            &["The field 'End' should be true, or 'Next' should name a state at /States/A/End"],
        );
        check_state(
            r#""Type": "Wait", "End": true"#,
            &[
                "One of these fields is required: [Seconds, SecondsPath, Timestamp, TimestampPath] at /States/A",
            ],
        );
        check_state(
            r#""Type": "Wait", "End": true, "Seconds": 1, "TimestampPath": "$.t""#,
            &[
                "Only one of these fields can be used: [Seconds, SecondsPath, Timestamp, TimestampPath] at /States/A",
            ],
        );
        check_state(
            r#""Type": "Fail", "Cause": "x", "CausePath": "$.x""#,
            &["Only one of these fields can be used: [Cause, CausePath] at /States/A"],
        );
        check_task(
            r#""TimeoutSeconds": 1, "TimeoutSecondsPath": "$.t""#,
            &["Only one of these fields can be used: [TimeoutSeconds, TimeoutSecondsPath] at /States/A"],
        );
    }

    #[test]
    fn choice_rules() {
        const STATES: &str = r#""A": {"Type": "Choice", "Choices": "#;
        let choice = |rules: &str| {
            format!(
                r#"{{"StartAt": "A", "States": {{{STATES}{rules}, "Default": "B"}}, "B": {{"Type": "Succeed"}}}}}}"#
            )
        };
        check(&choice("[]"), &["Value cannot be empty at /States/A/Choices"]);
        check(
            &choice(r#"[{"Next": "B"}]"#),
            &[
                "A choice rule needs one comparison operator, such as StringEquals, or one of And, Or, Not at \
             /States/A/Choices[0]",
            ],
        );
        check(
            &choice(r#"[{"IsNull": true}]"#),
            &[
                "These fields are required: [Next] at /States/A/Choices[0]",
                "These fields are required: [Variable] at /States/A/Choices[0]",
            ],
        );
        check(
            &choice(r#"[{"Variable": "$.a", "IsNul": true, "Next": "B"}]"#),
            &["The field 'IsNul' is not supported in a choice rule: it is no comparison operator at \
             /States/A/Choices[0]/IsNul"],
        );
        check(
            &choice(r#"[{"Variable": "$.a", "IsNull": true, "IsString": true, "Next": "B"}]"#),
            &["A choice rule holds one test; 'IsNull' is there already at /States/A/Choices[0]/IsString"],
        );
        check(
            &choice(
                r#"[{"And": [{"Variable": "$.a", "IsNull": true, "Next": "B"}], "Next": "B"}, {"Or": [], "Next": "B"}]"#,
            ),
            &[
                "The field 'Next' is not supported in a nested choice rule; it belongs to the outermost one at \
             /States/A/Choices[0]/And[0]/Next",
                "Value cannot be empty at /States/A/Choices[1]/Or",
            ],
        );
        check(
            &choice(r#"[{"Not": {"Or": [{"Variable": "$.a", "StringMatches": "a*\\*"}]}, "Next": "B"}]"#),
            &[],
        );
    }
}
