//! One call of one WebAssembly component, under limits.
//!
//! A [`Host`] keeps modules by the digest of their bytes, compiles each once, and calls them: every call gets a
//! fresh instance with its own memory, fuel, wall-clock and output limits, and nothing of the outside that the
//! call does not grant. No type of the WebAssembly engine leaves this crate.

mod call;
mod digest;
mod engine;
mod error;
mod failure;
mod files;
mod gate;
mod host;
mod imports;
mod inspect;
mod invoke;
mod limiter;
mod loaded;
mod log;
mod options;
mod outcome;
mod registry;
mod state;
mod stdio;
mod threads;
mod ticker;
mod turns;

pub use call::{Access, Call, Context, DirectoryGrant, Grants, Heartbeat, Limits};
pub use digest::{Digest, InvalidDigest};
pub use error::{HostError, ModuleError};
pub use host::{Host, Stats};
pub use inspect::{EntryPoint, ModuleInfo};
pub use log::{LogLine, LogSource};
pub use options::Options;
pub use outcome::{Failure, Outcome, Usage};

/// The numbers behind the defaults, each with its reason.
pub mod limits {
    pub use crate::call::{
        FUEL_DEFAULT, LOG_BYTES_DEFAULT, MEMORY_BYTES_DEFAULT, OUTPUT_BYTES_DEFAULT, TIMEOUT_DEFAULT,
    };
    pub use crate::invoke::HOST_CALL_BYTES_MAX;
    pub use crate::options::{
        LOADED_MODULES_DEFAULT, MEMORIES_PER_MODULE_MAX, MEMORY_BYTES_MAX_DEFAULT, MODULE_BYTES_MAX_DEFAULT,
        QUEUE_MAX_DEFAULT, SLOTS_DEFAULT, TABLE_ELEMENTS_MAX, TABLES_PER_MODULE_MAX,
    };
    pub use crate::outcome::{CAUSE_CHARS_MAX, ERROR_CHARS_MAX};
}
