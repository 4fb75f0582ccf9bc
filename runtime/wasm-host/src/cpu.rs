//! The CPU time of one call: the clock of its thread, read before and after each poll.
//!
//! Wall-clock time says how long somebody waited, on a busy machine mostly for others; this says what the call itself
//! took. What other threads do for the guest, such as reading a file, is not in it. A reading takes up to half a
//! microsecond, so a poll that is over at once is taken as its wall-clock time, and needs one only.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Somebody else's turn takes longer than this, so a poll that takes less was hardly ever interrupted.
const UNINTERRUPTED: Duration = Duration::from_micros(20);

/// What a call has spent, in nanoseconds. One thread at a time polls the call, and only that one looks at this, so the
/// order of writes is the order of the polls.
#[derive(Debug)]
pub(crate) struct CpuTime {
    /// What `begun_at` is counted from.
    made_at: Instant,
    before: AtomicU64,
    /// The thread's clock when the poll under way began, and the time since this was made.
    begun: AtomicU64,
    begun_at: AtomicU64,
}

impl CpuTime {
    pub(crate) fn new() -> CpuTime {
        CpuTime {
            made_at: Instant::now(),
            before: AtomicU64::new(0),
            begun: AtomicU64::new(0),
            begun_at: AtomicU64::new(0),
        }
    }

    /// Counts what this poll takes.
    pub(crate) fn of<T>(&self, poll: impl FnOnce() -> T) -> T {
        self.begun.store(thread_time(), Ordering::Relaxed);
        self.begun_at.store(nanoseconds(self.made_at.elapsed()), Ordering::Relaxed);
        let polled = poll();
        self.before.store(self.spent_within(), Ordering::Relaxed);
        polled
    }

    /// What the polls that are over took.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.before.load(Ordering::Relaxed))
    }

    /// The same with the poll under way, which is the one that asks.
    pub(crate) fn spent_by_now(&self) -> Duration {
        Duration::from_nanos(self.spent_within())
    }

    fn spent_within(&self) -> u64 {
        let elapsed = nanoseconds(self.made_at.elapsed()) - self.begun_at.load(Ordering::Relaxed);
        let is_uninterrupted = elapsed < nanoseconds(UNINTERRUPTED);
        let spent = if is_uninterrupted {
            elapsed
        } else {
            thread_time().saturating_sub(self.begun.load(Ordering::Relaxed))
        };
        self.before.load(Ordering::Relaxed) + spent
    }
}

/// Nanoseconds of CPU that this thread has had.
fn thread_time() -> u64 {
    nanoseconds(Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn a_poll_that_is_over_at_once_costs_no_more_than_it_took() {
        let begun_at = Instant::now();
        let cpu = CpuTime::new();
        assert_eq!(cpu.of(|| 7), 7);
        assert!((1..=begun_at.elapsed().as_nanos()).contains(&cpu.spent().as_nanos()));
    }

    #[test]
    fn every_poll_is_counted_and_nothing_between_them() {
        let compute = || {
            let begun = thread_time();
            black_box((0..1_000_000_u64).fold(0, |sum, number| black_box(sum ^ number)));
            thread_time() - begun
        };
        let cpu = CpuTime::new();
        let begun = thread_time();
        let mut within = 0;
        for _ in 0..3 {
            let before = cpu.spent();
            cpu.of(|| {
                within += compute();
                assert!(cpu.spent() == before && cpu.spent_by_now() > before);
            });
        }
        let spent = nanoseconds(cpu.spent());
        let around = thread_time() - begun;
        compute();
        assert_eq!(spent, nanoseconds(cpu.spent()));
        assert!(0 < within && within <= spent && spent <= around, "{within} {spent} {around}");
    }
}
