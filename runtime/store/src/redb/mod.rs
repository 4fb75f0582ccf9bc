//! The store in one file on disk, by redb.
//!
//! One thread writes. What waits while it commits makes up the next commit, so that one flush of the disk is
//! shared by all who wait for it. Readers don't wait for the writer, nor the writer for them.

mod open;
#[cfg(test)]
mod power_cut;
#[cfg(test)]
mod tests;
mod view;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;

use ::redb::{Database, TableDefinition};

use crate::batch::Batch;
use crate::error::{CommitError, OpenError, ReadError};
use crate::kv::{Kv, ModuleChanges};
use crate::kv_store::KvStore;
use crate::table::TableId;

use self::view::RedbView;
use self::writer::Writer;

/// The store's file in the data directory.
const FILE_NAME: &str = "stepwell.redb";

/// Ours: bytes of pages that redb keeps in memory. Its own default is 1 GiB. What is read and written again
/// and again is the inner pages and the edges of the trees, which fit; a large cache would only fill with the
/// rows of executions that wait, whose cost in resident memory we want to be nothing.
const CACHE_BYTES_DEFAULT: usize = 64 << 20;

/// Where and how to open a store on disk.
#[derive(Debug, Clone)]
pub struct RedbOptions {
    /// Made if it is not there.
    pub directory: PathBuf,
    pub cache_bytes: usize,
    /// Random bits for a store that is new; see [`Meta`](crate::Meta).
    pub instance: u128,
}

impl RedbOptions {
    pub fn new(directory: impl Into<PathBuf>, instance: u128) -> RedbOptions {
        RedbOptions { directory: directory.into(), cache_bytes: CACHE_BYTES_DEFAULT, instance }
    }

    /// Whether there is a store already.
    pub fn has_store(&self) -> bool {
        self.path().exists()
    }

    fn path(&self) -> PathBuf {
        self.directory.join(FILE_NAME)
    }
}

/// The store on disk.
pub type RedbStore = KvStore<Redb>;

impl KvStore<Redb> {
    /// Opens the store, or makes a new one. Blocks: after a crash for some milliseconds.
    pub fn open(options: &RedbOptions) -> Result<RedbStore, OpenError> {
        let path = options.path();
        let database = open::database(options, &path)?;
        RedbStore::of_database(database, &path, options.instance)
    }

    fn of_database(
        database: Database,
        path: &std::path::Path,
        instance: u128,
    ) -> Result<RedbStore, OpenError> {
        let admission = open::prepare(&database, path, instance)?;
        let database = Arc::new(database);
        let module_changes = Arc::default();
        let writer = Writer::start(Arc::clone(&database), admission, Arc::clone(&module_changes));
        let writer = writer.map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(KvStore::over(Redb { writer, database, module_changes }))
    }
}

/// A database with its writer. The writer is dropped first, which ends its thread.
#[derive(Debug)]
pub struct Redb {
    writer: Writer,
    database: Arc<Database>,
    module_changes: Arc<ModuleChanges>,
}

fn definition(table: TableId) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

impl Kv for Redb {
    type View<'a> = RedbView;

    fn view(&self) -> Result<RedbView, ReadError> {
        RedbView::new(&self.database)
    }

    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.writer.commit(batch).await
    }

    fn module_changes(&self) -> &ModuleChanges {
        &self.module_changes
    }
}
