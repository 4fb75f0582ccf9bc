//! What every actor of the simulation shares: the clock, the queue of what is to happen, the faults, the store.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use asl::Timestamp;
use asl::interpreter::{AttemptId, ExecutionId};
use engine::shard::{Input, Reply, ReplyTo, Request, TaskKey};
use serde_json::Value;
use store::CommitError;

use super::faults::Faults;
use super::random::Random;
use super::storage::Storage;

/// Something that is to happen at a certain time.
#[derive(Debug)]
pub(super) enum Happening {
    /// A client does what it has to do, or does it again.
    Client(usize),
    /// A worker asks for a task.
    Worker(usize),
    /// A worker's poll has waited long enough, or its connection breaks.
    PollOver {
        worker: usize,
        poll: ReplyTo,
        is_broken: bool,
    },
    /// Somebody works on a task that is answered by its token: he beats or answers.
    Job(usize),
    /// A task is handed to somebody who will answer by its token.
    Callback {
        token: String,
        input: Value,
    },
    /// A request or a withdrawal reaches the node.
    Request {
        to: ReplyTo,
        request: Request,
    },
    Withdraw(ReplyTo),
    /// An answer reaches the client; none if the connection broke.
    Reply {
        to: ReplyTo,
        reply: Option<Reply>,
    },
    /// An executor has something to say; it dies with its node.
    Executor {
        node: u64,
        run: u64,
        says: Says,
    },
    Turn {
        node: u64,
    },
    /// A batch becomes durable.
    Apply {
        commit: u64,
    },
    Committed {
        node: u64,
        commit: u64,
        result: Result<(), CommitError>,
    },
    Restart,
    /// A moment at which the world may go wrong by itself.
    Tick,
    FaultsStop,
}

#[derive(Debug)]
pub(super) enum Says {
    Beat,
    Returned(Input),
    /// It was cancelled and returns because of that.
    Cancelled(Input),
}

struct Planned {
    at: i64,
    number: u64,
    happening: Happening,
}

impl PartialEq for Planned {
    fn eq(&self, other: &Planned) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Planned) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Planned) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// Events that a failure shows.
const TRACE_MAX: usize = 50;

/// Where the clocks of the world stand when a run begins.
const EPOCH_MILLISECONDS: i64 = 1_750_000_000_000;

pub(super) struct Env {
    /// Milliseconds since the run began.
    pub(super) now: i64,
    /// How far the node's clock has jumped.
    pub(super) clock_offset: i64,
    pub(super) random: Random,
    pub(super) faults: Faults,
    pub(super) is_faulty: bool,
    pub(super) store: Storage,
    /// The attempt that each result belongs to.
    pub(super) results: Vec<TaskKey>,
    /// Activity tasks that were handed to a worker, and that did not come back.
    pub(super) handed: BTreeSet<(ExecutionId, AttemptId)>,
    /// Attempts whose answer a worker was told to be the accepted one.
    pub(super) answered: BTreeSet<(ExecutionId, AttemptId)>,
    /// The last event of each execution of which observers were told.
    pub(super) told: BTreeMap<ExecutionId, u32>,
    /// The node is to crash as soon as it gives way.
    pub(super) is_crashing: bool,
    pub(super) violation: Option<String>,
    pub(super) steps: u64,
    queue: BinaryHeap<Reverse<Planned>>,
    planned: u64,
    numbers: u64,
    is_tracing: bool,
    trace: VecDeque<String>,
    schedule: Vec<String>,
}

impl Env {
    pub(super) fn new(random: Random, faults: Faults, is_tracing: bool) -> Env {
        Env {
            now: 0,
            clock_offset: 0,
            random,
            faults,
            is_faulty: true,
            store: Storage::new(),
            results: Vec::new(),
            handed: BTreeSet::new(),
            answered: BTreeSet::new(),
            told: BTreeMap::new(),
            is_crashing: false,
            violation: None,
            steps: 0,
            queue: BinaryHeap::new(),
            planned: 0,
            numbers: 0,
            is_tracing,
            trace: VecDeque::new(),
            schedule: Vec::new(),
        }
    }

    /// The node's clock, which may be set a little back or forth between two looks at it.
    pub(super) fn clock(&mut self) -> Timestamp {
        if self.fault("clock set", |faults| faults.clock_jump) {
            self.clock_offset += self.random.between(-100..=100);
        }
        Timestamp::from_milliseconds(EPOCH_MILLISECONDS + self.now + self.clock_offset)
    }

    pub(super) fn after(&mut self, milliseconds: i64, happening: Happening) {
        self.planned += 1;
        let planned = Planned { at: self.now + milliseconds.max(0), number: self.planned, happening };
        self.queue.push(Reverse(planned));
    }

    /// Goes on to the next thing that happens.
    pub(super) fn next(&mut self) -> Option<Happening> {
        let Reverse(planned) = self.queue.pop()?;
        self.now = planned.at;
        self.steps += 1;
        Some(planned.happening)
    }

    /// So much time passes that no execution can be redriven any more.
    pub(super) fn two_weeks_pass(&mut self) {
        self.trace(|| "two weeks pass".to_owned());
        self.clock_offset += 15 * 24 * 3_600_000;
    }

    /// A number that was not given before.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// How long a message is on its way.
    pub(super) fn latency(&mut self) -> i64 {
        self.random.between(0..=8)
    }

    /// Whether a fault strikes here.
    pub(super) fn fault(&mut self, name: &str, rate: impl FnOnce(&Faults) -> u32) -> bool {
        let strikes = self.is_faulty && self.random.chance(rate(&self.faults));
        if strikes && self.is_tracing {
            self.schedule.push(format!("{:>9} {name}", self.now));
            self.trace(|| format!("FAULT {name}"));
        }
        strikes
    }

    /// Notes what happens, for the case that it is asked for.
    pub(super) fn trace(&mut self, line: impl FnOnce() -> String) {
        if self.is_tracing {
            if self.trace.len() == TRACE_MAX {
                self.trace.pop_front();
            }
            self.trace.push_back(format!("{:>9} {:.300}", self.now, line()));
        }
    }

    /// The first rule that is broken ends the run.
    pub(super) fn violated(&mut self, rule: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(rule());
        }
    }

    /// What went wrong on purpose, and what happened last.
    pub(super) fn report(&self) -> String {
        let trace: Vec<&str> = self.trace.iter().map(String::as_str).collect();
        format!(
            "{:?}\nfault schedule:\n{}\nlast events:\n{}",
            self.faults,
            self.schedule.join("\n"),
            trace.join("\n")
        )
    }
}
