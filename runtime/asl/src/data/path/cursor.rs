//! Moves over the text of a path and reads its smallest parts.

use std::fmt;

/// Ours: how deep parentheses, negations and filters may nest.
const NESTING_MAX: usize = 64;

/// Why a text is not a path, and the byte at which that shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    pub message: String,
    pub offset: usize,
}

impl fmt::Display for PathError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at offset {}", self.message, self.offset)
    }
}

impl std::error::Error for PathError {}

/// A place in the text.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    nesting: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0, nesting: 0 }
    }

    /// The byte at which the cursor stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The text from an earlier place up to here.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    pub(super) fn take(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.at;
        let rest = self.rest();
        self.at += rest.find(|character| !wanted(character)).unwrap_or(rest.len());
        self.since(start)
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// A variable's name, or nothing.
    pub(super) fn identifier(&mut self) -> &'a str {
        if self.peek().is_some_and(|first| first.is_alphabetic() || first == '_') {
            self.take_while(|character| character.is_alphanumeric() || character == '_')
        } else {
            ""
        }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> PathError {
        PathError { message: message.into(), offset: self.at }
    }

    pub(super) fn expect(&mut self, wanted: &str) -> Result<(), PathError> {
        if self.take(wanted) { Ok(()) } else { Err(self.error(format!("Expected '{wanted}'"))) }
    }

    /// Runs a parser one level deeper, so that no text can exhaust the stack.
    pub(super) fn nested<T>(
        &mut self,
        parser: impl FnOnce(&mut Self) -> Result<T, PathError>,
    ) -> Result<T, PathError> {
        if self.nesting == NESTING_MAX {
            return Err(self.error(format!("A path must not nest more than {NESTING_MAX} levels deep")));
        }
        self.nesting += 1;
        let parsed = parser(self)?;
        self.nesting -= 1;
        Ok(parsed)
    }

    /// A string in single or double quotes.
    pub(super) fn quoted(&mut self) -> Result<String, PathError> {
        let start = self.at;
        let quote = self.next();
        let mut value = String::new();
        loop {
            match self.next() {
                None => return Err(PathError { message: "Unclosed quote".to_owned(), offset: start }),
                Some('\\') => value.push(self.escaped()?),
                closing if closing == quote => return Ok(value),
                Some(character) => value.push(character),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, PathError> {
        Ok(match self.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('u') => {
                let digits =
                    self.rest().get(..4).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
                let code = digits.and_then(|hex| u32::from_str_radix(hex, 16).ok());
                let Some(character) = code.and_then(char::from_u32) else {
                    return Err(self.error("Expected four hexadecimal digits of a character after '\\u'"));
                };
                self.at += 4;
                character
            }
            Some(other) => other,
            None => return Err(self.error("Unclosed quote")),
        })
    }
}
