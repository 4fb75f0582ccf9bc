//! The segments that choose many values, and choices among the fields and elements of one value.

use serde_json::{Map, Value};

use super::ast::Segment;
use super::filter;
use super::find::{Found, Missing};
use super::values::{self, Budget};

/// Follows segments that lead to many values, one segment after another for all values at once.
pub(super) fn spread<'a>(
    segments: &[Segment],
    start: &'a Value,
    root: &'a Value,
    budget: &mut Budget,
) -> Result<Found<'a>, Missing> {
    let mut values = vec![start];
    let mut after_descend = false;
    for (at, segment) in segments.iter().enumerate() {
        if let (Segment::Properties(names), true) = (segment, at + 1 == segments.len()) {
            return merge(&values, names, budget).map(Found::Owned);
        }
        let mut next = Vec::new();
        for value in values {
            step(segment, value, after_descend, root, &mut next, budget)?;
        }
        values = next;
        after_descend = matches!(segment, Segment::Descend);
    }
    Ok(Found::Many(values))
}

/// Appends what one segment chooses in one value. What does not fit the segment gives nothing.
fn step<'a>(
    segment: &Segment,
    value: &'a Value,
    after_descend: bool,
    root: &'a Value,
    next: &mut Vec<&'a Value>,
    budget: &mut Budget,
) -> Result<(), Missing> {
    budget.spend(1)?;
    let before = next.len();
    match (segment, value) {
        (Segment::Property(name), Value::Object(fields)) => next.extend(fields.get(name)),
        (Segment::Properties(names), Value::Object(fields)) => {
            budget.spend(names.len())?;
            next.extend(names.iter().filter_map(|name| fields.get(name)));
        }
        (Segment::Index(index), Value::Array(items)) => next.extend(element(items, *index)),
        (Segment::Indices(indices), Value::Array(items)) => {
            budget.spend(indices.len())?;
            next.extend(indices.iter().filter_map(|index| element(items, *index)));
        }
        (Segment::Slice { start, end, step }, Value::Array(items)) => {
            let range = bounds(*start, *end, items.len());
            next.extend(items.get(range).unwrap_or_default().iter().step_by(*step));
        }
        (Segment::Wildcard, Value::Array(items)) => next.extend(items),
        (Segment::Wildcard, Value::Object(fields)) => next.extend(fields.values()),
        (Segment::Descend, _) => return all_below(value, next, budget),
        (Segment::Filter(condition), Value::Object(_)) => {
            // Jayway tests an object itself.
            if filter::accepts(condition, value, root, budget)? {
                next.push(value);
            }
        }
        (Segment::Filter(condition), Value::Array(items)) if !after_descend => {
            for item in items {
                if filter::accepts(condition, item, root, budget)? {
                    next.push(item);
                }
            }
        }
        (
            Segment::Property(_)
            | Segment::Properties(_)
            | Segment::Index(_)
            | Segment::Indices(_)
            | Segment::Slice { .. }
            | Segment::Wildcard
            | Segment::Filter(_),
            _,
        ) => {}
    }
    Ok(budget.spend(next.len() - before)?)
}

/// Appends a value and everything below it, each before what it holds.
fn all_below<'a>(value: &'a Value, next: &mut Vec<&'a Value>, budget: &mut Budget) -> Result<(), Missing> {
    let mut pending = vec![value];
    while let Some(value) = pending.pop() {
        budget.spend(1)?;
        next.push(value);
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            Value::Array(items) => pending.extend(items.iter().rev()),
            Value::Object(fields) => pending.extend(fields.values().rev()),
        }
    }
    Ok(())
}

/// Makes an object of the chosen properties of each object.
fn merge(values: &[&Value], names: &[String], budget: &mut Budget) -> Result<Value, Missing> {
    let mut objects = Vec::new();
    for value in values {
        budget.spend(1)?;
        if let Value::Object(fields) = value {
            objects.push(choose(fields, names, budget)?);
        }
    }
    Ok(Value::Array(objects))
}

/// The properties that are there; the others are left out.
pub(super) fn choose(
    fields: &Map<String, Value>,
    names: &[String],
    budget: &mut Budget,
) -> Result<Value, Missing> {
    let mut chosen = Map::new();
    for name in names {
        budget.spend(1)?;
        if let Some(value) = fields.get(name) {
            budget.spend(values::measure(value).ok_or(Missing::TooDeep)? / 8)?;
            chosen.insert(name.clone(), value.clone());
        }
    }
    Ok(Value::Object(chosen))
}

pub(super) fn element(items: &[Value], index: i64) -> Option<&Value> {
    items.get(position(index, items.len())?)
}

/// Where an index points to; a negative one counts from the end.
pub(super) fn position(index: i64, length: usize) -> Option<usize> {
    let from_start = if index < 0 { i64::try_from(length).ok()?.checked_add(index)? } else { index };
    usize::try_from(from_start).ok()
}

fn bounds(start: Option<i64>, end: Option<i64>, length: usize) -> std::ops::Range<usize> {
    let clamp = |bound: i64| position(bound, length).unwrap_or(0).min(length);
    let start = start.map_or(0, clamp);
    start..end.map_or(length, clamp).max(start)
}

/// Jayway's `length()` counts elements and fields, and gives null for everything else.
pub(super) fn length(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::from(items.len()),
        Value::Object(fields) => Value::from(fields.len()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Value::Null,
    }
}
