//! `States.MathAdd` and `States.MathRandom`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::Value;

use super::evaluate::{Arguments, Source};

/// Rounds to the nearest integer, halves up as Java does, if that is one of 64 bits.
#[expect(clippy::cast_possible_truncation, reason = "the bounds are checked")]
pub(super) fn round(number: f64) -> Option<i64> {
    /// The integers between are those of 64 bits.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    let floor = number.floor();
    let rounded = if number - floor >= 0.5 { floor + 1.0 } else { floor };
    (-BOUND..BOUND).contains(&rounded).then_some(rounded as i64)
}

pub(super) fn add(arguments: &Arguments) -> Result<Value, String> {
    let (left, right) = (integer_32(arguments, 0)?, integer_32(arguments, 1)?);
    match left.checked_add(right) {
        Some(sum) => Ok(Value::from(sum)),
        None => Err("The result is not an integer of 32 bits".to_owned()),
    }
}

/// A number between the first argument and, exclusive, the second one. The same seed gives the same number.
pub(super) fn random(arguments: &Arguments, source: &mut dyn Source) -> Result<Value, String> {
    let (start, end) = (integer_32(arguments, 0)?, integer_32(arguments, 1)?);
    if start >= end {
        return Err(format!("The start {start} must be less than the end {end}"));
    }
    let random = match arguments.all().len() {
        3 => ChaCha8Rng::seed_from_u64(arguments.integer(2)?.cast_unsigned()).next_u64(),
        _ => source.random_u64(),
    };
    let range = u128::from(end.abs_diff(start));
    // The upper half of the product is evenly spread below `range`, but for one part in 2^32.
    let offset = (u128::from(random) * range) >> 64;
    i64::try_from(offset)
        .map(|offset| Value::from(i64::from(start) + offset))
        .map_err(|error| error.to_string())
}

/// AWS: the arguments and results of its arithmetic are integers of 32 bits.
fn integer_32(arguments: &Arguments, at: usize) -> Result<i32, String> {
    let integer = arguments.integer(at)?;
    i32::try_from(integer).map_err(|_| format!("Argument {} is not an integer of 32 bits: {integer}", at + 1))
}

#[cfg(test)]
mod tests {
    use super::super::evaluate::tests::check;

    #[test]
    fn adds_rounded_numbers() {
        check("States.MathAdd($.a, -1)", r#"{"a":3}"#, "2");
        check("States.MathAdd(1.5, 1.51)", "{}", "4");
        check("States.MathAdd(-1.5, -1.51)", "{}", "-3");
        check("States.MathAdd(1.49, 1.5)", "{}", "3");
        check("States.MathAdd(0.49999999999999994, 0)", "{}", "0");
        check("States.MathAdd(2147483647, -2147483648)", "{}", "-1");
        check(
            "States.MathAdd(2147483647, 1)",
            "{}",
            "IntrinsicFailure: The result is not an integer of 32 bits",
        );
        check(
            "States.MathAdd(2147483648, 0)",
            "{}",
            "IntrinsicFailure: Argument 1 is not an integer of 32 bits: 2147483648",
        );
        check("States.MathAdd(0, 1e300)", "{}", "IntrinsicFailure: Argument 2 is out of range: 1e+300");
        check(
            "States.MathAdd('1', 1)",
            "{}",
            "IntrinsicFailure: Argument 1 must be a number but was: string",
        );
    }

    #[test]
    fn draws_numbers() {
        // The source counts in steps of 0x0123..., which is near the lower end.
        check("States.MathRandom(12.5, 44.51)", "{}", "13");
        check("States.MathRandom(9999, 99999)", "{}", "10398");
        check("States.MathRandom(-99999, -9999)", "{}", "-99600");
        check("States.MathRandom(7, 8)", "{}", "7");
        check("States.MathRandom(-2147483648, 2147483647)", "{}", "-2128394905");
        check("States.MathRandom(1, 1)", "{}", "IntrinsicFailure: The start 1 must be less than the end 1");
    }

    #[test]
    fn a_seed_gives_the_same_number_for_ever() {
        check("States.MathRandom(0, 1000000, 42)", "{}", "681896");
        check("States.MathRandom(0, 1000000, -42)", "{}", "33641");
    }
}
