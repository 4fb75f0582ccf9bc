//! An activity and the tasks in its queue.

use asl::interpreter::{AttemptId, ExecutionId, RowId};
use asl::{Data, Text, Timestamp};
use minicbor::{Decode, Encode};

use crate::codec::record_version_1;

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ActivityRecord {
    #[n(0)]
    pub arn: Text,
    #[n(1)]
    pub name: Text,
    #[n(2)]
    pub created_at: Timestamp,
    #[n(3)]
    pub tags: Vec<(String, String)>,
    /// The configuration as JSON in the shape of the API; none for the default.
    #[n(4)]
    pub encryption: Option<Data>,
}

/// An attempt that waits for a worker. Its input is found through the execution's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct QueuedTask {
    #[n(0)]
    pub execution: ExecutionId,
    #[n(1)]
    pub row: RowId,
    #[n(2)]
    pub attempt: AttemptId,
    #[n(3)]
    pub scheduled_at: Timestamp,
}

record_version_1!(ActivityRecord, QueuedTask);
