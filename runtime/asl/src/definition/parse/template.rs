//! Values that are computed when the state runs: payload templates, paths, intrinsic calls, JSONata.

use serde_json::{Map, Value};

use crate::data::intrinsics;
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

/// The JSONata expression at a place; none where the text is a literal.
pub(crate) fn jsonata(place: &Place<'_>, text: &str) -> Option<Computed> {
    let source = jsonata_source(text)?;
    let expression = Expression::Jsonata(String::from(source));
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
