//! Values that are computed when the state runs: payload templates, paths, intrinsic calls, JSONata.

use serde_json::{Map, Value};

use crate::data::intrinsics;
use crate::data::jsonata::{self, SyntaxError};
use crate::data::path::Path;
use crate::definition::{Computed, Expression, Template};
use crate::validate::report::Place;

use super::reader::Reader;

/// Ends the name of a payload template's field whose value is computed.
const COMPUTED_SUFFIX: &str = ".$";

impl Reader<'_> {
    /// A field that holds a template in the language of the state; in JSONPath it is an object.
    pub(crate) fn template(&self, name: &str) -> Option<Template> {
        let value = self.get(name)?;
        let place = self.place.field(name);
        if self.is_jsonata() {
            return Some(jsonata_template(&place, value));
        }
        let Some(object) = value.as_object() else {
            self.wrong(name, "an object");
            return None;
        };
        Some(object_template(&place, object))
    }
}

/// The text between `{%` and `%}`, where the whole string is a JSONata expression.
pub(crate) fn jsonata_source(text: &str) -> Option<&str> {
    text.strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
}

/// The JSONata expression at a place; none where the text is a literal. An expression that is not valid is
/// reported, and another one stands for it.
pub(crate) fn jsonata(place: &Place<'_>, text: &str) -> Option<Computed> {
    let source = jsonata_source(text)?;
    let expression = jsonata::Expression::parse(source).unwrap_or_else(|SyntaxError(why)| {
        place.error(format!("The JSONata expression is not valid: {why}"));
        jsonata::Expression::parse("null").expect("it is an expression")
    });
    let expression = Expression::Jsonata(expression);
    Some(Computed { field: place.field_of_state(), source: String::from(source), expression })
}

/// A JSON value in which each string of the form `{% … %}` is an expression.
pub(crate) fn jsonata_template(place: &Place<'_>, value: &Value) -> Template {
    match value {
        Value::String(text) => {
            jsonata(place, text).map_or_else(|| Template::Literal(value.clone()), Template::Computed)
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            array(items.map(|(at, item)| jsonata_template(&place.item(at), item)).collect())
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            object(
                fields.map(|(key, item)| (key.clone(), jsonata_template(&place.field(key), item))).collect(),
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Template::Literal(value.clone()),
    }
}

/// A JSONPath payload template: fields whose name ends in `.$` are computed, at any depth.
pub(crate) fn object_template(place: &Place<'_>, fields: &Map<String, Value>) -> Template {
    let mut members: Vec<(String, Template)> = Vec::with_capacity(fields.len());
    for (key, value) in fields {
        let Some(name) = key.strip_suffix(COMPUTED_SUFFIX) else {
            members.push((key.clone(), any_template(&place.field(key), value)));
            continue;
        };
        if fields.contains_key(name) {
            place.error(format!("The fields '{name}' and '{key}' give the same name; remove one of them"));
        }
        match computed_value(key, value) {
            Some(computed) => members.push((String::from(name), Template::Computed(computed))),
            // AWS points at the object that holds the field.
            None => place.error(format!(
                "The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call"
            )),
        }
    }
    object(members)
}

fn any_template(place: &Place<'_>, value: &Value) -> Template {
    match value {
        Value::Object(fields) => object_template(place, fields),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            array(items.map(|(at, item)| any_template(&place.item(at), item)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Template::Literal(value.clone())
        }
    }
}

/// The value of a field `key` that ends in `.$`.
pub(crate) fn computed_value(key: &str, value: &Value) -> Option<Computed> {
    let source = value.as_str()?;
    let expression = path_or_intrinsic(source)?;
    Some(Computed { field: String::from(key), source: String::from(source), expression })
}

fn path_or_intrinsic(source: &str) -> Option<Expression> {
    if source.starts_with('$') {
        return Path::parse(source).ok().map(Expression::Path);
    }
    intrinsics::parse(source).ok().map(|call| Expression::Intrinsic(Box::new(call)))
}

/// A template without anything computed is its literal, so that running it is a copy.
fn object(members: Vec<(String, Template)>) -> Template {
    let literals: Option<Map<String, Value>> =
        members.iter().map(|(key, value)| Some((key.clone(), literal(value)?.clone()))).collect();
    literals.map_or_else(|| Template::Object(members), |fields| Template::Literal(Value::Object(fields)))
}

fn array(items: Vec<Template>) -> Template {
    let literals: Option<Vec<Value>> = items.iter().map(|item| literal(item).cloned()).collect();
    literals.map_or_else(|| Template::Array(items), |items| Template::Literal(Value::Array(items)))
}

fn literal(template: &Template) -> Option<&Value> {
    match template {
        Template::Literal(value) => Some(value),
        Template::Computed(_) | Template::Object(_) | Template::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::check_state;
    use crate::definition::{Flow, MachineType, StateKind, Template, parse};

    /// Checks what a template becomes: `name=source` for each computed place, then what is literal.
    fn check(state: &str, expected: &str) {
        fn describe(template: &Template) -> String {
            match template {
                Template::Literal(value) => value.to_string(),
                Template::Computed(computed) => format!("<{}={}>", computed.field, computed.source),
                Template::Object(members) => {
                    let members = members.iter().map(|(key, value)| format!("{key}:{}", describe(value)));
                    format!("{{{}}}", members.collect::<Vec<String>>().join(","))
                }
                Template::Array(items) => {
                    format!("[{}]", items.iter().map(describe).collect::<Vec<String>>().join(","))
                }
            }
        }
        let text =
            format!(r#"{{"StartAt": "A", "States": {{"A": {{"Type": "Pass", "End": true, {state}}}}}}}"#);
        let definition = parse(&text, MachineType::Standard).definition.expect("the row is valid");
        let (_, state) = definition.states().next().expect("there is one state");
        let StateKind::Pass(pass) = &state.kind else { panic!("it is a Pass") };
        let template = match &pass.flow {
            Flow::JsonPath(flow) => flow.parameters.as_ref(),
            Flow::Jsonata(flow) => flow.output.as_ref(),
        };
        assert_eq!(template.map(describe).as_deref(), Some(expected), "{text}");
    }

    #[test]
    fn computed_places_of_payload_templates() {
        check(r#""Parameters": {"a": 1, "b": [{"c": null}]}"#, r#"{"a":1,"b":[{"c":null}]}"#);
        check(r#""Parameters": {"a.$": "$.x", "b": "$.x"}"#, r#"{a:<a.$=$.x>,b:"$.x"}"#);
        check(r#""Parameters": {"a": [{"b.$": "$$.State.Name"}, 2]}"#, "{a:[{b:<b.$=$$.State.Name>},2]}");
        check(r#""Parameters": {"a.$": "States.UUID()"}"#, "{a:<a.$=States.UUID()>}");
        check(r#""Parameters": {"a.$": "$variable.b"}"#, "{a:<a.$=$variable.b>}");
    }

    #[test]
    fn jsonata_expressions() {
        let check = |output: &str, expected: &str| {
            check(&format!(r#""QueryLanguage": "JSONata", "Output": {output}"#), expected);
        };
        check(r#""{% $states.input %}""#, "<Output=$states.input>");
        check(r#"{"a": "{%1%}", "b": ["x", "{% 2 %}"]}"#, r#"{a:<Output/a=1>,b:["x",<Output/b[1]=2>]}"#);
        check(r#"{"a.$": "$.x", "b": "no {% 1 %}"}"#, r#"{"a.$":"$.x","b":"no {% 1 %}"}"#);
    }

    #[test]
    fn what_is_no_expression() {
        const TEXT: &str =
            "must be a valid JSONPath or a valid intrinsic function call at /States/A/Parameters";
        let pass = |parameters: &str| format!(r#""Type": "Pass", "End": true, "Parameters": {parameters}"#);
        for value in [
            r#""x""#,
            r#""$.a[""#,
            "1",
            r#""States.Nothing()""#,
            r#""States.StringToJson('{\"a\":\"\\\"b\"}')""#,
        ] {
            check_state(
                &pass(&format!(r#"{{"p.$": {value}}}"#)),
                &[&format!("The value for the field 'p.$' {TEXT}")],
            );
        }
        check_state(&pass(r#"{"q": {"p.$": 1}}"#), &[&format!("The value for the field 'p.$' {TEXT}/q")]);
        check_state(
            &pass(r#"{"p": 1, "p.$": "$.a"}"#),
            &["The fields 'p' and 'p.$' give the same name; remove one of them at /States/A/Parameters"],
        );
        check_state(&pass("5"), &["The field 'Parameters' should be an object at /States/A/Parameters"]);
    }
}
