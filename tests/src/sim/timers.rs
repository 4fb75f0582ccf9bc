//! When the node's timers are due. Those that fired stay in the store until their batch is durable.

use engine::shard::Input;
use store::Store;

use super::env::Env;
use super::faults::Mutant;
use super::node::{Node, Unreadable};
use super::storage::at_once;

/// The longest sleep before the timers are looked at again.
const TIMER_SLEEP_MAX: i64 = 60_000;
const TIMERS_MAX: usize = 1_000;
/// The pause before a store is tried again that could not be read.
pub(super) const STORE_RETRY: i64 = 200;

#[derive(Debug, Default)]
pub(super) struct Timers {
    next: Option<i64>,
    pub(super) fired_gathering: bool,
    pub(super) fired_in_flight: bool,
}

impl Node {
    pub(super) fn look_at_timers(&mut self, env: &mut Env) -> Result<(), Unreadable> {
        if env.fault("a read fails", |faults| faults.read_failed) {
            return Err(Unreadable);
        }
        let next = at_once(env.store.memory.next_timer()).expect("the store in memory can be read");
        self.timers.next = next.map(asl::Timestamp::as_milliseconds);
        Ok(())
    }

    /// Looks at the timers, soon if it cannot be done now.
    pub(super) fn look_again(&mut self, env: &mut Env) {
        if self.look_at_timers(env).is_err() && self.mutant != Mutant::ForgetsTimers {
            self.timers.next = Some(env.clock().as_milliseconds() + STORE_RETRY);
        }
    }

    /// Whether the node has nothing to do and does not know that a timer will be due.
    pub(super) fn sleeps_over_timers(&self, env: &Env) -> bool {
        let has_timers = !env.store.timers.is_empty() || !env.store.redrives_over.is_empty();
        self.is_idle() && self.timers.next.is_none() && has_timers
    }

    /// How long until the earliest timer; none while those that fired are not durable.
    fn until_timers(&self, env: &mut Env) -> Option<i64> {
        if self.timers.fired_gathering || self.timers.fired_in_flight {
            return None;
        }
        let due = self.timers.next? - env.clock().as_milliseconds();
        Some(due.clamp(0, TIMER_SLEEP_MAX))
    }

    pub(super) fn plan_timers(&mut self, env: &mut Env) {
        if self.has_room()
            && let Some(wait) = self.until_timers(env)
        {
            self.plan_turn(wait, env);
        }
    }

    pub(super) fn fire_timers(&mut self, env: &mut Env) {
        if !self.has_room() || self.until_timers(env) != Some(0) {
            return;
        }
        if env.fault("a read fails", |faults| faults.read_failed) {
            self.timers.next = Some(env.clock().as_milliseconds() + STORE_RETRY);
            return;
        }
        let now = env.clock();
        let due = at_once(env.store.memory.due_timers(now, TIMERS_MAX));
        let due = due.expect("the store in memory can be read");
        // The earliest may have been withdrawn by a batch that is durable and not yet known to be.
        if due.is_empty() && self.mutant != Mutant::SpinsOnTimers {
            return self.look_again(env);
        }
        self.timers.fired_gathering = !due.is_empty();
        for timer in due {
            if self.is_running() {
                self.input(Input::TimerDue(timer), env);
            }
        }
    }
}
