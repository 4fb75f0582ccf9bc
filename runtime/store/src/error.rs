//! The failures of each operation.

use std::path::PathBuf;

/// Why a batch was not committed. Nothing in memory may be believed until the caller has dealt with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A later epoch has written to the shard: this owner has lost it. Nothing was written.
    #[error("the shard has another owner")]
    Fenced,
    /// Nothing was written.
    #[error("the store cannot be written")]
    Unavailable,
    /// The batch may or may not be there after a restart: load again what is needed.
    #[error("the commit was interrupted; its outcome is unknown")]
    Unknown,
}

/// Why a read has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The position was not made by this query.
    #[error(transparent)]
    InvalidPosition(#[from] crate::page::InvalidPosition),
    /// Retention has removed the history while it was read.
    #[error("the history row {lsn} has been removed")]
    HistoryRemoved { lsn: u64 },
    #[error("a stored record of table {table} cannot be read")]
    Corrupt { table: &'static str, source: DecodeError },
    #[error("the store cannot be read")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why stored bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the record is empty or cut off")]
    Truncated,
    /// Written by a later version of this program.
    #[error("version {found} of {record} is not known")]
    Version { record: &'static str, found: u8 },
    #[error("{record} is malformed: {reason}")]
    Malformed { record: &'static str, reason: String },
}

impl DecodeError {
    pub(crate) fn malformed(record: &'static str, reason: impl Into<String>) -> DecodeError {
        DecodeError::Malformed { record, reason: reason.into() }
    }
}

/// Why a store on disk was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path} is in use by another process")]
    InUse { path: PathBuf },
    #[error("{path} is not a Stepwell store")]
    NotAStore { path: PathBuf },
    #[error("{path} has format {found}; this program reads format {supported}")]
    Format { path: PathBuf, found: u32, supported: u32 },
    #[error("{path} is damaged: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("{path} cannot be opened")]
    Io { path: PathBuf, source: std::io::Error },
}
