//! Text that is not JSON, in the words of AWS's own parser (Jackson), which clients show to their users.

use serde_json::Value;

use crate::validate::report::Report;
use crate::validate::{Diagnostic, Severity, code};

/// Jackson: characters of the source that an error location quotes.
const SOURCE_CHARACTERS_MAX: usize = 500;

/// Parses JSON. serde_json refuses values that nest deeper than 128, so nothing below can exhaust the stack.
pub(crate) fn read(text: &str, report: &Report) -> Option<Value> {
    if text.trim().is_empty() {
        report_no_object(report, String::from("Definition must be a valid JSON object"));
        return None;
    }
    match serde_json::from_str(text) {
        Ok(value) => Some(value),
        Err(error) => {
            report.add(diagnostic(text, &error));
            None
        }
    }
}

/// An error about the definition as a whole; AWS gives these no location.
pub(crate) fn report_no_object(report: &Report, message: String) {
    report.add(Diagnostic {
        severity: Severity::Error,
        code: code::SCHEMA_VALIDATION_FAILED,
        message,
        location: None,
    });
}

fn diagnostic(text: &str, error: &serde_json::Error) -> Diagnostic {
    let (line, column) = position(text, error);
    let before = offset(text, line, column);
    let (message, column_after) = describe(text, before, error);
    let location = location(text, line, column + column_after);
    Diagnostic {
        severity: Severity::Error,
        code: code::INVALID_JSON_DESCRIPTION,
        message: format!("{message}\n at {location}"),
        location: Some(location),
    }
}

/// What is wrong at a byte of the text, and how many columns further Jackson had read when it saw.
fn describe(text: &str, at: usize, error: &serde_json::Error) -> (String, usize) {
    let reason = error.to_string();
    let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
    let rest = &text[at..];
    if error.is_eof() {
        return (String::from("Unexpected end-of-input: a string, an array or an object is not closed"), 0);
    }
    if reason.starts_with("recursion limit") {
        return (
            String::from("The definition nests too deeply: at most 127 arrays and objects within another"),
            0,
        );
    }
    if reason.starts_with("expected ident") || reason.starts_with("expected value") {
        // In `nope` serde_json points at the first letter that `null` does not have.
        let start = text[..at].rfind(|letter: char| !is_word(letter)).map_or(0, |found| found + 1);
        let start = text[start..].char_indices().next().map_or(at, |_| text.ceil_char_boundary(start));
        let word: &str = text[start..].split(|letter: char| !is_word(letter)).next().unwrap_or_default();
        if !word.is_empty() {
            let read_to = text[at..start + word.len()].chars().count();
            let wanted = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
            return (format!("Unrecognized token '{}': was expecting {wanted}", clip(word)), read_to);
        }
    }
    let Some(letter) = rest.chars().next() else { return (reason.to_owned(), 0) };
    if reason.starts_with("control character") {
        let code = u32::from(letter);
        let wanted = "has to be escaped using backslash to be included in string value";
        return (format!("Illegal unquoted character ((CTRL-CHAR, code {code})): {wanted}"), 0);
    }
    let unexpected = format!("Unexpected character ('{letter}' (code {}))", u32::from(letter));
    let wanted = if reason.starts_with("key must be a string")
        || reason.starts_with("trailing comma") && letter == '}'
    {
        "was expecting double-quote to start field name"
    } else if reason.starts_with("expected `:`") {
        "was expecting a colon to separate field name and value"
    } else if reason.starts_with("expected `,` or `}`") {
        "was expecting comma to separate Object entries"
    } else if reason.starts_with("expected `,` or `]`") {
        "was expecting comma to separate Array entries"
    } else if reason.starts_with("expected value") || reason.starts_with("trailing comma") {
        "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
    } else {
        return (format!("{unexpected}: {reason}"), 1);
    };
    (format!("{unexpected}: {wanted}"), 1)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

fn clip(word: &str) -> &str {
    word.char_indices().nth(SOURCE_CHARACTERS_MAX).map_or(word, |(end, _)| &word[..end])
}

fn location(text: &str, line: usize, column: usize) -> String {
    let quoted = clip(text);
    let left_out = text[quoted.len()..].chars().count();
    let cut = if left_out == 0 { String::new() } else { format!("[truncated {left_out} chars]") };
    format!("[Source: (String)\"{quoted}\"{cut}; line: {line}, column: {column}]")
}

/// Where serde_json stopped. It gives a line break as column 0 of the line that it begins.
fn position(text: &str, error: &serde_json::Error) -> (usize, usize) {
    match (error.line(), error.column()) {
        (line @ 2.., 0) => (line - 1, text.lines().nth(line - 2).map_or(1, |text| text.len() + 1)),
        (line, column) => (line.max(1), column.max(1)),
    }
}

/// The byte that serde_json's line and column (both from 1, the column in bytes) point at.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    text.floor_char_boundary(start + column.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use crate::definition::{MachineType, parse};
    use crate::validate::position::locate;

    fn check(text: &str, message: &str, line: usize, column: usize) {
        let parsed = parse(text, MachineType::Standard);
        assert_eq!(parsed.diagnostics.len(), 1, "{text}");
        let found = &parsed.diagnostics[0];
        assert_eq!(found.code, "INVALID_JSON_DESCRIPTION");
        let location = format!("[Source: (String)\"{text}\"; line: {line}, column: {column}]");
        assert_eq!(found.location.as_deref(), Some(location.as_str()));
        assert_eq!(found.message, format!("{message}\n at {location}"));
        assert_eq!(locate(text, &location), Some((line, column)));
    }

    #[test]
    fn speaks_as_aws_does() {
        const WANTED: &str =
            "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
        check("not a definition", &format!("Unrecognized token 'not': {WANTED}"), 1, 4);
        check("{\"a\": nope}", &format!("Unrecognized token 'nope': {WANTED}"), 1, 11);
        check("{\"a\":\n  ${b}}", &format!("Unrecognized token '$': {WANTED}"), 2, 4);
        check(
            "{\"a\": 1,}",
            "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
            1,
            10,
        );
        check(
            "{\"a\" 1}",
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
            1,
            7,
        );
        check(
            "{\"a\": 1\n \"b\": 2}",
            "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
            2,
            3,
        );
        check(
            "[1 2]",
            "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries",
            1,
            5,
        );
        check(
            "{\"a\": \"b\n\"}",
            "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in \
             string value",
            1,
            9,
        );
        check("{\"a\": [1", "Unexpected end-of-input: a string, an array or an object is not closed", 1, 8);
    }

    #[test]
    fn survives_letters_of_many_bytes() {
        for text in
            ["é", "{\"é\": é}", "\u{feff}{}", "{é", "[\"é\" é]", "1é", "{\"a\": \"\\é\"}", "\"\u{1}é\""]
        {
            let parsed = parse(text, MachineType::Standard);
            assert!(parsed.definition.is_none(), "{text}");
        }
    }

    #[test]
    fn quotes_a_bounded_part_of_the_source() {
        let parsed = parse(&format!("[{}", "1,".repeat(1000)), MachineType::Standard);
        let location = parsed.diagnostics[0].location.clone().unwrap_or_default();
        assert!(location.contains("[truncated 1501 chars]; line: 1, column: "), "{location}");
    }
}
