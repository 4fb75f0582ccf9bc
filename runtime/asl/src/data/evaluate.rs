//! The one seam where a field's value is computed, whatever its query language.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::definition::{Computed, Expression, NumberField, Template, TextField, TimestampField};
use crate::limits::PAYLOAD_BYTES_MAX;

use super::intrinsics::{self, Call};
use super::jsonata::{self, QueryError};
use super::path::{Found, NotFound, Path, values};
use super::scope::Scope;
use super::timestamp::Timestamp;

/// Why a value could not be computed: an ASL error, whose cause the interpreter puts into a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub error: &'static str,
    pub cause: String,
    /// Set in a JSONata state, where history has an event for the failure.
    pub query: Option<Query>,
}

/// The place of a failure in a JSONata state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The field as history names it: `Output/total`. None if it is not the fault of a field.
    pub location: Option<String>,
    /// The expression gave a value of the right type, which the state found it cannot use.
    pub is_of_value: bool,
}

impl Failure {
    pub const RUNTIME: &'static str = "States.Runtime";
    pub const DATA_LIMIT: &'static str = "States.DataLimitExceeded";
    pub const QUERY: &'static str = "States.QueryEvaluationError";

    pub fn new(error: &'static str, cause: impl Into<String>) -> Failure {
        Failure { error, cause: cause.into(), query: None }
    }

    /// `States.Runtime`, which nothing retries or catches.
    pub fn runtime(cause: impl Into<String>) -> Failure {
        Failure::new(Failure::RUNTIME, cause)
    }

    /// More than a payload may hold. Its cause names the state, which only the interpreter knows.
    pub fn data_limit() -> Failure {
        Failure::new(Failure::DATA_LIMIT, "")
    }

    /// A JSONata expression, or the input of a JSONata state, does not give what the state needs.
    pub fn query(location: Option<&str>, cause: impl Into<String>) -> Failure {
        let query = Query { location: location.map(str::to_owned), is_of_value: false };
        Failure { query: Some(query), ..Failure::new(Failure::QUERY, cause) }
    }

    /// A field has a value that the state cannot use. A JSONata expression that gave it is told apart.
    pub fn value(field: &NumberField, cause: impl Into<String>) -> Failure {
        match field {
            NumberField::Computed(computed) if computed.is_jsonata() => computed.unusable(cause),
            NumberField::Computed(_) | NumberField::Literal(_) => Failure::runtime(cause),
        }
    }
}

impl Computed {
    pub(crate) fn is_jsonata(&self) -> bool {
        matches!(self.expression, Expression::Jsonata(_))
    }

    /// The failure of a value of the right type, which the state cannot use.
    pub(crate) fn unusable(&self, cause: impl Into<String>) -> Failure {
        let query = Query { location: Some(self.field.clone()), is_of_value: true };
        Failure { query: Some(query), ..Failure::new(Failure::QUERY, cause) }
    }

    fn failed(&self, how: &str) -> Failure {
        let (source, field) = (&self.source, &self.field);
        let cause = format!("The JSONata expression '{source}' specified for the field '{field}' {how}");
        Failure::query(Some(field), cause)
    }

    /// The failure of a value of another type than the field has.
    pub(crate) fn unexpected(&self, wanted: &str, value: &Value) -> Failure {
        let found = type_name(value);
        self.failed(&format!(
            "returned an unexpected result type. Expected '{wanted}', but was '{found}' for value: {value}"
        ))
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Computes a template; `input` is what `$` means in it.
pub fn template(template: &Template, scope: &Scope<'_>, input: &Value) -> Result<Value, Failure> {
    let mut left = PAYLOAD_BYTES_MAX;
    let value = fill(template, scope, input, &mut left)?;
    if values::depth(&value) > values::DEPTH_MAX {
        values::discard(value);
        return Err(too_deep());
    }
    Ok(value)
}

/// What nests deeper can be written and not read again.
pub(crate) fn too_deep() -> Failure {
    Failure::runtime(format!("A value nests more than {} levels deep.", values::DEPTH_MAX))
}

/// `left` is what the computed values may still weigh: a definition of 1 MiB can name its input 60,000 times.
fn fill(template: &Template, scope: &Scope<'_>, input: &Value, left: &mut usize) -> Result<Value, Failure> {
    match template {
        Template::Literal(value) => Ok(value.clone()),
        Template::Computed(field) => {
            let value = computed(field, scope, input)?;
            *left = left.checked_sub(weight(&value)).ok_or_else(Failure::data_limit)?;
            Ok(value)
        }
        Template::Object(fields) => {
            let mut object = Map::with_capacity(fields.len());
            for (name, field) in fields {
                object.insert(name.clone(), fill(field, scope, input, left)?);
            }
            Ok(Value::Object(object))
        }
        Template::Array(items) => items
            .iter()
            .map(|item| fill(item, scope, input, left))
            .collect::<Result<_, _>>()
            .map(Value::Array),
    }
}

/// At most the bytes of the value's text, without writing it.
fn weight(value: &Value) -> usize {
    1 + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() + weight(value)).sum(),
    }
}

/// Computes one field.
pub fn computed(field: &Computed, scope: &Scope<'_>, input: &Value) -> Result<Value, Failure> {
    match &field.expression {
        Expression::Path(path) => {
            find(path, scope, input)?.ok_or_else(|| not_in_input(path, &field.field, input))
        }
        Expression::Intrinsic(call) => intrinsic(call, scope, input),
        Expression::Jsonata(expression) => query(field, expression, scope),
    }
}

fn query(field: &Computed, expression: &jsonata::Expression, scope: &Scope<'_>) -> Result<Value, Failure> {
    expression.evaluate(scope).map_err(|error| match error {
        QueryError::Undefined => field.failed("returned nothing (undefined)."),
        QueryError::Unsupported => field.failed("returned an unsupported result type."),
        QueryError::TooLarge => Failure::data_limit(),
        QueryError::Threw(text) => field.failed(&format!("threw an error during evaluation. {text}")),
    })
}

/// The value that a path names, or none.
pub fn find(path: &Path, scope: &Scope<'_>, input: &Value) -> Result<Option<Value>, Failure> {
    seen(path, scope, input).map(|found| found.map(Cow::into_owned))
}

/// The same; it is not copied unless the path can name several.
pub fn seen<'a>(
    path: &Path,
    scope: &'a Scope<'_>,
    input: &'a Value,
) -> Result<Option<Cow<'a, Value>>, Failure> {
    let Some(root) = scope.root(path, input) else { return Ok(None) };
    match path.find_within(root, scope.allowance.visits()) {
        Ok(found) => Ok(Some(as_cow(found))),
        // That there is nothing is not known then.
        Err(limit @ (NotFound::TooMuchWork | NotFound::TooDeep)) => {
            Err(invalid_path(path, &limit.to_string()))
        }
        Err(
            NotFound::NoResults { .. }
            | NotFound::MissingProperty { .. }
            | NotFound::NotAnObject { .. }
            | NotFound::Null { .. }
            | NotFound::NotAnArray { .. },
        ) => Ok(None),
    }
}

fn as_cow(found: Found<'_>) -> Cow<'_, Value> {
    match found {
        Found::One(value) => Cow::Borrowed(value),
        Found::Many(_) | Found::Owned(_) => Cow::Owned(found.into_value()),
    }
}

fn not_in_input(path: &Path, field: &str, input: &Value) -> Failure {
    Failure::runtime(format!(
        "The JSONPath '{}' specified for the field '{field}' could not be found in the input '{input}'",
        path.source()
    ))
}

fn intrinsic(call: &Call, scope: &Scope<'_>, input: &Value) -> Result<Value, Failure> {
    let mut source = IntrinsicSource { scope, input };
    call.evaluate_within(&mut source, scope.allowance.bytes())
        .map_err(|failure| Failure::new(failure.error, failure.cause))
}

/// Gives an intrinsic function the paths in its arguments.
struct IntrinsicSource<'a> {
    scope: &'a Scope<'a>,
    input: &'a Value,
}

impl intrinsics::Source for IntrinsicSource<'_> {
    fn path(&self, path: &Path) -> Result<Value, intrinsics::Failure> {
        let found = find(path, self.scope, self.input)
            .map_err(|failure| intrinsics::Failure { error: failure.error, cause: failure.cause })?;
        found.ok_or_else(|| {
            // AWS has its own words here, and names the path and not the field.
            let cause = format!(
                "The JsonPath argument for the field '{}' could not be found in the input '{}'",
                path.source(),
                self.input
            );
            intrinsics::Failure { error: Failure::RUNTIME, cause }
        })
    }

    fn random_u64(&mut self) -> u64 {
        self.scope.entropy.next_u64()
    }
}

/// The text of `Error` and `Cause`.
pub fn text(field: &TextField, scope: &Scope<'_>, input: &Value) -> Result<String, Failure> {
    let field = match field {
        TextField::Literal(text) => return Ok(text.clone()),
        TextField::Computed(field) => field,
    };
    let value = computed(field, scope, input)?;
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None if field.is_jsonata() => Err(field.unexpected("string", &value)),
        None => Err(Failure::runtime(format!(
            "The {} field refers to value {value} which is not a string: {}",
            field.field, field.source
        ))),
    }
}

/// A whole number that is not negative: a timeout, a count, a concurrency.
pub fn whole_number(field: &NumberField, scope: &Scope<'_>, input: &Value) -> Result<i64, Failure> {
    match field {
        #[allow(clippy::cast_possible_truncation, reason = "the parser takes whole literals below 2^53 only")]
        NumberField::Literal(number) => Ok(*number as i64),
        NumberField::Computed(field) => {
            let value = reference(field, scope, input)?;
            if field.is_jsonata() {
                return whole_result(field, &value);
            }
            let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
            number.ok_or_else(|| not_valid(field, &value, "integer"))
        }
    }
}

/// The whole number that an expression gave.
pub(crate) fn whole_result(field: &Computed, value: &Value) -> Result<i64, Failure> {
    if !value.is_number() {
        return Err(field.unexpected("number", value));
    }
    value.as_i64().ok_or_else(|| {
        field.unusable(format!("The {} field cannot be parsed as a long value: {value}", field.field))
    })
}

/// A number with a fraction: a percentage.
pub fn number(field: &NumberField, scope: &Scope<'_>, input: &Value) -> Result<f64, Failure> {
    match field {
        NumberField::Literal(number) => Ok(*number),
        NumberField::Computed(field) => {
            let value = reference(field, scope, input)?;
            if field.is_jsonata() {
                return value.as_f64().ok_or_else(|| field.unexpected("number", &value));
            }
            let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
            number.filter(|number| number.is_finite()).ok_or_else(|| not_valid(field, &value, "float"))
        }
    }
}

/// What a number's path names. AWS takes a text for the number that it spells, and says of a path that leads
/// nowhere what it says of InputPath.
fn reference<'a>(
    field: &'a Computed,
    scope: &'a Scope<'_>,
    input: &'a Value,
) -> Result<Cow<'a, Value>, Failure> {
    match &field.expression {
        Expression::Path(path) => found(path, scope, input),
        Expression::Intrinsic(_) | Expression::Jsonata(_) => computed(field, scope, input).map(Cow::Owned),
    }
}

/// The value that a path names; it is not copied unless the path can name several.
pub fn found<'a>(path: &Path, scope: &'a Scope<'_>, input: &'a Value) -> Result<Cow<'a, Value>, Failure> {
    match scope.root(path, input).map(|root| path.find_within(root, scope.allowance.visits())) {
        Some(Ok(found)) => Ok(as_cow(found)),
        Some(Err(missing)) => Err(invalid_path(path, &missing.to_string())),
        None => Err(invalid_path(path, "No such variable")),
    }
}

fn invalid_path(path: &Path, why: &str) -> Failure {
    Failure::runtime(format!("Invalid path '{}' : {why}", path.source()))
}

fn not_valid(field: &Computed, value: &Value, kind: &str) -> Failure {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Failure::runtime(format!(
        "The {} field refers to value \"{value}\" which is not a valid {kind}: {}",
        field.field, field.source
    ))
}

/// The instant of a Wait.
pub fn timestamp(field: &TimestampField, scope: &Scope<'_>, input: &Value) -> Result<Timestamp, Failure> {
    match field {
        TimestampField::Literal(at) => Ok(*at),
        TimestampField::Computed(field) => {
            let value = computed(field, scope, input)?;
            if field.is_jsonata() {
                let text = value.as_str().ok_or_else(|| field.unexpected("string", &value))?;
                return Timestamp::parse_rfc3339(text).map_err(|_| {
                    field.unusable(format!(
                        "The {} field cannot be parsed as an ISO-8601 extended offset date-time format string: \
                         {text}",
                        field.field
                    ))
                });
            }
            let parsed = value.as_str().and_then(|text| Timestamp::parse_rfc3339(text).ok());
            parsed.ok_or_else(|| {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                Failure::runtime(format!(
                    "The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time \
                     format string: {} == {shown}",
                    field.source
                ))
            })
        }
    }
}
