//! The functions that Step Functions adds to JSONata, those whose answer must not depend on the clock or the
//! system's randomness, and those with which `guard` measures values.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::{JValue, with_stack};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::data::intrinsics;

use super::convert;
use super::engine::SEQUENCE_LENGTH_MAX;
use super::guard::{BOUND, FILLED, MILLIS, PICK, RANGE_END, RANGE_START, TIMES, URL, URL_PART, WHOLE, WIDTH};
use super::urls;

/// Ours: the size of one value within an expression, in bytes of text and places in arrays and objects. Eight
/// times what a payload may hold.
pub(super) const VALUE_SIZE_MAX: usize = 2 << 20;
/// Ours: the sizes of all values that one expression makes, those that it drops again too.
pub(super) const EVALUATION_SIZE_MAX: usize = 256 << 20;
/// Ours: what `$replace` and `$join` may write in one go.
const WRITTEN_SIZE_MAX: usize = 32 << 20;
/// AWS: numbers that States.ArrayRange gives; its documentation names the same for `$range`.
const RANGE_LENGTH_MAX: f64 = 1_000.0;
/// About what a place in an array takes in the engine.
const PLACE_SIZE: usize = 16;

/// Every function that an expression can call without having made it.
const NAMES: &str = "abs append assert average base64decode base64encode boolean ceil contains count decodeUrl \
    decodeUrlComponent distinct each encodeUrl encodeUrlComponent error eval exists filter floor formatBase \
    formatInteger formatNumber fromMillis hash join keys length lookup lowercase map match max merge millis min not \
    now number pad parse parseInteger partition power random range reduce replace reverse round shuffle sift single \
    sort split spread sqrt string substring substringAfter substringBefore sum toMillis trim type uppercase uuid zip";

/// Whether a name is that of a function.
pub(crate) fn is_function(name: &str) -> bool {
    NAMES.split_whitespace().any(|function| function == name)
}

type Answer = Result<JValue, EvaluatorError>;

/// What the functions of one evaluation share.
pub(super) struct State {
    made: Cell<usize>,
    /// The starts of ranges whose ends are being computed.
    starts: RefCell<Vec<f64>>,
    random: RefCell<ChaCha8Rng>,
    milliseconds: i64,
}

impl State {
    pub(super) fn new(seed: [u8; 32], milliseconds: i64) -> Rc<State> {
        let random = RefCell::new(ChaCha8Rng::from_seed(seed));
        Rc::new(State { made: Cell::new(0), starts: RefCell::default(), random, milliseconds })
    }

    /// Counts a value that is there now.
    fn bound(&self, value: &JValue) -> Result<(), EvaluatorError> {
        let mut left = VALUE_SIZE_MAX;
        measure(value, &mut left).ok_or_else(too_large)?;
        let own = match value {
            JValue::String(text) => text.len(),
            JValue::Array(items) => items.len() * PLACE_SIZE,
            JValue::Object(members) => members.len() * 3 * PLACE_SIZE,
            JValue::Null
            | JValue::Bool(_)
            | JValue::Number(_)
            | JValue::Undefined
            | JValue::Lambda(_)
            | JValue::Builtin { .. }
            | JValue::Regex { .. } => 0,
        };
        self.make(own)
    }

    fn make(&self, size: usize) -> Result<(), EvaluatorError> {
        self.made.set(self.made.get().saturating_add(size));
        if self.made.get() > EVALUATION_SIZE_MAX { Err(too_large()) } else { Ok(()) }
    }
}

fn measure(value: &JValue, left: &mut usize) -> Option<()> {
    match value {
        JValue::Null
        | JValue::Bool(_)
        | JValue::Number(_)
        | JValue::Undefined
        | JValue::Lambda(_)
        | JValue::Builtin { .. }
        | JValue::Regex { .. } => {
            *left = left.checked_sub(1)?;
            Some(())
        }
        JValue::String(text) => {
            *left = left.checked_sub(text.len() + 1)?;
            Some(())
        }
        JValue::Array(items) => with_stack(|| {
            *left = left.checked_sub(1)?;
            items.iter().try_for_each(|item| measure(item, left))
        }),
        JValue::Object(members) => with_stack(|| {
            *left = left.checked_sub(1)?;
            members.iter().try_for_each(|(name, member)| {
                *left = left.checked_sub(name.len())?;
                measure(member, left)
            })
        }),
    }
}

fn too_large() -> EvaluatorError {
    error("U1901: The expression makes more data than an expression may")
}

fn error(text: impl Into<String>) -> EvaluatorError {
    EvaluatorError::EvaluationError(text.into())
}

/// Makes the functions known to an evaluator.
pub(super) fn register(evaluator: &mut Evaluator, state: &Rc<State>) -> Result<(), EvaluatorError> {
    register_guards(evaluator, state)?;
    let with_state = |function: fn(&State, &[JValue]) -> Answer| {
        let state = Rc::clone(state);
        move |args: &[JValue]| function(&state, args)
    };
    evaluator.register_fn_override(MILLIS, with_state(millis))?;
    evaluator.register_fn_override(
        "now",
        with_state(|_, _| Err(error("T1006: $now can only be called by name"))),
    )?;
    evaluator.register_fn_override("random", with_state(random))?;
    evaluator.register_fn_override("shuffle", with_state(shuffle))?;
    evaluator.register_fn_override("eval", |_: &[JValue]| {
        Err(error("T1006: Attempted to invoke a non-function"))
    })?;
    evaluator.register_fn("uuid", with_state(uuid))?;
    evaluator.register_fn("hash", hash)?;
    evaluator.register_fn("partition", partition)?;
    evaluator.register_fn("range", range)?;
    evaluator.register_fn("parse", parse)?;
    Ok(())
}

fn register_guards(evaluator: &mut Evaluator, state: &Rc<State>) -> Result<(), EvaluatorError> {
    let shared = Rc::clone(state);
    evaluator.register_fn(BOUND, move |args: &[JValue]| {
        let value = argument(args, 0);
        shared.bound(&value)?;
        Ok(value)
    })?;
    evaluator.register_fn(WIDTH, |args: &[JValue]| {
        let width = argument(args, 0);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let is_too_wide = width.as_f64().is_some_and(|width| width.abs() > VALUE_SIZE_MAX as f64);
        if is_too_wide { Err(too_large()) } else { Ok(width) }
    })?;
    evaluator.register_fn(TIMES, |args: &[JValue]| {
        let copy = argument(args, 1);
        let times = match args.first() {
            Some(JValue::Array(items)) => items.len(),
            Some(value) => value.as_str().map_or(1, |text| text.len() + 1),
            None => 1,
        };
        match copy.as_str() {
            Some(text) if text.len().saturating_mul(times) > WRITTEN_SIZE_MAX => Err(too_large()),
            Some(_) | None => Ok(copy),
        }
    })?;
    let shared = Rc::clone(state);
    evaluator.register_fn(RANGE_START, move |args: &[JValue]| {
        let start = argument(args, 0);
        shared.starts.borrow_mut().push(start.as_f64().unwrap_or_default());
        Ok(start)
    })?;
    let shared = Rc::clone(state);
    evaluator.register_fn(RANGE_END, move |args: &[JValue]| {
        let end = argument(args, 0);
        let start = shared.starts.borrow_mut().pop().unwrap_or_default();
        let length = end.as_f64().unwrap_or_default() - start;
        // A range of more than that is refused by the engine.
        if length > 0.0 && length <= SEQUENCE_LENGTH_MAX as f64 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the limit")]
            shared.make(length as usize * PLACE_SIZE)?;
        }
        Ok(end)
    })?;
    evaluator.register_fn(FILLED, |args: &[JValue]| {
        let value = argument(args, 0);
        let is_empty = matches!(&value, JValue::Array(items) if items.is_empty());
        Ok(if is_empty { JValue::Undefined } else { value })
    })?;
    evaluator.register_fn(WHOLE, |args: &[JValue]| {
        let value = argument(args, 0);
        Ok(value.as_f64().map_or(value, |number| JValue::Number(number.trunc())))
    })?;
    let on_text = |rewrite: fn(&str) -> String| {
        move |args: &[JValue]| {
            let text = argument(args, 0);
            Ok(text.as_str().map_or_else(|| text.clone(), |plain| JValue::string(rewrite(plain))))
        }
    };
    evaluator.register_fn(URL, on_text(urls::encoded))?;
    evaluator.register_fn(URL_PART, on_text(urls::part))?;
    evaluator.register_fn(PICK, |args: &[JValue]| {
        let is_built_in = matches!(args.first(), Some(JValue::Builtin { .. }));
        Ok(argument(args, usize::from(is_built_in)))
    })
}

fn argument(args: &[JValue], at: usize) -> JValue {
    args.get(at).cloned().unwrap_or(JValue::Undefined)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of any year that is written with four digits")]
fn millis(state: &State, _: &[JValue]) -> Answer {
    Ok(JValue::Number(state.milliseconds as f64))
}

/// A number from 0 to below 1. The same seed gives the same number.
#[expect(clippy::cast_precision_loss, reason = "53 bits")]
fn random(state: &State, args: &[JValue]) -> Answer {
    let bits = match number(args, 0, "random")? {
        None => state.random.borrow_mut().next_u64(),
        Some(seed) => ChaCha8Rng::seed_from_u64(seed.to_bits()).next_u64(),
    };
    Ok(JValue::Number((bits >> 11) as f64 / (1_u64 << 53) as f64))
}

/// Each order is as likely as any other (Fisher and Yates).
fn shuffle(state: &State, args: &[JValue]) -> Answer {
    let value = argument(args, 0);
    if value.is_undefined() {
        return Ok(value);
    }
    let mut items = value.as_array().cloned().unwrap_or_else(|| vec![value]);
    let mut random = state.random.borrow_mut();
    for last in (1..items.len()).rev() {
        let other = (u128::from(random.next_u64()) * (last as u128 + 1)) >> 64;
        items.swap(last, usize::try_from(other).unwrap_or(last));
    }
    Ok(JValue::array(items))
}

fn uuid(state: &State, _: &[JValue]) -> Answer {
    let mut random = state.random.borrow_mut();
    let (high, low) = (random.next_u64(), random.next_u64());
    Ok(JValue::string(intrinsics::uuid_text(high, low)))
}

fn hash(args: &[JValue]) -> Answer {
    let Some(data) = text(args, 0, "hash")? else { return Ok(JValue::Undefined) };
    let Some(name) = text(args, 1, "hash")? else {
        return Err(wrong_type("hash", 2, "a string", &JValue::Undefined));
    };
    intrinsics::digest(&name, &data).map(JValue::string).ok_or_else(|| {
        error(format!("D3900: The algorithm must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512 but was: {name}"))
    })
}

fn partition(args: &[JValue]) -> Answer {
    let value = argument(args, 0);
    if value.is_undefined() {
        return Ok(value);
    }
    let Some(items) = value.as_array() else { return Err(wrong_type("partition", 1, "an array", &value)) };
    let Some(size) = number(args, 1, "partition")? else {
        return Err(wrong_type("partition", 2, "a number", &JValue::Undefined));
    };
    if !(1.0..9e15).contains(&size.floor()) {
        return Err(error(format!("D3901: The size of a part must be at least 1 but was: {size}")));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 9e15")]
    let size = size.floor() as usize;
    Ok(JValue::array(items.chunks(size).map(|part| JValue::array(part.to_vec())).collect()))
}

/// The numbers from the first argument to the second one, which is among them if a step leads there. Recorded: a
/// single number stands without an array, as what a path selects does.
fn range(args: &[JValue]) -> Answer {
    let (first, last) = (number(args, 0, "range")?, number(args, 1, "range")?);
    let (Some(first), Some(last)) = (first, last) else { return Ok(JValue::Undefined) };
    let Some(step) = number(args, 2, "range")? else {
        return Err(wrong_type("range", 3, "a number", &JValue::Undefined));
    };
    if step == 0.0 {
        return Err(error("D3902: The step of a range must not be 0"));
    }
    let count = ((last - first) / step).floor() + 1.0;
    if count > RANGE_LENGTH_MAX {
        return Err(error(format!("D3903: A range has at most {RANGE_LENGTH_MAX} numbers")));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 1,000, below 0 none"
    )]
    let count = count as u32;
    let numbers = (0..count).map(|at| JValue::Number(first + f64::from(at) * step)).collect();
    Ok(if count == 1 { JValue::sequence(numbers) } else { JValue::array(numbers) })
}

fn parse(args: &[JValue]) -> Answer {
    let Some(data) = text(args, 0, "parse")? else { return Ok(JValue::Undefined) };
    match serde_json::from_str(&data) {
        Ok(value) => Ok(convert::into_engine(&value)),
        Err(why) => Err(error(format!("D3904: The text given to $parse is not JSON: {why}"))),
    }
}

/// A text, or nothing where the argument is undefined.
fn text(args: &[JValue], at: usize, function: &str) -> Result<Option<Rc<str>>, EvaluatorError> {
    let value = argument(args, at);
    match value.as_rc_str() {
        Some(text) => Ok(Some(Rc::clone(text))),
        None if value.is_undefined() => Ok(None),
        None => Err(wrong_type(function, at + 1, "a string", &value)),
    }
}

/// A number, or nothing where the argument is undefined.
fn number(args: &[JValue], at: usize, function: &str) -> Result<Option<f64>, EvaluatorError> {
    let value = argument(args, at);
    match value.as_f64() {
        Some(number) => Ok(Some(number)),
        None if value.is_undefined() => Ok(None),
        None => Err(wrong_type(function, at + 1, "a number", &value)),
    }
}

/// The engine's own text for an argument of another type.
fn wrong_type(function: &str, position: usize, wanted: &str, value: &JValue) -> EvaluatorError {
    let found = match value {
        JValue::Null => "null",
        JValue::Bool(_) => "a boolean",
        JValue::Number(_) => "a number",
        JValue::String(_) => "a string",
        JValue::Array(_) => "an array",
        JValue::Object(_) => "an object",
        JValue::Undefined => "nothing",
        JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => "a function",
    };
    error(format!("T0410: Argument {position} of function \"{function}\" must be {wanted} but was {found}"))
}
