//! Instants in whole milliseconds, and the one text form in which AWS reads and prints them.

use std::fmt;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};

/// Java reads at most nine digits of a fraction, that is nanoseconds.
const FRACTION_DIGITS_MAX: usize = 9;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] i64);

/// The text is not an RFC 3339 timestamp as Amazon States Language wants it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("String does not match RFC3339 timestamp")]
pub struct InvalidTimestamp;

impl Timestamp {
    pub const EPOCH: Timestamp = Timestamp(0);

    pub const fn from_milliseconds(milliseconds: i64) -> Timestamp {
        Timestamp(milliseconds)
    }

    pub const fn as_milliseconds(self) -> i64 {
        self.0
    }

    /// The number that the AWS API sends: seconds, with the milliseconds after the point.
    #[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years around the epoch")]
    pub fn as_epoch_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    pub const fn saturating_add_milliseconds(self, milliseconds: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(milliseconds))
    }

    pub const fn saturating_add_seconds(self, seconds: i64) -> Timestamp {
        self.saturating_add_milliseconds(seconds.saturating_mul(1000))
    }

    /// Reads a timestamp; digits beyond the millisecond are cut off.
    //= https://states-language.net/spec.html#timestamps
    //# These are strings which MUST conform to the RFC3339 profile of ISO 8601, with the further
    //# restrictions that an uppercase "T" character MUST be used to separate date and time, and an
    //# uppercase "Z" character MUST be present in the absence of a numeric time zone offset
    pub fn parse_rfc3339(text: &str) -> Result<Timestamp, InvalidTimestamp> {
        parse(text).ok_or(InvalidTimestamp)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only instants 260,000 years away have no calendar date; they print as the furthest one that has.
        let furthest = if self.0 < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
        let date = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or(furthest);
        formatter.write_str(&date.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

fn parse(text: &str) -> Option<Timestamp> {
    let mut rest = text.as_bytes();
    let year = digits(&mut rest, 4)?;
    byte(&mut rest, b'-')?;
    let month = digits(&mut rest, 2)?;
    byte(&mut rest, b'-')?;
    let day = digits(&mut rest, 2)?;
    byte(&mut rest, b'T')?;
    let hour = digits(&mut rest, 2)?;
    byte(&mut rest, b':')?;
    let minute = digits(&mut rest, 2)?;
    byte(&mut rest, b':')?;
    let second = digits(&mut rest, 2)?;
    let milliseconds = fraction(&mut rest)?;
    let offset_seconds = offset(&mut rest)?;
    if !rest.is_empty() {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    let local = date.and_hms_milli_opt(hour, minute, second, milliseconds)?;
    Some(Timestamp(local.and_utc().timestamp_millis() - i64::from(offset_seconds) * 1000))
}

fn byte(rest: &mut &[u8], wanted: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[wanted])?;
    Some(())
}

fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (head, tail) = rest.split_at_checked(count)?;
    let number = head
        .iter()
        .try_fold(0u32, |number, byte| byte.is_ascii_digit().then(|| number * 10 + u32::from(byte - b'0')))?;
    *rest = tail;
    Some(number)
}

/// An optional point with digits after it, in milliseconds.
fn fraction(rest: &mut &[u8]) -> Option<u32> {
    if byte(rest, b'.').is_none() {
        return Some(0);
    }
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count == 0 || count > FRACTION_DIGITS_MAX {
        return None;
    }
    let (head, tail) = rest.split_at_checked(count)?;
    let digit = |at: usize| head.get(at).map_or(0, |byte| u32::from(byte - b'0'));
    *rest = tail;
    Some(digit(0) * 100 + digit(1) * 10 + digit(2))
}

/// `Z` or an offset from UTC, in seconds.
fn offset(rest: &mut &[u8]) -> Option<i32> {
    if byte(rest, b'Z').is_some() {
        return Some(0);
    }
    let sign = match rest.first()? {
        b'+' => 1,
        b'-' => -1,
        _other => return None,
    };
    *rest = rest.get(1..)?;
    let hours = digits(rest, 2)?;
    byte(rest, b':')?;
    let minutes = digits(rest, 2)?;
    // Java's `ZoneOffset` ends at 18 hours.
    if minutes > 59 || hours * 60 + minutes > 18 * 60 {
        return None;
    }
    Some(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let actual =
            Timestamp::parse_rfc3339(text).map_or_else(|error| error.to_string(), |at| at.to_string());
        assert_eq!(actual, expected, "{text:?}");
    }

    #[test]
    fn accepts_rfc_3339() {
        //= https://states-language.net/spec.html#timestamps
        //= type=test
        //# These are strings which MUST conform to the RFC3339 profile of ISO 8601, with the further
        //# restrictions that an uppercase "T" character MUST be used to separate date and time, and an
        //# uppercase "Z" character MUST be present in the absence of a numeric time zone offset
        check("2016-03-14T01:59:00Z", "2016-03-14T01:59:00.000Z");
        check("2016-03-05T21:29:29.243167252Z", "2016-03-05T21:29:29.243Z");
        check("2024-02-29T23:59:59.9Z", "2024-02-29T23:59:59.900Z");
        check("2012-10-09T19:00:55+01:00", "2012-10-09T18:00:55.000Z");
        check("2012-10-09T19:00:55.5-00:30", "2012-10-09T19:30:55.500Z");
        check("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
        check("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z");
    }

    #[test]
    fn rejects_what_aws_rejects() {
        const INVALID: &str = "String does not match RFC3339 timestamp";
        for text in [
            "",
            " ",
            "date",
            "05-12-2016T21:29:29Z",
            "2016-12-05T25:29:29Z",
            "2016-12-05 21:29:29Z",
            "2016-12-05T21:29:29",
            "2023-02-24",
            "2023-02-24 12:15:56.832957",
            "2016-12-05t21:29:29Z",
            "2016-12-05T21:29:29z",
            "2016-12-05T21:29Z",
            "2016-12-05T24:00:00Z",
            "2016-12-05T23:59:60Z",
            "2016-02-30T21:29:29Z",
            "2016-12-05T21:29:29.Z",
            "2016-12-05T21:29:29.1234567890Z",
            "2016-12-05T21:29:29+0100",
            "2016-12-05T21:29:29+19:00",
            "2016-12-05T21:29:29Z ",
            "２016-12-05T21:29:29Z",
        ] {
            check(text, INVALID);
        }
    }

    #[test]
    fn counts_as_the_api_does() {
        let at = Timestamp::parse_rfc3339("2024-01-01T00:00:00.123Z").unwrap();
        assert_eq!(at.as_milliseconds(), 1_704_067_200_123);
        assert_eq!(at.as_epoch_seconds().to_string(), "1704067200.123");
        assert_eq!(at.saturating_add_seconds(60).to_string(), "2024-01-01T00:01:00.123Z");
        assert_eq!(at.saturating_add_seconds(i64::MAX), Timestamp::from_milliseconds(i64::MAX));
        assert!(at < at.saturating_add_milliseconds(1));
    }

    #[test]
    fn prints_instants_without_a_date() {
        assert!(Timestamp::from_milliseconds(i64::MAX).to_string().starts_with("+262142-12-31"));
        assert!(Timestamp::from_milliseconds(i64::MIN).to_string().starts_with("-262143-01-01"));
    }

    #[test]
    fn is_stored_as_its_milliseconds() {
        let at = Timestamp::from_milliseconds(-5);
        assert_eq!(minicbor::to_vec(at).unwrap(), minicbor::to_vec(-5_i64).unwrap());
        assert_eq!(minicbor::decode::<Timestamp>(&minicbor::to_vec(at).unwrap()).unwrap(), at);
    }
}
