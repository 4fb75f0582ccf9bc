//! `States.StringToJson`, `States.JsonToString` and `States.JsonMerge`.

use serde_json::Value;

use super::evaluate::Arguments;

/// Parses a string. Recorded: one without content is null, and `-0` is 0.
pub(super) fn from_string(arguments: &Arguments) -> Result<Value, String> {
    let text = arguments.string(0)?;
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let mut value: Value = serde_json::from_str(text).map_err(|error| format!("Invalid JSON: {error}"))?;
    if text.contains("-0") {
        unsign_zeros(&mut value);
    }
    Ok(value)
}

/// serde_json reads `-0` as a floating point number and would print it as `-0.0`.
fn unsign_zeros(value: &mut Value) {
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        match value {
            Value::Null | Value::Bool(_) | Value::String(_) => {}
            Value::Number(number) => {
                if number.as_f64().is_some_and(|float| float == 0.0 && float.is_sign_negative()) {
                    *number = 0.into();
                }
            }
            Value::Array(items) => pending.extend(items),
            Value::Object(fields) => pending.extend(fields.values_mut()),
        }
    }
}

pub(super) fn to_string(arguments: &Arguments) -> Result<Value, String> {
    Ok(Value::String(arguments.value(0).to_string()))
}

/// Puts the fields of the second object over those of the first one. AWS does not merge deeper ones.
pub(super) fn merge(arguments: &Arguments) -> Result<Value, String> {
    let object =
        |at: usize| arguments.value(at).as_object().ok_or_else(|| arguments.expected(at, "an object"));
    let (first, second) = (object(0)?, object(1)?);
    match arguments.value(2).as_bool() {
        Some(false) => {}
        Some(true) => return Err("Deep merging is not supported: argument 3 must be false".to_owned()),
        None => return Err(arguments.expected(2, "false")),
    }
    let mut merged = first.clone();
    for (name, value) in second {
        merged.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(merged))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::evaluate::tests::check;

    #[test]
    fn parses_strings() {
        let row = |text: &str, expected: &str| {
            check("States.StringToJson($)", &Value::from(text).to_string(), expected);
        };
        row("", "null");
        row(" ", "null");
        row("null", "null");
        row("-0", "0");
        row("[-0, {\"a\": -0}]", "[0,{\"a\":0}]");
        row("1", "1");
        row("1.1", "1.1");
        row("true", "true");
        row("\"HelloWorld\"", "\"HelloWorld\"");
        row("[1, 2, \"HelloWorld\"]", "[1,2,\"HelloWorld\"]");
        row("{\"Arg1\": 1, \"Arg2\": []}", "{\"Arg1\":1,\"Arg2\":[]}");
        row("{x", "IntrinsicFailure: Invalid JSON: key must be a string at line 1 column 2");
        row("1 2", "IntrinsicFailure: Invalid JSON: trailing characters at line 1 column 3");
        check("States.StringToJson($)", "1", "IntrinsicFailure: Argument 1 must be a string but was: number");
    }

    #[test]
    fn prints_compact_json() {
        check(
            "States.JsonToString($)",
            r#"{"b": [1, 1.0, null], "a": "x"}"#,
            r#""{\"b\":[1,1.0,null],\"a\":\"x\"}""#,
        );
        check("States.JsonToString('x')", "{}", r#""\"x\"""#);
    }

    #[test]
    fn merges_one_level() {
        let input = r#"{"a":{"x":{"p":1},"y":1},"b":{"z":3,"x":{"q":2}}}"#;
        check("States.JsonMerge($.a, $.b, false)", input, r#"{"x":{"q":2},"y":1,"z":3}"#);
        check(
            "States.JsonMerge($.a, $.b, true)",
            input,
            "IntrinsicFailure: Deep merging is not supported: argument 3 must be false",
        );
        check(
            "States.JsonMerge($.a, 1, false)",
            input,
            "IntrinsicFailure: Argument 2 must be an object but was: number",
        );
        check(
            "States.JsonMerge($.a, $.b, null)",
            input,
            "IntrinsicFailure: Argument 3 must be false but was: null",
        );
    }
}
