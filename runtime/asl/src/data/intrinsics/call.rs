//! A call of an intrinsic function as it is written: the function, its arguments, and how many it takes.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::data::path::Path;

/// A call with its arguments. It keeps the text it was parsed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub(super) source: String,
    pub(super) function: Function,
    pub(super) arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    Text(Text),
    /// A number, `true`, `false` or `null`.
    Literal(Value),
    Path(Path),
    Call(Call),
}

/// What stands between single quotes, with its escapes: `States.Format` must tell `{}` from `\{\}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub(super) raw: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Base64Decode,
    Base64Encode,
    Format,
    Hash,
    JsonMerge,
    JsonToString,
    MathAdd,
    MathRandom,
    StringSplit,
    StringToJson,
    Uuid,
}

impl Function {
    pub const ALL: [Function; 18] = [
        Function::Array,
        Function::ArrayContains,
        Function::ArrayGetItem,
        Function::ArrayLength,
        Function::ArrayPartition,
        Function::ArrayRange,
        Function::ArrayUnique,
        Function::Base64Decode,
        Function::Base64Encode,
        Function::Format,
        Function::Hash,
        Function::JsonMerge,
        Function::JsonToString,
        Function::MathAdd,
        Function::MathRandom,
        Function::StringSplit,
        Function::StringToJson,
        Function::Uuid,
    ];

    pub fn from_name(name: &str) -> Option<Function> {
        Function::ALL.into_iter().find(|function| function.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Function::Array => "States.Array",
            Function::ArrayContains => "States.ArrayContains",
            Function::ArrayGetItem => "States.ArrayGetItem",
            Function::ArrayLength => "States.ArrayLength",
            Function::ArrayPartition => "States.ArrayPartition",
            Function::ArrayRange => "States.ArrayRange",
            Function::ArrayUnique => "States.ArrayUnique",
            Function::Base64Decode => "States.Base64Decode",
            Function::Base64Encode => "States.Base64Encode",
            Function::Format => "States.Format",
            Function::Hash => "States.Hash",
            Function::JsonMerge => "States.JsonMerge",
            Function::JsonToString => "States.JsonToString",
            Function::MathAdd => "States.MathAdd",
            Function::MathRandom => "States.MathRandom",
            Function::StringSplit => "States.StringSplit",
            Function::StringToJson => "States.StringToJson",
            Function::Uuid => "States.UUID",
        }
    }

    /// How many arguments the function takes.
    pub(super) fn arity(self) -> RangeInclusive<usize> {
        match self {
            Function::Array => 0..=usize::MAX,
            Function::Format => 1..=usize::MAX,
            Function::Uuid => 0..=0,
            Function::ArrayLength
            | Function::ArrayUnique
            | Function::Base64Decode
            | Function::Base64Encode
            | Function::JsonToString
            | Function::StringToJson => 1..=1,
            Function::ArrayContains
            | Function::ArrayGetItem
            | Function::ArrayPartition
            | Function::Hash
            | Function::MathAdd
            | Function::StringSplit => 2..=2,
            Function::MathRandom => 2..=3,
            Function::ArrayRange | Function::JsonMerge => 3..=3,
        }
    }
}

impl Call {
    /// The text as its author wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn function(&self) -> Function {
        self.function
    }

    pub fn arguments(&self) -> &[Argument] {
        &self.arguments
    }

    /// Whether AWS allows the function in `ErrorPath` and `CausePath`.
    //= https://states-language.net/spec.html#fail-state
    //# A JSONPath Fail State MAY have "ErrorPath" and "CausePath" fields whose values MUST be
    //# Reference Paths or Intrinsic Functions which, when resolved, MUST be string values.
    pub fn returns_string(&self) -> bool {
        match self.function {
            Function::ArrayGetItem
            | Function::Base64Decode
            | Function::Base64Encode
            | Function::Format
            | Function::Hash
            | Function::JsonToString
            | Function::Uuid => true,
            Function::Array
            | Function::ArrayContains
            | Function::ArrayLength
            | Function::ArrayPartition
            | Function::ArrayRange
            | Function::ArrayUnique
            | Function::JsonMerge
            | Function::MathAdd
            | Function::MathRandom
            | Function::StringSplit
            | Function::StringToJson => false,
        }
    }

    /// All paths among the arguments, those of nested calls too, in the order of the text.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        let mut paths = Vec::new();
        self.collect_paths(&mut paths);
        paths.into_iter()
    }

    /// The parser bounds how deep calls nest, so this recursion is bounded too.
    fn collect_paths<'a>(&'a self, paths: &mut Vec<&'a Path>) {
        for argument in &self.arguments {
            match argument {
                Argument::Text(_) | Argument::Literal(_) => {}
                Argument::Path(path) => paths.push(path),
                Argument::Call(call) => call.collect_paths(paths),
            }
        }
    }
}

impl Text {
    /// The text without its escapes.
    pub fn value(&self) -> String {
        let mut value = String::with_capacity(self.raw.len());
        let mut characters = self.raw.chars();
        while let Some(character) = characters.next() {
            if character == '\\' {
                value.extend(characters.next());
            } else {
                value.push(character);
            }
        }
        value
    }
}
