//! The comparison operators of a Choice rule, by name.

use serde_json::Value;

use crate::data::timestamp::Timestamp;
use crate::definition::{Operand, Operator, Ordering, StringPattern};

use super::reader::Reader;
use super::values::INVALID_TIMESTAMP;

const ORDERINGS: [(&str, Ordering); 5] = [
    ("Equals", Ordering::Equal),
    ("LessThan", Ordering::Less),
    ("GreaterThan", Ordering::Greater),
    ("LessThanEquals", Ordering::LessOrEqual),
    ("GreaterThanEquals", Ordering::GreaterOrEqual),
];

/// Reads the operator `name` with its right-hand side.
pub(crate) fn read(reader: &Reader<'_>, name: &str) -> Option<Operator> {
    let (base, is_path) = name.strip_suffix("Path").map_or((name, false), |base| (base, true));
    if let Some(ordering) = ordering(base, "String") {
        return operand(reader, name, is_path, text).map(|operand| Operator::String(ordering, operand));
    }
    if let Some(ordering) = ordering(base, "Numeric") {
        return operand(reader, name, is_path, number).map(|operand| Operator::Numeric(ordering, operand));
    }
    if let Some(ordering) = ordering(base, "Timestamp") {
        return operand(reader, name, is_path, timestamp)
            .map(|operand| Operator::Timestamp(ordering, operand));
    }
    if base == "BooleanEquals" {
        return operand(reader, name, is_path, |reader, name| reader.boolean(name)).map(Operator::Boolean);
    }
    match name {
        "StringMatches" => pattern(reader, name).map(Operator::StringMatches),
        "IsNull" => reader.boolean(name).map(Operator::IsNull),
        "IsPresent" => reader.boolean(name).map(Operator::IsPresent),
        "IsNumeric" => reader.boolean(name).map(Operator::IsNumeric),
        "IsString" => reader.boolean(name).map(Operator::IsString),
        "IsBoolean" => reader.boolean(name).map(Operator::IsBoolean),
        "IsTimestamp" => reader.boolean(name).map(Operator::IsTimestamp),
        unknown => {
            reader.place.field(unknown).error(format!(
                "The field '{unknown}' is not supported in a choice rule: it is no comparison operator"
            ));
            None
        }
    }
}

fn ordering(base: &str, kind: &str) -> Option<Ordering> {
    let suffix = base.strip_prefix(kind)?;
    ORDERINGS.into_iter().find(|(name, _)| *name == suffix).map(|(_, ordering)| ordering)
}

fn operand<T>(
    reader: &Reader<'_>,
    name: &str,
    is_path: bool,
    literal: impl FnOnce(&Reader<'_>, &str) -> Option<T>,
) -> Option<Operand<T>> {
    if is_path { reader.path(name).map(Operand::Path) } else { literal(reader, name).map(Operand::Literal) }
}

fn text(reader: &Reader<'_>, name: &str) -> Option<String> {
    reader.text(name).map(String::from)
}

fn number(reader: &Reader<'_>, name: &str) -> Option<serde_json::Number> {
    let number = reader.get(name).and_then(Value::as_number);
    if number.is_none() {
        reader.wrong(name, "a number");
    }
    number.cloned()
}

fn timestamp(reader: &Reader<'_>, name: &str) -> Option<Timestamp> {
    let timestamp = Timestamp::parse_rfc3339(reader.text(name)?);
    if timestamp.is_err() {
        reader.place.field(name).error(INVALID_TIMESTAMP);
    }
    timestamp.ok()
}

//= https://states-language.net/spec.html#choice-state
//# The character "*" matches zero or more characters … If the character "*" needs to be matched
//# literally it must be escaped with a backslash.
fn pattern(reader: &Reader<'_>, name: &str) -> Option<StringPattern> {
    let mut pieces = vec![String::new()];
    let mut letters = reader.text(name)?.chars();
    while let Some(letter) = letters.next() {
        let literal = match letter {
            '*' => {
                pieces.push(String::new());
                continue;
            }
            '\\' => letters.next().filter(|escaped| matches!(escaped, '*' | '\\')),
            other => Some(other),
        };
        let Some(literal) = literal else {
            reader
                .place
                .field(name)
                .error("In a pattern a backslash stands only before * or another backslash");
            return None;
        };
        if let Some(piece) = pieces.last_mut() {
            piece.push(literal);
        }
    }
    Some(StringPattern { pieces })
}
