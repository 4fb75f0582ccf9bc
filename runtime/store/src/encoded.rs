//! A batch as the bytes that a key-value backend writes, and who may write them.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::batch::{Batch, Change, Changes};
use crate::codec::Record;
use crate::error::CommitError;
use crate::key::{Key, MetaKey};
use crate::table::{self, Table, TableId};

/// What decides over a batch besides its own content. The writer keeps it; it is stored in the table `meta`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Admission {
    pub(crate) sequence: u64,
    /// The highest epoch that has written to each shard.
    pub(crate) epochs: BTreeMap<u32, u64>,
}

impl Admission {
    /// Lets a batch in, or refuses that of an owner which has lost its shard.
    pub(crate) fn admit(&mut self, batch: &Batch) -> Result<(), CommitError> {
        let epoch = self.epochs.entry(batch.shard).or_default();
        if batch.epoch < *epoch {
            return Err(CommitError::Fenced);
        }
        *epoch = batch.epoch;
        self.sequence = self.sequence.max(batch.sequence);
        Ok(())
    }

    /// The rows of `meta` in which `self` differs from what is stored.
    fn changes_since(&self, stored: &Admission) -> Changes<MetaKey, u64> {
        let epochs = self.epochs.iter().filter(|(shard, epoch)| {
            // Epoch 0 is what a shard without a row has.
            stored.epochs.get(shard).copied().unwrap_or(0) != **epoch
        });
        let mut changes: Changes<MetaKey, u64> =
            epochs.map(|(shard, epoch)| (MetaKey::Epoch(*shard), Change::Put(*epoch))).collect();
        if self.sequence != stored.sequence {
            changes.insert(MetaKey::Sequence, Change::Put(self.sequence));
        }
        changes
    }
}

/// Encoded changes, table by table and in key order. All bytes lie in one buffer: a commit of a thousand
/// transitions has too many rows to allocate for each.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    bytes: Vec<u8>,
    tables: Vec<(TableId, Vec<Row>)>,
}

#[derive(Debug)]
struct Row {
    key: Range<usize>,
    /// None deletes.
    value: Option<Range<usize>>,
}

impl Encoded {
    /// Encodes a batch that was admitted: `stored` is what was in force before, `admitted` with the batch.
    pub(crate) fn new(mut batch: Batch, stored: &Admission, admitted: &Admission) -> Encoded {
        let mut encoded = Encoded::default();
        encoded.add::<table::Meta>(&admitted.changes_since(stored));
        encoded.add::<table::Executions>(&batch.executions);
        encoded.add::<table::State>(&batch.state);
        encoded.add_history(&mut batch);
        encoded.add::<table::Names>(&batch.names);
        encoded.add::<table::Listing>(&batch.listing);
        encoded.add::<table::Dispatched>(&batch.dispatched);
        encoded.add::<table::Timers>(&batch.timers);
        encoded.add::<table::Machines>(&batch.machines);
        encoded.add::<table::Revisions>(&batch.revisions);
        encoded.add::<table::Activities>(&batch.activities);
        encoded.add::<table::ActivityTasks>(&batch.activity_tasks);
        encoded.add::<table::Modules>(&batch.modules);
        encoded.add::<table::ModuleHeads>(&batch.module_heads);
        encoded.add::<table::ModuleUploads>(&batch.module_uploads);
        encoded.add::<table::MapRuns>(&batch.map_runs);
        encoded.add::<table::MapRunIds>(&batch.map_run_ids);
        encoded.add::<table::Secrets>(&batch.secrets);
        encoded.add::<table::CallbackRequests>(&batch.callback_requests);
        encoded.add::<table::CallbackAnswers>(&batch.callback_answers);
        encoded
    }

    /// The rows that a new store has from the start.
    pub(crate) fn of_meta(changes: &Changes<MetaKey, u64>) -> Encoded {
        let mut encoded = Encoded::default();
        encoded.add::<table::Meta>(changes);
        encoded
    }

    fn add<T: Table>(&mut self, changes: &Changes<T::Key, T::Value>) {
        if changes.is_empty() {
            return;
        }
        let mut rows = Vec::with_capacity(changes.len());
        for (key, change) in changes {
            rows.push(match change {
                Change::Put(value) => self.put(key, value),
                Change::Delete => self.delete(key),
            });
        }
        self.tables.push((T::ID, rows));
    }

    fn add_history(&mut self, batch: &mut Batch) {
        if batch.history.is_empty() && batch.history_removed.is_empty() {
            return;
        }
        // Sorted already, except where batches of several shards meet in one commit.
        batch.history.sort_by_key(|(lsn, _)| *lsn);
        let mut rows = Vec::with_capacity(batch.history.len() + batch.history_removed.len());
        rows.extend(batch.history.iter().map(|(lsn, row)| self.put(lsn, row)));
        rows.extend(batch.history_removed.iter().map(|lsn| self.delete(lsn)));
        self.tables.push((TableId::History, rows));
    }

    fn put(&mut self, key: &impl Key, value: &impl Record) -> Row {
        let Row { key, .. } = self.delete(key);
        value.encode(&mut self.bytes);
        Row { value: Some(key.end..self.bytes.len()), key }
    }

    fn delete(&mut self, key: &impl Key) -> Row {
        let start = self.bytes.len();
        key.write_to(&mut self.bytes);
        Row { key: start..self.bytes.len(), value: None }
    }

    /// Each table with its rows: key, and the new value or none to delete it.
    pub(crate) fn tables(
        &self,
    ) -> impl Iterator<Item = (TableId, impl Iterator<Item = (&[u8], Option<&[u8]>)>)> {
        self.tables.iter().map(|(table, rows)| {
            let rows = rows
                .iter()
                .map(|row| (&self.bytes[row.key.clone()], row.value.clone().map(|value| &self.bytes[value])));
            (*table, rows)
        })
    }
}
