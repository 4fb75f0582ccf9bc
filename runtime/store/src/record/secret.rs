//! What is kept encrypted. The store sees sealed bytes only; who opens them has the key.

use asl::{Data, Timestamp};
use minicbor::{Decode, Encode};

use crate::codec::record_version_1;

/// What a secret is for. The numbers are stored and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretKind {
    /// Tells whether the key of the others is the right one.
    Check,
    /// The secret half of an access key, by its id.
    AccessKey,
    /// The credentials of a connection for HTTP tasks.
    Connection,
    /// What a module may be granted by name.
    ModuleSecret,
}

impl SecretKind {
    pub(crate) const ALL: [SecretKind; 4] =
        [SecretKind::Check, SecretKind::AccessKey, SecretKind::Connection, SecretKind::ModuleSecret];

    /// Also what binds a sealed secret to its kind.
    pub const fn number(self) -> u8 {
        match self {
            SecretKind::Check => 0,
            SecretKind::AccessKey => 1,
            SecretKind::Connection => 2,
            SecretKind::ModuleSecret => 3,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<SecretKind> {
        SecretKind::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

#[derive(Clone, PartialEq, Encode, Decode)]
pub struct SecretRecord {
    #[n(0)]
    pub created_at: Timestamp,
    #[n(1)]
    pub updated_at: Timestamp,
    /// What anybody may see of it, as JSON in the shape of its kind.
    #[n(2)]
    pub public: Option<Data>,
    #[cbor(n(3), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Sealed or not, a secret is no business of a log.
impl std::fmt::Debug for SecretRecord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("SecretRecord")
            .field("created_at", &self.created_at)
            .field("updated_at", &self.updated_at)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

record_version_1!(SecretRecord);
