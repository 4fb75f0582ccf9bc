//! `States.Format`.

use serde_json::Value;

use super::evaluate::Arguments;

/// Puts the arguments after the first into the places of `{}` in the template.
///
/// A literal template still has its escapes. One that comes from a path has them where its author put some.
pub(super) fn format(template: &str, arguments: &Arguments) -> Result<Value, String> {
    let mut text = String::with_capacity(template.len());
    let mut values = arguments.all().iter().skip(1);
    let mut rest = template;
    while let Some(at) = rest.find(['\\', '{']) {
        let (plain, special) = rest.split_at(at);
        text.push_str(plain);
        if let Some(after) = special.strip_prefix("{}") {
            let value = values.next().ok_or_else(|| wrong_number(arguments))?;
            write_plain(value, &mut text);
            rest = after;
        } else {
            let escaped =
                special.strip_prefix('\\').filter(|after| after.starts_with(['\'', '{', '}', '\\']));
            let kept = escaped.unwrap_or(special);
            // Either character is one byte, and so is every escaped one.
            let (character, after) = kept.split_at(1);
            text.push_str(character);
            rest = after;
        }
    }
    text.push_str(rest);
    match values.next() {
        None => Ok(Value::String(text)),
        Some(_) => Err(wrong_number(arguments)),
    }
}

fn wrong_number(arguments: &Arguments) -> String {
    let given = arguments.all().len().saturating_sub(1);
    format!("The number of arguments ({given}) does not match the occurrences of {{}}")
}

/// Writes a value as Java prints its collections: strings without quotes, `{name=value}`. Recorded.
///
/// Values are not deep here, so this recursion is bounded.
fn write_plain(value: &Value, text: &mut String) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => text.push_str(&value.to_string()),
        Value::String(string) => text.push_str(string),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ", " });
                write_plain(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            text.push('{');
            for (at, (name, field)) in fields.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ", " });
                text.push_str(name);
                text.push('=');
                write_plain(field, text);
            }
            text.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::evaluate::tests::check;

    #[test]
    fn fills_in_a_template() {
        let row = |value: &str, expected: &str| {
            let input = format!(r#"{{"a":{value}}}"#);
            check("States.Format('<{}>', $.a)", &input, &format!(r#""<{expected}>""#));
        };
        row(r#""""#, "");
        row(r#""HelloWorld""#, "HelloWorld");
        row("null", "null");
        row("1", "1");
        row("1.1", "1.1");
        row("true", "true");
        row(r#"{"Arg1":1,"Arg2":[]}"#, "{Arg1=1, Arg2=[]}");
        row(r#"[1,"a",null,{"b":{"c":"d"}}]"#, "[1, a, null, {b={c=d}}]");
        row(r#""{}""#, "{}");
    }

    #[test]
    fn knows_escapes_from_places() {
        check(r"States.Format('\{\} {} \'{}\' \\ {', 1, 'x')", "{}", r#""{} 1 'x' \\ {""#);
        check(r"States.Format('{\{}{}', 1)", "{}", r#""{{}1""#);
        check(r"States.Format('{}', 'a\{\}\\')", "{}", r#""a{}\\""#);
        check("States.Format('no places')", "{}", r#""no places""#);
        check("States.Format($.t, 'x')", r#"{"t":"\\{\\} {} \\n {\"é\"}"}"#, r#""{} x \\n {\"é\"}""#);
    }

    #[test]
    fn wants_as_many_arguments_as_places() {
        check(
            "States.Format('{} {}', 1)",
            "{}",
            "IntrinsicFailure: The number of arguments (1) does not match the occurrences of {}",
        );
        check(
            "States.Format('{}', 1, 2)",
            "{}",
            "IntrinsicFailure: The number of arguments (2) does not match the occurrences of {}",
        );
        check("States.Format(1)", "{}", "IntrinsicFailure: Argument 1 must be a string but was: number");
    }
}
