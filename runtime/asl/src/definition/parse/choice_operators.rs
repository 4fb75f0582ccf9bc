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

/// `*` matches any text; a backslash before it, or before another backslash, makes it literal.
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

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::check_state;
    use crate::definition::{Comparison, MachineType, Operator, StateKind, Test, parse};

    /// Checks the operator that a rule's test is read as, in Rust's own notation, or the diagnostic about it.
    fn check(test: &str, expected: Result<&str, &str>) {
        let rule = r#""Variable": "$.a", "Next": "A""#;
        let state = format!(r#""Type": "Choice", "Choices": [{{{rule}, {test}}}]"#);
        // The state leads to itself only; that no state ends is not what a row is about.
        const ENDLESS: &str =
            "No state ends: a Succeed or Fail state, or one with 'End': true, is required at /States";
        let expected = match expected {
            Err(message) => return check_state(&state, &[ENDLESS, message]),
            Ok(expected) => expected,
        };
        let text = format!(
            r#"{{"StartAt": "C", "States": {{"A": {{"Type": "Succeed"}}, "C": {{{state}, "Default": "A"}}}}}}"#
        );
        let definition = parse(&text, MachineType::Standard).definition.expect("the row is valid");
        let (_, state) = definition.states().nth(1).expect("there are two states");
        let StateKind::Choice(choice) = &state.kind else { panic!("it is a Choice") };
        let Test::Compare(comparison) = &choice.rules[0].test else { panic!("it is a comparison") };
        let Comparison { operator, .. } = &**comparison;
        let actual = if let Operator::StringMatches(pattern) = operator {
            pattern.pieces.join("|")
        } else {
            format!("{operator:?}")
        };
        assert!(actual.starts_with(expected), "{test}: {actual}");
    }

    #[test]
    fn operators_by_name() {
        check(r#""StringLessThanEquals": "x""#, Ok("String(LessOrEqual, Literal(\"x\"))"));
        check(r#""NumericGreaterThan": 1.50"#, Ok("Numeric(Greater, Literal(Number(1.5)))"));
        check(r#""NumericEqualsPath": "$.b""#, Ok("Numeric(Equal, Path("));
        check(r#""BooleanEquals": false"#, Ok("Boolean(Literal(false))"));
        check(
            r#""TimestampGreaterThanEquals": "1970-01-01T00:00:00Z""#,
            Ok("Timestamp(GreaterOrEqual, Literal("),
        );
        check(r#""IsPresent": false"#, Ok("IsPresent(false)"));
        check(r#""StringMatches": "a**\\*\\\\b""#, Ok("a||*\\b"));
    }

    #[test]
    fn operands_of_the_wrong_type() {
        const AT: &str = "/States/A/Choices[0]";
        check(
            r#""StringEquals": 1"#,
            Err(&format!("The field 'StringEquals' should be a string at {AT}/StringEquals")),
        );
        check(
            r#""NumericEquals": "1""#,
            Err(&format!("The field 'NumericEquals' should be a number at {AT}/NumericEquals")),
        );
        check(r#""IsNull": "true""#, Err(&format!("The field 'IsNull' should be a boolean at {AT}/IsNull")));
        check(
            r#""TimestampEquals": "today""#,
            Err(&format!("String does not match RFC3339 timestamp at {AT}/TimestampEquals")),
        );
        check(
            r#""StringMatches": "a\\b""#,
            Err(&format!(
                "In a pattern a backslash stands only before * or another backslash at {AT}/StringMatches"
            )),
        );
    }
}
