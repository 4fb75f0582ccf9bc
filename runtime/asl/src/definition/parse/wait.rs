//! The Wait state.

use serde_json::Value;

use crate::data::intrinsics;
use crate::definition::{Computed, Delay, Expression, NumberField, Wait};
use crate::limits::SECONDS_MAX;
use crate::validate::code;

use super::reader::Reader;
use super::values::Numbers;

pub(crate) fn read(reader: &Reader<'_>) -> Wait {
    let seconds =
        placeholder(reader).or_else(|| reader.number_field("Seconds", &Numbers::Integers(0..=SECONDS_MAX)));
    let until = reader.timestamp_field("Timestamp");
    // That exactly one of the fields is given is a rule of `validate::structure`.
    let delay = match (seconds, until) {
        (Some(seconds), _) => Delay::Seconds(seconds),
        (None, Some(until)) => Delay::Until(until),
        (None, None) => Delay::Seconds(NumberField::Literal(0.0)),
    };
    Wait { flow: reader.flow(), delay, assign: reader.assign(), transition: reader.transition() }
}

/// `"Seconds": "ReminderTimeout"`: deployment tools fill such names in, and a definition must be checkable
/// before they do. Run as it is, the state fails, for the value it computes is that text and no number.
fn placeholder(reader: &Reader<'_>) -> Option<NumberField> {
    let name = reader.get("Seconds").and_then(Value::as_str).filter(|_| !reader.is_jsonata())?;
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let call = is_name.then(|| intrinsics::parse(&format!("States.Format('{name}')")).ok()).flatten()?;
    reader.place.field("Seconds").warning(
        code::UNRESOLVED_PLACEHOLDER,
        format!("The field 'Seconds' should be an integer; '{name}' looks like a placeholder that was not filled in"),
    );
    let expression = Expression::Intrinsic(Box::new(call));
    let computed = Computed { field: String::from("Seconds"), source: String::from(name), expression };
    Some(NumberField::Computed(computed))
}
