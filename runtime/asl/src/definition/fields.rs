//! Fields whose value is given in the definition or computed when the state runs. Both query languages meet
//! here: the rest of the interpreter asks for a field's value and never for its language.

use serde_json::Value;

use crate::data::intrinsics::Call;
use crate::data::jsonata;
use crate::data::path::Path;
use crate::data::timestamp::Timestamp;

/// How a value is computed.
#[derive(Debug, Clone)]
pub enum Expression {
    /// `$.a`, `$$.a` or `$variable.a`.
    Path(Path),
    /// `States.Format(…)` and its kin.
    Intrinsic(Box<Call>),
    /// What stands between `{%` and `%}`.
    Jsonata(jsonata::Expression),
}

/// An expression with what an error message says of it.
#[derive(Debug, Clone)]
pub struct Computed {
    /// The field as AWS names it in errors: `value.$`, `SecondsPath`, `Output/result`.
    pub field: String,
    /// The expression as the author wrote it.
    pub source: String,
    pub expression: Expression,
}

/// A JSON value in which some places are computed: `Parameters`, `ResultSelector`, `Arguments`, `Output`.
#[derive(Debug, Clone)]
pub enum Template {
    Literal(Value),
    Computed(Computed),
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
}

/// A number that may be computed: `TimeoutSeconds`, `MaxConcurrency`, `ToleratedFailurePercentage`.
#[derive(Debug, Clone)]
pub enum NumberField {
    Literal(f64),
    Computed(Computed),
}

/// A text that may be computed: `Error`, `Cause`.
#[derive(Debug, Clone)]
pub enum TextField {
    Literal(String),
    Computed(Computed),
}

/// An instant that may be computed: `Timestamp`, `TimestampPath`.
#[derive(Debug, Clone)]
pub enum TimestampField {
    Literal(Timestamp),
    Computed(Computed),
}
