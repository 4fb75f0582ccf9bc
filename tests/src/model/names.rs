//! The names of one client, and the ARNs that are made of them.

use super::pattern::text;
use serde_json::{Map, Value};

const PREFIX: &str = "arn:aws:states:us-east-1:123456789012";
pub(super) const ROLES: [&str; 2] =
    ["arn:aws:iam::123456789012:role/first", "arn:aws:iam::123456789012:role/second"];
/// What is no ARN at all.
pub(super) const NOWHERE: &str = "nowhere";
pub(super) const BAD_NAMES: [&str; 3] = ["a b", "a*b", "a:b"];

pub(super) fn machine_arn(name: &str) -> String {
    format!("{PREFIX}:stateMachine:{name}")
}

pub(super) fn execution_arn(machine: &str, name: &str) -> String {
    format!("{PREFIX}:execution:{machine}:{name}")
}

pub(super) fn activity_arn(name: &str) -> String {
    format!("{PREFIX}:activity:{name}")
}

/// Where an ARN of a machine leads: to itself, to a version or to an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub(super) name: &'a str,
    pub(super) qualifier: Option<&'a str>,
}

impl<'a> Reference<'a> {
    pub(super) fn parse(arn: &'a str) -> Option<Reference<'a>> {
        let rest = arn.strip_prefix(PREFIX)?.strip_prefix(":stateMachine:")?;
        Some(match rest.split_once(':') {
            Some((name, qualifier)) => Reference { name, qualifier: Some(qualifier) },
            None => Reference { name: rest, qualifier: None },
        })
    }

    pub(super) fn version(&self) -> Option<u32> {
        self.qualifier.and_then(|qualifier| qualifier.parse().ok())
    }
}

/// The name in an ARN of an activity.
pub(super) fn activity_name(arn: &str) -> Option<&str> {
    arn.strip_prefix(PREFIX)?.strip_prefix(":activity:")
}

/// A member of a request that must be there, because the clients always give it.
pub(super) fn given<'a>(members: &'a Map<String, Value>, name: &str) -> &'a str {
    text(members, name).unwrap_or_else(|| panic!("the clients give {name}"))
}

pub(super) fn is_bad_name(name: &str) -> bool {
    BAD_NAMES.contains(&name)
}
