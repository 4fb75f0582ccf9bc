//! The store as the engine and the API see it.

use asl::Timestamp;
use asl::interpreter::{AttemptId, CallbackRequest, ExecutionId, HistoryEvent, Row};

use crate::batch::Batch;
use crate::error::{CommitError, ReadError};
use crate::key::{CallbackKey, CallbackRequestKey, RowKey, SecretKey, TimerKey};
use crate::page::{HistoryQuery, Page, Position};
use crate::record::{
    ActivityRecord, CallbackAnswered, ExecutionRecord, ExecutionStatus, ExecutionSummary, MachineRecord,
    MapRunRecord, Meta, ModuleHead, ModuleRecord, QueuedTask, RevisionRecord, SecretKind, SecretRecord,
    StateHeader, StoredState,
};

/// One atomic write and typed reads.
///
/// A read sees one state between two commits. Pages hold between 1 and 1,000 items and scans for recovery at
/// most 10,000, whatever `max` says.
pub trait Store: Send + Sync + 'static {
    /// Writes the batch; after `Ok` no crash takes it back. Of two batches that are on their way at once, the
    /// one whose commit was polled first is written first.
    fn commit(&self, batch: Batch) -> impl Future<Output = Result<(), CommitError>> + Send;

    fn meta(&self) -> impl Future<Output = Result<Meta, ReadError>> + Send;

    fn execution(
        &self,
        id: ExecutionId,
    ) -> impl Future<Output = Result<Option<ExecutionRecord>, ReadError>> + Send;

    fn execution_by_name(
        &self,
        machine: &str,
        name: &str,
    ) -> impl Future<Output = Result<Option<(ExecutionId, ExecutionRecord)>, ReadError>> + Send;

    /// The state of an execution that runs or can be redriven.
    fn load_state(
        &self,
        id: ExecutionId,
    ) -> impl Future<Output = Result<Option<StoredState>, ReadError>> + Send;

    /// One row of a running execution, past its others, of which there may be thousands.
    fn state_row(&self, key: RowKey) -> impl Future<Output = Result<Option<Row>, ReadError>> + Send;

    /// The header alone, which names the newest history row.
    fn state_header(
        &self,
        id: ExecutionId,
    ) -> impl Future<Output = Result<Option<StateHeader>, ReadError>> + Send;

    /// The execution with the lowest id, and so about the oldest one, that runs or can be redriven.
    fn oldest_state(&self) -> impl Future<Output = Result<Option<ExecutionId>, ReadError>> + Send;

    fn history(
        &self,
        query: HistoryQuery,
    ) -> impl Future<Output = Result<Page<HistoryEvent>, ReadError>> + Send;

    /// The numbers of an execution's history rows from the newest back, for retention. After `max` of them the
    /// next call goes on from the second value.
    fn history_rows(
        &self,
        last_lsn: u64,
        max: usize,
    ) -> impl Future<Output = Result<(Vec<u64>, Option<u64>), ReadError>> + Send;

    /// Executions of a machine, of one status or of all, newest first: running ones by their start or their
    /// last redrive, others by their end.
    fn list_executions(
        &self,
        machine_id: u64,
        status: Option<ExecutionStatus>,
        from: Option<&Position>,
        max: usize,
    ) -> impl Future<Output = Result<Page<(ExecutionId, ExecutionSummary)>, ReadError>> + Send;

    /// How many executions of a status a machine has, counted up to `limit`.
    fn count_executions(
        &self,
        machine_id: u64,
        status: ExecutionStatus,
        limit: u64,
    ) -> impl Future<Output = Result<u64, ReadError>> + Send;

    /// Timers that are due at `now` or before, the earliest first.
    fn due_timers(
        &self,
        now: Timestamp,
        max: usize,
    ) -> impl Future<Output = Result<Vec<TimerKey>, ReadError>> + Send;

    /// When the earliest timer is due.
    fn next_timer(&self) -> impl Future<Output = Result<Option<Timestamp>, ReadError>> + Send;

    /// Work that a restart must take up again, in key order after a key.
    fn dispatched(
        &self,
        after: Option<RowKey>,
        max: usize,
    ) -> impl Future<Output = Result<Vec<(RowKey, AttemptId)>, ReadError>> + Send;

    fn machine(&self, name: &str) -> impl Future<Output = Result<Option<MachineRecord>, ReadError>> + Send;

    fn revision(
        &self,
        revision: u64,
    ) -> impl Future<Output = Result<Option<RevisionRecord>, ReadError>> + Send;

    /// Machines by their names.
    fn list_machines(
        &self,
        from: Option<&Position>,
        max: usize,
    ) -> impl Future<Output = Result<Page<MachineRecord>, ReadError>> + Send;

    fn activity(&self, name: &str) -> impl Future<Output = Result<Option<ActivityRecord>, ReadError>> + Send;

    /// Activities by their names.
    fn list_activities(
        &self,
        from: Option<&Position>,
        max: usize,
    ) -> impl Future<Output = Result<Page<ActivityRecord>, ReadError>> + Send;

    /// An activity's queue in order, after a place.
    fn activity_tasks(
        &self,
        activity: &str,
        after: Option<u64>,
        max: usize,
    ) -> impl Future<Output = Result<Vec<(u64, QueuedTask)>, ReadError>> + Send;

    /// A Map Run by the UUID in its ARN, with the row of its execution.
    fn map_run(
        &self,
        id: ExecutionId,
    ) -> impl Future<Output = Result<Option<(RowKey, MapRunRecord)>, ReadError>> + Send;

    /// The Map Runs of an execution, the newest first.
    fn list_map_runs(
        &self,
        execution: ExecutionId,
        from: Option<&Position>,
        max: usize,
    ) -> impl Future<Output = Result<Page<MapRunRecord>, ReadError>> + Send;

    fn callback_request(
        &self,
        key: CallbackRequestKey,
    ) -> impl Future<Output = Result<Option<CallbackRequest>, ReadError>> + Send;

    /// The answer to an attempt, if it came by a link.
    fn callback_answer(
        &self,
        key: CallbackKey,
    ) -> impl Future<Output = Result<Option<CallbackAnswered>, ReadError>> + Send;

    /// How many commits have changed what there is of modules. While it stays the same, so does what is read of them.
    fn module_changes(&self) -> u64;

    fn module(
        &self,
        name: &str,
        version: u32,
    ) -> impl Future<Output = Result<Option<ModuleRecord>, ReadError>> + Send;

    /// An upload of a module by its number, published or not.
    fn module_upload(
        &self,
        name: &str,
        upload: u32,
    ) -> impl Future<Output = Result<Option<ModuleRecord>, ReadError>> + Send;

    fn module_head(&self, name: &str) -> impl Future<Output = Result<Option<ModuleHead>, ReadError>> + Send;

    /// Modules by their names.
    fn list_modules(
        &self,
        from: Option<&Position>,
        max: usize,
    ) -> impl Future<Output = Result<Page<(String, ModuleHead)>, ReadError>> + Send;

    /// A module's versions, the newest first.
    fn list_module_versions(
        &self,
        name: &str,
        from: Option<&Position>,
        max: usize,
    ) -> impl Future<Output = Result<Page<(u32, ModuleRecord)>, ReadError>> + Send;

    fn secret(&self, key: &SecretKey)
    -> impl Future<Output = Result<Option<SecretRecord>, ReadError>> + Send;

    /// Secrets of a kind by their names.
    fn list_secrets(
        &self,
        kind: SecretKind,
        from: Option<&Position>,
        max: usize,
    ) -> impl Future<Output = Result<Page<(String, SecretRecord)>, ReadError>> + Send;
}
