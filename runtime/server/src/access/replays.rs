//! The signatures of changing requests that were seen, so that who overhears one cannot send it again.
//!
//! boto3 and the AWS CLI sign nothing that tells two equal calls of one second apart, so an equal signature may
//! be a second call or a retry. Such a signature is taken again for as long as its client may still be on its way.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use asl::Timestamp;

use crate::limits::{SIGNATURE_REPEAT_SECONDS, SIGNATURES_SEEN_MAX};

pub(super) type Signature = [u8; 32];

#[derive(Debug, Default)]
pub(super) struct Replays(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// When each came first.
    first: HashMap<Signature, Timestamp>,
    /// Until when each must be known, in the order in which they came.
    until: VecDeque<(Timestamp, Signature)>,
}

impl Replays {
    /// Whether a signature may be used now. `until` is when it expires by itself; `is_unique` says that no two
    /// requests of its signer are signed alike.
    pub(super) fn admit(
        &self,
        signature: Signature,
        until: Timestamp,
        is_unique: bool,
        now: Timestamp,
    ) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget(now);
        if let Some(first) = seen.first.get(&signature) {
            return !is_unique && now <= first.saturating_add_seconds(SIGNATURE_REPEAT_SECONDS);
        }
        if seen.until.len() == SIGNATURES_SEEN_MAX {
            // Only who has a key gets this far. The oldest is the one that expires first, or nearly.
            seen.forget_oldest();
        }
        seen.first.insert(signature, now);
        seen.until.push_back((until, signature));
        true
    }
}

impl Seen {
    fn forget(&mut self, now: Timestamp) {
        while self.until.front().is_some_and(|(until, _)| *until < now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, signature)) = self.until.pop_front() {
            self.first.remove(&signature);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(1_000_000_000);

    fn after(seconds: i64) -> Timestamp {
        NOW.saturating_add_seconds(seconds)
    }

    #[test]
    fn a_signature_that_is_unique_is_taken_once() {
        let replays = Replays::default();
        assert!(replays.admit([1; 32], after(300), true, NOW));
        assert!(replays.admit([2; 32], after(300), true, NOW));
        assert!(!replays.admit([1; 32], after(300), true, NOW));
        assert!(!replays.admit([1; 32], after(300), true, after(300)));
    }

    #[test]
    fn one_that_may_repeat_is_taken_for_a_minute() {
        let replays = Replays::default();
        for (seconds, expected) in [(0, true), (1, true), (60, true), (61, false), (299, false)] {
            assert_eq!(replays.admit([1; 32], after(300), false, after(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn what_has_expired_is_forgotten_and_the_memory_is_bounded() {
        let replays = Replays::default();
        let signature = |number: usize| {
            let mut signature = [0; 32];
            signature[..8].copy_from_slice(&number.to_le_bytes());
            signature
        };
        for number in 0..=SIGNATURES_SEEN_MAX {
            assert!(replays.admit(signature(number), after(300), true, NOW));
        }
        assert_eq!(replays.0.lock().unwrap().first.len(), SIGNATURES_SEEN_MAX);
        assert!(!replays.admit(signature(1), after(300), true, NOW));
        assert!(replays.admit(signature(0), after(700), true, after(301)));
        assert_eq!(replays.0.lock().unwrap().first.len(), 1);
    }
}
