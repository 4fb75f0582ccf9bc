//! Fields that hold a literal, a path or an expression: numbers, texts, instants, selections.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::data::path::Path;
use crate::data::timestamp::Timestamp;
use crate::data::{intrinsics, path::ReferencePath};
use crate::definition::{
    Computed, Expression, NumberField, ResultPath, Selection, TextField, TimestampField,
};

use super::reader::Reader;
use super::template::jsonata;

/// AWS's text for an instant that is not in the RFC 3339 profile of the language.
pub(crate) const INVALID_TIMESTAMP: &str = "String does not match RFC3339 timestamp";

/// The literal values that a number field takes.
#[derive(Debug, Clone)]
pub(crate) enum Numbers {
    Integers(RangeInclusive<u32>),
    Reals(RangeInclusive<f64>),
}

impl Numbers {
    fn read(&self, value: &Value) -> Option<f64> {
        match self {
            Numbers::Integers(range) => {
                let number = u32::try_from(value.as_u64()?).ok()?;
                range.contains(&number).then(|| f64::from(number))
            }
            Numbers::Reals(range) => value.as_f64().filter(|number| range.contains(number)),
        }
    }

    fn wanted(&self) -> String {
        match self {
            Numbers::Integers(range) => format!("an integer between {} and {}", range.start(), range.end()),
            Numbers::Reals(range) => format!("a number between {} and {}", range.start(), range.end()),
        }
    }
}

impl Reader<'_> {
    /// A number given as `name`, in JSONPath also as a path under `namePath`, in JSONata as an expression.
    pub(crate) fn number_field(&self, name: &str, numbers: &Numbers) -> Option<NumberField> {
        if let Some(computed) = self.computed_field(name) {
            return Some(NumberField::Computed(computed));
        }
        let value = self.get(name)?;
        let number = numbers.read(value);
        if number.is_none() {
            let expression = if self.is_jsonata() { ", or a JSONata expression" } else { "" };
            self.wrong(name, &format!("{}{expression}", numbers.wanted()));
        }
        number.map(NumberField::Literal)
    }

    /// A text such as `Error`. Its path form may also be an intrinsic function that returns a string.
    pub(crate) fn text_field(&self, name: &str) -> Option<TextField> {
        let path_name = format!("{name}Path");
        if !self.is_jsonata()
            && let Some(source) = self.text(&path_name)
            && !source.starts_with('$')
        {
            return self.string_intrinsic(&path_name, source).map(TextField::Computed);
        }
        if let Some(computed) = self.computed_field(name) {
            return Some(TextField::Computed(computed));
        }
        self.text(name).map(|text| TextField::Literal(String::from(text)))
    }

    pub(crate) fn timestamp_field(&self, name: &str) -> Option<TimestampField> {
        if let Some(computed) = self.computed_field(name) {
            return Some(TimestampField::Computed(computed));
        }
        let instant = Timestamp::parse_rfc3339(self.text(name)?);
        if instant.is_err() {
            self.place.field(name).error(INVALID_TIMESTAMP);
        }
        instant.ok().map(TimestampField::Literal)
    }

    fn computed_field(&self, name: &str) -> Option<Computed> {
        if self.is_jsonata() {
            return jsonata(&self.place.field(name), self.get(name)?.as_str()?);
        }
        let name = format!("{name}Path");
        let path = self.reference_path(&name)?;
        Some(Computed {
            field: name,
            source: String::from(path.source()),
            expression: Expression::Path(path),
        })
    }

    fn string_intrinsic(&self, name: &str, source: &str) -> Option<Computed> {
        let call = intrinsics::parse(source).ok().filter(intrinsics::Call::returns_string);
        let Some(call) = call else {
            self.place.field(name).error(format!(
                "The value for the field '{name}' must be a valid JSONPath or an intrinsic function call that \
                 returns a string"
            ));
            return None;
        };
        let expression = Expression::Intrinsic(Box::new(call));
        Some(Computed { field: String::from(name), source: String::from(source), expression })
    }

    pub(crate) fn path(&self, name: &str) -> Option<Path> {
        match Path::parse(self.text(name)?) {
            Ok(path) => Some(path),
            Err(error) => {
                self.place.field(name).error(format!("Value is not a valid JSONPath: {}", error.message));
                None
            }
        }
    }

    /// A path that names one value; unlike that of `ResultPath` it may start from the context or a variable.
    pub(crate) fn reference_path(&self, name: &str) -> Option<Path> {
        let path = self.path(name)?;
        if path.is_reference() {
            return Some(path);
        }
        self.place.field(name).error(format!(
            "Value is not a Reference Path: '{}' can name more than one value; leave out @ .. , : ? and *",
            path.source()
        ));
        None
    }

    /// `InputPath` or `OutputPath`.
    pub(crate) fn selection(&self, name: &str) -> Selection {
        match self.get(name) {
            None => Selection::Whole,
            Some(Value::Null) => Selection::Nothing,
            Some(Value::String(text)) if text == "$" => Selection::Whole,
            Some(Value::String(_)) => self.path(name).map_or(Selection::Whole, Selection::Path),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                self.wrong(name, "a JSONPath or null");
                Selection::Whole
            }
        }
    }

    pub(crate) fn result_path(&self) -> ResultPath {
        const NAME: &str = "ResultPath";
        match self.get(NAME) {
            None => ResultPath::Replace,
            Some(Value::Null) => ResultPath::Discard,
            Some(Value::String(text)) if text == "$" => ResultPath::Replace,
            Some(Value::String(text)) => match ReferencePath::parse(text) {
                Ok(path) => ResultPath::At(path),
                Err(error) => {
                    self.place.field(NAME).error(format!("Value is not a Reference Path: {}", error.message));
                    ResultPath::Replace
                }
            },
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                self.wrong(NAME, "a Reference Path or null");
                ResultPath::Replace
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::{check_state, check_task};

    #[test]
    fn waits() {
        const SECONDS: &str = "The field 'Seconds' should be an integer between 0 and 99999999";
        let wait = |field: &str| format!(r#""Type": "Wait", "End": true, {field}"#);
        check_state(&wait(r#""Seconds": 99999999"#), &[]);
        for value in ["-1", "1.5", "100000000", r#""10""#, "null"] {
            check_state(
                &wait(&format!(r#""Seconds": {value}"#)),
                &[&format!("{SECONDS} at /States/A/Seconds")],
            );
        }
        check_state(
            &wait(r#""Seconds": "ReminderTimeout""#),
            &[
                "warning UNRESOLVED_PLACEHOLDER: The field 'Seconds' should be an integer; 'ReminderTimeout' looks like a \
             placeholder that was not filled in at /States/A/Seconds",
            ],
        );
        check_state(
            &wait(r#""QueryLanguage": "JSONata", "Seconds": "soon""#),
            &[&format!("{SECONDS}, or a JSONata expression at /States/A/Seconds")],
        );
        check_state(&wait(r#""QueryLanguage": "JSONata", "Seconds": "{% 1 + 1 %}""#), &[]);
        check_state(
            &wait(r#""Timestamp": "2016-12-05 21:29:29Z""#),
            &["String does not match RFC3339 timestamp at /States/A/Timestamp"],
        );
        check_state(
            &wait(r#""SecondsPath": "$.a[*]""#),
            &[
                "Value is not a Reference Path: '$.a[*]' can name more than one value; leave out @ .. , : ? and * at \
             /States/A/SecondsPath",
            ],
        );
    }

    #[test]
    fn paths_of_a_failure_may_be_intrinsics_that_return_text() {
        check_state(r#""Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('{}', $.c)""#, &[]);
        check_state(
            r#""Type": "Fail", "ErrorPath": "$$.State.Name", "CausePath": "States.ArrayLength($.c)""#,
            &[
                "The value for the field 'CausePath' must be a valid JSONPath or an intrinsic function call that returns \
             a string at /States/A/CausePath",
            ],
        );
    }

    #[test]
    fn selections() {
        let pass = |field: &str| format!(r#""Type": "Pass", "End": true, {field}"#);
        check_state(&pass(r#""InputPath": null, "OutputPath": "$.a[*]", "ResultPath": null"#), &[]);
        check_state(
            &pass(r#""InputPath": 1, "ResultPath": false"#),
            &[
                "The field 'InputPath' should be a JSONPath or null at /States/A/InputPath",
                "The field 'ResultPath' should be a Reference Path or null at /States/A/ResultPath",
            ],
        );
    }

    #[test]
    fn credentials_and_resources() {
        check_task(r#""Credentials": {"RoleArn.$": "$.role"}"#, &[]);
        check_task(
            r#""Credentials": {"InvalidField": "x"}"#,
            &["The field 'RoleArn' is required but was missing at /States/A/Credentials"],
        );
        check_state(
            r#""Type": "Task", "Resource": "arn:aws:states:::dynamodb:query", "End": true"#,
            &[
                "The resource provided arn:aws:states:::dynamodb:query is not recognized. The value is not a valid \
             resource ARN, or the resource is not available in this region. at /States/A/Resource",
            ],
        );
        check_state(
            r#""Type": "Task", "Resource": 5, "End": true"#,
            &["The field 'Resource' should be a string at /States/A/Resource"],
        );
    }
}
