//! Says what is wrong with a text that is not JSON, in the words of the parser that AWS uses.
//!
//! Only for texts that `serde_json` has refused already; where this scanner finds no fault, it is asked for its reason.

use serde_json::Value;

const ANY_VALUE: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

/// The first fault of a text that is not JSON.
pub(crate) fn explain(text: &str) -> String {
    let mut scanner = Scanner { rest: text, open: Vec::new() };
    scanner.document().err().unwrap_or_else(|| refusal(text))
}

/// Why our parser refuses what the scanner lets pass.
fn refusal(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Err(error) if error.to_string().starts_with("recursion limit") => {
            "The text nests too deeply: at most 127 arrays and objects within another".to_owned()
        }
        Err(error) => format!("The text is not valid JSON: {error}"),
        Ok(_) => "The text is not valid JSON".to_owned(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    Object,
}

impl Container {
    fn name(self) -> &'static str {
        match self {
            Container::Array => "Array",
            Container::Object => "Object",
        }
    }
}

/// What may come next.
enum Expect {
    Value,
    /// The first member of a container, or its end.
    FirstOrEnd,
    /// A key after a comma.
    Key,
    CommaOrEnd,
}

struct Scanner<'a> {
    rest: &'a str,
    /// The containers that are open, outermost first. A loop over them instead of recursion: texts may nest deeper
    /// than a stack holds.
    open: Vec<Container>,
}

type Fault = Result<(), String>;

impl Scanner<'_> {
    fn document(&mut self) -> Fault {
        let mut expect = Expect::Value;
        loop {
            self.skip_white_space();
            expect = match (expect, self.open.last().copied()) {
                (Expect::Value, _) => self.value()?,
                (Expect::FirstOrEnd, Some(container)) => self.first_or_end(container)?,
                (Expect::Key, _) => self.key()?,
                (Expect::CommaOrEnd, Some(container)) => self.comma_or_end(container)?,
                (Expect::FirstOrEnd | Expect::CommaOrEnd, None) if self.rest.is_empty() => return Ok(()),
                // More after the end of the document: the parser reads on and stumbles over what is no value.
                (Expect::FirstOrEnd | Expect::CommaOrEnd, None) => Expect::Value,
            };
        }
    }

    fn skip_white_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn first_or_end(&mut self, container: Container) -> Result<Expect, String> {
        match (container, self.rest.chars().next()) {
            (Container::Array, Some(']')) | (Container::Object, Some('}')) => Ok(self.close()),
            (Container::Array, _) => Ok(Expect::Value),
            (Container::Object, _) => Ok(Expect::Key),
        }
    }

    fn comma_or_end(&mut self, container: Container) -> Result<Expect, String> {
        match (container, self.rest.chars().next()) {
            (Container::Array, Some(']')) | (Container::Object, Some('}')) => Ok(self.close()),
            (Container::Array, Some(',')) => Ok(self.after(1, Expect::Value)),
            (Container::Object, Some(',')) => Ok(self.after(1, Expect::Key)),
            (_, Some(found)) => {
                let wanted = format!("was expecting comma to separate {} entries", container.name());
                Err(unexpected(found, &wanted))
            }
            (_, None) => Err(self.end_of_input()),
        }
    }

    fn close(&mut self) -> Expect {
        self.open.pop();
        self.after(1, Expect::CommaOrEnd)
    }

    fn after(&mut self, bytes: usize, expect: Expect) -> Expect {
        self.rest = &self.rest[bytes..];
        expect
    }

    fn key(&mut self) -> Result<Expect, String> {
        match self.rest.chars().next() {
            Some('"') => self.string()?,
            Some(found) => return Err(unexpected(found, "was expecting double-quote to start field name")),
            None => return Err(self.end_of_input()),
        }
        self.skip_white_space();
        match self.rest.chars().next() {
            Some(':') => Ok(self.after(1, Expect::Value)),
            Some(found) => Err(unexpected(found, "was expecting a colon to separate field name and value")),
            None => Err(self.end_of_input()),
        }
    }

    fn value(&mut self) -> Result<Expect, String> {
        match self.rest.chars().next() {
            Some('{') => self.open.push(Container::Object),
            Some('[') => self.open.push(Container::Array),
            Some('"') => return self.string().map(|()| Expect::CommaOrEnd),
            Some(first) if first == '-' || first.is_ascii_digit() => {
                return self.number().map(|()| Expect::CommaOrEnd);
            }
            Some(first) if first.is_alphanumeric() || first == '_' || first == '$' => {
                return self.word().map(|()| Expect::CommaOrEnd);
            }
            Some(found) => return Err(unexpected(found, &format!("expected a valid value {ANY_VALUE}"))),
            None => return Err(self.end_of_input()),
        }
        Ok(self.after(1, Expect::FirstOrEnd))
    }

    fn end_of_input(&self) -> String {
        match self.open.last() {
            Some(container) => {
                format!("Unexpected end-of-input: expected close marker for {}", container.name())
            }
            None => "No content to map due to end-of-input".to_owned(),
        }
    }

    fn word(&mut self) -> Fault {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "null" | "true" | "false" => Ok(()),
            _other => Err(format!("Unrecognized token '{word}': was expecting {ANY_VALUE}")),
        }
    }

    fn string(&mut self) -> Fault {
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[at + 1..];
                    return Ok(());
                }
                '\\' => match characters.next() {
                    Some((_, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => (),
                    Some((_, 'u')) => hexadecimal(&mut characters)?,
                    Some((_, escaped)) => {
                        return Err(format!("Unrecognized character escape {}", quoted(escaped)));
                    }
                    None => break,
                },
                '\0'..'\u{20}' => {
                    let code = u32::from(character);
                    return Err(format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {code})): has to be escaped using backslash to \
                         be included in string value"
                    ));
                }
                _plain => (),
            }
        }
        Err("Unexpected end-of-input: was expecting closing quote for a string value".to_owned())
    }

    fn number(&mut self) -> Fault {
        let digits = self.rest.strip_prefix('-').unwrap_or(self.rest);
        let count = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let whole = count(digits);
        match digits.chars().next() {
            Some('0') if whole > 1 => {
                return Err("Invalid numeric value: Leading zeroes not allowed".to_owned());
            }
            Some(found) if whole == 0 => {
                let wanted = "expected digit (0-9) to follow minus sign, for valid numeric value";
                return Err(unexpected(found, wanted));
            }
            Some(_) => (),
            None => return Err(self.end_of_input()),
        }
        let mut rest = &digits[whole..];
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = after_digits(fraction, "Decimal point not followed by a digit")?;
        }
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            rest = after_digits(exponent, "Exponent indicator not followed by a digit")?;
        }
        self.rest = rest;
        match rest.chars().next() {
            Some(found) if found.is_alphanumeric() => {
                Err(unexpected(found, "Expected space separating root-level values"))
            }
            _end_of_number => Ok(()),
        }
    }
}

fn after_digits<'a>(text: &'a str, fault: &str) -> Result<&'a str, String> {
    match text.bytes().take_while(u8::is_ascii_digit).count() {
        0 => Err(format!("Invalid numeric value: {fault}")),
        count => Ok(&text[count..]),
    }
}

fn hexadecimal(characters: &mut impl Iterator<Item = (usize, char)>) -> Fault {
    for _digit in 0..4 {
        match characters.next() {
            Some((_, digit)) if digit.is_ascii_hexdigit() => (),
            Some((_, found)) => {
                return Err(unexpected(found, "expected a hex-digit for character escape sequence"));
            }
            None => return Err("Unexpected end-of-input in character escape sequence".to_owned()),
        }
    }
    Ok(())
}

fn quoted(character: char) -> String {
    let code = u32::from(character);
    if character.is_control() {
        format!("((CTRL-CHAR, code {code}))")
    } else {
        format!("'{character}' (code {code})")
    }
}

fn unexpected(found: char, wanted: &str) -> String {
    let code = u32::from(found);
    let shown = if found.is_control() { "CTRL-CHAR, ".to_owned() } else { format!("'{found}' ") };
    let code = if found.is_control() { format!("code {code}") } else { format!("(code {code})") };
    format!("Unexpected character ({shown}{code}): {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert!(serde_json::from_str::<Value>(text).is_err(), "{text:?} is JSON");
        assert_eq!(explain(text), expected, "{text:?}");
    }

    #[test]
    fn says_what_aws_was_recorded_to_say() {
        check("not some json", &format!("Unrecognized token 'not': was expecting {ANY_VALUE}"));
        check(
            "{'not': 'json'",
            "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
        );
    }

    #[test]
    fn finds_the_first_fault() {
        check("[1, 2", "Unexpected end-of-input: expected close marker for Array");
        check(r#"{"a": "#, "Unexpected end-of-input: expected close marker for Object");
        check(
            r#"{"a" 1}"#,
            "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value",
        );
        check("[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries");
        check(
            r#"{"a": 1 "b": 2}"#,
            "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries",
        );
        check("[1,]", &format!("Unexpected character (']' (code 93)): expected a valid value {ANY_VALUE}"));
        check(
            r#"{"a":1,}"#,
            "Unexpected character ('}' (code 125)): was expecting double-quote to start field name",
        );
        check(r#"{"a": tru}"#, &format!("Unrecognized token 'tru': was expecting {ANY_VALUE}"));
        check(r#""abc"#, "Unexpected end-of-input: was expecting closing quote for a string value");
        check(r#""a\qb""#, "Unrecognized character escape 'q' (code 113)");
        check(
            "\"a\nb\"",
            "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in \
             string value",
        );
        check("01", "Invalid numeric value: Leading zeroes not allowed");
        check("1.", "Invalid numeric value: Decimal point not followed by a digit");
        check(
            "-x",
            "Unexpected character ('x' (code 120)): expected digit (0-9) to follow minus sign, for valid numeric value",
        );
        check("{} }", &format!("Unexpected character ('}}' (code 125)): expected a valid value {ANY_VALUE}"));
        check(" ", "No content to map due to end-of-input");
    }

    #[test]
    fn is_calm_about_what_it_finds_no_fault_in() {
        check(&"[".repeat(100_000), "Unexpected end-of-input: expected close marker for Array");
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        check(&deep, "The text nests too deeply: at most 127 arrays and objects within another");
        check("1 2", "The text is not valid JSON: trailing characters at line 1 column 3");
        check("\"\\ud800\"", "The text is not valid JSON: unexpected end of hex escape at line 1 column 8");
    }
}
