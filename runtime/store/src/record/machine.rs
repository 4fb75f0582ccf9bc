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
    /// None as long as nothing was ever published.
    #[n(9)]
    pub published: Option<Box<Published>>,
    /// What the request that made the machine published with it, by which a repeated request is known.
    #[n(10)]
    pub first_version: Option<FirstVersion>,
    // 11 to 15 are kept for versions and aliases.
}

/// The version that was made with its machine. It may have been deleted since.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct FirstVersion {
    #[n(0)]
    pub number: u32,
    #[n(1)]
    pub description: Option<String>,
}

/// The versions and aliases of a machine. They lie with it, so that all are seen in one state and go with it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Published {
    /// From the oldest to the newest, so by their numbers.
    #[n(0)]
    pub versions: Vec<VersionRecord>,
    /// By their names.
    #[n(1)]
    pub aliases: Vec<AliasRecord>,
}

/// A number for a revision, which keeps what it names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct VersionRecord {
    #[n(0)]
    pub number: u32,
    #[n(1)]
    pub revision: u64,
    #[n(2)]
    pub created_at: Timestamp,
    #[n(3)]
    pub description: Option<String>,
    /// From the sequence: the list of the executions that were started with it.
    #[n(4)]
    pub list_id: u64,
}

/// A name for one version or two.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AliasRecord {
    #[n(0)]
    pub name: Text,
    #[n(1)]
    pub description: Option<String>,
    #[n(2)]
    pub routes: Vec<Route>,
    #[n(3)]
    pub created_at: Timestamp,
    #[n(4)]
    pub updated_at: Timestamp,
    /// From the sequence: the list of the executions that were started through it.
    #[n(5)]
    pub list_id: u64,
}

/// Where an alias leads, for so many of a hundred executions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Route {
    #[n(0)]
    pub version: u32,
    #[n(1)]
    pub weight: u32,
}

impl MachineRecord {
    /// From the oldest to the newest.
    pub fn versions(&self) -> &[VersionRecord] {
        self.published.as_ref().map_or(&[], |published| &published.versions)
    }

    pub fn version(&self, number: u32) -> Option<&VersionRecord> {
        self.versions().iter().find(|version| version.number == number)
    }

    /// By their names.
    pub fn aliases(&self) -> &[AliasRecord] {
        self.published.as_ref().map_or(&[], |published| &published.aliases)
    }

    pub fn alias(&self, name: &str) -> Option<&AliasRecord> {
        self.aliases().iter().find(|alias| &*alias.name == name)
    }
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
    /// Not used: versions have their descriptions in [`VersionRecord`].
    #[n(10)]
    pub version_description: Option<String>,
}

record_version_1!(MachineRecord, RevisionRecord);
