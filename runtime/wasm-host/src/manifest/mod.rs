//! What a module may use and reach: what its manifest asks for, what the operator's policy lets it have, and the
//! narrower of both.

mod effective;
mod http_rule;
mod parse;
mod policy;
mod print;
mod quantity;
mod reader;
#[cfg(test)]
mod tests;

pub use effective::{Defaults, Effective, effective};
pub use http_rule::HttpRule;
pub(crate) use parse::SCRATCH;
pub use parse::{Access, DirectoryRule, GrantSettings, LimitSettings, Manifest, Source};
pub use policy::{Allowed, Policy};
pub(crate) use quantity::size_text;

/// The numbers that bound manifests and policies.
pub(crate) mod limits {
    pub use super::effective::{
        FUEL_MAX_DEFAULT, LOG_BYTES_MAX_DEFAULT, OUTPUT_BYTES_MAX_DEFAULT, SCRATCH_BYTES_MAX_DEFAULT,
        TIMEOUT_MAX_DEFAULT,
    };
    pub use super::parse::{
        DIRECTORIES_MAX, ENVIRONMENT_BYTES_MAX, ENVIRONMENT_MAX, HTTP_RULES_MAX, MANIFEST_BYTES_MAX,
        SECRETS_MAX,
    };
    pub use super::policy::POLICY_BYTES_MAX;
}

/// A mistake in a manifest or a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {}{why}", prefix(field))]
pub struct ManifestError {
    pub line: usize,
    /// The field that has it, with its tables, as `grants.http[0].scheme`; empty if the text is no TOML.
    pub field: String,
    /// What is wrong, and how to mend it.
    pub why: String,
}

fn prefix(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("{field}: ") }
}
