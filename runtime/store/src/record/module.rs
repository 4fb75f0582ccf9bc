//! A task module and its versions. The components themselves lie outside the store, under their digests.

use asl::{Text, Timestamp};
use minicbor::{Decode, Encode};

use crate::codec::record_version_1;

/// One version of a module, which never changes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ModuleRecord {
    /// `sha256:…` of the component.
    #[n(0)]
    pub digest: Text,
    #[n(1)]
    pub size_bytes: u64,
    #[n(2)]
    pub exports: Vec<String>,
    #[n(3)]
    pub created_at: Timestamp,
    #[n(4)]
    pub description: Option<String>,
    /// The text of `module.toml`, if one came with the component.
    #[n(5)]
    pub manifest: Option<Text>,
    // 6 to 9 are kept for grants and limits.
}

/// A module by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ModuleHead {
    #[n(0)]
    pub latest_version: u32,
    // 1 to 4 are kept for aliases and settings that versions share.
}

record_version_1!(ModuleRecord, ModuleHead);
