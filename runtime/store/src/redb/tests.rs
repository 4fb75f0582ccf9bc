//! The contract on redb, and what a file can do that memory cannot.

use ::redb::{Database, TableDefinition};
use asl::Text;
use asl::interpreter::{AttemptId, ExecutionId, RowId};

use crate::batch::Change::Put;
use crate::codec::Record;
use crate::contract::block_on;
use crate::key::{Key, MetaKey};
use crate::table::TableId;
use crate::{Batch, CallbackKey, CommitError, ModuleHead, OpenError, RowKey, Store};

use super::{FILE_NAME, RedbOptions, RedbStore, definition};

mod contract {
    crate::contract_tests!(super::new_store());
}

fn new_store() -> (RedbStore, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = RedbStore::open(&RedbOptions::new(directory.path(), 1)).unwrap();
    (store, directory)
}

fn open(directory: &tempfile::TempDir) -> Result<RedbStore, OpenError> {
    RedbStore::open(&RedbOptions::new(directory.path(), 2))
}

fn batch(module: u32) -> Batch {
    let mut batch = Batch::default();
    let head = ModuleHead { latest_version: module, pointers: None, tags: None };
    batch.module_heads.insert(Text::from(module.to_string()), Put(head));
    batch
}

#[test]
fn what_was_committed_is_there_after_the_store_was_closed() {
    let (store, directory) = new_store();
    block_on(store.commit(Batch { sequence: 7, shard: 3, epoch: 5, ..batch(1) })).unwrap();
    drop(store);
    let store = open(&directory).unwrap();
    let meta = block_on(store.meta()).unwrap();
    assert_eq!((meta.sequence, meta.instance), (7, 1), "the instance is that of the first time");
    assert_eq!(
        block_on(store.module_head("1")).unwrap(),
        Some(ModuleHead { latest_version: 1, pointers: None, tags: None })
    );
    let stale = block_on(store.commit(Batch { shard: 3, epoch: 4, ..batch(2) }));
    assert_eq!(stale, Err(CommitError::Fenced), "epochs outlive the process");
}

#[test]
fn a_store_of_before_a_table_was_thought_of_gets_it() {
    let (store, directory) = new_store();
    block_on(store.commit(batch(1))).unwrap();
    drop(store);
    let database = Database::open(directory.path().join(FILE_NAME)).unwrap();
    let transaction = database.begin_write().unwrap();
    for table in [TableId::MapRuns, TableId::CallbackRequests, TableId::CallbackAnswers] {
        assert!(transaction.delete_table(definition(table)).unwrap());
    }
    transaction.commit().unwrap();
    drop(database);
    let store = open(&directory).unwrap();
    let runs = block_on(store.list_map_runs(ExecutionId(1), None, 10)).unwrap();
    assert_eq!(runs.items, []);
    let row = RowKey { execution: ExecutionId(1), row: RowId(1) };
    let answer = block_on(store.callback_answer(CallbackKey { row, attempt: AttemptId(1) })).unwrap();
    assert_eq!(answer, None);
    assert_eq!(
        block_on(store.module_head("1")).unwrap(),
        Some(ModuleHead { latest_version: 1, pointers: None, tags: None })
    );
}

#[test]
fn a_store_in_use_is_refused() {
    let (store, directory) = new_store();
    let handle = store.clone();
    drop(store);
    let error = open(&directory).unwrap_err();
    assert!(
        matches!(&error, OpenError::InUse { path } if *path == directory.path().join(FILE_NAME)),
        "{error}"
    );
    drop(handle);
    open(&directory).unwrap();
}

#[test]
fn another_format_is_refused() {
    let (store, directory) = new_store();
    drop(store);
    let database = Database::open(directory.path().join(FILE_NAME)).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut version = Vec::new();
        2_u64.encode(&mut version);
        let mut table = transaction.open_table(definition(TableId::Meta)).unwrap();
        table.insert(MetaKey::Format.to_bytes().as_slice(), version.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    drop(database);
    let error = open(&directory).unwrap_err();
    assert!(matches!(error, OpenError::Format { found: 2, supported: 1, .. }), "{error}");
}

#[test]
fn files_of_others_are_refused() {
    for content in ["x", "a text that is longer than the magic number of redb"] {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE_NAME), content).unwrap();
        let error = open(&directory).unwrap_err();
        assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(directory.path().join(FILE_NAME)).unwrap(), content);
    }
    let directory = tempfile::tempdir().unwrap();
    let database = Database::create(directory.path().join(FILE_NAME)).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(TableDefinition::<u64, u64>::new("other")).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = open(&directory).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error}");
}

#[test]
fn a_file_that_was_never_finished_is_made_again() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(format!("{FILE_NAME}.new")), [0; 5000]).unwrap();
    open(&directory).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = RedbStore::open(&RedbOptions::new(file.join("data"), 1)).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
}

#[test]
fn commits_on_their_way_are_finished_when_the_store_is_dropped() {
    const COMMITS: u32 = 200;
    let (store, directory) = new_store();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let commits: Vec<_> = (0..COMMITS)
        .map(|number| {
            let store = store.clone();
            runtime.spawn(async move { store.commit(batch(number)).await })
        })
        .collect();
    drop(store);
    for commit in commits {
        runtime.block_on(commit).unwrap().unwrap();
    }
    drop(runtime);
    let store = open(&directory).unwrap();
    for number in 0..COMMITS {
        let head = block_on(store.module_head(&number.to_string())).unwrap();
        assert_eq!(head, Some(ModuleHead { latest_version: number, pointers: None, tags: None }));
    }
}
