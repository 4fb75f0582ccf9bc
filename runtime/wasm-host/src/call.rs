//! What one call is given: the module, its input, its limits and what it may reach.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::digest::Digest;
use crate::log_watch::LogWatch;
use crate::manifest::{Access, HttpRule, Source};
use crate::options::SLOTS_DEFAULT;
use crate::secrets::SecretSource;

/// About 0.4 to 1.7 s of CPU, depending on the code; the same for the same work on every machine.
pub const FUEL_DEFAULT: u64 = 10_000_000_000;
/// AWS Lambda's smallest and default memory size.
pub const MEMORY_BYTES_DEFAULT: usize = 128 << 20;
/// Lambda allows 3 s by default and 15 minutes at most; a minute ends what hangs and spares what is only slow.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(60);
/// AWS quota: the input or result of a task is at most 256 KiB.
pub const OUTPUT_BYTES_DEFAULT: usize = 262_144;
/// Enough for a stack trace and some hundred lines, small enough to keep for every attempt.
pub const LOG_BYTES_DEFAULT: usize = 64 << 10;

/// Called when the guest says that it is alive; at most ten times a second. It runs on the guest's thread and must not block.
pub type Heartbeat = Arc<dyn Fn() + Send + Sync>;

/// One call of a module.
#[derive(Clone)]
pub struct Call {
    pub digest: Digest,
    /// What shares a place in the queue and a number of calls at once: the module's name.
    pub module: Arc<str>,
    /// JSON text.
    pub input: String,
    pub limits: Limits,
    pub grants: Grants,
    pub context: Context,
    pub heartbeat: Option<Heartbeat>,
    /// Shows the log while the guest goes on.
    pub log_watch: Option<LogWatch>,
    /// Has the values of the secrets that are granted.
    pub secrets: Option<Arc<dyn SecretSource>>,
    /// Ends the call at once, wherever it is.
    pub cancel: CancellationToken,
}

impl Call {
    /// A call with the default limits and no grants, which nobody cancels, of a module whose name is its digest.
    pub fn new(digest: Digest, input: impl Into<String>) -> Self {
        Self::of(digest.to_hex().into(), digest, input)
    }

    /// The same for a module with a name.
    pub fn of(module: Arc<str>, digest: Digest, input: impl Into<String>) -> Self {
        Self {
            digest,
            module,
            input: input.into(),
            limits: Limits::default(),
            grants: Grants::default(),
            context: Context::default(),
            heartbeat: None,
            log_watch: None,
            secrets: None,
            cancel: CancellationToken::new(),
        }
    }
}

impl fmt::Debug for Call {
    /// Leaves out the input and the environment: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("digest", &self.digest)
            .field("module", &self.module)
            .field("limits", &self.limits)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// What one call may use at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Units of work: the CPU budget, the same on every machine.
    pub fuel: u64,
    /// Linear memory of all memories together; never more than [`Options::memory_bytes_max`](crate::Options).
    pub memory_bytes: usize,
    /// Wall-clock time from the moment the call has its slot, time in host calls included.
    pub timeout: Duration,
    /// Calls of the module that have a slot at once; more of them wait.
    pub concurrency: u32,
    pub output_bytes: usize,
    /// The log keeps this much; the rest is dropped, and its last line says so.
    pub log_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fuel: FUEL_DEFAULT,
            memory_bytes: MEMORY_BYTES_DEFAULT,
            timeout: TIMEOUT_DEFAULT,
            concurrency: SLOTS_DEFAULT,
            output_bytes: OUTPUT_BYTES_DEFAULT,
            log_bytes: LOG_BYTES_DEFAULT,
        }
    }
}

/// What of the outside one call may reach. The default is nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Grants {
    pub directories: Vec<DirectoryGrant>,
    pub environment: BTreeMap<String, String>,
    /// Names of secrets.
    pub secrets: BTreeSet<String>,
    /// Room under `/scratch`, which is empty at the start of a call and gone after it; 0 for none.
    pub scratch_bytes: u64,
    pub clocks: Source,
    pub randomness: Source,
    /// What requests may be made, within what [`Outgoing`](crate::Outgoing) lets through.
    pub http: Vec<HttpRule>,
}

impl fmt::Debug for Grants {
    /// Leaves out the values of the environment: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants")
            .field("directories", &self.directories)
            .field("environment", &self.environment.keys())
            .field("secrets", &self.secrets)
            .field("scratch_bytes", &self.scratch_bytes)
            .field("clocks", &self.clocks)
            .field("randomness", &self.randomness)
            .field("http", &self.http)
            .finish()
    }
}

/// A folder of this machine that the guest sees under a name of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryGrant {
    pub host: PathBuf,
    pub guest: String,
    pub access: Access,
    /// What the call may add to the folder, if that is bounded.
    pub quota_bytes: Option<u64>,
}

/// Which attempt of which state this call is, as the guest may ask.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Context {
    pub execution_arn: Arc<str>,
    pub execution_name: Arc<str>,
    pub state_machine_arn: Arc<str>,
    pub state_name: Arc<str>,
    /// 0 for the first attempt of the state.
    pub attempt: u32,
    /// What deterministic randomness begins with: the same for each run of this attempt, another for every other.
    pub seed: u128,
    pub task_token: Option<String>,
}

impl fmt::Debug for Context {
    /// Leaves out the token: whoever has it can answer the task.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("execution_arn", &self.execution_arn)
            .field("state_name", &self.state_name)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_token_nor_input_is_printed() {
        let mut call = Call::new(Digest::of(b""), "\"secret\"");
        call.context =
            Context { state_name: "Ask".into(), task_token: Some("secret".to_owned()), ..Context::default() };
        let printed = format!("{call:?}");
        assert!(printed.contains("Ask") && !printed.contains("secret"), "{printed}");
    }
}
