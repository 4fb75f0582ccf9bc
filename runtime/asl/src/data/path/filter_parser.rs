//! Reads the expression of a filter, `[?( )]`.

use serde_json::Value;

use super::ast::{Comparison, Filter, Operand};
use super::cursor::{Cursor, PathError};
use super::parser;

/// Operators of Jayway's that AWS documents as unsupported, or that no AWS example uses.
const UNSUPPORTED: [&str; 12] =
    ["=~", "in", "nin", "subsetof", "anyof", "noneof", "contains", "size", "empty", "type", "matches", "all"];

const COMPARISONS: [(&str, Comparison); 8] = [
    ("===", Comparison::Equal),
    ("!==", Comparison::NotEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// An expression in its parentheses.
pub(super) fn parenthesised(cursor: &mut Cursor<'_>) -> Result<Filter, PathError> {
    cursor.expect("(")?;
    let filter = any(cursor)?;
    cursor.expect(")")?;
    Ok(filter)
}

fn any(cursor: &mut Cursor<'_>) -> Result<Filter, PathError> {
    list(cursor, "||", all, Filter::Any)
}

fn all(cursor: &mut Cursor<'_>) -> Result<Filter, PathError> {
    list(cursor, "&&", term, Filter::All)
}

/// Terms with an operator between them. They are kept side by side: a long row does not nest.
fn list(
    cursor: &mut Cursor<'_>,
    operator: &str,
    term: fn(&mut Cursor<'_>) -> Result<Filter, PathError>,
    join: fn(Vec<Filter>) -> Filter,
) -> Result<Filter, PathError> {
    let first = term(cursor)?;
    cursor.skip_blanks();
    if !cursor.rest().starts_with(operator) {
        return Ok(first);
    }
    let mut terms = vec![first];
    while cursor.take(operator) {
        terms.push(term(cursor)?);
        cursor.skip_blanks();
    }
    Ok(join(terms))
}

fn term(cursor: &mut Cursor<'_>) -> Result<Filter, PathError> {
    cursor.skip_blanks();
    if cursor.peek() == Some('(') {
        return cursor.nested(parenthesised);
    }
    if cursor.take("!") {
        return Ok(Filter::Not(Box::new(cursor.nested(term)?)));
    }
    let left = operand(cursor)?;
    cursor.skip_blanks();
    match comparison(cursor)? {
        None => match left {
            Operand::Item(_) | Operand::Root(_) => Ok(Filter::Exists(left)),
            Operand::Literal(_) => Err(cursor.error("A literal alone is not a condition")),
        },
        Some(comparison) => {
            cursor.skip_blanks();
            Ok(Filter::Compare { left, comparison, right: operand(cursor)? })
        }
    }
}

fn comparison(cursor: &mut Cursor<'_>) -> Result<Option<Comparison>, PathError> {
    for (text, comparison) in COMPARISONS {
        if cursor.take(text) {
            return Ok(Some(comparison));
        }
    }
    let rest = cursor.rest();
    let stands_here = |operator: &&&str| {
        rest.get(..operator.len()).is_some_and(|found| found.eq_ignore_ascii_case(operator))
    };
    match UNSUPPORTED.iter().find(stands_here) {
        Some(operator) => Err(cursor.error(format!("The filter operator '{operator}' is not supported"))),
        None => Ok(None),
    }
}

fn operand(cursor: &mut Cursor<'_>) -> Result<Operand, PathError> {
    match cursor.peek() {
        Some('@') => {
            cursor.next();
            Ok(Operand::Item(parser::route(cursor)?))
        }
        Some('$') => {
            cursor.next();
            if cursor.peek().is_some_and(|next| next == '$' || next == '_' || next.is_alphabetic()) {
                return Err(cursor.error("A filter may compare with '@' and '$' only"));
            }
            Ok(Operand::Root(parser::route(cursor)?))
        }
        Some('\'' | '"') => Ok(Operand::Literal(Value::String(cursor.quoted()?))),
        Some('/') => Err(cursor.error("Regular expressions are not supported in a path")),
        Some('[' | '{') => Err(cursor.error("Array and object literals are not supported in a path")),
        Some(_) | None => word(cursor),
    }
}

/// A literal without quotes: a number, `true`, `false`, `null`, and every other word is a string.
fn word(cursor: &mut Cursor<'_>) -> Result<Operand, PathError> {
    let in_word = |character: char| {
        character.is_alphanumeric() || matches!(character, '_' | '-' | '+' | '.' | ':' | '/' | '#')
    };
    let start = cursor.error("Expected '@', '$' or a literal");
    match cursor.take_while(in_word) {
        "" => Err(start),
        "true" => Ok(Operand::Literal(Value::Bool(true))),
        "false" => Ok(Operand::Literal(Value::Bool(false))),
        "null" => Ok(Operand::Literal(Value::Null)),
        text if text.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
            match text.parse::<serde_json::Number>() {
                Ok(number) => Ok(Operand::Literal(Value::Number(number))),
                Err(_) => Ok(Operand::Literal(Value::String(text.to_owned()))),
            }
        }
        text => Ok(Operand::Literal(Value::String(text.to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use crate::data::path::Path;

    fn check(text: &str, expected: &str) {
        let actual = Path::parse(text).map_or_else(|error| error.to_string(), |_| "a path".to_owned());
        assert_eq!(actual, expected, "{text:?}");
    }

    #[test]
    fn reads_conditions() {
        check("$[?(@)]", "a path");
        check("$[?( @.a )]", "a path");
        check("$[?(!@.a)]", "a path");
        check("$[?(!(@.a && @.b) || @['c d'] >= -1.5e3)]", "a path");
        check("$[?(@.a == 'it\\'s' && @.b != \"x\")]", "a path");
        check("$[?(@.a == 2024-01-01T00:00:00Z)]", "a path");
        check("$[?(@.a[?(@.b == $.c[0])])]", "a path");
        check("$[?('x' == @.a)]", "a path");
        check("$[? (@.a.length() > 2)]", "a path");
        check("$[?(@.items == null)]", "a path");
    }

    #[test]
    fn rejects_what_is_no_condition() {
        check("$[?@.a]", "Expected '(' at offset 3");
        check("$[?()]", "Expected '@', '$' or a literal at offset 4");
        check("$[?(@.a]", "Expected ')' at offset 7");
        check("$[?(@.a &&)]", "Expected '@', '$' or a literal at offset 10");
        check("$[?(@.a == )]", "Expected '@', '$' or a literal at offset 11");
        check("$[?(@.a = 1)]", "Expected ')' at offset 8");
        check("$[?('a')]", "A literal alone is not a condition at offset 7");
        check("$[?(@.a =~ /x/i)]", "The filter operator '=~' is not supported at offset 8");
        check("$[?(@.a in ['x'])]", "The filter operator 'in' is not supported at offset 8");
        check("$[?(@.a NIN ['x'])]", "The filter operator 'nin' is not supported at offset 8");
        check("$[?(@.a == /x/)]", "Regular expressions are not supported in a path at offset 11");
        check("$[?(@.a == ['x'])]", "Array and object literals are not supported in a path at offset 11");
        check("$[?(@.a == $$.b)]", "A filter may compare with '@' and '$' only at offset 12");
        check("$[?(@.a == $b)]", "A filter may compare with '@' and '$' only at offset 12");
    }
}
