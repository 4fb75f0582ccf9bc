//! The tables, their names on disk, and what each maps to what.

use asl::Text;
use asl::interpreter::{AttemptId, CallbackRequest, ExecutionId};

use crate::codec::Record;
use crate::key::{
    CallbackKey, CallbackRequestKey, Key, ListingKey, MetaKey, NameKey, QueueKey, RowKey, SecretKey, TimerKey,
};
use crate::record::{
    ActivityRecord, CallbackAnswered, ExecutionRecord, MachineRecord, MapRunRecord, ModuleHead, ModuleRecord,
    QueuedTask, RevisionRecord, SecretRecord, StateRow,
};

/// A table of a key-value backend. The names are stored and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TableId {
    Meta,
    Executions,
    State,
    /// [`HistoryRow`](crate::HistoryRow) by its number, that is in append order: three times the throughput of
    /// `(execution, event)` keys, because a commit then touches one edge of the tree and not one leaf for each
    /// execution.
    History,
    Names,
    Listing,
    Dispatched,
    Timers,
    Machines,
    Revisions,
    Activities,
    ActivityTasks,
    Modules,
    ModuleHeads,
    MapRuns,
    MapRunIds,
    Secrets,
    CallbackRequests,
    CallbackAnswers,
    ModuleUploads,
}

impl TableId {
    #[cfg(any(test, feature = "redb"))]
    pub(crate) const ALL: [TableId; 20] = [
        TableId::Meta,
        TableId::Executions,
        TableId::State,
        TableId::History,
        TableId::Names,
        TableId::Listing,
        TableId::Dispatched,
        TableId::Timers,
        TableId::Machines,
        TableId::Revisions,
        TableId::Activities,
        TableId::ActivityTasks,
        TableId::Modules,
        TableId::ModuleHeads,
        TableId::MapRuns,
        TableId::MapRunIds,
        TableId::Secrets,
        TableId::CallbackRequests,
        TableId::CallbackAnswers,
        TableId::ModuleUploads,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            TableId::Meta => "meta",
            TableId::Executions => "executions",
            TableId::State => "state",
            TableId::History => "history",
            TableId::Names => "names",
            TableId::Listing => "listing",
            TableId::Dispatched => "dispatched",
            TableId::Timers => "timers",
            TableId::Machines => "machines",
            TableId::Revisions => "revisions",
            TableId::Activities => "activities",
            TableId::ActivityTasks => "activity_tasks",
            TableId::Modules => "modules",
            TableId::ModuleHeads => "module_heads",
            TableId::MapRuns => "map_runs",
            TableId::MapRunIds => "map_run_ids",
            TableId::Secrets => "secrets",
            TableId::CallbackRequests => "callback_requests",
            TableId::CallbackAnswers => "callback_answers",
            TableId::ModuleUploads => "module_uploads",
        }
    }
}

/// A table with the types of its rows.
pub(crate) trait Table {
    const ID: TableId;
    type Key: Key;
    type Value: Record;
}

macro_rules! tables {
    ($($table:ident: $key:ty => $value:ty;)*) => {
        $(
            #[derive(Debug)]
            pub(crate) struct $table;

            impl Table for $table {
                const ID: TableId = TableId::$table;
                type Key = $key;
                type Value = $value;
            }
        )*
    };
}

tables! {
    Meta: MetaKey => u64;
    Executions: ExecutionId => ExecutionRecord;
    State: RowKey => StateRow;
    Names: NameKey => ExecutionId;
    Listing: ListingKey => ();
    // 0 stands for going on with the execution itself.
    Dispatched: RowKey => AttemptId;
    Timers: TimerKey => ();
    Machines: Text => MachineRecord;
    Revisions: u64 => RevisionRecord;
    Activities: Text => ActivityRecord;
    ActivityTasks: QueueKey => QueuedTask;
    Modules: (Text, u32) => ModuleRecord;
    ModuleHeads: Text => ModuleHead;
    ModuleUploads: (Text, u32) => ModuleRecord;
    MapRuns: RowKey => MapRunRecord;
    MapRunIds: ExecutionId => RowKey;
    Secrets: SecretKey => SecretRecord;
    CallbackRequests: CallbackRequestKey => CallbackRequest;
    CallbackAnswers: CallbackKey => CallbackAnswered;
}
