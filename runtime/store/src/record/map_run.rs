//! A Map Run: what DescribeMapRun and ListMapRuns show. Written whenever its counts change, once a batch.

use asl::interpreter::{ExecutionId, MapRunCounts, MapRunStatus, Tolerance};
use asl::{Text, Timestamp};
use minicbor::{Decode, Encode};

use crate::codec::record_version_1;

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct MapRunRecord {
    #[n(0)]
    pub arn: Text,
    /// The execution whose Map state it is.
    #[n(1)]
    pub execution: ExecutionId,
    #[n(2)]
    pub execution_arn: Text,
    #[n(3)]
    pub status: MapRunStatus,
    #[n(4)]
    pub started_at: Timestamp,
    #[n(5)]
    pub stopped_at: Option<Timestamp>,
    #[n(6)]
    pub concurrency_max: u32,
    #[n(7)]
    pub tolerance: Tolerance,
    #[n(8)]
    pub items: MapRunTotals,
    #[n(9)]
    pub children: MapRunTotals,
    #[n(10)]
    pub redrive_count: u32,
    #[n(11)]
    pub redriven_at: Option<Timestamp>,
}

/// Items or child executions, by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct MapRunTotals {
    #[n(0)]
    pub pending: u32,
    #[n(1)]
    pub by_status: MapRunCounts,
}

record_version_1!(MapRunRecord);

/// The number under which the lists have the children of a Map Run, where other executions have the number of their
/// machine. Those come from the sequence, which never gets this far.
pub fn map_run_listing(id: ExecutionId) -> u64 {
    const ABOVE_THE_SEQUENCE: u64 = 1 << 63;
    let low = u64::try_from(id.0 & u128::from(u64::MAX)).expect("the rest is masked");
    low | ABOVE_THE_SEQUENCE
}
