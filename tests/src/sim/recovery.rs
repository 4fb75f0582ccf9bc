//! How a node starts, and starts again when nothing in its memory is believed any more.

use engine::shard::{Input, Shard};
use store::Store;

use super::env::{Env, Happening};
use super::faults::Mutant;
use super::node::{Mode, Node, Unreadable};
use super::storage::at_once;
use super::timers::{STORE_RETRY, Timers};

impl Node {
    /// Throws away everything in memory and starts from the store again.
    pub(super) fn rebuild(&mut self, env: &mut Env) {
        env.trace(|| format!("node {} is rebuilt", self.number));
        let replies = std::mem::take(&mut self.replies);
        for to in replies.into_keys() {
            let latency = env.latency();
            env.after(latency, Happening::Reply { to, reply: None });
        }
        self.dispatch.cancel_all(env);
        self.timers = Timers::default();
        // What is being written is not in the store yet, and will be when the shard has been built without it.
        if self.in_flight.is_some() && self.mutant != Mutant::AbandonsCommit {
            self.mode = Mode::AwaitingCommit;
            return;
        }
        self.in_flight = None;
        self.rebuild_now(env);
    }

    pub(super) fn rebuild_now(&mut self, env: &mut Env) {
        self.in_flight = None;
        self.mode = Mode::Rebuilding;
        if !env.fault("a read fails", |faults| faults.read_failed) {
            self.shard = Shard::new(self.limits.shard.clone(), env.store.snapshot());
            self.mode = Mode::Running;
            if self.recover(env).is_err() {
                self.dispatch.cancel_all(env);
                self.mode = Mode::Rebuilding;
            }
        }
        if self.mode == Mode::Running { self.wake(env) } else { self.plan_turn(STORE_RETRY, env) }
    }

    /// Finds what was going on when the store was last written.
    fn recover(&mut self, env: &mut Env) -> Result<(), Unreadable> {
        if env.fault("a read fails", |faults| faults.read_failed) {
            return Err(Unreadable);
        }
        let running = at_once(env.store.memory.dispatched(None, 10_000));
        for (key, attempt) in running.expect("the store in memory can be read") {
            let input = Input::recovered(key, attempt);
            if let Input::Recover(task) = input {
                if self.mutant != Mutant::ForgetsRunning {
                    self.dispatch.push(task);
                }
            } else {
                self.shard.owe(input);
            }
        }
        self.look_at_timers(env)
    }
}
