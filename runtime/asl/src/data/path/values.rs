//! Work on JSON values that no value can make overflow the stack or run for long.

use serde_json::{Number, Value};

/// serde_json reads no text that nests deeper. A value that does could be stored, but never read again.
pub const DEPTH_MAX: usize = 127;

/// How many values an operation may still look at.
#[derive(Debug)]
pub(super) struct Budget(usize);

/// An operation looked at more values than it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exhausted;

impl Budget {
    pub(super) fn new(visits: usize) -> Budget {
        Budget(visits)
    }

    pub(super) fn left(&self) -> usize {
        self.0
    }

    pub(super) fn spend(&mut self, visits: usize) -> Result<(), Exhausted> {
        self.0 = self.0.checked_sub(visits).ok_or(Exhausted)?;
        Ok(())
    }
}

/// About how many bytes the value has as text, or nothing if it nests deeper than [`DEPTH_MAX`].
pub fn measure(value: &Value) -> Option<usize> {
    let mut bytes = 0usize;
    let mut pending = vec![(value, 1usize)];
    while let Some((value, depth)) = pending.pop() {
        bytes = bytes.saturating_add(match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 8,
            Value::String(text) => text.len() + 8,
            Value::Array(_) | Value::Object(_) if depth > DEPTH_MAX => return None,
            Value::Array(items) => {
                pending.extend(items.iter().map(|item| (item, depth + 1)));
                8
            }
            Value::Object(fields) => {
                pending.extend(fields.values().map(|field| (field, depth + 1)));
                fields.keys().map(|name| name.len() + 8).sum::<usize>() + 8
            }
        });
    }
    Some(bytes)
}

/// How many arrays and objects stand inside one another, counted up to one more than [`DEPTH_MAX`].
pub fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut pending = vec![(value, 1)];
    while let Some((value, depth)) = pending.pop() {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            Value::Array(_) | Value::Object(_) if depth > DEPTH_MAX => return depth,
            Value::Array(items) => {
                deepest = deepest.max(depth);
                pending.extend(items.iter().map(|item| (item, depth + 1)));
            }
            Value::Object(fields) => {
                deepest = deepest.max(depth);
                pending.extend(fields.values().map(|field| (field, depth + 1)));
            }
        }
    }
    deepest
}

/// Drops a value of any depth. Dropping it where it stands recurses once for each level.
pub fn discard(value: Value) {
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            Value::Array(items) => pending.extend(items),
            Value::Object(fields) => pending.extend(fields.into_iter().map(|(_, field)| field)),
        }
    }
}

/// Whether two values are the same JSON: 1 is 1.0, and the order of fields does not matter.
pub fn equal(left: &Value, right: &Value) -> bool {
    equal_within(left, right, &mut Budget::new(usize::MAX)).unwrap_or(false)
}

pub(super) fn equal_within(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Exhausted> {
    let mut pending = vec![(left, right)];
    while let Some((left, right)) = pending.pop() {
        budget.spend(1)?;
        let same = match (left, right) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Number(left), Value::Number(right)) => {
                compare_numbers(left, right) == Some(std::cmp::Ordering::Equal)
            }
            (Value::String(left), Value::String(right)) => {
                budget.spend(left.len().min(right.len()) / 64)?;
                left == right
            }
            (Value::Array(left), Value::Array(right)) => {
                pending.extend(left.iter().zip(right));
                left.len() == right.len()
            }
            (Value::Object(left), Value::Object(right)) => {
                budget.spend(left.len())?;
                let mut same = left.len() == right.len();
                for (name, field) in left {
                    match right.get(name) {
                        Some(other) => pending.push((field, other)),
                        None => same = false,
                    }
                }
                same
            }
            (
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_),
                _,
            ) => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Compares by value: integers exactly, everything else as floating point.
pub fn compare_numbers(left: &Number, right: &Number) -> Option<std::cmp::Ordering> {
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (Some(_) | None, _) => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// The name of a value's type, for messages.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &str, right: &str, expected: bool) {
        let parse = |text| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(equal(&parse(left), &parse(right)), expected, "{left} {right}");
        assert_eq!(equal(&parse(right), &parse(left)), expected, "{right} {left}");
    }

    #[test]
    fn compares_by_value() {
        check("1", "1.0", true);
        check("1", "1.5", false);
        check("18446744073709551615", "-1", false);
        check("9007199254740993", "9007199254740992", false);
        check("true", "1", false);
        check("null", "false", false);
        check(r#""1""#, "1", false);
        check(r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true);
        check(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, false);
        check(r#"{"a":1,"c":2}"#, r#"{"a":1,"b":2}"#, false);
        check("[1,2]", "[1]", false);
        check("[]", "{}", false);
    }

    #[test]
    fn the_depth_is_what_serde_json_reads() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let deepest: Value = serde_json::from_str(&nested(DEPTH_MAX)).unwrap();
        assert!(serde_json::from_str::<Value>(&nested(DEPTH_MAX + 1)).is_err());
        assert_eq!(depth(&deepest), DEPTH_MAX);
        assert!(measure(&deepest).is_some());
        let deeper = Value::Array(vec![deepest]);
        assert_eq!(depth(&deeper), DEPTH_MAX + 1);
        assert_eq!(measure(&deeper), None);
        assert_eq!(depth(&Value::Null), 0);
    }
}
