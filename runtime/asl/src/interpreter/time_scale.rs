//! How long a time that a definition asks for lasts, so that a test need not wait for it.

use std::fmt;
use std::str::FromStr;

use crate::data::timestamp::Timestamp;

/// A factor from 0 to 1 for Wait states and for the delays before retries. Timeouts and heartbeats are not scaled,
/// since the work that they bound is not faster either.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeScale(f64);

/// The text is no factor from 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it must be a number from 0 to 1, such as 0.01 for a hundredth of the time or 0 for no waiting")]
pub struct InvalidTimeScale;

impl TimeScale {
    /// Times last as long as they say.
    pub const REAL: TimeScale = TimeScale(1.0);

    pub fn new(factor: f64) -> Option<TimeScale> {
        // A negative zero would be shown as such.
        (0.0..=1.0).contains(&factor).then(|| TimeScale(factor.abs()))
    }

    pub fn is_real(self) -> bool {
        self == TimeScale::REAL
    }

    /// A delay as it is waited for.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a year is below 2^53")]
    pub(super) fn of_milliseconds(self, milliseconds: i64) -> i64 {
        if self.is_real() { milliseconds } else { (milliseconds as f64 * self.0).round() as i64 }
    }

    /// A time that is still to come as it is waited for from now on.
    pub(super) fn of_time(self, until: Timestamp, now: Timestamp) -> Timestamp {
        let delay = until.as_milliseconds().saturating_sub(now.as_milliseconds());
        now.saturating_add_milliseconds(self.of_milliseconds(delay))
    }
}

impl FromStr for TimeScale {
    type Err = InvalidTimeScale;

    fn from_str(text: &str) -> Result<TimeScale, InvalidTimeScale> {
        text.parse().ok().and_then(TimeScale::new).ok_or(InvalidTimeScale)
    }
}

impl fmt::Display for TimeScale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_is_a_number_from_0_to_1() {
        for (text, shown) in
            [("0", "0"), ("-0", "0"), ("0.01", "0.01"), ("1", "1"), ("1.0", "1"), ("1e-3", "0.001")]
        {
            assert_eq!(
                text.parse::<TimeScale>().map(|scale| scale.to_string()).as_deref(),
                Ok(shown),
                "{text}"
            );
        }
        for text in ["", "-0.1", "1.01", "10", "NaN", "inf", "fast", "0,5"] {
            assert_eq!(text.parse::<TimeScale>(), Err(InvalidTimeScale), "{text}");
        }
    }

    #[test]
    fn a_scaled_time_lies_between_now_and_its_own() {
        let (now, year) = (Timestamp::from_milliseconds(1_000_000), 31_536_000_000);
        let after = |scale: f64, milliseconds| {
            let until = now.saturating_add_milliseconds(milliseconds);
            TimeScale::new(scale).unwrap().of_time(until, now).as_milliseconds() - now.as_milliseconds()
        };
        assert_eq!(after(1.0, year), year);
        assert_eq!(after(0.01, 1_000), 10);
        assert_eq!(after(0.5, 1), 1);
        assert_eq!(after(0.001, 1), 0);
        assert_eq!(after(0.0, year), 0);
    }
}
