//! The intrinsic functions on arrays.

use std::collections::BTreeSet;

use serde_json::{Number, Value};

use super::evaluate::Arguments;
use crate::data::path::values;

/// AWS: `States.ArrayRange` makes at most this many elements.
const RANGE_ITEMS_MAX: usize = 1_000;

pub(super) fn contains(arguments: &Arguments) -> Result<Value, String> {
    let wanted = arguments.value(1);
    Ok(Value::Bool(arguments.array(0)?.iter().any(|item| values::equal(item, wanted))))
}

pub(super) fn get_item(arguments: &Arguments) -> Result<Value, String> {
    let items = arguments.array(0)?;
    let index = arguments.integer(1)?;
    let item = usize::try_from(index).ok().and_then(|index| items.get(index));
    let length = items.len();
    item.cloned().ok_or_else(|| format!("The index {index} is out of bounds for an array of length {length}"))
}

pub(super) fn length(arguments: &Arguments) -> Result<Value, String> {
    Ok(Value::from(arguments.array(0)?.len()))
}

pub(super) fn partition(arguments: &Arguments) -> Result<Value, String> {
    let items = arguments.array(0)?;
    let size = arguments.integer(1)?;
    match usize::try_from(size) {
        Ok(size) if size > 0 => {
            Ok(Value::Array(items.chunks(size).map(|chunk| Value::Array(chunk.to_vec())).collect()))
        }
        Ok(_) | Err(_) => Err(format!("The size of a part must be positive but was: {size}")),
    }
}

/// From the first number to the last one inclusive.
pub(super) fn range(arguments: &Arguments) -> Result<Value, String> {
    let (first, last) = (arguments.integer(0)?, arguments.integer(1)?);
    let step = arguments.integer(2)?;
    if step == 0 {
        return Err("The step must not be zero".to_owned());
    }
    let inside = |number: i64| if step > 0 { number <= last } else { number >= last };
    let mut items = Vec::new();
    let mut next = Some(first);
    while let Some(number) = next.filter(|number| inside(*number)) {
        if items.len() == RANGE_ITEMS_MAX {
            return Err(format!("The array would have more than {RANGE_ITEMS_MAX} items"));
        }
        items.push(Value::from(number));
        next = number.checked_add(step);
    }
    Ok(Value::Array(items))
}

/// Keeps the first of equal items.
pub(super) fn unique(arguments: &Arguments) -> Result<Value, String> {
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for item in arguments.array(0)? {
        let mut key = String::new();
        write_key(item, &mut key);
        if seen.insert(key) {
            kept.push(item.clone());
        }
    }
    Ok(Value::Array(kept))
}

/// Writes a text that is the same for equal values: fields in order, and 1.0 as 1.
///
/// Values are not deep here, so this recursion is bounded.
fn write_key(value: &Value, key: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => key.push_str(&value.to_string()),
        Value::Number(number) => key.push_str(&number_key(number)),
        Value::Array(items) => {
            key.push('[');
            for item in items {
                write_key(item, key);
                key.push(',');
            }
            key.push(']');
        }
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            key.push('{');
            for name in names {
                key.push_str(&Value::from(name.as_str()).to_string());
                key.push(':');
                write_key(fields.get(name).unwrap_or(&Value::Null), key);
                key.push(',');
            }
            key.push('}');
        }
    }
}

fn number_key(number: &Number) -> String {
    let integral = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0);
    match integral.and_then(super::numbers::round) {
        Some(integer) => integer.to_string(),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::evaluate::tests::check;

    #[test]
    fn makes_arrays() {
        check("States.Array()", "{}", "[]");
        check("States.Array($.a, $.a)", r#"{"a":null}"#, "[null,null]");
        check("States.Array($.a, 1.1, 'x')", r#"{"a":{"b":[]}}"#, r#"[{"b":[]},1.1,"x"]"#);
    }

    #[test]
    fn looks_for_equal_items() {
        let row = |list: &str, item: &str, expected: &str| {
            check("States.ArrayContains($.l, $.i)", &format!(r#"{{"l":{list},"i":{item}}}"#), expected);
        };
        row("[]", "null", "false");
        row("[]", "[]", "false");
        row("[[1,2,3],2]", "null", "false");
        row("[[1,2,3],2]", "[1,2,3]", "true");
        row(r#"[{"1":2,"2":[]}]"#, "[]", "false");
        row(r#"[{"1":2,"2":[]}]"#, r#"{"2":[],"1":2}"#, "true");
        row("[true,false]", "false", "true");
        row("[true]", "1", "false");
        row("[1]", "1.0", "true");
        row("1", "1", "IntrinsicFailure: Argument 1 must be an array but was: number");
    }

    #[test]
    fn takes_items_and_lengths() {
        check("States.ArrayGetItem($, 5)", "[1,2,3,4,5,6]", "6");
        check("States.ArrayGetItem($, 0.5)", "[1,2]", "2");
        const OUT: &str = "IntrinsicFailure: The index 2 is out of bounds for an array of length 2";
        check("States.ArrayGetItem($, 2)", "[1,2]", OUT);
        check("States.ArrayGetItem($, -1)", "[1,2]", OUT.replace("index 2", "index -1").as_str());
        check("States.ArrayLength($)", "[1,[2,3]]", "2");
        check("States.ArrayLength($)", "{}", "IntrinsicFailure: Argument 1 must be an array but was: object");
    }

    #[test]
    fn cuts_arrays_into_parts() {
        check("States.ArrayPartition($, 1)", "[]", "[]");
        check("States.ArrayPartition($, 2)", "[0,1,2]", "[[0,1],[2]]");
        check("States.ArrayPartition($, 1.5)", "[0,1,2]", "[[0,1],[2]]");
        check("States.ArrayPartition($, 5)", "[0,1,2]", "[[0,1,2]]");
        const POSITIVE: &str = "IntrinsicFailure: The size of a part must be positive but was: 0";
        check("States.ArrayPartition($, 0)", "[0]", POSITIVE);
        check("States.ArrayPartition($, 0.4)", "[0]", POSITIVE);
    }

    #[test]
    fn counts_from_one_number_to_another() {
        check("States.ArrayRange(0, 9, 3)", "{}", "[0,3,6,9]");
        check("States.ArrayRange(0, 10, 3)", "{}", "[0,3,6,9]");
        check("States.ArrayRange(1, 9, 9)", "{}", "[1]");
        check("States.ArrayRange(3, 1, -1)", "{}", "[3,2,1]");
        check("States.ArrayRange(3, 1, 1)", "{}", "[]");
        check("States.ArrayRange(0.5, 2.4, 1)", "{}", "[1,2]");
        check("States.ArrayRange(0, 1, 0)", "{}", "IntrinsicFailure: The step must not be zero");
        check("States.ArrayLength(States.ArrayRange(1, 1000, 1))", "{}", "1000");
        check(
            "States.ArrayRange(0, 1000, 1)",
            "{}",
            "IntrinsicFailure: The array would have more than 1000 items",
        );
        check(
            "States.ArrayRange(9223372036854775806, 9223372036854775807, 5)",
            "{}",
            "[9223372036854775806]",
        );
    }

    #[test]
    fn keeps_one_of_equal_items() {
        check("States.ArrayUnique($)", "[1,2,3,3,1.0,\"1\"]", "[1,2,3,\"1\"]");
        check(
            "States.ArrayUnique($)",
            r#"[{"a":1,"b":[2]},{"b":[2.0],"a":1},null,null,["a,"],["a",""]]"#,
            r#"[{"a":1,"b":[2]},null,["a,"],["a",""]]"#,
        );
    }
}
