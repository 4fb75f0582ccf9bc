//! Activity workers, and whoever answers a task by its token: they poll, beat or forget to, answer late, twice or
//! never, and go away in the middle.

use asl::Data;
use asl::interpreter::{ErrorOutput, TaskToken};
use engine::Refusal;
use engine::shard::{Reply, ReplyTo, Request, TaskAnswer, TaskKey};
use serde_json::Value;

use super::clients::activity_arn;
use super::env::{Env, Happening};
use super::functions;
use super::workload::ACTIVITIES;

/// AWS: how long a worker's poll is held.
const POLL_MILLISECONDS: i64 = 60_000;
/// More often than any heartbeat that the machines ask for.
const BEAT_MILLISECONDS: i64 = 1_500;

#[derive(Debug, Default)]
pub(super) struct Workers {
    workers: Vec<Worker>,
    jobs: Vec<Job>,
}

#[derive(Debug)]
struct Worker {
    activity: usize,
    poll: Option<ReplyTo>,
}

/// A task in somebody's hands.
#[derive(Debug)]
struct Job {
    token: TaskToken,
    outcome: Result<Data, ErrorOutput>,
    answer_at: i64,
    beats: bool,
    /// He will speak again. Of an answer that was said twice and got lost twice, one repetition is enough.
    is_planned: bool,
    is_over: bool,
}

impl Workers {
    pub(super) fn new(env: &mut Env) -> Workers {
        let mut workers = Workers::default();
        for activity in 0..ACTIVITIES.len() {
            for _ in 0..=env.random.below(3) {
                env.after(0, Happening::Worker(workers.workers.len()));
                workers.workers.push(Worker { activity, poll: None });
            }
        }
        workers
    }

    /// A worker's poll, unless it polls already.
    pub(super) fn poll(&mut self, worker: usize, to: ReplyTo, env: &mut Env) -> Option<Request> {
        let Worker { activity, poll } = &mut self.workers[worker];
        if poll.is_some() {
            return None;
        }
        *poll = Some(to);
        let is_broken = env.fault("a poller goes away", |faults| faults.poll_disconnected);
        let wait = if is_broken { env.random.between(0..=3_000) } else { POLL_MILLISECONDS };
        env.after(wait, Happening::PollOver { worker, poll: to, is_broken });
        Some(Request::GetActivityTask(activity_arn(*activity), Some(format!("worker{worker}"))))
    }

    /// Whether a poll is to be withdrawn. A worker whose connection broke polls again.
    pub(super) fn poll_over(&mut self, worker: usize, to: ReplyTo, is_broken: bool, env: &mut Env) -> bool {
        let poll = &mut self.workers[worker].poll;
        if *poll != Some(to) {
            return false;
        }
        if is_broken {
            *poll = None;
            env.after(500, Happening::Worker(worker));
        }
        true
    }

    /// A poll is answered. Nobody hears what comes over a broken connection; gives the task that was lost so.
    pub(super) fn polled(
        &mut self,
        worker: usize,
        to: ReplyTo,
        reply: Option<Reply>,
        env: &mut Env,
    ) -> Option<TaskKey> {
        let poll = &mut self.workers[worker].poll;
        if *poll != Some(to) {
            let Some(Reply::ActivityTask(Some(task))) = reply else { return None };
            let TaskToken { execution, row, attempt, .. } = TaskToken::parse(&task.token)?;
            return Some(TaskKey { execution, row, attempt });
        }
        *poll = None;
        let mut wait = env.random.between(0..=50);
        match reply {
            None | Some(Reply::Refused(Refusal::ActivityDoesNotExist { .. })) => wait += 300,
            Some(Reply::ActivityTask(None)) => {}
            Some(Reply::ActivityTask(Some(task))) => {
                if !env.fault("a worker vanishes", |faults| faults.worker_vanished) {
                    wait = self.take(&task.token, task.input.value(), env);
                }
            }
            Some(reply) => env.violated(|| format!("a poll was answered with {reply:?}")),
        }
        env.after(wait, Happening::Worker(worker));
        None
    }

    /// Somebody has a task in hands; gives how long he works on it.
    pub(super) fn take(&mut self, token: &str, input: &Value, env: &mut Env) -> i64 {
        let mut wait = env.random.between(0..=2_500);
        if env.fault("a worker is late", |faults| faults.answer_late) {
            wait += env.random.between(1_000..=120_000);
        }
        let beats = !env.fault("a worker does not beat", |faults| faults.heartbeat_missed);
        let job = Job {
            token: TaskToken::parse(token).expect("a token that was handed out is one"),
            outcome: functions::answer(input).map(Data::from),
            answer_at: env.now + wait,
            beats,
            is_planned: true,
            is_over: false,
        };
        env.after(wait.min(BEAT_MILLISECONDS), Happening::Job(self.jobs.len()));
        self.jobs.push(job);
        wait
    }

    /// What the holder of a task has to say now, and whether it is his answer.
    pub(super) fn speak(&mut self, index: usize, env: &mut Env) -> Vec<(bool, Request)> {
        let job = &mut self.jobs[index];
        job.is_planned = false;
        if job.is_over {
            return Vec::new();
        }
        if env.now < job.answer_at {
            job.is_planned = true;
            let wait = (job.answer_at - env.now).min(BEAT_MILLISECONDS);
            env.after(wait, Happening::Job(index));
            let beat = (false, Request::SendTask(job.token.clone(), TaskAnswer::Heartbeat));
            return if job.beats { vec![beat] } else { Vec::new() };
        }
        let answer = match job.outcome.clone() {
            Ok(output) => TaskAnswer::Success(output),
            Err(error) => TaskAnswer::Failure(error),
        };
        let answer = (true, Request::SendTask(job.token.clone(), answer));
        let mut said = vec![answer.clone()];
        if env.fault("an answer comes twice", |faults| faults.answer_doubled) {
            said.push(answer);
        }
        if env.fault("a token is forged", |faults| faults.token_forged) {
            let forged = forge(&job.token, env);
            let answer = TaskAnswer::Success(Data::empty_object());
            said.push((false, Request::SendTask(forged, answer)));
        }
        said
    }

    /// A holder is answered. Without an answer to his own he says it again.
    pub(super) fn heard(&mut self, index: usize, is_answer: bool, reply: Option<&Reply>, env: &mut Env) {
        let job = &mut self.jobs[index];
        match reply {
            Some(_) if is_answer => job.is_over = true,
            None if is_answer && !job.is_over && !job.is_planned => {
                job.is_planned = true;
                let wait = env.random.between(50..=1_500);
                env.after(wait, Happening::Job(index));
            }
            // Whoever is told that his time is over, or beats in vain, answers all the same.
            Some(_) | None => {}
        }
    }
}

/// A token for the same task under another seed, or for another attempt with the same proof.
fn forge(token: &TaskToken, env: &mut Env) -> TaskToken {
    if env.random.chance(500) {
        let seed = env.random.bytes();
        return TaskToken::new(&seed, token.execution, token.row, token.attempt);
    }
    let mut forged = token.clone();
    forged.attempt.0 += 1;
    forged
}
