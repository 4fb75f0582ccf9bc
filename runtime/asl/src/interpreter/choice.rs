//! The Choice state and its comparisons.

use std::cmp::Ordering as Compared;

use serde_json::{Number, Value};

use crate::data::evaluate::{self, Failure};
use crate::data::flow;
use crate::data::path::Path;
use crate::data::scope::Scope;
use crate::data::timestamp::Timestamp;
use crate::definition::{
    Choice, Comparison, Flow, Operand, Operator, Ordering, Rule, StateId, StringPattern, Test,
    Transition as Target,
};

use super::execution::RowId;
use super::stepper::Stepper;

impl Stepper<'_> {
    pub(super) fn choice(&mut self, row: RowId, choice: &Choice) -> Result<(), Failure> {
        let (next, output, assigned) = self.compute(row, None, |scope, thread| {
            let input = flow::selected_input(&choice.flow, scope, &thread.input)?;
            let rule = first_match(&choice.rules, scope, input.value())?;
            let (next, assign) = match rule {
                Some(rule) => (rule.next, &rule.assign),
                None => (otherwise(choice)?, &choice.assign),
            };
            let assigned = flow::assigned(assign, scope, &input)?;
            let output = match (rule, &choice.flow) {
                // The state's own Output, like its Assign, is for when no rule matches.
                (Some(rule), Flow::Jsonata(_)) => {
                    flow::output_or(rule.output.as_ref(), scope, &thread.input, input)?
                }
                (Some(_), Flow::JsonPath(_)) | (None, _) => {
                    flow::output(&choice.flow, scope, &thread.input, input)?
                }
            };
            Ok((next, output, assigned))
        })?;
        self.exit(row, output, assigned, Target::Next(next));
        Ok(())
    }
}

fn first_match<'a>(rules: &'a [Rule], scope: &Scope<'_>, input: &Value) -> Result<Option<&'a Rule>, Failure> {
    for rule in rules {
        if holds(&rule.test, scope, input)? {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

fn otherwise(choice: &Choice) -> Result<StateId, Failure> {
    choice.default.ok_or_else(|| {
        Failure::new(
            "States.NoChoiceMatched",
            "Failed to transition out of the state. The state does not point to a next state.",
        )
    })
}

fn holds(test: &Test, scope: &Scope<'_>, input: &Value) -> Result<bool, Failure> {
    match test {
        Test::And(tests) => {
            for test in tests {
                if !holds(test, scope, input)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Test::Or(tests) => {
            for test in tests {
                if holds(test, scope, input)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Test::Not(test) => Ok(!holds(test, scope, input)?),
        Test::Compare(comparison) => compare(comparison, scope, input),
        Test::Constant(value) => Ok(*value),
        Test::Condition(condition) => {
            let value = evaluate::computed(condition, scope, input)?;
            value.as_bool().ok_or_else(|| condition.unexpected("boolean", &value))
        }
    }
}

fn compare(comparison: &Comparison, scope: &Scope<'_>, input: &Value) -> Result<bool, Failure> {
    let found = evaluate::seen(&comparison.variable, scope, input)?;
    if let Operator::IsPresent(wanted) = &comparison.operator {
        return Ok(found.is_some() == *wanted);
    }
    let value = found.ok_or_else(|| invalid_reference(&comparison.variable))?;
    match &comparison.operator {
        Operator::IsPresent(_) => Ok(false),
        Operator::IsNull(wanted) => Ok(value.is_null() == *wanted),
        Operator::IsNumeric(wanted) => Ok(value.is_number() == *wanted),
        Operator::IsString(wanted) => Ok(value.is_string() == *wanted),
        Operator::IsBoolean(wanted) => Ok(value.is_boolean() == *wanted),
        Operator::IsTimestamp(wanted) => Ok(timestamp(&value).is_some() == *wanted),
        Operator::StringMatches(pattern) => Ok(value.as_str().is_some_and(|text| matches(pattern, text))),
        Operator::Boolean(operand) => {
            let right = right_side(operand, scope, input, Value::as_bool)?;
            Ok(right.is_some() && value.as_bool() == right)
        }
        Operator::String(ordering, operand) => {
            let right = right_side(operand, scope, input, |value| value.as_str().map(str::to_owned))?;
            Ok(is(*ordering, value.as_str().zip(right.as_deref()).map(|(left, right)| left.cmp(right))))
        }
        Operator::Numeric(ordering, operand) => {
            let right = right_side(operand, scope, input, |value| value.as_number().cloned())?;
            Ok(is(
                *ordering,
                value.as_number().zip(right.as_ref()).and_then(|(left, right)| numbers(left, right)),
            ))
        }
        Operator::Timestamp(ordering, operand) => {
            let right = right_side(operand, scope, input, timestamp)?;
            Ok(is(*ordering, timestamp(&value).zip(right).map(|(left, right)| left.cmp(&right))))
        }
    }
}

/// The right-hand side; none if its path leads to a value of another type, which matches nothing.
fn right_side<T: Clone>(
    operand: &Operand<T>,
    scope: &Scope<'_>,
    input: &Value,
    typed: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, Failure> {
    match operand {
        Operand::Literal(value) => Ok(Some(value.clone())),
        Operand::Path(path) => {
            let value = evaluate::seen(path, scope, input)?.ok_or_else(|| invalid_reference(path))?;
            Ok(typed(&value))
        }
    }
}

fn invalid_reference(path: &Path) -> Failure {
    Failure::runtime(format!(
        "Invalid path '{}': The choice state's condition path references an invalid value.",
        path.source()
    ))
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    value.as_str().and_then(|text| Timestamp::parse_rfc3339(text).ok())
}

/// Compares exactly where both are integers, so that neighbours above 2^53 stay apart.
fn numbers(left: &Number, right: &Number) -> Option<Compared> {
    let integer =
        |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        (_, _) => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn is(ordering: Ordering, compared: Option<Compared>) -> bool {
    let Some(compared) = compared else { return false };
    match ordering {
        Ordering::Equal => compared.is_eq(),
        Ordering::Less => compared.is_lt(),
        Ordering::Greater => compared.is_gt(),
        Ordering::LessOrEqual => compared.is_le(),
        Ordering::GreaterOrEqual => compared.is_ge(),
    }
}

/// Takes each piece at its first place after the one before it, which is right because only the last piece
/// is bound to the end; the time is linear in the text for each piece.
fn matches(pattern: &StringPattern, text: &str) -> bool {
    let [first, middle @ .., last] = pattern.pieces.as_slice() else {
        return pattern.pieces.first().is_some_and(|only| only == text);
    };
    let Some(mut rest) = text.strip_prefix(first.as_str()) else { return false };
    for piece in middle {
        match rest.find(piece.as_str()) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_matches_takes_wildcards_anywhere() {
        let check = |pieces: &[&str], text: &str, expected: bool| {
            let pattern = StringPattern { pieces: pieces.iter().map(|&piece| piece.to_owned()).collect() };
            assert_eq!(matches(&pattern, text), expected, "{pieces:?} {text}");
        };
        check(&["log-", ".txt"], "log-1.txt", true);
        check(&["log-", ".txt"], "log-.txt", true);
        check(&["log-", ".txt"], "log-1.txt.gz", false);
        check(&["a", "a"], "a", false);
        check(&["", "b", ""], "abc", true);
        check(&["", "b", "b"], "abab", true);
        check(&["exact"], "exact", true);
        check(&["exact"], "exactly", false);
    }

    #[test]
    fn integers_are_compared_exactly() {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        assert_eq!(
            numbers(&number("9007199254740993"), &number("9007199254740992")),
            Some(Compared::Greater)
        );
        assert_eq!(numbers(&number("1"), &number("1.0")), Some(Compared::Equal));
    }
}
