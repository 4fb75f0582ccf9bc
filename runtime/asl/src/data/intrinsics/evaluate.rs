//! Evaluates a call: its arguments first, then the function, within limits of depth and size.

use std::cell::Cell;

use serde_json::Value;

use super::call::{Argument, Call, Function};
use super::{arrays, format, json, numbers, strings};
use crate::data::path::{Path, values};

/// The error of every function that refuses its arguments.
pub const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";

/// Ours: bytes of all values that one call works on, its nested calls included. A payload has 256 KiB.
const WORK_BYTES_MAX: usize = 16 << 20;

/// Where a call gets what is outside of its text.
pub trait Source {
    /// The value of a path, for its root as it is in this place.
    fn path(&self, path: &Path) -> Result<Value, Failure>;

    /// The next random number, for `States.UUID` and for `States.MathRandom` without a seed.
    fn random_u64(&mut self) -> u64;
}

/// Why a call has no value: an ASL error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub error: &'static str,
    pub cause: String,
}

impl Call {
    pub fn evaluate(&self, source: &mut dyn Source) -> Result<Value, Failure> {
        self.evaluate_within(source, &Cell::new(WORK_BYTES_MAX))
    }

    /// The same, where several calls share the bytes that they may work on.
    pub(crate) fn evaluate_within(
        &self,
        source: &mut dyn Source,
        bytes: &Cell<usize>,
    ) -> Result<Value, Failure> {
        let allowed = bytes.get().min(WORK_BYTES_MAX);
        let mut evaluation = Evaluation { source, bytes_left: allowed };
        let result = evaluation.call(self);
        bytes.set(bytes.get() - (allowed - evaluation.bytes_left));
        result
    }
}

struct Evaluation<'a> {
    source: &'a mut dyn Source,
    bytes_left: usize,
}

impl Evaluation<'_> {
    /// The parser bounds how deep calls nest, so this recursion is bounded too.
    fn call(&mut self, call: &Call) -> Result<Value, Failure> {
        let failure = |error: &'static str, message: &str| Failure {
            error,
            cause: format!("The function '{}' had the following error: {message}", call.source),
        };
        let mut values = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let value = match argument {
                Argument::Text(text) => Value::String(text.value()),
                Argument::Literal(value) => value.clone(),
                Argument::Path(path) => {
                    self.source.path(path).map_err(|missing| failure(missing.error, &missing.cause))?
                }
                Argument::Call(inner) => self.call(inner)?,
            };
            values.push(self.charge(value).map_err(|message| failure(INTRINSIC_FAILURE, &message))?);
        }
        self.apply(call, Arguments(values))
            .and_then(|value| self.charge(value))
            .map_err(|message| failure(INTRINSIC_FAILURE, &message))
    }

    /// Passes on a value that is neither too deep nor too much in total.
    fn charge(&mut self, value: Value) -> Result<Value, String> {
        let Some(bytes) = values::measure(&value) else {
            values::discard(value);
            return Err(format!("A value nests more than {} levels deep", values::DEPTH_MAX));
        };
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                Ok(value)
            }
            None => Err("Intrinsic functions work on too many bytes".to_owned()),
        }
    }

    fn apply(&mut self, call: &Call, arguments: Arguments) -> Result<Value, String> {
        match call.function {
            Function::Array => Ok(Value::Array(arguments.0)),
            Function::ArrayContains => arrays::contains(&arguments),
            Function::ArrayGetItem => arrays::get_item(&arguments),
            Function::ArrayLength => arrays::length(&arguments),
            Function::ArrayPartition => arrays::partition(&arguments),
            Function::ArrayRange => arrays::range(&arguments),
            Function::ArrayUnique => arrays::unique(&arguments),
            Function::Base64Decode => strings::base64_decode(&arguments),
            Function::Base64Encode => strings::base64_encode(&arguments),
            Function::Format => match call.arguments.first() {
                // The escapes of a literal template are still in its raw text.
                Some(Argument::Text(template)) => format::format(&template.raw, &arguments),
                Some(Argument::Literal(_) | Argument::Path(_) | Argument::Call(_)) | None => {
                    format::format(arguments.string(0)?, &arguments)
                }
            },
            Function::Hash => strings::hash(&arguments),
            Function::JsonMerge => json::merge(&arguments),
            Function::JsonToString => json::to_string(&arguments),
            Function::MathAdd => numbers::add(&arguments),
            Function::MathRandom => numbers::random(&arguments, self.source),
            Function::StringSplit => strings::split(&arguments),
            Function::StringToJson => json::from_string(&arguments),
            Function::Uuid => Ok(strings::uuid(self.source)),
        }
    }
}

/// The values of the arguments. The parser has seen to their number.
pub(super) struct Arguments(Vec<Value>);

impl Arguments {
    pub(super) fn all(&self) -> &[Value] {
        &self.0
    }

    pub(super) fn value(&self, at: usize) -> &Value {
        self.0.get(at).unwrap_or(&Value::Null)
    }

    pub(super) fn array(&self, at: usize) -> Result<&[Value], String> {
        let items = self.value(at).as_array().map(Vec::as_slice);
        items.ok_or_else(|| self.expected(at, "an array"))
    }

    pub(super) fn string(&self, at: usize) -> Result<&str, String> {
        self.value(at).as_str().ok_or_else(|| self.expected(at, "a string"))
    }

    /// A number, rounded to the nearest integer: AWS rounds halves up, -1.5 to -1 (recorded).
    pub(super) fn integer(&self, at: usize) -> Result<i64, String> {
        let value = self.value(at);
        if let Some(integer) = value.as_i64() {
            return Ok(integer);
        }
        match value.as_f64() {
            Some(number) => {
                numbers::round(number).ok_or_else(|| format!("Argument {} is out of range: {value}", at + 1))
            }
            None => Err(self.expected(at, "a number")),
        }
    }

    pub(super) fn expected(&self, at: usize, wanted: &str) -> String {
        format!("Argument {} must be {wanted} but was: {}", at + 1, values::type_name(self.value(at)))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::intrinsics::parse;

    /// Finds paths in one input, and counts instead of drawing at random.
    pub(crate) struct Input {
        pub(crate) value: Value,
        pub(crate) next: u64,
    }

    impl Source for Input {
        fn path(&self, path: &Path) -> Result<Value, Failure> {
            match path.find(&self.value) {
                Ok(found) => Ok(found.into_value()),
                Err(missing) => Err(Failure { error: "States.Runtime", cause: missing.to_string() }),
            }
        }

        fn random_u64(&mut self) -> u64 {
            self.next = self.next.wrapping_add(0x0123_4567_89ab_cdef);
            self.next
        }
    }

    /// The value of a call, or its cause without the part that repeats the call.
    pub(crate) fn check(call: &str, input: &str, expected: &str) {
        let mut source = Input { value: serde_json::from_str(input).unwrap(), next: 0 };
        let actual = match parse(call).unwrap().evaluate(&mut source) {
            Ok(value) => value.to_string(),
            Err(failure) => {
                let prefix = format!("The function '{call}' had the following error: ");
                let message = failure.cause.strip_prefix(&prefix).unwrap_or(&failure.cause);
                format!("{}: {message}", failure.error.trim_start_matches("States."))
            }
        };
        assert_eq!(actual, expected, "{call} {input}");
    }

    #[test]
    fn nested_calls_are_evaluated_inside_out() {
        let input = r#"{"name":"a-b-c"}"#;
        check("States.ArrayGetItem(States.StringSplit($.name, '-'), 0)", input, r#""a""#);
        check("States.MathAdd(States.MathAdd(States.MathAdd(1, 2), 3), 4)", input, "10");
        check("States.Format('{}', States.MathAdd(1, $$.n))", r#"{"n":2}"#, r#""3""#);
    }

    #[test]
    fn a_failure_names_the_call_that_failed() {
        check(
            "States.Array(States.ArrayLength('x'))",
            "{}",
            "IntrinsicFailure: The function 'States.ArrayLength('x')' had the following error: \
             Argument 1 must be an array but was: string",
        );
        check("States.Array($.x)", "{}", "Runtime: No results for path: $['x']");
    }
}
