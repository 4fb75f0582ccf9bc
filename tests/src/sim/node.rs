//! The node: the driver's loop around a real shard, under the simulation's clock. It receives, loads what is
//! missing, handles, commits and releases the effects, as `engine`'s driver does, one turn at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use engine::shard::{self, Effect, Input, ReplyTo, Request, Shard, TaskKey, TaskReturned};
use store::CommitError;

use super::commits;
use super::dispatch::Dispatch;
use super::env::{Env, Happening, Says};
use super::faults::Mutant;
use super::promises;
use super::timers::Timers;

/// Bounds of the node, which each seed picks anew.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) shard: shard::Options,
    pub(super) batch_max: usize,
    pub(super) tasks_running_max: usize,
}

pub(super) struct Node {
    pub(super) number: u64,
    pub(super) mutant: Mutant,
    pub(super) limits: Limits,
    pub(super) shard: Shard,
    requests: VecDeque<(ReplyTo, Request)>,
    inputs: VecDeque<Input>,
    /// Who waits for an answer, and what he asked.
    pub(super) replies: BTreeMap<ReplyTo, Request>,
    pub(super) dispatch: Dispatch,
    pub(super) in_flight: Option<InFlight>,
    pub(super) timers: Timers,
    pub(super) mode: Mode,
    turn_at: Option<i64>,
}

pub(super) struct InFlight {
    commit: u64,
    effects: Vec<Effect>,
    generation: u64,
    touches_timers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Running,
    /// Nothing in memory is believed, and a commit is under way whose end must be awaited.
    AwaitingCommit,
    /// The store could not be read; it is tried again.
    Rebuilding,
}

/// The store could not be read.
pub(super) struct Unreadable;

impl Node {
    pub(super) fn start(number: u64, limits: Limits, mutant: Mutant, env: &mut Env) -> Node {
        let mut node = Node {
            number,
            mutant,
            shard: Shard::new(limits.shard.clone(), shard::Snapshot::default()),
            requests: VecDeque::new(),
            inputs: VecDeque::new(),
            replies: BTreeMap::new(),
            dispatch: Dispatch::new(number, limits.tasks_running_max),
            in_flight: None,
            timers: Timers::default(),
            mode: Mode::Running,
            turn_at: None,
            limits,
        };
        env.trace(|| format!("node {number} starts"));
        node.rebuild_now(env);
        node
    }

    /// Whether nothing waits in the node.
    pub(super) fn is_idle(&self) -> bool {
        self.mode == Mode::Running
            && self.requests.is_empty()
            && self.inputs.is_empty()
            && self.in_flight.is_none()
            && !self.shard.has_output()
    }

    pub(super) fn describe(&self) -> String {
        let Node { mode, timers, requests, inputs, dispatch, .. } = self;
        let (requests, inputs) = (requests.len(), inputs.len());
        format!("{mode:?}, {timers:?}, {requests} requests, {inputs} inputs, {dispatch:?}")
    }

    pub(super) fn receive(&mut self, to: ReplyTo, request: Request, env: &mut Env) {
        self.requests.push_back((to, request));
        self.wake(env);
    }

    pub(super) fn withdraw(&mut self, poll: ReplyTo, env: &mut Env) {
        self.inputs.push_back(Input::Withdraw(poll));
        self.wake(env);
    }

    /// A task's worker went away before he had it.
    pub(super) fn take_back(&mut self, task: TaskKey, env: &mut Env) {
        env.handed.remove(&(task.execution, task.attempt));
        self.inputs.push_back(Input::TakeBack(task));
        self.wake(env);
    }

    pub(super) fn hear(&mut self, run: u64, says: Says, env: &mut Env) {
        let Some((input, is_cancelled)) = self.dispatch.heard(run, says, env) else { return };
        if let (Input::TaskReturned(returned), true) = (&input, is_cancelled)
            && self.mutant != Mutant::BelievesCancelled
        {
            // A cancelled run frees its place, unless the attempt was given another one since.
            self.dispatch.finished(returned.task);
            return self.wake(env);
        }
        self.inputs.push_back(input);
        self.wake(env);
    }

    /// Everybody who waits learns that the connection broke.
    pub(super) fn crash(self, env: &mut Env) {
        env.trace(|| format!("node {} crashes", self.number));
        let waiting = self.replies.into_keys().chain(self.requests.into_iter().map(|(to, _)| to));
        for to in waiting {
            let latency = env.latency();
            env.after(latency, Happening::Reply { to, reply: None });
        }
    }

    /// Plans a turn soon; what comes in until then is handled in the same one.
    pub(super) fn wake(&mut self, env: &mut Env) {
        let wait = env.random.between(0..=2);
        self.plan_turn(wait, env);
    }

    pub(super) fn plan_turn(&mut self, wait: i64, env: &mut Env) {
        let at = env.now + wait;
        if self.turn_at.is_none_or(|planned| planned > at) {
            self.turn_at = Some(at);
            env.after(wait, Happening::Turn { node: self.number });
        }
    }

    pub(super) fn turn(&mut self, env: &mut Env) {
        if self.turn_at != Some(env.now) {
            return;
        }
        self.turn_at = None;
        match self.mode {
            Mode::AwaitingCommit => return,
            Mode::Rebuilding => self.rebuild_now(env),
            Mode::Running => {}
        }
        if self.mode != Mode::Running {
            return;
        }
        self.fire_timers(env);
        self.take_waiting(env);
        self.settle_owed(env);
        self.fill_places(env);
        self.commit(env);
        self.plan_timers(env);
    }

    fn take_waiting(&mut self, env: &mut Env) {
        while self.is_running() && self.has_room() {
            if let Some(input) = self.inputs.pop_front() {
                self.input(input, env);
            } else if let Some((to, request)) = self.requests.pop_front() {
                self.replies.insert(to, request.clone());
                self.input(Input::Request { reply: to, request }, env);
            } else {
                return;
            }
        }
    }

    /// Whether more may gather; a commit makes room.
    pub(super) fn has_room(&self) -> bool {
        self.shard.gathered() < self.limits.batch_max
    }

    pub(super) fn is_running(&self) -> bool {
        self.mode == Mode::Running
    }

    pub(super) fn input(&mut self, mut input: Input, env: &mut Env) {
        if let Input::TaskReturned(TaskReturned { task, .. }) = &mut input {
            self.dispatch.finished(*task);
            if self.mutant == Mutant::AnyAttempt {
                task.attempt = self.dispatch.latest(*task);
            }
        }
        if self.supply(&input, env).is_ok() {
            env.trace(|| format!("handle {input:?}"));
            let now = env.clock();
            self.shard.handle(input, now);
        } else if let Input::Request { reply, .. } = input {
            self.refuse(reply, env);
        } else {
            self.rebuild(env);
        }
    }

    pub(super) fn supply(&mut self, input: &Input, env: &mut Env) -> Result<(), Unreadable> {
        while let Some(missing) = self.shard.missing(input) {
            if env.fault("a read fails", |faults| faults.read_failed) {
                return Err(Unreadable);
            }
            let loaded = env.store.load(missing);
            self.shard.supply(loaded);
        }
        Ok(())
    }

    fn settle_owed(&mut self, env: &mut Env) {
        let mut continued = BTreeSet::new();
        let mut later = Vec::new();
        while self.is_running() && self.has_room() {
            let Some(input) = self.shard.next_owed() else { break };
            if matches!(input, Input::Continue(id) | Input::SettleChild(id) if !continued.insert(id)) {
                later.push(input);
            } else {
                self.input(input, env);
            }
        }
        for input in later {
            self.shard.owe(input);
        }
    }

    fn fill_places(&mut self, env: &mut Env) {
        while self.is_running() {
            let Some(task) = self.dispatch.next() else { return };
            if self.supply(&Input::Recover(task), env).is_err() {
                return self.rebuild(env);
            }
            if let Some(request) = self.shard.task_request(task) {
                self.dispatch.start(task, &request, env);
            }
        }
    }

    fn commit(&mut self, env: &mut Env) {
        if !self.is_running() || self.in_flight.is_some() || !self.shard.has_output() {
            return;
        }
        let output = self.shard.seal();
        self.timers.fired_in_flight = std::mem::take(&mut self.timers.fired_gathering);
        if env.fault("crash before the commit", |faults| faults.crash_before_commit) {
            env.is_crashing = true;
            return;
        }
        let commit = env.number();
        let touches_timers = !output.batch.timers.is_empty();
        let (effects, generation) = (output.effects, output.generation);
        self.in_flight = Some(InFlight { commit, effects, generation, touches_timers });
        commits::submit(self.number, commit, output.batch, env);
    }

    /// A commit has come to its end.
    pub(super) fn committed(&mut self, commit: u64, result: Result<(), CommitError>, env: &mut Env) {
        if self.in_flight.as_ref().is_none_or(|in_flight| in_flight.commit != commit) {
            return;
        }
        let Some(done) = self.in_flight.take() else { return };
        env.trace(|| format!("commit {commit} ends: {result:?}"));
        if self.mode == Mode::AwaitingCommit {
            self.rebuild_now(env);
        } else if result.is_err() {
            self.commit_failed(done, env);
        } else {
            self.release_all(done, env);
        }
        self.plan_turn(0, env);
    }

    fn commit_failed(&mut self, failed: InFlight, env: &mut Env) {
        match self.mutant {
            Mutant::KeepsMemory => {
                self.timers.fired_in_flight = false;
                self.look_again(env);
                for effect in failed.effects {
                    if let Effect::Reply { to, .. } = effect {
                        self.refuse(to, env);
                    }
                }
                return;
            }
            Mutant::EarlyEffects => {
                for effect in failed.effects {
                    self.release(effect, env);
                }
            }
            Mutant::Sound
            | Mutant::AnyAttempt
            | Mutant::ForgetsRunning
            | Mutant::AbandonsCommit
            | Mutant::ForgetsTimers
            | Mutant::SpinsOnTimers
            | Mutant::BelievesCancelled => {}
        }
        self.rebuild(env);
    }

    fn release_all(&mut self, done: InFlight, env: &mut Env) {
        if env.fault("crash before the effects", |faults| faults.crash_before_effects) {
            env.is_crashing = true;
            return;
        }
        let is_halved = env.fault("crash amid the effects", |faults| faults.crash_amid_effects);
        let count = if is_halved { done.effects.len() / 2 } else { done.effects.len() };
        for effect in done.effects.into_iter().take(count) {
            self.release(effect, env);
        }
        if is_halved || env.fault("crash after the effects", |faults| faults.crash_after_effects) {
            env.is_crashing = true;
            return;
        }
        self.shard.committed(done.generation);
        let fired = std::mem::take(&mut self.timers.fired_in_flight);
        if fired || done.touches_timers {
            self.look_again(env);
        }
    }

    fn release(&mut self, effect: Effect, env: &mut Env) {
        match effect {
            Effect::Reply { to, reply } => {
                // A client that went away no longer wants its answer.
                let Some(request) = self.replies.remove(&to) else { return };
                env.trace(|| format!("reply {to:?}: {reply:?}"));
                promises::check(&request, &reply, env);
                let latency = env.latency();
                env.after(latency, Happening::Reply { to, reply: Some(reply) });
            }
            Effect::StartTask(task) => {
                if !env.store.awaits(task) {
                    env.violated(|| {
                        format!("an attempt is released that the store does not await: {task:?}")
                    });
                }
                self.dispatch.push(task);
            }
            Effect::CancelTask(task) => self.dispatch.cancel(task, env),
            Effect::Tell(written) => promises::is_written(&written, env),
        }
    }

    fn refuse(&mut self, to: ReplyTo, env: &mut Env) {
        if self.replies.remove(&to).is_some() {
            let latency = env.latency();
            env.after(latency, Happening::Reply { to, reply: None });
        }
    }
}
