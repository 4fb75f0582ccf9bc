//! The host's side of a task in a native test: what the task is told, and what it told the host.
//!
//! Everything here belongs to the current thread. `cargo test` gives each test its own thread, except with
//! `--test-threads=1`: a test that reads the log begins with [`reset`].
//!
//! ```
//! use stepwell::{Context, testing};
//!
//! testing::reset();
//! testing::set_context(Context { attempt: 2, ..Context::default() });
//! stepwell::log::warn!("attempt {}", Context::current().attempt);
//! stepwell::heartbeat();
//! assert_eq!(testing::log_lines()[0].message, "attempt 2");
//! assert_eq!(testing::heartbeats(), 1);
//! testing::set_secret("payment-key", "s3cret");
//! assert_eq!(stepwell::secret("payment-key").as_deref(), Ok("s3cret"));
//! ```

use crate::host::native;
use crate::{Context, log};

/// Makes `context` the one that tasks on this thread are given.
pub fn set_context(context: Context) {
    native::set_context(context);
}

/// What was logged on this thread since the last [`reset`], oldest first.
#[must_use]
pub fn log_lines() -> Vec<log::Line> {
    native::lines()
}

/// How often [`crate::heartbeat`] was called on this thread since the last [`reset`].
#[must_use]
pub fn heartbeats() -> u32 {
    native::heartbeats()
}

/// Grants a secret to tasks on this thread.
pub fn set_secret(name: &str, value: &str) {
    native::set_secret(name, value);
}

/// Forgets the context, the log, the heartbeats and the secrets of this thread.
pub fn reset() {
    native::reset();
}
