//! The typed store over a backend that maps bytes to bytes.

use std::sync::Arc;

use asl::interpreter::{AttemptId, CallbackRequest, ExecutionId, HistoryEvent, Row};
use asl::{Text, Timestamp};

use crate::batch::Batch;
use crate::error::{CommitError, ReadError};
use crate::interface::Store;
use crate::key::{CallbackKey, CallbackRequestKey, RowKey, SecretKey, TimerKey};
use crate::kv::{Kv, get};
use crate::page::{HistoryQuery, Page, Position, PositionKind, SCAN_ROWS_MAX};
use crate::read::{catalog, history, listing, map_runs, state};
use crate::record::{
    ActivityRecord, CallbackAnswered, ExecutionRecord, ExecutionStatus, ExecutionSummary, MachineRecord,
    MapRunRecord, Meta, ModuleHead, ModuleRecord, QueuedTask, RevisionRecord, SecretKind, SecretRecord,
    StateHeader, StoredState,
};
use crate::table;

/// A store in key order. A clone is another handle on the same store; the last one to go closes it.
#[derive(Debug)]
pub struct KvStore<K>(Arc<K>);

impl<K> Clone for KvStore<K> {
    fn clone(&self) -> KvStore<K> {
        KvStore(Arc::clone(&self.0))
    }
}

impl<K> KvStore<K> {
    pub(crate) fn over(kv: K) -> KvStore<K> {
        KvStore(Arc::new(kv))
    }

    #[cfg(all(test, feature = "redb"))]
    pub(crate) fn kv(&self) -> &K {
        &self.0
    }
}

/// Reads run where they are called: they take microseconds, a thread hop takes more. Each opens a view and is
/// done with it before it returns, because one that stays open keeps freed pages from being used again.
impl<K: Kv> Store for KvStore<K> {
    async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        self.0.commit(batch).await
    }

    async fn meta(&self) -> Result<Meta, ReadError> {
        catalog::meta(&self.0.view()?)
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<ExecutionRecord>, ReadError> {
        get::<table::Executions>(&self.0.view()?, &id)
    }

    async fn execution_by_name(
        &self,
        machine: &str,
        name: &str,
    ) -> Result<Option<(ExecutionId, ExecutionRecord)>, ReadError> {
        state::execution_by_name(&self.0.view()?, machine, name)
    }

    async fn load_state(&self, id: ExecutionId) -> Result<Option<StoredState>, ReadError> {
        state::load(&self.0.view()?, id)
    }

    async fn state_row(&self, key: RowKey) -> Result<Option<Row>, ReadError> {
        state::row(&self.0.view()?, key)
    }

    async fn state_header(&self, id: ExecutionId) -> Result<Option<StateHeader>, ReadError> {
        state::header(&self.0.view()?, id)
    }

    async fn oldest_state(&self) -> Result<Option<ExecutionId>, ReadError> {
        state::oldest(&self.0.view()?)
    }

    async fn history(&self, query: HistoryQuery) -> Result<Page<HistoryEvent>, ReadError> {
        history::page(&self.0.view()?, &query)
    }

    async fn history_rows(&self, last_lsn: u64, max: usize) -> Result<(Vec<u64>, Option<u64>), ReadError> {
        history::row_numbers(&self.0.view()?, last_lsn, max.clamp(1, SCAN_ROWS_MAX))
    }

    async fn list_executions(
        &self,
        machine_id: u64,
        status: Option<ExecutionStatus>,
        from: Option<&Position>,
        max: usize,
    ) -> Result<Page<(ExecutionId, ExecutionSummary)>, ReadError> {
        listing::page(&self.0.view()?, machine_id, status, from, max)
    }

    async fn count_executions(
        &self,
        machine_id: u64,
        status: ExecutionStatus,
        limit: u64,
    ) -> Result<u64, ReadError> {
        listing::count(&self.0.view()?, machine_id, status, limit)
    }

    async fn due_timers(&self, now: Timestamp, max: usize) -> Result<Vec<TimerKey>, ReadError> {
        state::due_timers(&self.0.view()?, now, max)
    }

    async fn next_timer(&self) -> Result<Option<Timestamp>, ReadError> {
        state::next_timer(&self.0.view()?)
    }

    async fn dispatched(
        &self,
        after: Option<RowKey>,
        max: usize,
    ) -> Result<Vec<(RowKey, AttemptId)>, ReadError> {
        state::dispatched(&self.0.view()?, after, max)
    }

    async fn machine(&self, name: &str) -> Result<Option<MachineRecord>, ReadError> {
        get::<table::Machines>(&self.0.view()?, &Text::from(name))
    }

    async fn revision(&self, revision: u64) -> Result<Option<RevisionRecord>, ReadError> {
        get::<table::Revisions>(&self.0.view()?, &revision)
    }

    async fn list_machines(
        &self,
        from: Option<&Position>,
        max: usize,
    ) -> Result<Page<MachineRecord>, ReadError> {
        let page = catalog::by_name::<table::Machines>(&self.0.view()?, PositionKind::Machines, from, max)?;
        Ok(page.map(|(_, machine)| machine))
    }

    async fn activity(&self, name: &str) -> Result<Option<ActivityRecord>, ReadError> {
        get::<table::Activities>(&self.0.view()?, &Text::from(name))
    }

    async fn list_activities(
        &self,
        from: Option<&Position>,
        max: usize,
    ) -> Result<Page<ActivityRecord>, ReadError> {
        let page =
            catalog::by_name::<table::Activities>(&self.0.view()?, PositionKind::Activities, from, max)?;
        Ok(page.map(|(_, activity)| activity))
    }

    async fn activity_tasks(
        &self,
        activity: &str,
        after: Option<u64>,
        max: usize,
    ) -> Result<Vec<(u64, QueuedTask)>, ReadError> {
        state::activity_tasks(&self.0.view()?, activity, after, max)
    }

    async fn map_run(&self, id: ExecutionId) -> Result<Option<(RowKey, MapRunRecord)>, ReadError> {
        map_runs::by_id(&self.0.view()?, id)
    }

    async fn list_map_runs(
        &self,
        execution: ExecutionId,
        from: Option<&Position>,
        max: usize,
    ) -> Result<Page<MapRunRecord>, ReadError> {
        map_runs::page(&self.0.view()?, execution, from, max)
    }

    async fn callback_request(&self, key: CallbackRequestKey) -> Result<Option<CallbackRequest>, ReadError> {
        get::<table::CallbackRequests>(&self.0.view()?, &key)
    }

    async fn callback_answer(&self, key: CallbackKey) -> Result<Option<CallbackAnswered>, ReadError> {
        get::<table::CallbackAnswers>(&self.0.view()?, &key)
    }

    fn module_changes(&self) -> u64 {
        self.0.module_changes().count()
    }

    async fn module(&self, name: &str, version: u32) -> Result<Option<ModuleRecord>, ReadError> {
        get::<table::Modules>(&self.0.view()?, &(Text::from(name), version))
    }

    async fn module_upload(&self, name: &str, upload: u32) -> Result<Option<ModuleRecord>, ReadError> {
        get::<table::ModuleUploads>(&self.0.view()?, &(Text::from(name), upload))
    }

    async fn module_head(&self, name: &str) -> Result<Option<ModuleHead>, ReadError> {
        get::<table::ModuleHeads>(&self.0.view()?, &Text::from(name))
    }

    async fn list_modules(
        &self,
        from: Option<&Position>,
        max: usize,
    ) -> Result<Page<(String, ModuleHead)>, ReadError> {
        let page = catalog::by_name::<table::ModuleHeads>(&self.0.view()?, PositionKind::Modules, from, max)?;
        Ok(page.map(|(name, head)| (name.to_string(), head)))
    }

    async fn list_module_versions(
        &self,
        name: &str,
        from: Option<&Position>,
        max: usize,
    ) -> Result<Page<(u32, ModuleRecord)>, ReadError> {
        catalog::module_versions(&self.0.view()?, name, from, max)
    }

    async fn secret(&self, key: &SecretKey) -> Result<Option<SecretRecord>, ReadError> {
        get::<table::Secrets>(&self.0.view()?, key)
    }

    async fn list_secrets(
        &self,
        kind: SecretKind,
        from: Option<&Position>,
        max: usize,
    ) -> Result<Page<(String, SecretRecord)>, ReadError> {
        catalog::secrets(&self.0.view()?, kind, from, max)
    }
}
