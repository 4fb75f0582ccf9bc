//! One atomic write: the changes that many transitions made.

use std::collections::BTreeMap;

use asl::Text;
use asl::interpreter::{AttemptId, CallbackRequest, ExecutionId, Row};

use crate::key::{
    CallbackKey, CallbackRequestKey, ListingKey, NameKey, QueueKey, RowKey, SecretKey, TimerKey,
};
use crate::record::{
    ActivityRecord, CallbackAnswered, ExecutionRecord, HistoryRow, MachineRecord, MapRunRecord, ModuleHead,
    ModuleRecord, QueuedTask, RevisionRecord, SecretRecord, StateRow,
};

/// The last change of a row in a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<T> {
    Put(T),
    Delete,
}

/// The changed rows of a table in key order. A row that is changed twice is written once.
pub type Changes<K, T> = BTreeMap<K, Change<T>>;

/// Changes that become durable together or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// The shard that writes, and the epoch in which it was acquired. A batch of an epoch before the highest
    /// that has written is refused.
    pub shard: u32,
    pub epoch: u64,
    /// The highest number that was given so far; 0 leaves the stored one.
    pub sequence: u64,
    pub executions: Changes<ExecutionId, ExecutionRecord>,
    pub state: Changes<RowKey, StateRow>,
    /// Rows to append, in the order of their numbers.
    pub history: Vec<(u64, HistoryRow)>,
    /// Rows that retention removes.
    pub history_removed: Vec<u64>,
    pub names: Changes<NameKey, ExecutionId>,
    pub listing: Changes<ListingKey, ()>,
    /// Work that a restart must take up again: an attempt that runs, or attempt 0 where the execution itself
    /// has steps to go.
    pub dispatched: Changes<RowKey, AttemptId>,
    pub timers: Changes<TimerKey, ()>,
    pub machines: Changes<Text, MachineRecord>,
    pub revisions: Changes<u64, RevisionRecord>,
    pub activities: Changes<Text, ActivityRecord>,
    pub activity_tasks: Changes<QueueKey, QueuedTask>,
    pub modules: Changes<(Text, u32), ModuleRecord>,
    pub module_heads: Changes<Text, ModuleHead>,
    /// Uploads that `$LATEST` is or was, by module and number.
    pub module_uploads: Changes<(Text, u32), ModuleRecord>,
    /// By the rows of their executions.
    pub map_runs: Changes<RowKey, MapRunRecord>,
    /// The row of each Map Run, by the UUID in its ARN.
    pub map_run_ids: Changes<ExecutionId, RowKey>,
    pub secrets: Changes<SecretKey, SecretRecord>,
    /// What people are asked. Kept as long as the execution.
    pub callback_requests: Changes<CallbackRequestKey, CallbackRequest>,
    /// What they said, of each attempt that was answered by a link.
    pub callback_answers: Changes<CallbackKey, CallbackAnswered>,
}

/// Bytes assumed for a row apart from its payloads: key, version, small fields.
const ROW_BYTES: usize = 64;

impl Batch {
    pub fn new(shard: u32, epoch: u64) -> Batch {
        Batch { shard, epoch, ..Batch::default() }
    }

    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.rows() == 0 && self.sequence == 0
    }

    /// Adds a later batch of the same shard and epoch: where both change a row, the later one wins.
    pub fn merge(&mut self, later: Batch) {
        assert_eq!(
            (self.shard, self.epoch),
            (later.shard, later.epoch),
            "batches of different owners cannot be checked as one"
        );
        self.absorb(later);
    }

    /// [`Batch::merge`] for batches whose owners were checked already.
    pub(crate) fn absorb(&mut self, mut later: Batch) {
        // `extend` and not `append`, which rebuilds the whole map for every small batch that joins it.
        self.sequence = self.sequence.max(later.sequence);
        self.executions.extend(later.executions);
        self.state.extend(later.state);
        self.history.append(&mut later.history);
        self.history_removed.append(&mut later.history_removed);
        self.names.extend(later.names);
        self.listing.extend(later.listing);
        self.dispatched.extend(later.dispatched);
        self.timers.extend(later.timers);
        self.machines.extend(later.machines);
        self.revisions.extend(later.revisions);
        self.activities.extend(later.activities);
        self.activity_tasks.extend(later.activity_tasks);
        self.modules.extend(later.modules);
        self.module_heads.extend(later.module_heads);
        self.module_uploads.extend(later.module_uploads);
        self.map_runs.extend(later.map_runs);
        self.map_run_ids.extend(later.map_run_ids);
        self.secrets.extend(later.secrets);
        self.callback_requests.extend(later.callback_requests);
        self.callback_answers.extend(later.callback_answers);
    }

    pub(crate) fn changes_modules(&self) -> bool {
        !self.modules.is_empty() || !self.module_heads.is_empty() || !self.module_uploads.is_empty()
    }

    /// How many rows are written or removed.
    pub fn rows(&self) -> usize {
        self.executions.len()
            + self.state.len()
            + self.history.len()
            + self.history_removed.len()
            + self.names.len()
            + self.listing.len()
            + self.dispatched.len()
            + self.timers.len()
            + self.machines.len()
            + self.revisions.len()
            + self.activities.len()
            + self.activity_tasks.len()
            + self.modules.len()
            + self.module_heads.len()
            + self.module_uploads.len()
            + self.map_runs.len()
            + self.map_run_ids.len()
            + self.secrets.len()
            + self.callback_requests.len()
            + self.callback_answers.len()
    }

    /// About how many bytes are written: enough to bound a queue.
    pub fn size(&self) -> usize {
        let executions = puts(&self.executions)
            .map(|record| record.input.size() + record.output.as_ref().map_or(0, asl::Data::size));
        let state = puts(&self.state).map(state_size);
        let events = self.history.iter().map(|(_, row)| row.events.len() * ROW_BYTES);
        let asked =
            puts(&self.callback_requests).map(|request| request.payload.as_ref().map_or(0, asl::Data::size));
        let manifests = puts(&self.modules).chain(puts(&self.module_uploads));
        let manifests = manifests.map(|module| module.manifest.as_ref().map_or(0, |text| text.len()));
        let definitions = puts(&self.revisions).map(|revision| revision.definition.len());
        self.rows() * ROW_BYTES
            + executions.sum::<usize>()
            + state.sum::<usize>()
            + events.sum::<usize>()
            + definitions.sum::<usize>()
            + asked.sum::<usize>()
            + manifests.sum::<usize>()
    }
}

fn puts<K, T>(changes: &Changes<K, T>) -> impl Iterator<Item = &T> {
    changes.values().filter_map(|change| match change {
        Change::Put(value) => Some(value),
        Change::Delete => None,
    })
}

/// The payload of a thread's input stands for that of the events beside it, which mostly share it.
fn state_size(row: &StateRow) -> usize {
    match row {
        StateRow::Header(header) => header.header.ready.len() * size_of::<u64>(),
        StateRow::Row(Row::Thread(thread)) => {
            let variables = thread.variables.iter().map(|(name, value)| name.len() + value.size());
            2 * thread.input.size() + variables.sum::<usize>()
        }
        StateRow::Row(Row::Fork(_) | Row::MapRun(_)) => 0,
        StateRow::Row(Row::MapRunChild(child)) => child.output.as_ref().map_or(0, asl::Data::size),
        StateRow::Row(Row::Items(items)) => items.size(),
    }
}
