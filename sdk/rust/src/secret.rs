//! Secrets that the operator keeps for this module.

use std::fmt;

use crate::host;

/// Why there is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretError {
    /// The module was not granted a secret of this name: `grants.secrets` of `module.toml` must name it, and
    /// `stepwell secret put` the module.
    NotGranted,
    /// It was granted, and there is no such secret now.
    Missing,
    /// The host cannot read its secrets now; a later try may succeed.
    Unavailable,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SecretError::NotGranted => "the secret is not granted to this module",
            SecretError::Missing => "there is no such secret",
            SecretError::Unavailable => "the host cannot read its secrets now",
        })
    }
}

impl std::error::Error for SecretError {}

/// The value of a secret. Keep it out of results, errors and logs: the host hides nothing that a task tells itself.
///
/// ```no_run
/// use stepwell::OrTaskError;
///
/// let key = stepwell::secret("payment-key").or_task_error("NoPaymentKey");
/// ```
///
/// # Errors
/// When the secret is not granted, is not there, or cannot be read now.
pub fn secret(name: &str) -> Result<String, SecretError> {
    host::secret(name)
}
