//! The Choice state and its rules.

use serde_json::{Map, Value};

use crate::definition::{Choice, Comparison, Rule, Test};
use crate::validate::report::Place;
use crate::validate::structure::{self, Part};

use super::choice_operators;
use super::reader::Reader;
use super::template::jsonata;

/// Fields of a rule that are no test.
const RULE_FIELDS: [&str; 4] = ["Next", "Comment", "Assign", "Output"];

pub(crate) fn read(reader: &Reader<'_>) -> Choice {
    let place = reader.place.field("Choices");
    if reader.array("Choices").is_some_and(<[Value]>::is_empty) {
        place.error("Value cannot be empty");
    }
    Choice {
        flow: reader.flow(),
        rules: reader.entries("Choices", &place, Part::Rule, rule),
        default: reader.target("Default"),
        assign: reader.assign(),
    }
}

fn rule(reader: &Reader<'_>) -> Rule {
    Rule {
        test: if reader.is_jsonata() { condition(reader) } else { test(reader) },
        next: reader.required_target("Next"),
        assign: reader.assign(),
        output: reader.jsonata_output(),
    }
}

fn condition(reader: &Reader<'_>) -> Test {
    let place = reader.place.field("Condition");
    let test = match reader.get("Condition") {
        None => return NO_TEST,
        Some(Value::Bool(value)) => Some(Test::Constant(*value)),
        Some(Value::String(text)) => jsonata(&place, text).map(Test::Condition),
        Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    test.unwrap_or_else(|| {
        reader.wrong("Condition", "a boolean or a JSONata expression");
        NO_TEST
    })
}

/// Stands for a test that could not be read; never part of a definition that is returned.
const NO_TEST: Test = Test::Constant(false);

/// A rule's test in JSONPath: exactly one of `And`, `Or`, `Not`, or an operator with its `Variable`.
fn test(reader: &Reader<'_>) -> Test {
    let mut tests =
        reader.object.keys().filter(|key| !RULE_FIELDS.contains(&key.as_str()) && *key != "Variable");
    let Some(name) = tests.next() else {
        reader.place.error(
            "A choice rule needs one comparison operator, such as StringEquals, or one of And, Or, Not",
        );
        return NO_TEST;
    };
    for other in tests {
        reader.place.field(other).error(format!("A choice rule holds one test; '{name}' is there already"));
    }
    match name.as_str() {
        "And" => Test::And(operands(reader, name)),
        "Or" => Test::Or(operands(reader, name)),
        "Not" => {
            let Some(operand) = reader.object(name) else { return NO_TEST };
            let place = reader.place.field(name);
            Test::Not(Box::new(nested(reader, place, operand)))
        }
        operator => comparison(reader, operator),
    }
}

fn operands(reader: &Reader<'_>, name: &str) -> Vec<Test> {
    let place = reader.place.field(name);
    let Some(operands) = reader.array(name) else { return Vec::new() };
    if operands.is_empty() {
        place.error("Value cannot be empty");
    }
    let mut tests = Vec::with_capacity(operands.len());
    for (at, operand) in operands.iter().enumerate() {
        let place = place.item(at);
        match operand.as_object() {
            Some(operand) => tests.push(nested(reader, place, operand)),
            None => place.error(format!("Each entry of '{name}' should be a choice rule")),
        }
    }
    tests
}

/// A rule within And, Or or Not: only the outermost one says where to go.
fn nested(reader: &Reader<'_>, place: Place<'_>, operand: &Map<String, Value>) -> Test {
    let reader = reader.at(place, operand);
    structure::check_part(&reader, Part::NestedRule);
    for field in ["Next", "Assign"].into_iter().filter(|field| reader.has(field)) {
        reader.place.field(field).error(format!(
            "The field '{field}' is not supported in a nested choice rule; it belongs to the outermost one"
        ));
    }
    test(&reader)
}

fn comparison(reader: &Reader<'_>, name: &str) -> Test {
    if !reader.has("Variable") {
        reader.place.error("These fields are required: [Variable]");
    }
    let variable = reader.path("Variable");
    let operator = choice_operators::read(reader, name);
    match (variable, operator) {
        (Some(variable), Some(operator)) => Test::Compare(Box::new(Comparison { variable, operator })),
        (None, _) | (_, None) => NO_TEST,
    }
}
