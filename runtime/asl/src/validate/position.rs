//! Finds the line and column of a diagnostic's location in the text of a definition.

/// Line and column, both from 1, the column in characters, of the field or array entry that a location names;
/// none where the text has no such place.
pub fn locate(text: &str, location: &str) -> Option<(usize, usize)> {
    if let Some(position) = of_syntax_error(location) {
        return Some(position);
    }
    let location = if location == "/" { "" } else { location };
    let at = find(text, skip_blanks(text, 0), location)?;
    let before = text.get(..at)?;
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
}

/// The location of text that is not JSON ends in `; line: 1, column: 4]`.
fn of_syntax_error(location: &str) -> Option<(usize, usize)> {
    let (_, position) = location.strip_suffix(']')?.rsplit_once("; line: ")?;
    let (line, column) = position.split_once(", column: ")?;
    Some((line.parse().ok()?, column.parse().ok()?))
}

/// The byte at which the value `steps` below the one at `at` starts, or its name if it has one. State names
/// may hold `/` and `[`, so every key that begins the rest of the location is tried. Recursion is as deep as
/// the location has steps that the text matches, at most the depth of the JSON.
fn find(text: &str, at: usize, steps: &str) -> Option<usize> {
    if steps.is_empty() {
        return Some(at);
    }
    match text.as_bytes().get(at)? {
        b'{' => in_object(text, at + 1, steps.strip_prefix('/')?),
        b'[' => {
            let (index, rest) = steps.strip_prefix('[')?.split_once(']')?;
            in_array(text, at + 1, index.parse().ok()?, rest)
        }
        _other => None,
    }
}

fn in_object(text: &str, mut at: usize, steps: &str) -> Option<usize> {
    loop {
        at = skip_blanks(text, at);
        if text.as_bytes().get(at)? != &b'"' {
            return None;
        }
        let key_end = skip_string(text, at)?;
        let key: String = serde_json::from_str(text.get(at..key_end)?).ok()?;
        let value = skip_blanks(text, skip_byte(text, skip_blanks(text, key_end), b':')?);
        match steps.strip_prefix(key.as_str()) {
            Some("") => return Some(at),
            Some(rest) if rest.starts_with(['/', '[']) => {
                if let Some(found) = find(text, value, rest) {
                    return Some(found);
                }
            }
            Some(_) | None => {}
        }
        at = skip_blanks(text, skip_value(text, value)?);
        at = skip_byte(text, at, b',')?;
    }
}

fn in_array(text: &str, mut at: usize, index: usize, rest: &str) -> Option<usize> {
    for _ in 0..index {
        at = skip_blanks(text, skip_value(text, skip_blanks(text, at))?);
        at = skip_byte(text, at, b',')?;
    }
    let at = skip_blanks(text, at);
    if text.as_bytes().get(at)? == &b']' { None } else { find(text, at, rest) }
}

fn skip_blanks(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn skip_byte(text: &str, at: usize, wanted: u8) -> Option<usize> {
    (text.as_bytes().get(at)? == &wanted).then_some(at + 1)
}

/// The end of the string that starts with the quote at `at`.
fn skip_string(text: &str, at: usize) -> Option<usize> {
    let mut escaped = false;
    for (offset, byte) in text.as_bytes().get(at + 1..)?.iter().enumerate() {
        match byte {
            _any if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1 + offset + 1),
            _other => {}
        }
    }
    None
}

/// The end of the value at `at`: brackets are counted, so depth costs no stack.
fn skip_value(text: &str, mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match text.as_bytes().get(at)? {
            b'"' => at = skip_string(text, at)?,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => {
                depth -= 1;
                at += 1;
            }
            b',' if depth == 0 => return Some(at),
            _other => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
  "StartAt": "Ä",
  "States": {
    "Ä": {"Type": "Parallel", "End": true, "Branches": [
      {"StartAt": "a/b[0]"}, {"States": {"a": 1, "a/b[0]": {"Next": [1, [2, 3]]}}}
    ]}, "esc\"aped": {"Next": "}"}
  }
}"#;

    fn check(location: &str, expected: Option<(usize, usize)>) {
        assert_eq!(locate(TEXT, location), expected, "{location}");
    }

    #[test]
    fn finds_fields_and_entries() {
        check("/", Some((1, 1)));
        check("/StartAt", Some((2, 3)));
        check("/States/Ä", Some((4, 5)));
        check("/States/Ä/End", Some((4, 31)));
        check("/States/Ä/Branches[0]", Some((5, 7)));
        check("/States/Ä/Branches[0]/StartAt", Some((5, 8)));
        check("/States/Ä/Branches[1]/States/a/b[0]/Next", Some((5, 61)));
        check("/States/Ä/Branches[1]/States/a/b[0]/Next[1][1]", Some((5, 77)));
        check("/States/esc\"aped/Next", Some((6, 23)));
    }

    #[test]
    fn finds_nothing_where_nothing_is() {
        check("/Nothing", None);
        check("/States/Ä/Branches[2]", None);
        check("/States/Ä/Branches[x]", None);
        check("/StartAt/Deeper", None);
        check("nonsense", None);
        assert_eq!(locate("", "/States"), None);
        assert_eq!(locate("{\"a\": [1, {", "/a[1]/b"), None);
        assert_eq!(locate(&"[".repeat(100_000), "[0][0][0]"), Some((1, 4)));
    }

    #[test]
    fn reads_the_place_of_a_syntax_error() {
        check("[Source: (String)\"not a definition\"; line: 1, column: 4]", Some((1, 4)));
    }
}
