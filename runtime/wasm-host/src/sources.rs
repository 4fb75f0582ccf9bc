//! Time and randomness that are the same in every run of the same attempt.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand_core::TryRng;
use sha2::{Digest, Sha256};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// How far a look at the clock moves it: a guest that waits for time to pass gets on.
const TICK: Duration = Duration::from_micros(1);

/// A clock that starts on the first day of 2000 and moves only when it is read; both of a guest's clocks are this one.
#[derive(Debug, Clone, Default)]
pub(crate) struct FixedClock(Arc<AtomicU64>);

impl FixedClock {
    /// 2000-01-01T00:00:00Z, from 1970 on.
    pub(crate) const START: Duration = Duration::from_secs(946_684_800);

    fn since_start(&self) -> Duration {
        let looks = self.0.fetch_add(1, Ordering::Relaxed);
        Duration::from_nanos(looks.saturating_mul(TICK.as_nanos() as u64))
    }
}

impl HostWallClock for FixedClock {
    fn resolution(&self) -> Duration {
        TICK
    }

    fn now(&self) -> Duration {
        FixedClock::START + self.since_start()
    }
}

impl HostMonotonicClock for FixedClock {
    fn resolution(&self) -> u64 {
        TICK.as_nanos() as u64
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since_start().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// SHA-256 of a seed, a purpose and a counter, block after block.
#[derive(Debug)]
pub(crate) struct SeededRandom {
    start: Sha256,
    counter: u64,
    block: [u8; 32],
    /// Bytes of the block that were handed out.
    taken: usize,
}

impl SeededRandom {
    /// Numbers for one purpose tell nothing of those for another.
    pub(crate) fn new(seed: u128, purpose: &str) -> Self {
        let start = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(purpose);
        Self { start, counter: 0, block: [0; 32], taken: 32 }
    }

    fn fill(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            if self.taken == self.block.len() {
                self.block = self.start.clone().chain_update(self.counter.to_be_bytes()).finalize().into();
                self.counter += 1;
                self.taken = 0;
            }
            let count = bytes.len().min(self.block.len() - self.taken);
            let (now, later) = bytes.split_at_mut(count);
            now.copy_from_slice(&self.block[self.taken..self.taken + count]);
            self.taken += count;
            bytes = later;
        }
    }
}

impl TryRng for SeededRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: u128, purpose: &str, pieces: &[usize]) -> Vec<u8> {
        let mut random = SeededRandom::new(seed, purpose);
        let mut all = Vec::new();
        for piece in pieces {
            let mut bytes = vec![0; *piece];
            random.fill(&mut bytes);
            all.extend(bytes);
        }
        all
    }

    #[test]
    fn a_seed_has_one_sequence_however_it_is_read() {
        let whole = random(7, "secure", &[100]);
        assert_eq!(random(7, "secure", &[1, 31, 32, 33, 3]), whole);
        for other in [random(8, "secure", &[100]), random(7, "insecure", &[100])] {
            assert_ne!(other, whole);
        }
    }

    #[test]
    fn the_clock_moves_when_it_is_read() {
        let clock = FixedClock::default();
        let other = clock.clone();
        assert_eq!(HostMonotonicClock::now(&clock), 0);
        assert_eq!(HostMonotonicClock::now(&other), 1_000);
        assert_eq!(HostWallClock::now(&clock), FixedClock::START + 2 * TICK);
    }
}
