//! JSON values into the engine and out of it.

use std::rc::Rc;

use jsonata_core::value::{JMap, JValue};
use serde_json::{Map, Number, Value};

use crate::data::path::values::DEPTH_MAX;
use crate::limits::PAYLOAD_BYTES_MAX;

/// Why a result is no JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoJson {
    /// A function or a regular expression, somewhere in it.
    Function,
    TooDeep,
    TooLarge,
}

/// The engine knows doubles only, as JSONata does: an integer beyond 2^53 is rounded here.
pub(super) fn into_engine(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(value) => JValue::Bool(*value),
        Value::Number(number) => JValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => JValue::array(items.iter().map(into_engine).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), into_engine(value)));
            JValue::Object(Rc::new(members.collect::<JMap>()))
        }
    }
}

/// The JSON value of a result that is not undefined. Values share their parts in the engine, so a small one can
/// stand for more text than fits into any memory: the count ends at what a payload may hold.
pub(super) fn from_engine(value: &JValue) -> Result<Value, NoJson> {
    let mut left = PAYLOAD_BYTES_MAX;
    json(value, 0, &mut left)
}

fn json(value: &JValue, depth: usize, left: &mut usize) -> Result<Value, NoJson> {
    if depth >= DEPTH_MAX && matches!(value, JValue::Array(_) | JValue::Object(_)) {
        return Err(NoJson::TooDeep);
    }
    // With the comma that follows; a number is at least a digit.
    let weight = value.as_str().map_or(2, |text| text.len() + 3);
    *left = left.checked_sub(weight).ok_or(NoJson::TooLarge)?;
    match value {
        // Undefined counts as absent within arrays and objects, which the engine leaves out itself.
        JValue::Null | JValue::Undefined => Ok(Value::Null),
        JValue::Bool(value) => Ok(Value::Bool(*value)),
        JValue::Number(number) => Ok(self::number(*number)),
        JValue::String(text) => Ok(Value::String(String::from(&**text))),
        JValue::Array(items) => {
            let items = items.iter().filter(|item| !item.is_undefined());
            items.map(|item| json(item, depth + 1, left)).collect::<Result<_, _>>().map(Value::Array)
        }
        JValue::Object(members) => {
            let mut object = Map::with_capacity(members.len());
            for (name, member) in members.iter().filter(|(_, member)| !member.is_undefined()) {
                *left = left.checked_sub(name.len() + 3).ok_or(NoJson::TooLarge)?;
                object.insert(name.clone(), json(member, depth + 1, left)?);
            }
            Ok(Value::Object(object))
        }
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => Err(NoJson::Function),
    }
}

/// JavaScript writes a whole number without a fraction, and what is no number as null.
fn number(number: f64) -> Value {
    /// Whole doubles below are integers of 64 bits.
    const INTEGERS_END: f64 = 9_223_372_036_854_775_808.0;
    if number.fract() == 0.0 && number.abs() < INTEGERS_END {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number within 64 bits")]
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let value: Value = serde_json::from_str(text).unwrap();
        let result = from_engine(&into_engine(&value)).map(|value| value.to_string());
        assert_eq!(result.as_deref().map_err(|error| format!("{error:?}")), Ok(expected));
    }

    #[test]
    fn keeps_values() {
        check(r#"{"b":[1,-2.5,"é\n",null,true],"a":{}}"#, r#"{"b":[1,-2.5,"é\n",null,true],"a":{}}"#);
        check("[1.0, -0.0, 1e3, 1e300, 0.1]", "[1,0,1000,1e+300,0.1]");
        // 2^53 + 1 has no double of its own.
        check("9007199254740993", "9007199254740992");
    }

    #[test]
    fn refuses_what_is_no_payload() {
        let nested = |levels: usize| (0..levels).fold(JValue::Null, |value, _| JValue::array(vec![value]));
        assert!(from_engine(&nested(DEPTH_MAX)).is_ok());
        assert_eq!(from_engine(&nested(DEPTH_MAX + 1)), Err(NoJson::TooDeep));
        let shared = (0..60).fold(JValue::Null, |value, _| JValue::array(vec![value.clone(), value]));
        assert_eq!(from_engine(&shared), Err(NoJson::TooLarge));
        let text = JValue::string("x".repeat(PAYLOAD_BYTES_MAX));
        assert_eq!(from_engine(&text), Err(NoJson::TooLarge));
        assert_eq!(from_engine(&JValue::array(vec![JValue::builtin("sum")])), Err(NoJson::Function));
    }
}
