//! Random batches over few keys, so that they meet.

use asl::Text;
use asl::interpreter::{AttemptId, ExecutionId, RowId, TimerKind};

use crate::batch::{Batch, Change, Changes};
use crate::record::{ExecutionStatus, HistoryRow, SecretKind, StateRow};
use crate::{CallbackKey, CallbackRequestKey, ListingKey, NameKey, QueueKey, RowKey, SecretKey, TimerKey};

use super::sample;

/// A small generator of numbers (SplitMix64): a seed gives the same ones everywhere and for ever.
#[derive(Debug, Clone)]
pub struct Prng(u64);

impl Prng {
    pub fn new(seed: u64) -> Prng {
        Prng(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let count = u64::try_from(from.len()).expect("a slice fits into memory");
        &from[usize::try_from(self.below(count)).expect("an index of the slice")]
    }
}

pub(super) const NAMES: [&str; 4] = ["a", "ab", "b", "größe"];
pub(super) const EXECUTIONS: u64 = 6;
pub(super) const NUMBERS: u64 = 5;

/// The newest history row and the next event of one execution.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chain {
    pub(super) last_lsn: Option<u64>,
    next_event: u32,
}

/// Makes batches, and knows the history that they have made.
#[derive(Debug, Clone)]
pub struct Generator {
    prng: Prng,
    sequence: u64,
    pub(super) chains: [Chain; EXECUTIONS as usize],
}

impl Generator {
    pub fn new(seed: u64) -> Generator {
        let chain = Chain { last_lsn: None, next_event: 1 };
        Generator { prng: Prng::new(seed), sequence: 0, chains: [chain; EXECUTIONS as usize] }
    }

    /// The next batch, of `changes` changes.
    pub fn batch(&mut self, changes: usize) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..changes {
            self.change(&mut batch);
        }
        batch.sequence = self.sequence;
        batch
    }

    fn change(&mut self, batch: &mut Batch) {
        let number = self.prng.below(NUMBERS);
        let name = *self.prng.pick(&NAMES);
        let name = Text::from(name);
        let (execution, status) = (self.execution(), self.status());
        let row = RowKey { execution, row: RowId(1 + number) };
        let prng = &mut self.prng;
        match prng.below(19) {
            0 => put(prng, &mut batch.executions, execution, sample::execution(number, status)),
            1 => self.state(batch, execution, row),
            2 => self.history(batch, execution),
            3 => {
                let key = NameKey { machine: name.clone(), execution: name };
                put(prng, &mut batch.names, key, execution);
            }
            4 => {
                let at = sample::at(i64::try_from(prng.below(NUMBERS)).expect("small"));
                let key = ListingKey { machine_id: number, status, at, execution };
                put(prng, &mut batch.listing, key, ());
            }
            5 => put(prng, &mut batch.dispatched, row, AttemptId(number)),
            6 => {
                let due = sample::at(i64::try_from(prng.below(NUMBERS)).expect("small") - 2);
                let kind = *prng.pick(&[TimerKind::Wake, TimerKind::HeartbeatTimeout]);
                put(prng, &mut batch.timers, TimerKey { due, execution, row: RowId(number), kind }, ());
            }
            7 => put(prng, &mut batch.machines, name.clone(), sample::machine(&name, number)),
            8 => put(prng, &mut batch.revisions, number, sample::revision(number)),
            9 => put(prng, &mut batch.activities, name.clone(), sample::activity(&name)),
            10 => {
                let key = QueueKey { activity: name, number };
                put(prng, &mut batch.activity_tasks, key, sample::queued(number));
            }
            11 => {
                let version = u32::try_from(number).expect("small");
                put(prng, &mut batch.modules, (name, version), sample::module(number));
            }
            12 => {
                let run = sample::map_run(u32::try_from(number).expect("small"));
                put(prng, &mut batch.map_runs, row, run);
            }
            13 => put(prng, &mut batch.map_run_ids, execution, row),
            14 => {
                let key = SecretKey { kind: *prng.pick(&SecretKind::ALL), name };
                put(prng, &mut batch.secrets, key, sample::secret(number));
            }
            15 => {
                let key = CallbackRequestKey { callback: callback(row), number };
                put(prng, &mut batch.callback_requests, key, sample::callback_request(number));
            }
            16 => put(prng, &mut batch.callback_answers, callback(row), sample::callback_answer()),
            17 => {
                let upload = u32::try_from(number).expect("small");
                put(prng, &mut batch.module_uploads, (name, upload), sample::module(number));
            }
            _last => {
                let latest_version = u32::try_from(number).expect("small");
                put(prng, &mut batch.module_heads, name, sample::head(latest_version));
            }
        }
    }

    fn execution(&mut self) -> ExecutionId {
        ExecutionId(u128::from(self.prng.below(EXECUTIONS)))
    }

    fn status(&mut self) -> ExecutionStatus {
        *self.prng.pick(&ExecutionStatus::ALL)
    }

    /// Writes a row with its header, or now and then removes all.
    fn state(&mut self, batch: &mut Batch, execution: ExecutionId, row: RowKey) {
        let header = RowKey { execution, row: RowId::EXECUTION };
        if self.prng.below(4) == 0 {
            batch.state.insert(header, Change::Delete);
            for number in 0..NUMBERS {
                batch.state.insert(RowKey { execution, row: RowId(1 + number) }, Change::Delete);
            }
            return;
        }
        let number = self.prng.below(100);
        batch.state.insert(header, Change::Put(StateRow::Header(sample::header(number))));
        batch.state.insert(row, Change::Put(StateRow::Row(sample::row(number))));
    }

    fn history(&mut self, batch: &mut Batch, execution: ExecutionId) {
        let count = u32::try_from(self.prng.below(4)).expect("small");
        let index = usize::try_from(execution.0).expect("small");
        let chain = &mut self.chains[index];
        self.sequence += 1;
        let events = (chain.next_event..chain.next_event + count).map(sample::event).collect();
        let row = HistoryRow { execution, previous_lsn: chain.last_lsn, events };
        batch.history.push((self.sequence, row));
        chain.last_lsn = Some(self.sequence);
        chain.next_event += count;
    }
}

/// The attempt that a row awaits.
pub(super) fn callback(row: RowKey) -> CallbackKey {
    CallbackKey { row, attempt: AttemptId(1) }
}

/// Puts mostly, and deletes now and then.
fn put<K: Ord, T>(prng: &mut Prng, changes: &mut Changes<K, T>, key: K, value: T) {
    let change = if prng.below(4) == 0 { Change::Delete } else { Change::Put(value) };
    changes.insert(key, change);
}
