//! What clients change about task modules, and what they are told of it.

use asl::{Data, Text, Timestamp};
use store::{ModuleAlias, ModuleShare};

/// A change of one module.
#[derive(Debug, Clone)]
pub struct ChangeModule {
    pub name: String,
    pub change: ModuleChange,
    /// Refused unless this is the newest upload; none takes any.
    pub if_upload: Option<u32>,
    /// No execution that runs or can be redriven has begun before. Where names led earlier is forgotten.
    pub needed_since: Timestamp,
}

#[derive(Debug, Clone)]
pub enum ModuleChange {
    Put(PutModule),
    /// Another configuration for the newest component.
    Configure(Data),
    /// Gives the newest upload a number, unless it has one.
    Publish {
        description: Option<String>,
    },
    DeleteVersion(u32),
    PutAlias(PutModuleAlias),
    DeleteAlias(String),
    /// Adds tags; one whose key is there gets the new value.
    Tag(Vec<(String, String)>),
    /// Removes the tags of these keys; those that are not there don't matter.
    Untag(Vec<String>),
    /// With its versions and aliases.
    Delete,
}

/// An upload, whose component the module host already holds.
#[derive(Debug, Clone)]
pub struct PutModule {
    pub expected: Expected,
    /// `sha256:…` of the component.
    pub digest: String,
    pub size_bytes: u64,
    pub exports: Vec<String>,
    /// The text of `module.toml`, if one came with the component.
    pub manifest: Option<Text>,
    /// What the Lambda API was told of it; none keeps what there was.
    pub configuration: Option<Data>,
    /// `sha256:…` of the archive, where it counts.
    pub package_digest: Option<String>,
    /// Makes it a version, too.
    pub publish: bool,
    pub description: Option<String>,
    /// Tags of a module that is new; one that is there keeps its own.
    pub tags: Vec<(String, String)>,
}

/// What an upload or an alias finds under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Something or nothing.
    Anything,
    Nothing,
    Something,
    /// A module whose newest component is this, unless it is already what is put.
    Digest(String),
}

/// What an alias is to be. Of one that exists, what is none stays as it is.
#[derive(Debug, Clone)]
pub struct PutModuleAlias {
    pub alias: String,
    pub expected: Expected,
    /// Refused unless the alias still is this.
    pub if_alias: Option<ModuleAlias>,
    pub description: Option<String>,
    /// 0 is `$LATEST`.
    pub version: Option<u32>,
    /// A second version for some of the executions, or none any more.
    pub also: Option<Option<ModuleShare>>,
}

/// What a change has led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleChanged {
    /// The version of the newest upload, if it is one.
    pub version: Option<u32>,
    /// Executions that begin from here on see the change.
    pub begins_at: Timestamp,
    /// Whether components may have become useless.
    pub frees: bool,
    /// The alias that was put, as it is now.
    pub alias: Option<ModuleAlias>,
}

/// Why a module was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModuleRefusal {
    #[error("there is a module of this name")]
    Exists { name: String },
    /// Someone else was faster.
    #[error("the module is not what it was expected to be")]
    Changed { name: String, digest: String },
    #[error("the module has no such version")]
    NoVersion { name: String, version: u32 },
    #[error("the version is named by aliases")]
    VersionInUse { name: String, version: u32, aliases: Vec<String> },
    #[error("the module has no such alias")]
    NoAlias { name: String, alias: String },
    #[error("the module has an alias of this name")]
    AliasExists { name: String, alias: String },
    /// Someone else was faster.
    #[error("the alias is not what it was expected to be")]
    AliasChanged { name: String, alias: String },
    #[error("an alias with two versions names one of them twice")]
    AliasOfOneVersion { version: u32 },
    #[error("an alias with two versions names the newest upload")]
    AliasOfLatest,
    #[error("the module has as many aliases as it can have")]
    TooManyAliases { max: usize },
}
