//! A state machine and its revisions.

use asl::{Data, Text, Timestamp};
use minicbor::{Decode, Encode};

use crate::codec::record_version_1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum MachineKind {
    #[n(0)]
    Standard,
    #[n(1)]
    Express,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum MachineStatus {
    #[n(0)]
    Active,
    #[n(1)]
    Deleting,
}

/// A state machine. What an update changes is in its revisions.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct MachineRecord {
    /// Tells a machine from a deleted one that had its name.
    #[n(0)]
    pub machine_id: u64,
    #[n(1)]
    pub name: Text,
    #[n(2)]
    pub arn: Text,
    #[n(3)]
    pub kind: MachineKind,
    #[n(4)]
    pub status: MachineStatus,
    #[n(5)]
    pub created_at: Timestamp,
    /// The current revision.
    #[n(6)]
    pub revision: u64,
    #[n(7)]
    pub tags: Vec<(String, String)>,
    /// The number that the next published version gets; from 1.
    #[n(8)]
    pub next_version: u32,
    // 9 to 15 are kept for versions and aliases.
}

/// A state machine as it was between two updates. Executions are pinned to one, so it never changes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct RevisionRecord {
    #[n(0)]
    pub machine_arn: Text,
    #[n(1)]
    pub machine_name: Text,
    #[n(2)]
    pub kind: MachineKind,
    /// The definition as its author wrote it.
    #[n(3)]
    pub definition: Text,
    #[n(4)]
    pub role_arn: Text,
    #[n(5)]
    pub updated_at: Timestamp,
    /// The `revisionId` of the API; the first revision has none.
    #[n(6)]
    pub revision_id: Option<Text>,
    /// The configurations as JSON in the shapes of the API; none for the default.
    #[n(7)]
    pub logging: Option<Data>,
    #[n(8)]
    pub tracing: Option<Data>,
    #[n(9)]
    pub encryption: Option<Data>,
    /// What a published version says of itself.
    #[n(10)]
    pub version_description: Option<String>,
    // 11 to 15 are kept for versions and aliases.
}

record_version_1!(MachineRecord, RevisionRecord);
