//! Sizes and durations as people write them: `"128 MiB"`, `"60 s"`.

use std::time::Duration;

const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
const DURATIONS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("min", 60_000), ("h", 3_600_000)];

/// Bytes; none if it is no size above zero.
pub(super) fn size(text: &str) -> Option<u64> {
    quantity(text, &SIZES)
}

/// None if it is no time above zero.
pub(super) fn duration(text: &str) -> Option<Duration> {
    quantity(text, &DURATIONS).map(Duration::from_millis)
}

/// In the largest unit that leaves no rest.
pub(crate) fn size_text(bytes: u64) -> String {
    text(bytes, &SIZES)
}

pub(super) fn duration_text(duration: Duration) -> String {
    text(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), &DURATIONS)
}

fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim_start_matches(' '))?;
    number.parse::<u64>().ok()?.checked_mul(*factor).filter(|value| *value > 0)
}

fn text(value: u64, units: &[(&str, u64)]) -> String {
    let unit = units.iter().rev().find(|(_, factor)| value >= *factor && value.is_multiple_of(*factor));
    unit.map_or_else(|| format!("0 {}", units[0].0), |(name, factor)| format!("{} {name}", value / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        for (text, bytes) in [("1 B", 1), ("64 KiB", 65_536), ("128MiB", 128 << 20), ("2 GiB", 2 << 30)] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        for text in [
            "128",
            "",
            "MiB",
            "1 MB",
            "1.5 MiB",
            "-1 B",
            "0 MiB",
            "99999999999999999999 B",
            "17179869184 GiB",
        ] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn durations_have_a_unit() {
        for (text, milliseconds) in
            [("250 ms", 250), ("60 s", 60_000), ("15min", 900_000), ("1 h", 3_600_000)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(duration("60"), None);
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for bytes in [1, 1_000, 1 << 10, 3 << 19, 1 << 30, 5 << 40] {
            assert_eq!(size(&size_text(bytes)), Some(bytes));
        }
        assert_eq!(size_text(128 << 20), "128 MiB");
        assert_eq!(size_text(0), "0 B");
        assert_eq!(duration_text(Duration::from_secs(90)), "90 s");
    }
}
