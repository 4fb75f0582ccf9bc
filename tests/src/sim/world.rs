//! A run: the actors around the node, the loop that lets one thing happen after the other, and its end.

use std::collections::BTreeMap;

use engine::Observed;
use engine::shard::{self, ReplyTo, Request};

use super::clients::Clients;
use super::ending;
use super::env::{Env, Happening};
use super::faults::{Faults, Mutant};
use super::node::{Limits, Node};
use super::random::Random;
use super::workers::Workers;

/// How often the world may go wrong by itself.
const TICK_MILLISECONDS: i64 = 500;
/// How long after the faults have stopped everything must have come to its end.
const CALM_MILLISECONDS: i64 = 24 * 3_600_000;
const STEPS_MAX: u64 = 400_000;

pub(super) struct World {
    pub(super) env: Env,
    node: Option<Node>,
    mutant: Mutant,
    limits: Limits,
    clients: Clients,
    workers: Workers,
    calls: BTreeMap<ReplyTo, Caller>,
    stop_faults_at: i64,
    /// Of all histories, once everything has come to its end.
    hash: Option<u64>,
}

/// Who waits for an answer.
#[derive(Debug, Clone, Copy)]
enum Caller {
    Client(usize),
    Worker(usize),
    Job { job: usize, is_answer: bool },
}

impl World {
    pub(super) fn new(seed: u64, mutant: Mutant, is_tracing: bool) -> World {
        let mut random = Random::new(seed);
        let faults = Faults::swarm(&mut random);
        let limits = limits(&mut random);
        let stop_faults_at = random.between(20_000..=150_000);
        let mut env = Env::new(random.fork(), faults, is_tracing);
        let clients = Clients::new(&mut env);
        let workers = Workers::new(&mut env);
        env.after(0, Happening::Restart);
        env.after(TICK_MILLISECONDS, Happening::Tick);
        env.after(stop_faults_at, Happening::FaultsStop);
        let calls = BTreeMap::new();
        World { env, node: None, mutant, limits, clients, workers, calls, stop_faults_at, hash: None }
    }

    /// Runs until everything has come to its end, and on until nothing is kept of it; gives the hash of all
    /// histories.
    pub(super) fn run(&mut self) -> Result<u64, String> {
        loop {
            if let Some(rule) = self.env.violation.take() {
                return Err(rule);
            }
            if self.is_over() {
                match self.hash {
                    None => {
                        self.hash = Some(ending::check(&self.env.store, &self.clients)?);
                        self.env.two_weeks_pass();
                    }
                    Some(hash) if self.env.store.keeps_nothing() => return Ok(hash),
                    Some(_) => {}
                }
            }
            if self.env.steps > STEPS_MAX || self.env.now > self.stop_faults_at + CALM_MILLISECONDS {
                return Err(self.unfinished());
            }
            let happening = self.env.next().expect("workers poll for ever");
            self.happen(happening);
            if std::mem::take(&mut self.env.is_crashing) {
                self.crash();
            }
        }
    }

    fn is_over(&self) -> bool {
        !self.env.is_faulty
            && self.clients.is_done()
            && self.env.store.running == 0
            && self.env.store.is_drained()
            && self.node.as_ref().is_some_and(Node::is_idle)
    }

    fn unfinished(&self) -> String {
        let Env { store, now, steps, .. } = &self.env;
        let node = self.node.as_ref().map(Node::describe);
        format!(
            "something is left after {steps} steps and {now} ms: {} executions, {}; node {node:?}",
            store.running,
            store.leftovers()
        )
    }

    fn happen(&mut self, happening: Happening) {
        let World { env, node, clients, workers, .. } = self;
        match happening {
            Happening::Client(index) => {
                if let Some(request) = clients.request(index, env) {
                    self.call(Caller::Client(index), request);
                }
            }
            Happening::Worker(worker) => {
                let to = ReplyTo(env.number());
                if let Some(request) = workers.poll(worker, to, env) {
                    self.send(to, Caller::Worker(worker), request);
                }
            }
            Happening::PollOver { worker, poll, is_broken } => {
                if workers.poll_over(worker, poll, is_broken, env) {
                    let latency = env.latency();
                    env.after(latency, Happening::Withdraw(poll));
                }
            }
            Happening::Job(job) => {
                for (is_answer, request) in workers.speak(job, env) {
                    self.call(Caller::Job { job, is_answer }, request);
                }
            }
            Happening::Callback { token, input } => _ = workers.take(&token, &input, env),
            Happening::Request { to, request } => match node {
                Some(node) => node.receive(to, request, env),
                None => env.after(1, Happening::Reply { to, reply: None }),
            },
            Happening::Withdraw(poll) => {
                if let Some(node) = node {
                    node.withdraw(poll, env);
                }
            }
            Happening::Reply { to, reply } => self.replied(to, reply),
            Happening::Executor { .. } | Happening::Turn { .. } | Happening::Committed { .. } => {
                self.happen_in_node(happening);
            }
            Happening::Apply { commit } => {
                if let Err(rule) = env.store.apply(commit, &env.results) {
                    env.violated(|| rule);
                }
            }
            Happening::Restart => {
                if node.is_none() {
                    let number = env.number();
                    *node = Some(Node::start(number, self.limits.clone(), self.mutant, env));
                }
            }
            Happening::Tick => self.tick(),
            Happening::FaultsStop => {
                env.trace(|| "the faults stop".to_owned());
                env.is_faulty = false;
            }
        }
    }

    /// What was meant for a node that crashed since is lost with it.
    fn happen_in_node(&mut self, happening: Happening) {
        let World { env, node: Some(node), .. } = self else { return };
        match happening {
            Happening::Executor { node: number, run, says } if number == node.number => {
                node.hear(run, says, env);
            }
            Happening::Turn { node: number } if number == node.number => node.turn(env),
            Happening::Committed { node: number, commit, result } if number == node.number => {
                node.committed(commit, result, env);
            }
            _ => {}
        }
    }

    fn call(&mut self, caller: Caller, request: Request) {
        let to = ReplyTo(self.env.number());
        self.send(to, caller, request);
    }

    fn send(&mut self, to: ReplyTo, caller: Caller, request: Request) {
        self.calls.insert(to, caller);
        let latency = self.env.latency();
        self.env.after(latency, Happening::Request { to, request });
    }

    fn replied(&mut self, to: ReplyTo, reply: Option<shard::Reply>) {
        let Some(caller) = self.calls.remove(&to) else { return };
        match caller {
            Caller::Client(index) => self.clients.replied(index, reply, &mut self.env),
            Caller::Worker(worker) => {
                let unheard = self.workers.polled(worker, to, reply, &mut self.env);
                // The node that sent it is the one that sees it come back.
                if let (Some(task), Some(node)) = (unheard, &mut self.node) {
                    node.take_back(task, &mut self.env);
                }
            }
            Caller::Job { job, is_answer } => {
                self.workers.heard(job, is_answer, reply.as_ref(), &mut self.env);
            }
        }
    }

    fn tick(&mut self) {
        let env = &mut self.env;
        if !env.is_faulty {
            return;
        }
        env.after(TICK_MILLISECONDS, Happening::Tick);
        if self.node.as_ref().is_some_and(|node| node.sleeps_over_timers(env)) {
            env.violated(|| "the node does not know of a timer that the store has".to_owned());
        }
        if env.fault("the clock jumps", |faults| 5 * faults.clock_jump) {
            let seconds = *env.random.pick(&[-600, -60, -2, 2, 60, 600]);
            env.clock_offset += 1_000 * seconds;
        }
        env.is_crashing |= env.fault("crash", |faults| 5 * faults.crash_anytime);
    }

    /// The process dies. What it sent to the store is written or not.
    fn crash(&mut self) {
        let World { env, node, .. } = self;
        let Some(node) = node.take() else { return };
        node.crash(env);
        for commit in env.store.pending() {
            if env.random.chance(500) {
                if let Err(rule) = env.store.apply(commit, &env.results) {
                    env.violated(|| rule);
                }
            } else {
                env.store.forget(commit);
            }
        }
        let wait = env.random.between(10..=3_000);
        env.after(wait, Happening::Restart);
    }
}

/// Small bounds make executions leave memory and attempts wait for a place.
fn limits(random: &mut Random) -> Limits {
    let executions_resident_max = *random.pick(&[1, 2, 4, 2_048]);
    Limits {
        shard: shard::Options {
            executions_resident_max,
            observed: Observed::All,
            ..shard::Options::default()
        },
        batch_max: *random.pick(&[1, 4, 1_024]),
        tasks_running_max: *random.pick(&[2, 8, 1_024]),
    }
}
