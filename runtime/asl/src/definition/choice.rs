//! The rules of a Choice state.

use crate::data::path::Path;
use crate::data::timestamp::Timestamp;

use super::{Assign, Computed, StateId, Template};

/// One entry of `Choices`.
#[derive(Debug, Clone)]
pub struct Rule {
    pub test: Test,
    pub next: StateId,
    pub assign: Assign,
    /// JSONata only.
    pub output: Option<Template>,
}

#[derive(Debug, Clone)]
pub enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Compare(Box<Comparison>),
    /// JSONata's `Condition`.
    Condition(Computed),
    /// A `Condition` given as a literal.
    Constant(bool),
}

#[derive(Debug, Clone)]
pub struct Comparison {
    pub variable: Path,
    pub operator: Operator,
}

#[derive(Debug, Clone)]
pub enum Operator {
    String(Ordering, Operand<String>),
    Numeric(Ordering, Operand<serde_json::Number>),
    Boolean(Operand<bool>),
    Timestamp(Ordering, Operand<Timestamp>),
    StringMatches(Pattern),
    IsNull(bool),
    IsPresent(bool),
    IsNumeric(bool),
    IsString(bool),
    IsBoolean(bool),
    IsTimestamp(bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordering {
    Equal,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

/// The right-hand side: a literal, or the path of an operator that ends in `Path`.
#[derive(Debug, Clone)]
pub enum Operand<T> {
    Literal(T),
    Path(Path),
}

/// The pattern of `StringMatches`: literal pieces between wildcards, escapes already resolved.
/// `["a", "", "b"]` is `a**b`; one piece means no wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    pub pieces: Vec<String>,
}
