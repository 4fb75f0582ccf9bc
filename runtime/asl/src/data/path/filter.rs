//! Decides whether a filter accepts a value, by Jayway's rules of comparison.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::ast::{Comparison, Filter, Operand};
use super::find::{self, Found, Missing};
use super::values::{self, Budget};

/// The parser bounds how deep filters nest, so this recursion is bounded too.
pub(super) fn accepts(
    filter: &Filter,
    item: &Value,
    root: &Value,
    budget: &mut Budget,
) -> Result<bool, Missing> {
    budget.spend(1)?;
    match filter {
        Filter::Any(terms) => {
            for term in terms {
                if accepts(term, item, root, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Filter::All(terms) => {
            for term in terms {
                if !accepts(term, item, root, budget)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Filter::Not(term) => Ok(!accepts(term, item, root, budget)?),
        Filter::Exists(operand) => Ok(match value_of(operand, item, root, budget)? {
            Some(Found::One(_) | Found::Owned(_)) => true,
            Some(Found::Many(values)) => !values.is_empty(),
            None => false,
        }),
        Filter::Compare { left, comparison, right } => {
            let left = value_of(left, item, root, budget)?;
            let right = value_of(right, item, root, budget)?;
            compare(left, *comparison, right, budget)
        }
    }
}

/// The operand's value, or nothing where there is none.
fn value_of<'a>(
    operand: &'a Operand,
    item: &'a Value,
    root: &'a Value,
    budget: &mut Budget,
) -> Result<Option<Found<'a>>, Missing> {
    let found = match operand {
        Operand::Item(route) => find::follow(route, item, root, budget),
        Operand::Root(route) => find::follow(route, root, root, budget),
        Operand::Literal(value) => return Ok(Some(Found::One(value))),
    };
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Missing::Absent { .. } | Missing::Type { .. }) => Ok(None),
        Err(limit @ (Missing::TooMuchWork | Missing::TooDeep)) => Err(limit),
    }
}

/// What is missing equals nothing and is neither less nor greater than anything.
fn compare(
    left: Option<Found<'_>>,
    comparison: Comparison,
    right: Option<Found<'_>>,
    budget: &mut Budget,
) -> Result<bool, Missing> {
    let (Some(left), Some(right)) = (left, right) else {
        return Ok(comparison == Comparison::NotEqual);
    };
    let (left, right) = (plain(left, budget)?, plain(right, budget)?);
    let (left, right) = (left.as_value(), right.as_value());
    let ordering = match comparison {
        Comparison::Equal => return equal(left, right, budget),
        Comparison::NotEqual => return Ok(!equal(left, right, budget)?),
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
            order(left, right, budget)?
        }
    };
    Ok(match comparison {
        Comparison::Equal | Comparison::NotEqual => false,
        Comparison::Less => ordering == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => ordering == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
    })
}

/// One value, either part of the root or made for this comparison.
enum Plain<'a> {
    Borrowed(&'a Value),
    Made(Value),
}

impl Plain<'_> {
    fn as_value(&self) -> &Value {
        match self {
            Plain::Borrowed(value) => value,
            Plain::Made(value) => value,
        }
    }
}

fn plain<'a>(found: Found<'a>, budget: &mut Budget) -> Result<Plain<'a>, Missing> {
    Ok(match found {
        Found::One(value) => Plain::Borrowed(value),
        Found::Owned(value) => Plain::Made(value),
        Found::Many(values) => {
            for value in &values {
                budget.spend(values::measure(value).ok_or(Missing::TooDeep)? / 8)?;
            }
            Plain::Made(Value::Array(values.into_iter().cloned().collect()))
        }
    })
}

/// Jayway takes a number and a string for equal when they are the same number or the same text.
fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Missing> {
    match (left, right) {
        (Value::Number(number), Value::String(text)) => {
            let parsed = text.trim().parse::<Number>().ok();
            Ok(parsed.is_some_and(|parsed| values::compare_numbers(number, &parsed) == Some(Ordering::Equal)))
        }
        (Value::String(text), Value::Number(number)) => Ok(*text == number.to_string()),
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => Ok(values::equal_within(left, right, budget)?),
    }
}

fn order(left: &Value, right: &Value, budget: &mut Budget) -> Result<Option<Ordering>, Missing> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Ok(values::compare_numbers(left, right)),
        (Value::String(left), Value::String(right)) => {
            budget.spend(left.len().min(right.len()) / 64)?;
            Ok(Some(left.cmp(right)))
        }
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => Ok(None),
    }
}
