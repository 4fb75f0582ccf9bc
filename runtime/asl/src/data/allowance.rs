//! What the states of one step may spend on computing their fields, all together.
//!
//! One thread drives every execution, and a definition of 1 MiB has room for 60,000 expressions: a bound for each of
//! them alone would let one execution hold all others up for hours.

use std::cell::Cell;
use std::time::Duration;

/// Ours: values that the paths of one step may look at. A payload of 256 KiB holds at most 131,072 of them.
const VISITS_MAX: usize = 16_000_000;
/// Ours: bytes of all values that the intrinsic functions of one step work on.
const BYTES_MAX: usize = 64 << 20;
/// Ours: how long the JSONata expressions of one step may compute. `$map` over the largest array that fits into a
/// payload takes a fifth of it; the rest is for machines that are slow or busy.
const TIME_MAX: Duration = Duration::from_secs(1);
/// A step that has spent this part of its allowance, and is between two states, gives way to other executions.
const TURN_PART: u32 = 16;

/// Tells the time that has passed since some instant. It is there for limits alone: nothing else may depend on it.
pub type Stopwatch = fn() -> Duration;

/// The stopwatch of those who do without: no time passes.
pub fn stopped() -> Duration {
    Duration::ZERO
}

/// What is left for the rest of a step.
#[derive(Debug)]
pub struct Allowance {
    visits: Cell<usize>,
    bytes: Cell<usize>,
    time: Cell<Duration>,
    stopwatch: Stopwatch,
}

impl Allowance {
    pub fn new(stopwatch: Stopwatch) -> Allowance {
        Allowance {
            visits: Cell::new(VISITS_MAX),
            bytes: Cell::new(BYTES_MAX),
            time: Cell::new(TIME_MAX),
            stopwatch,
        }
    }

    #[cfg(test)]
    pub(crate) fn with_time(self, time: Duration) -> Allowance {
        Allowance { time: Cell::new(time), ..self }
    }

    /// Whether the step has had its turn.
    pub(crate) fn is_used(&self) -> bool {
        self.visits.get() < VISITS_MAX - VISITS_MAX / TURN_PART as usize
            || self.bytes.get() < BYTES_MAX - BYTES_MAX / TURN_PART as usize
            || self.time.get() < TIME_MAX - TIME_MAX / TURN_PART
    }

    pub(crate) fn visits(&self) -> &Cell<usize> {
        &self.visits
    }

    pub(crate) fn bytes(&self) -> &Cell<usize> {
        &self.bytes
    }

    /// Evaluates an expression in the time that is left; none if there is none.
    pub(crate) fn timed<T>(&self, evaluate: impl FnOnce(Duration) -> T) -> Option<T> {
        let left = self.time.get();
        if left.is_zero() {
            return None;
        }
        let started = (self.stopwatch)();
        let result = evaluate(left);
        self.time.set(left.saturating_sub((self.stopwatch)().saturating_sub(started)));
        Some(result)
    }
}
