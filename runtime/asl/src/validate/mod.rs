//! Checks of a definition; none of them stops at the first diagnostic.

pub(crate) mod errors;
pub(crate) mod express;
mod fields;
pub(crate) mod language;
pub(crate) mod names;
pub mod position;
pub(crate) mod report;
pub(crate) mod structure;
pub(crate) mod timeouts;
pub(crate) mod transitions;

use std::fmt;

/// The codes of diagnostics. All but the warnings' are AWS's own.
pub mod code {
    pub const SCHEMA_VALIDATION_FAILED: &str = "SCHEMA_VALIDATION_FAILED";
    pub const INVALID_JSON_DESCRIPTION: &str = "INVALID_JSON_DESCRIPTION";
    pub const MISSING_TRANSITION_TARGET: &str = "MISSING_TRANSITION_TARGET";
    pub const DUPLICATE_STATE_NAME: &str = "DUPLICATE_STATE_NAME";
    /// A warning: an error name that begins with `States.` and that no service raises.
    pub const UNKNOWN_ERROR_NAME: &str = "UNKNOWN_ERROR_NAME";
    /// A warning: a text where a number should be, as an unfilled placeholder of a deployment tool leaves it.
    pub const UNRESOLVED_PLACEHOLDER: &str = "UNRESOLVED_PLACEHOLDER";
    /// Ours: the definition is valid, this engine cannot run it yet.
    pub const UNSUPPORTED_FEATURE: &str = "UNSUPPORTED_FEATURE";
}

/// One finding about a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    /// AWS's code, such as `SCHEMA_VALIDATION_FAILED`.
    pub code: &'static str,
    pub message: String,
    /// A JSON pointer with state names in plain text, such as `/States/Ship/Next`.
    pub location: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// `CODE: message at location`, the form in which `InvalidDefinition` quotes a diagnostic.
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)?;
        match &self.location {
            // The text of a JSON parser holds its location already.
            Some(location) if !self.message.ends_with(location.as_str()) => {
                write!(formatter, " at {location}")
            }
            Some(_) | None => Ok(()),
        }
    }
}
