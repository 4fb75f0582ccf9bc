//! What goes wrong in a run. Each seed switches kinds of faults on and off and picks how often they come, so
//! that rare combinations occur.

use super::random::Random;

/// Rates per thousand chances; 0 where the kind is switched off.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    /// `Unavailable`, and nothing written.
    pub(super) commit_lost: u32,
    /// `Unknown`, and written.
    pub(super) commit_unknown: u32,
    /// `Unknown`, and nothing written.
    pub(super) commit_unknown_lost: u32,
    pub(super) commit_slow: u32,
    pub(super) read_failed: u32,
    /// At the seal, with the batch not on its way.
    pub(super) crash_before_commit: u32,
    pub(super) crash_before_effects: u32,
    /// After the first of the effects.
    pub(super) crash_amid_effects: u32,
    pub(super) crash_after_effects: u32,
    /// At any moment.
    pub(super) crash_anytime: u32,
    pub(super) clock_jump: u32,
    /// An attempt that never returns, where a timeout cures it.
    pub(super) task_lost: u32,
    pub(super) task_late: u32,
    pub(super) task_doubled: u32,
    /// An attempt that goes on although it was cancelled.
    pub(super) cancel_ignored: u32,
    pub(super) heartbeat_missed: u32,
    /// A worker takes a task and is never heard of again.
    pub(super) worker_vanished: u32,
    pub(super) poll_disconnected: u32,
    pub(super) answer_late: u32,
    pub(super) answer_doubled: u32,
    pub(super) token_forged: u32,
    pub(super) stop: u32,
    pub(super) redrive: u32,
}

impl Faults {
    pub(super) fn none() -> Faults {
        Faults::default()
    }

    pub(super) fn swarm(random: &mut Random) -> Faults {
        // One seed in twenty runs without any, to keep the undisturbed way in view.
        if random.chance(50) {
            return Faults::none();
        }
        let mut rate = |rates: &[u32]| if random.chance(500) { *random.pick(rates) } else { 0 };
        Faults {
            commit_lost: rate(&[5, 20, 100]),
            commit_unknown: rate(&[5, 20, 100]),
            commit_unknown_lost: rate(&[5, 20, 100]),
            commit_slow: rate(&[20, 100, 500]),
            read_failed: rate(&[10, 40, 120]),
            crash_before_commit: rate(&[2, 10, 40]),
            crash_before_effects: rate(&[2, 10, 40]),
            crash_amid_effects: rate(&[2, 10, 40]),
            crash_after_effects: rate(&[2, 10, 40]),
            crash_anytime: rate(&[1, 3, 10]),
            clock_jump: rate(&[1, 3, 10]),
            task_lost: rate(&[20, 100, 300]),
            task_late: rate(&[20, 100, 300]),
            task_doubled: rate(&[20, 100, 300]),
            cancel_ignored: rate(&[200, 1_000]),
            heartbeat_missed: rate(&[20, 100, 300]),
            worker_vanished: rate(&[20, 100, 200]),
            poll_disconnected: rate(&[20, 100, 300]),
            answer_late: rate(&[20, 100, 300]),
            answer_doubled: rate(&[20, 100, 300]),
            token_forged: rate(&[20, 100]),
            stop: rate(&[100, 400]),
            redrive: rate(&[100, 400, 900]),
        }
    }
}

/// A driver with a mistake in it. The simulation must find each; one that finds nothing proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// None: the driver as it should be.
    Sound,
    /// A result is taken for the attempt that runs now, whichever it belongs to.
    AnyAttempt,
    /// Recovery does not ask for the work that was under way.
    ForgetsRunning,
    /// A failed commit leaves the shard as it was.
    KeepsMemory,
    /// The effects of a failed commit are released.
    EarlyEffects,
    /// A rebuild does not wait for the commit that is under way.
    AbandonsCommit,
    /// Timers that could not be read after a commit are not looked at again.
    ForgetsTimers,
    /// Where none of the timers is due after all, nobody looks when the next one is.
    SpinsOnTimers,
    /// What a cancelled attempt returns is taken for its result.
    BelievesCancelled,
}
