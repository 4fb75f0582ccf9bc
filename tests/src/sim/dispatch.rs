//! Attempts on their way to executors, as the driver's dispatch has them: so many at once, the others as keys in
//! a queue. The executors are in the node's process and die with it.

use std::collections::{BTreeMap, VecDeque};

use asl::Data;
use asl::interpreter::{AttemptId, ErrorOutput, TaskRequest, TaskUsage};
use engine::shard::{Input, TaskKey, TaskReturned};
use store::RowKey;

use super::env::{Env, Happening, Says};
use super::functions;

/// How often an executor tells that it is alive.
pub(super) const BEAT_MILLISECONDS: i64 = 4_000;

#[derive(Debug)]
pub(super) struct Dispatch {
    node: u64,
    running_max: usize,
    waiting: VecDeque<TaskKey>,
    running: BTreeMap<TaskKey, u64>,
    /// What executors do, by the number of the run, cancelled ones too.
    runs: BTreeMap<u64, Run>,
    /// The attempt that was released last in each row, for a mutant.
    latest: BTreeMap<RowKey, AttemptId>,
}

#[derive(Debug)]
struct Run {
    task: TaskKey,
    hangs: bool,
    /// Nobody listens to its beats once it was cancelled or has returned.
    beats: bool,
}

impl Dispatch {
    pub(super) fn new(node: u64, running_max: usize) -> Dispatch {
        Dispatch {
            node,
            running_max,
            waiting: VecDeque::new(),
            running: BTreeMap::new(),
            runs: BTreeMap::new(),
            latest: BTreeMap::new(),
        }
    }

    pub(super) fn push(&mut self, task: TaskKey) {
        self.latest.insert(RowKey { execution: task.execution, row: task.row }, task.attempt);
        self.waiting.push_back(task);
    }

    pub(super) fn next(&mut self) -> Option<TaskKey> {
        if self.running.len() < self.running_max { self.waiting.pop_front() } else { None }
    }

    pub(super) fn finished(&mut self, task: TaskKey) {
        self.running.remove(&task);
    }

    /// The attempt that runs where this one ran.
    pub(super) fn latest(&self, task: TaskKey) -> AttemptId {
        let key = RowKey { execution: task.execution, row: task.row };
        self.latest.get(&key).copied().unwrap_or(task.attempt)
    }

    pub(super) fn start(&mut self, task: TaskKey, request: &TaskRequest, env: &mut Env) {
        if !env.store.awaits(task) {
            env.violated(|| format!("an attempt is started that the store does not await: {task:?}"));
        }
        let run = env.number();
        env.trace(|| format!("executor: run {run} of {task:?} begins"));
        let beats = !env.fault("an executor does not beat", |faults| faults.heartbeat_missed);
        let hangs = request.deadline.is_some() && env.fault("an executor hangs", |faults| faults.task_lost);
        self.runs.insert(run, Run { task, hangs, beats });
        if let Some(old) = self.running.insert(task, run) {
            self.cancel_run(old, env);
        }
        let node = self.node;
        env.after(BEAT_MILLISECONDS, Happening::Executor { node, run, says: Says::Beat });
        if !hangs {
            self.plan_result(run, task, request, env);
        }
    }

    fn plan_result(&mut self, run: u64, task: TaskKey, request: &TaskRequest, env: &mut Env) {
        let (node, resource) = (self.node, &*request.resource);
        if let Some(token) = &request.token {
            let input = request.input.value()["Payload"].clone();
            let token = token.clone();
            let wait = env.random.between(0..=400);
            env.after(wait, Happening::Callback { token, input });
        }
        let mut wait = env.random.between(0..=300);
        if env.fault("an executor is late", |faults| faults.task_late) {
            wait += env.random.between(1_000..=90_000);
        }
        let outcome = functions::perform(resource, request.input.value(), request.retry_count);
        let result = u64::try_from(env.results.len()).expect("results are few");
        env.results.push(task);
        let usage = Some(TaskUsage { fuel: result, ..TaskUsage::default() });
        let returned = TaskReturned { task, outcome: outcome.map(Data::from), usage };
        let returned = || Says::Returned(Input::TaskReturned(returned.clone()));
        env.after(wait, Happening::Executor { node, run, says: returned() });
        if env.fault("a result comes twice", |faults| faults.task_doubled) {
            let again = wait + env.random.between(0..=2_000);
            env.after(again, Happening::Executor { node, run, says: returned() });
        }
    }

    /// What the node hears from an executor: an input for the shard, and whether it comes from a cancelled run.
    pub(super) fn heard(&mut self, run: u64, says: Says, env: &mut Env) -> Option<(Input, bool)> {
        let known = self.runs.get_mut(&run)?;
        match says {
            Says::Beat if !known.beats => None,
            Says::Beat => {
                let node = self.node;
                env.after(BEAT_MILLISECONDS, Happening::Executor { node, run, says: Says::Beat });
                Some((Input::TaskHeartbeat(known.task), false))
            }
            Says::Returned(input) => {
                known.beats = false;
                Some((input, false))
            }
            Says::Cancelled(input) => {
                self.runs.remove(&run);
                Some((input, true))
            }
        }
    }

    pub(super) fn cancel(&mut self, task: TaskKey, env: &mut Env) {
        if let Some(run) = self.running.get(&task) {
            self.cancel_run(*run, env);
        }
    }

    /// Cancels everything; a restart finds what was running in the store.
    pub(super) fn cancel_all(&mut self, env: &mut Env) {
        self.waiting.clear();
        for (_, run) in std::mem::take(&mut self.running) {
            self.cancel_run(run, env);
        }
    }

    /// A run that hears of it returns at once; what it returns is no result of its task.
    fn cancel_run(&mut self, run: u64, env: &mut Env) {
        let Some(Run { task, hangs, beats }) = self.runs.get_mut(&run) else { return };
        *beats = false;
        let (node, task) = (self.node, *task);
        // One that hung would keep its place for ever.
        if !*hangs && env.fault("an executor ignores its cancellation", |faults| faults.cancel_ignored) {
            return;
        }
        let outcome = Err(ErrorOutput::new("Cancelled", "The call was cancelled."));
        let returned = Input::TaskReturned(TaskReturned { task, outcome, usage: None });
        let wait = env.random.between(0..=5);
        env.after(wait, Happening::Executor { node, run, says: Says::Cancelled(returned) });
    }
}
