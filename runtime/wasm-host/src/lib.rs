//! One call of one WebAssembly component, under limits.
//!
//! A [`Host`] keeps modules by the digest of their bytes, compiles each once, and calls them: every call gets a
//! fresh instance with its own memory, fuel, wall-clock and output limits, and nothing of the outside that the
//! call does not grant. No type of the WebAssembly engine leaves this crate.

mod adapt;
mod call;
mod cpu;
mod denials;
mod digest;
mod engine;
mod error;
mod failure;
mod files;
mod gate;
mod guest_files;
mod habit;
mod host;
mod http_names;
mod imports;
mod incoming;
mod inspect;
mod invoke;
mod lanes;
mod limiter;
mod loaded;
mod log;
mod log_watch;
mod manifest;
mod nesting;
mod options;
mod outcome;
mod outgoing;
mod readable;
mod registry;
mod requests;
mod secrets;
mod shares;
mod sockets;
mod sources;
mod state;
mod stdio;
mod threads;
mod ticker;
mod turns;

pub use call::{Call, Context, DirectoryGrant, Grants, Heartbeat, Limits};
pub use digest::{Digest, InvalidDigest};
pub use error::{HostError, ModuleError};
pub use host::{Host, Stats};
pub use inspect::{EntryPoint, ModuleInfo};
pub use log::{LogLine, LogSource};
pub use log_watch::LogWatch;
pub use manifest::{
    Access, Allowed, Defaults, DirectoryRule, Effective, GrantSettings, HttpRule, LimitSettings, Manifest,
    ManifestError, Policy, Source, effective,
};
pub use options::Options;
pub use outcome::{Failure, Outcome, Usage};
pub use outgoing::{
    Outgoing, OutgoingBounds, OutgoingError, OutgoingFuture, OutgoingRequest, OutgoingResponse,
};
pub use secrets::{
    NAME_RULE as SECRET_NAME_RULE, Secret, SecretDenial, SecretFuture, SecretSource,
    is_valid_name as is_valid_secret_name,
};
pub use shares::{Share, Shares};

/// The numbers behind the defaults, each with its reason.
pub mod limits {
    pub use crate::call::{
        FUEL_DEFAULT, LOG_BYTES_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_DEFAULT, TIMEOUT_DEFAULT,
    };
    pub use crate::guest_files::limits::{
        FILE_OPERATIONS_MAX, FILE_OPERATIONS_OF_MODULE_MAX, OPEN_FILES_MAX, SCRATCH_PART_OF_DISK,
    };
    pub use crate::http_names::HTTP_NAME_BYTES_MAX;
    pub use crate::invoke::HOST_CALL_BYTES_MAX;
    pub use crate::manifest::limits::{
        DIRECTORIES_MAX, ENVIRONMENT_BYTES_MAX, ENVIRONMENT_MAX, FUEL_MAX_DEFAULT, HTTP_RULES_MAX,
        LOG_BYTES_MAX_DEFAULT, MANIFEST_BYTES_MAX, OUTPUT_BYTES_MAX_DEFAULT, POLICY_BYTES_MAX,
        SCRATCH_BYTES_MAX_DEFAULT, SECRETS_MAX, TIMEOUT_MAX_DEFAULT,
    };
    pub use crate::options::{
        LOADED_MODULES_DEFAULT, MEMORIES_PER_MODULE_MAX, MEMORY_BYTES_MAX_DEFAULT, MODULE_BYTES_MAX_DEFAULT,
        QUEUE_MAX_DEFAULT, SLOTS_DEFAULT, TABLE_ELEMENTS_MAX, TABLES_PER_MODULE_MAX,
    };
    pub use crate::outcome::{CAUSE_CHARS_MAX, ERROR_CHARS_MAX};
    pub use crate::requests::{
        HTTP_BODY_BYTES_MAX, HTTP_HEADER_BYTES_MAX, HTTP_REQUESTS_MAX, HTTP_REQUESTS_OF_HOST_MAX,
        HTTP_UNREAD_BYTES_MAX, HTTP_UNREAD_BYTES_OF_HOST_MAX,
    };
    pub use crate::secrets::{SECRET_BYTES_MAX, SECRET_NAME_CHARACTERS_MAX};
}
