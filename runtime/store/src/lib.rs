//! Durable state of the engine: one atomic write, typed reads, and the stored form of every record.
//!
//! A [`Batch`] holds the transitions of many executions and is committed as a whole. Reads see only what was
//! committed, copy it out and hold nothing open. All backends give the same answers, which the module
//! `contract` proves for each against the one in memory.
#![warn(clippy::wildcard_enum_match_arm)]

mod batch;
mod codec;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod encoded;
mod error;
mod interface;
mod key;
mod kv;
mod kv_store;
mod memory;
mod page;
mod read;
mod record;
#[cfg(feature = "redb")]
mod redb;
mod table;

#[cfg(feature = "redb")]
pub use self::redb::{RedbOptions, RedbStore};
pub use batch::{Batch, Change, Changes};
pub use error::{CommitError, DecodeError, OpenError, ReadError};
pub use interface::Store;
pub use key::{CallbackKey, CallbackRequestKey, ListingKey, NameKey, QueueKey, RowKey, SecretKey, TimerKey};
pub use kv_store::KvStore;
pub use memory::MemoryStore;
pub use page::{HistoryQuery, InvalidPosition, Order, Page, Position};
pub use record::{
    ActivityRecord, AliasMove, AliasRecord, CallbackAnswered, ExecutionRecord, ExecutionStatus,
    ExecutionSummary, FirstVersion, HistoryRow, LatestMove, MODULE_WEIGHT_WHOLE, MachineKind, MachineRecord,
    MachineStatus, MapRunRecord, MapRunTotals, Meta, ModuleAlias, ModuleHead, ModulePlace, ModulePointers,
    ModuleRecord, ModuleShare, ModuleTarget, NewExecution, Published, QueuedTask, RedriveToken, Redrives,
    RevisionRecord, Route, SecretKind, SecretRecord, StateHeader, StateRow, StoredState, VersionRecord,
    map_run_listing,
};
