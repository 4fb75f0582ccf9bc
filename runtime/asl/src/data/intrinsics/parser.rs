//! Reads the text of an intrinsic function call.

use std::fmt;

use serde_json::{Number, Value};

use super::call::{Argument, Call, Function, Text};
use crate::data::path::Path;

/// AWS: up to ten intrinsic functions may be nested.
const CALL_DEPTH_MAX: usize = 10;

/// Why a text is not a call, and the byte at which that shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    pub message: String,
    pub offset: usize,
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at offset {}", self.message, self.offset)
    }
}

impl std::error::Error for ParseError {}

/// Reads a call, `States.Name(argument, ...)`.
pub fn parse(text: &str) -> Result<Call, ParseError> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let call = parser.call()?;
    parser.skip_blanks();
    if parser.rest().is_empty() { Ok(call) } else { Err(parser.error("Expected the end of the text")) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|character| !wanted(character)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.take_while(char::is_whitespace);
    }

    fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError { message: message.into(), offset: self.at }
    }

    fn call(&mut self) -> Result<Call, ParseError> {
        let start = self.at;
        let name = self.take_while(|character| character.is_ascii_alphanumeric() || character == '.');
        let Some(function) = Function::from_name(name) else {
            let message = format!("'{name}' is not an intrinsic function");
            return Err(ParseError { message, offset: start });
        };
        if self.depth == CALL_DEPTH_MAX {
            let message = format!("More than {CALL_DEPTH_MAX} nested intrinsic functions");
            return Err(ParseError { message, offset: start });
        }
        self.depth += 1;
        let arguments = self.arguments()?;
        self.depth -= 1;
        if !function.arity().contains(&arguments.len()) {
            let message = format!("Wrong number of arguments for {name}: {}", arguments.len());
            return Err(ParseError { message, offset: start });
        }
        let source = self.text.get(start..self.at).unwrap_or_default().to_owned();
        Ok(Call { source, function, arguments })
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, ParseError> {
        if !self.take('(') {
            return Err(self.error("Expected '('"));
        }
        self.skip_blanks();
        let mut arguments = Vec::new();
        if self.take(')') {
            return Ok(arguments);
        }
        loop {
            self.skip_blanks();
            arguments.push(self.argument()?);
            self.skip_blanks();
            if self.take(')') {
                return Ok(arguments);
            }
            if !self.take(',') {
                return Err(self.error("Expected ',' or ')'"));
            }
        }
    }

    fn argument(&mut self) -> Result<Argument, ParseError> {
        match self.peek() {
            Some('\'') => self.quoted().map(Argument::Text),
            Some('$') => {
                let start = self.at;
                let (path, length) = Path::parse_prefix(self.rest())
                    .map_err(|error| ParseError { message: error.message, offset: start + error.offset })?;
                self.at += length;
                Ok(Argument::Path(path))
            }
            Some(character) if character.is_ascii_digit() || character == '-' => self.number(),
            Some('S') => self.call().map(Argument::Call),
            Some(_) | None => {
                let start = self.error("Expected a string in single quotes, a number, a path or a function");
                match self.take_while(|character| character.is_alphanumeric()) {
                    "true" => Ok(Argument::Literal(Value::Bool(true))),
                    "false" => Ok(Argument::Literal(Value::Bool(false))),
                    "null" => Ok(Argument::Literal(Value::Null)),
                    _ => Err(start),
                }
            }
        }
    }

    //= https://states-language.net/spec.html#intrinsic-functions
    //# If an open escape backslash \ is found in the intrinsic invocation string, the interpreter
    //# will return a runtime error.
    // AWS refuses every other escape, `\"` among them, already when the state machine is created (recorded).
    fn quoted(&mut self) -> Result<Text, ParseError> {
        let start = self.at;
        self.next();
        loop {
            match self.next() {
                None => return Err(ParseError { message: "Unclosed quote".to_owned(), offset: start }),
                Some('\\') => {
                    let escape = self.at - 1;
                    if !matches!(self.next(), Some('\'' | '{' | '}' | '\\')) {
                        return Err(ParseError { message: "Illegal escape".to_owned(), offset: escape });
                    }
                }
                Some('\'') => {
                    let raw = self.text.get(start + 1..self.at - 1).unwrap_or_default().to_owned();
                    return Ok(Text { raw });
                }
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Result<Argument, ParseError> {
        let start = self.error("Invalid number");
        let text = self.take_while(|character| character.is_ascii_digit() || "+-.eE".contains(character));
        text.parse::<Number>().map(|number| Argument::Literal(Value::Number(number))).map_err(|_| start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A call as it was understood, or why it is none.
    fn check(text: &str, expected: &str) {
        let actual = parse(text).map_or_else(|error| error.to_string(), |call| show(&call));
        assert_eq!(actual, expected, "{text}");
    }

    fn show(call: &Call) -> String {
        let arguments: Vec<String> = call
            .arguments()
            .iter()
            .map(|argument| match argument {
                Argument::Text(text) => format!("text {}", text.value()),
                Argument::Literal(value) => format!("literal {value}"),
                Argument::Path(path) => format!("path {}", path.source()),
                Argument::Call(call) => format!("<{}>", show(call)),
            })
            .collect();
        format!("{}: {}", call.function().name(), arguments.join("; "))
    }

    #[test]
    fn reads_arguments() {
        check("States.Array()", "States.Array: ");
        check("States.UUID( )", "States.UUID: ");
        check(
            "States.Array('a', 1, -2.5e1, true,false ,null, $, $$.Execution.Id, $v.a[0])",
            "States.Array: text a; literal 1; literal -25.0; literal true; literal false; literal null; \
             path $; path $$.Execution.Id; path $v.a[0]",
        );
        check(
            "States.Format('{}/', States.ArrayGetItem( States.StringSplit($.detail.object.key , '/'), 0))",
            "States.Format: text {}/; <States.ArrayGetItem: \
             <States.StringSplit: path $.detail.object.key; text />; literal 0>",
        );
        check(
            "States.Array($.a[?(@.b == 'x, y)')], $['c, d)'])",
            "States.Array: path $.a[?(@.b == 'x, y)')]; path $['c, d)']",
        );
        check(
            r"States.Format('unload (\'{}\') \{\} \\', $.a)",
            r"States.Format: text unload ('{}') {} \; path $.a",
        );
        check(
            r#"States.StringToJson('{"NewField": "MyValue" }')"#,
            r#"States.StringToJson: text {"NewField": "MyValue" }"#,
        );
        check("States.StringSplit('Hello\nWorld', '\n')", "States.StringSplit: text Hello\nWorld; text \n");
    }

    #[test]
    fn rejects_what_is_no_call() {
        check("", "'' is not an intrinsic function at offset 0");
        check("States.Foo()", "'States.Foo' is not an intrinsic function at offset 0");
        check("states.uuid()", "'states.uuid' is not an intrinsic function at offset 0");
        check("States.UUID", "Expected '(' at offset 11");
        check("States.UUID()x", "Expected the end of the text at offset 13");
        check("States.UUID(1)", "Wrong number of arguments for States.UUID: 1 at offset 0");
        check("States.Format()", "Wrong number of arguments for States.Format: 0 at offset 0");
        check("States.MathRandom(1)", "Wrong number of arguments for States.MathRandom: 1 at offset 0");
        check("States.Array(1", "Expected ',' or ')' at offset 14");
        check("States.Array(1 2)", "Expected ',' or ')' at offset 15");
        check("States.Array('a)", "Unclosed quote at offset 13");
        check("States.Array(1-2)", "Invalid number at offset 13");
        check("States.Array($.a.)", "Expected a property name but found ')' at offset 17");
        const EXPECTED: &str =
            "Expected a string in single quotes, a number, a path or a function at offset 13";
        for text in ["States.Array(,)", "States.Array(a)", "States.Array(\"a\")", "States.Array([1])"] {
            check(text, EXPECTED);
        }
    }

    #[test]
    fn rejects_illegal_escapes() {
        check(
            r#"States.StringToJson('{"text":"An \"escaped double quote\" here"}')"#,
            "Illegal escape at offset 33",
        );
        check(r"States.Array('\n')", "Illegal escape at offset 14");
        check(r"States.Array('\", "Illegal escape at offset 14");
    }

    #[test]
    fn calls_nest_ten_deep() {
        let nested = |depth: usize| format!("{}{}", "States.Array(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(10)).is_ok());
        assert_eq!(parse(&nested(11)).unwrap_err().message, "More than 10 nested intrinsic functions");
    }

    #[test]
    fn knows_paths_and_results() {
        let call = parse("States.Format($.a, States.Array($b.c, 'x'), $$.d)").unwrap();
        let paths: Vec<&str> = call.paths().map(Path::source).collect();
        assert_eq!(paths, ["$.a", "$b.c", "$$.d"]);
        assert!(call.returns_string());
        assert!(!parse("States.Array()").unwrap().returns_string());
    }
}
