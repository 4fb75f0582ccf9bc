//! What the calls of a module lately took, which says what the next one will take.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// More than the limit of each lane, and little enough to be forgotten within some hundred calls.
const LEARNED_MAX: Duration = Duration::from_millis(20);
/// A call that took more than usual counts an eighth: one in many that takes milliseconds is enough to be careful with all,
/// and one that met with a fault or two changes nothing.
const RISE: u64 = 8;
/// One that took less counts half of that.
const FALL: u64 = 16;

/// A moving average of CPU time. Two calls that end at once may lose what one of them taught.
#[derive(Debug, Default)]
pub(crate) struct Habit(AtomicU64);

impl Habit {
    pub(crate) fn expected(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    pub(crate) fn learn(&self, spent: Duration) {
        let spent = u64::try_from(spent.min(LEARNED_MAX).as_nanos()).unwrap_or(u64::MAX);
        let before = self.0.load(Ordering::Relaxed);
        let now =
            if spent > before { before + (spent - before) / RISE } else { before - (before - spent) / FALL };
        if now != before {
            self.0.store(now, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Duration = Duration::from_micros(20);
    const LARGE: Duration = Duration::from_millis(2);

    #[test]
    fn a_large_call_is_remembered_for_a_while() {
        let habit = Habit::default();
        (0..1_000).for_each(|_| habit.learn(SMALL));
        assert!(habit.expected() <= SMALL, "{habit:?}");
        habit.learn(LARGE);
        assert!(habit.expected() >= LARGE / 10, "{habit:?}");
        (0..10).for_each(|_| habit.learn(SMALL));
        assert!(habit.expected() >= LARGE / 20, "{habit:?}");
        (0..100).for_each(|_| habit.learn(SMALL));
        assert!(habit.expected() <= 2 * SMALL, "{habit:?}");
    }

    #[test]
    fn a_little_more_once_changes_little() {
        let habit = Habit::default();
        (0..1_000).for_each(|_| habit.learn(SMALL));
        habit.learn(10 * SMALL);
        assert!(habit.expected() <= 3 * SMALL, "{habit:?}");
    }

    #[test]
    fn no_call_is_remembered_for_ever() {
        let habit = Habit::default();
        (0..100).for_each(|_| habit.learn(Duration::MAX));
        (0..200).for_each(|_| habit.learn(SMALL));
        assert!(habit.expected() <= 2 * SMALL, "{habit:?}");
    }
}
