//! One number per group, gathered row by row.

use serde::Deserialize;
use serde_json::{Number, Value};

/// The largest integer up to which every integer is a `f64` too.
const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Function {
    Sum,
    Avg,
    Min,
    Max,
    Count,
}

impl Function {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Count => "count",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Accumulator {
    function: Function,
    count: u64,
    /// The sum, or the smallest or largest number so far.
    value: f64,
    /// What rounding took off the sum so far (Neumaier): a thousand times 0.1 is 100.
    compensation: f64,
}

impl Accumulator {
    pub(crate) fn new(function: Function) -> Self {
        Self { function, count: 0, value: 0.0, compensation: 0.0 }
    }

    /// Counts a row or a cell without looking at its number.
    pub(crate) fn add_presence(&mut self) {
        self.count += 1;
    }

    pub(crate) fn add(&mut self, number: f64) {
        self.count += 1;
        match self.function {
            Function::Sum | Function::Avg => self.add_to_sum(number),
            Function::Min if self.count == 1 || number < self.value => self.value = number,
            Function::Max if self.count == 1 || number > self.value => self.value = number,
            Function::Min | Function::Max | Function::Count => {}
        }
    }

    fn add_to_sum(&mut self, number: f64) {
        let sum = self.value + number;
        let lost = if self.value.abs() >= number.abs() {
            (self.value - sum) + number
        } else {
            (number - sum) + self.value
        };
        self.compensation += lost;
        self.value = sum;
    }

    /// The aggregate; null for the average, minimum or maximum of nothing, or a sum beyond what JSON holds.
    pub(crate) fn value(&self) -> Value {
        match self.function {
            Function::Count => Value::from(self.count),
            Function::Sum => number(self.value + self.compensation),
            Function::Avg | Function::Min | Function::Max if self.count == 0 => Value::Null,
            Function::Avg => number((self.value + self.compensation) / self.count as f64),
            Function::Min | Function::Max => number(self.value),
        }
    }
}

/// Integers stay integers, so that a sum of counts can go into `States.MathAdd`.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= EXACT_INTEGER_MAX {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(function: Function, numbers: &[f64], expected: &str) {
        let mut accumulator = Accumulator::new(function);
        for number in numbers {
            accumulator.add(*number);
        }
        assert_eq!(accumulator.value().to_string(), expected, "{function:?} of {numbers:?}");
    }

    #[test]
    fn aggregates() {
        let numbers = [3.0, -1.5, 4.0];
        check(Function::Sum, &numbers, "5.5");
        check(Function::Min, &numbers, "-1.5");
        check(Function::Max, &numbers, "4");
        check(Function::Count, &numbers, "3");
        check(Function::Max, &[-3.0, -7.0], "-3");
        check(Function::Avg, &[1.0, 2.0], "1.5");
        check(Function::Min, &[], "null");
    }

    #[test]
    fn sums_do_not_drift() {
        check(Function::Sum, &[0.1; 1_000], "100");
        check(Function::Sum, &[1e16, 1.0, -1e16], "1");
    }

    #[test]
    fn a_sum_beyond_json_is_null() {
        check(Function::Sum, &[f64::MAX, f64::MAX], "null");
    }
}
