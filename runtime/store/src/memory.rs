//! The store that is gone with the process: for tests, simulation and short-lived use. Its rows go through the
//! same encoding as those on disk.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::batch::Batch;
use crate::encoded::{Admission, Encoded};
use crate::error::{CommitError, ReadError};
use crate::key::MetaKey;
use crate::kv::{KeyRange, Kv, ModuleChanges, View};
use crate::kv_store::KvStore;
use crate::page::Order;
use crate::table::TableId;

/// The store in memory.
pub type MemoryStore = KvStore<Memory>;

/// Ordered maps behind a lock.
#[derive(Debug, Default)]
pub struct Memory {
    content: RwLock<Content>,
    module_changes: ModuleChanges,
}

#[derive(Debug, Default)]
struct Content {
    admission: Admission,
    tables: BTreeMap<TableId, BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl KvStore<Memory> {
    /// An empty store. `instance` tells it from others; see [`Meta`](crate::Meta).
    pub fn new(instance: u128) -> MemoryStore {
        let mut content = Content::default();
        content.apply(&Encoded::of_meta(&MetaKey::of_new_store(instance)));
        KvStore::over(Memory { content: RwLock::new(content), module_changes: ModuleChanges::default() })
    }
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore::new(0)
    }
}

impl Content {
    fn apply(&mut self, encoded: &Encoded) {
        for (table, rows) in encoded.tables() {
            let table = self.tables.entry(table).or_default();
            for (key, value) in rows {
                match value {
                    Some(value) => table.insert(key.to_vec(), value.to_vec()),
                    None => table.remove(key),
                };
            }
        }
    }
}

impl Kv for Memory {
    type View<'a> = MemoryView<'a>;

    fn view(&self) -> Result<MemoryView<'_>, ReadError> {
        // A panic while the lock is held leaves whole rows behind, and the test that panicked fails anyway.
        Ok(MemoryView(self.content.read().unwrap_or_else(PoisonError::into_inner)))
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let mut content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        let mut admitted = content.admission.clone();
        admitted.admit(&batch)?;
        let changes_modules = batch.changes_modules();
        let encoded = Encoded::new(batch, &content.admission, &admitted);
        content.apply(&encoded);
        content.admission = admitted;
        if changes_modules {
            self.module_changes.add();
        }
        Ok(())
    }

    fn module_changes(&self) -> &ModuleChanges {
        &self.module_changes
    }
}

#[derive(Debug)]
pub(crate) struct MemoryView<'a>(RwLockReadGuard<'a, Content>);

impl View for MemoryView<'_> {
    fn get<R>(
        &self,
        table: TableId,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>, ReadError> {
        let table = self.0.tables.get(&table);
        Ok(table.and_then(|table| table.get(key)).map(|value| read(value)))
    }

    fn scan(
        &self,
        table: TableId,
        range: &KeyRange,
        order: Order,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError> {
        let Some(table) = self.0.tables.get(&table) else { return Ok(()) };
        if range.is_empty() {
            return Ok(());
        }
        let mut rows = table.range::<[u8], _>(range.bounds());
        while let Some((key, value)) = match order {
            Order::Forward => rows.next(),
            Order::Reverse => rows.next_back(),
        } {
            if visit(key, value)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;

    crate::contract_tests!((MemoryStore::new(1), ()));
}
