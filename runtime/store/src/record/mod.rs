//! The stored records. Their numbers are for ever: never reused or changed, only added.

mod activity;
mod callback;
mod execution;
mod history;
mod machine;
mod map_run;
mod module;
mod secret;
#[cfg(test)]
mod tests;

pub use activity::{ActivityRecord, QueuedTask};
pub use callback::CallbackAnswered;
pub use execution::{
    ExecutionRecord, ExecutionStatus, ExecutionSummary, NewExecution, RedriveToken, Redrives, StateHeader,
    StateRow, StoredState,
};
pub use history::HistoryRow;
pub(crate) use history::RowPrefix;
pub use machine::{
    AliasRecord, FirstVersion, MachineKind, MachineRecord, MachineStatus, Published, RevisionRecord, Route,
    VersionRecord,
};
pub use map_run::{MapRunRecord, MapRunTotals, map_run_listing};
pub use module::{
    AliasMove, LatestMove, MODULE_WEIGHT_WHOLE, ModuleAlias, ModuleHead, ModulePlace, ModulePointers,
    ModuleRecord, ModuleShare, ModuleTarget,
};
pub use secret::{SecretKind, SecretRecord};

/// The store's own numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    pub format_version: u32,
    /// The highest number that was given; the next is one more. History rows, machines, revisions and places
    /// in queues share it.
    pub sequence: u64,
    /// Made once for each store, so that two stores can be told apart.
    pub instance: u128,
}
