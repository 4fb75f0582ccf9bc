//! The changing requests that were seen, so that who overhears one cannot send it again.
//!
//! boto3 and the AWS CLI sign nothing that tells two equal calls of one second apart, so an equal signature may be a
//! second call. They do number their attempts in two headers beside it. So what is taken once is a signature with these
//! headers, and the signature alone with other ones for as long as a client may still be on its way.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use asl::Timestamp;
use axum::http::HeaderMap;
use sha2::{Digest, Sha256};

use crate::limits::{MARKS_SEEN_MAX, SIGNATURE_REPEAT_SECONDS};

pub(super) type Signature = [u8; 32];

/// What AWS SDKs put into every attempt, so that no two are alike. Not all of them sign it.
pub(super) const ATTEMPT_HEADERS: [&str; 2] = ["amz-sdk-invocation-id", "amz-sdk-request"];

/// A request as it can be told from others: the first half of a signature, or of a digest over one and the headers of its
/// attempt. Nobody without a key can choose either.
type Mark = [u8; 16];

#[derive(Debug, Default)]
pub(super) struct Replays(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// When each came first.
    first: HashMap<Mark, Timestamp>,
    /// Until when each must be known, in the order in which they came.
    until: VecDeque<(Timestamp, Mark)>,
}

impl Replays {
    /// Whether a request may be done now. `until` is when its signature expires by itself; `attempt` has what tells it
    /// from others under the same signature, unless that is signed.
    pub(super) fn admit(
        &self,
        signature: &Signature,
        until: Timestamp,
        attempt: Option<Mark>,
        now: Timestamp,
    ) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget(now);
        let signature = half(signature);
        let is_known = match (seen.first.get(&signature), attempt) {
            (None, _) => false,
            (Some(_), None) => return false,
            (Some(first), Some(attempt)) => {
                let is_late = now > first.saturating_add_seconds(SIGNATURE_REPEAT_SECONDS);
                if is_late || seen.first.contains_key(&attempt) {
                    return false;
                }
                true
            }
        };
        if !is_known {
            seen.remember(signature, until, now);
        }
        if let Some(attempt) = attempt {
            seen.remember(attempt, until, now);
        }
        true
    }
}

/// What tells this attempt of a call from others that are signed alike. Without the headers all of them are one.
pub(super) fn attempt(signature: &Signature, headers: &HeaderMap) -> Mark {
    let mut digest = Sha256::new_with_prefix(signature);
    for name in ATTEMPT_HEADERS {
        for value in headers.get_all(name) {
            digest.update(value.as_bytes());
            // No value has a line end.
            digest.update(b"\n");
        }
        digest.update(b"\n");
    }
    half(&digest.finalize().into())
}

fn half(bytes: &[u8; 32]) -> Mark {
    let mut half = Mark::default();
    half.copy_from_slice(&bytes[..16]);
    half
}

impl Seen {
    fn remember(&mut self, mark: Mark, until: Timestamp, now: Timestamp) {
        if self.until.len() == MARKS_SEEN_MAX {
            // Only who has a key gets this far. The oldest is the one that expires first, or nearly.
            self.forget_oldest();
        }
        self.first.insert(mark, now);
        self.until.push_back((until, mark));
    }

    fn forget(&mut self, now: Timestamp) {
        while self.until.front().is_some_and(|(until, _)| *until < now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, mark)) = self.until.pop_front() {
            self.first.remove(&mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(1_000_000_000);

    fn after(seconds: i64) -> Timestamp {
        NOW.saturating_add_seconds(seconds)
    }

    fn headers(lines: [Option<&'static str>; 2]) -> HeaderMap {
        let lines = ATTEMPT_HEADERS.into_iter().zip(lines);
        let lines = lines.filter_map(|(name, value)| Some((name, HeaderValue::from_static(value?))));
        lines.map(|(name, value)| (name.parse().unwrap(), value)).collect()
    }

    #[test]
    fn a_signature_that_is_unique_is_taken_once() {
        let replays = Replays::default();
        assert!(replays.admit(&[1; 32], after(300), None, NOW));
        assert!(replays.admit(&[2; 32], after(300), None, NOW));
        assert!(!replays.admit(&[1; 32], after(300), None, NOW));
        assert!(!replays.admit(&[1; 32], after(300), None, after(300)));
    }

    #[test]
    fn one_that_may_repeat_is_taken_once_for_each_attempt_and_for_a_minute() {
        let replays = Replays::default();
        for (seconds, number, expected) in [
            (0, 1, true),
            (0, 1, false),
            (1, 2, true),
            (60, 1, false),
            (60, 3, true),
            (61, 4, false),
            (299, 2, false),
        ] {
            let admitted = replays.admit(&[1; 32], after(300), Some([number; 16]), after(seconds));
            assert_eq!(admitted, expected, "{seconds} {number}");
        }
        assert!(replays.admit(&[2; 32], after(300), Some([9; 16]), after(61)));
    }

    #[test]
    fn an_attempt_is_known_by_its_signature_and_both_headers() {
        let marks = [
            attempt(&[1; 32], &headers([Some("a"), Some("attempt=1")])),
            attempt(&[2; 32], &headers([Some("a"), Some("attempt=1")])),
            attempt(&[1; 32], &headers([Some("b"), Some("attempt=1")])),
            attempt(&[1; 32], &headers([Some("a"), Some("attempt=2")])),
            attempt(&[1; 32], &headers([Some("a"), None])),
            attempt(&[1; 32], &headers([None, Some("a")])),
            attempt(&[1; 32], &headers([None, None])),
        ];
        for (index, mark) in marks.iter().enumerate() {
            assert!(!marks[..index].contains(mark), "{index}");
        }
        assert_eq!(attempt(&[1; 32], &headers([Some("a"), Some("attempt=1")])), marks[0]);
    }

    #[test]
    fn what_has_expired_is_forgotten_and_the_memory_is_bounded() {
        let replays = Replays::default();
        let signature = |number: usize| {
            let mut signature = [0; 32];
            signature[..8].copy_from_slice(&number.to_le_bytes());
            signature
        };
        for number in 0..=MARKS_SEEN_MAX {
            assert!(replays.admit(&signature(number), after(300), None, NOW));
        }
        assert_eq!(replays.0.lock().unwrap().first.len(), MARKS_SEEN_MAX);
        assert!(!replays.admit(&signature(1), after(300), None, NOW));
        assert!(replays.admit(&signature(0), after(700), Some([1; 16]), after(301)));
        assert_eq!(replays.0.lock().unwrap().first.len(), 2);
    }
}
