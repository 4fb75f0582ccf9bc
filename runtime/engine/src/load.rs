//! Loading what a shard misses, and what it starts with.

use asl::interpreter::ExecutionId;
use store::{ExecutionRecord, ExecutionStatus, ModuleHead, ModulePlace, ModuleRecord, ReadError, Store};
use uuid::Uuid;

use crate::shard::{Loaded, LoadedExecution, Missing, Snapshot};

/// Rows read at once while the shard is being put together.
const PAGE: usize = 1_000;

pub(crate) async fn load<S: Store>(store: &S, missing: Missing) -> Result<Loaded, ReadError> {
    match missing {
        Missing::Machine(name) => {
            let found = match store.machine(&name).await? {
                None => None,
                Some(record) => store.revision(record.revision).await?.map(|revision| (record, revision)),
            };
            Ok(Loaded::Machine(name, found))
        }
        Missing::Revision(number) => match store.revision(number).await? {
            Some(revision) => Ok(Loaded::Revision(number, revision)),
            // Asked for only where a version names it, which keeps it.
            None => Err(ReadError::Corrupt {
                table: "revisions",
                source: store::DecodeError::Malformed {
                    record: "RevisionRecord",
                    reason: format!("revision {number} is missing"),
                },
            }),
        },
        Missing::Execution(id) => {
            let found = match store.execution(id).await? {
                None => LoadedExecution::Absent,
                Some(record) if record.status != ExecutionStatus::Running => {
                    LoadedExecution::Ended(Box::new(record))
                }
                Some(record) => {
                    let revision = store.revision(record.revision).await?;
                    match (revision, store.load_state(id).await?) {
                        (Some(revision), Some(state)) => LoadedExecution::Running {
                            record: Box::new(record),
                            revision: Box::new(revision),
                            state: Box::new(state),
                        },
                        (None, _) | (_, None) => LoadedExecution::Absent,
                    }
                }
            };
            Ok(Loaded::Execution(id, found))
        }
        Missing::Kept(id) => {
            let revision = match store.execution(id).await? {
                None => None,
                Some(record) => store.revision(record.revision).await?,
            };
            let kept = match (revision, store.load_state(id).await?) {
                (Some(revision), Some(state)) => Some(Box::new((revision, state))),
                (None, _) | (_, None) => None,
            };
            Ok(Loaded::Kept(id, kept))
        }
        Missing::Name(machine, name) => {
            let id = find_execution(store, &machine, &name).await?.map(|(id, _)| id);
            Ok(Loaded::Name(machine, name, id))
        }
        Missing::Module(name) => {
            let found = module(store, &name).await?;
            Ok(Loaded::Module(name, found))
        }
        Missing::ModuleVersion(name, version) => {
            let exists = store.module(&name, version).await?.is_some();
            Ok(Loaded::ModuleVersion(name, version, exists))
        }
        Missing::Secret(key) => {
            let found = store.secret(&key).await?;
            Ok(Loaded::Secret(key, found))
        }
    }
}

/// A module with its newest upload.
async fn module<S: Store>(store: &S, name: &str) -> Result<Option<(ModuleHead, ModuleRecord)>, ReadError> {
    let Some(head) = store.module_head(name).await? else { return Ok(None) };
    let record = match head.latest() {
        ModulePlace::Version(version) => store.module(name, version).await?,
        ModulePlace::Upload(upload) => store.module_upload(name, upload).await?,
    };
    Ok(record.map(|record| (head, record)))
}

/// Finds an execution by the names in its ARN. One that was started without a name is named after its id and
/// has no other key.
pub async fn find_execution<S: Store>(
    store: &S,
    machine: &str,
    name: &str,
) -> Result<Option<(ExecutionId, ExecutionRecord)>, ReadError> {
    if let Some(found) = store.execution_by_name(machine, name).await? {
        return Ok(Some(found));
    }
    let Ok(id) = Uuid::try_parse(name) else { return Ok(None) };
    let id = ExecutionId(id.as_u128());
    let is_it = |record: &ExecutionRecord| &*record.name == name && machine_name(record) == Some(machine);
    Ok(store.execution(id).await?.filter(is_it).map(|record| (id, record)))
}

/// The name of an execution's machine, without the label of a distributed Map.
fn machine_name(record: &ExecutionRecord) -> Option<&str> {
    record.state_machine_arn.rsplit(':').next()?.split('/').next()
}

/// Everything that a shard keeps in memory: the sequence, the activities and their queues.
pub(crate) async fn snapshot<S: Store>(store: &S) -> Result<Snapshot, ReadError> {
    let mut snapshot = Snapshot { sequence: store.meta().await?.sequence, activities: Vec::new() };
    let mut position = None;
    loop {
        let page = store.list_activities(position.as_ref(), PAGE).await?;
        for record in page.items {
            let mut tasks = Vec::new();
            loop {
                let after = tasks.last().map(|(number, _)| *number);
                let more = store.activity_tasks(&record.name, after, PAGE).await?;
                if more.is_empty() {
                    break;
                }
                tasks.extend(more);
            }
            snapshot.activities.push((record, tasks));
        }
        position = page.next;
        if position.is_none() {
            return Ok(snapshot);
        }
    }
}
