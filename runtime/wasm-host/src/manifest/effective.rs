//! The narrower of what a module asks for and what it may have, field by field.
//!
//! What only one side speaks of is as that side says; for grants a silent operator means: what nobody but the module
//! itself is concerned with, and no folder. Nothing that comes out is wider than what either side said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::quantity::{duration_text, size_text};
use super::{Access, Allowed, DirectoryRule, GrantSettings, HttpRule, LimitSettings, Manifest, Source};
use crate::call::{DirectoryGrant, Grants, Limits};

/// What a module may ask for at most where no policy says otherwise: a hundred times the default, a minute or two of CPU.
pub const FUEL_MAX_DEFAULT: u64 = 1_000_000_000_000;
/// AWS Lambda: a function runs for 15 minutes at most.
pub const TIMEOUT_MAX_DEFAULT: Duration = Duration::from_secs(900);
/// AWS quota: no more of a result could be passed on.
pub const OUTPUT_BYTES_MAX_DEFAULT: usize = 262_144;
/// Ours: the log of a call is in memory until the call ends.
pub const LOG_BYTES_MAX_DEFAULT: usize = 1 << 20;
/// AWS Lambda gives 512 MB of /tmp; here a thousand calls share one disk.
pub const SCRATCH_BYTES_MAX_DEFAULT: u64 = 64 << 20;

/// What holds where one side or both are silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// Of a module that asks for none, under a policy that has none.
    pub limits: Limits,
    /// What a module may ask for under a policy that has none.
    pub limits_max: Limits,
    pub scratch_bytes_max: u64,
}

impl Defaults {
    /// Of a host with so much memory for one call.
    pub fn new(limits: Limits, memory_bytes_max: usize, slots: u32) -> Defaults {
        let limits_max = Limits {
            fuel: FUEL_MAX_DEFAULT.max(limits.fuel),
            memory_bytes: memory_bytes_max,
            timeout: TIMEOUT_MAX_DEFAULT.max(limits.timeout),
            concurrency: slots,
            output_bytes: OUTPUT_BYTES_MAX_DEFAULT,
            log_bytes: LOG_BYTES_MAX_DEFAULT,
        };
        Defaults { limits, limits_max, scratch_bytes_max: SCRATCH_BYTES_MAX_DEFAULT }
    }
}

/// What a module gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effective {
    pub limits: Limits,
    pub grants: Grants,
    /// What it asked for and does not get, each with what would give it.
    pub withheld: Vec<String>,
}

/// What a module gets that asks so and may have so much.
pub fn effective(manifest: Option<&Manifest>, allowed: &Allowed, defaults: &Defaults) -> Effective {
    let nothing = Manifest::default();
    let asked = manifest.or(allowed.own.as_ref()).unwrap_or(&nothing);
    let mut withheld = Vec::new();
    let limits = limits(&asked.limits, &allowed.bounds.limits, defaults, &mut withheld);
    let grants = grants(&asked.grants, &allowed.bounds.grants, defaults, &mut withheld);
    Effective { limits, grants, withheld }
}

fn limits(
    asked: &LimitSettings,
    allowed: &LimitSettings,
    defaults: &Defaults,
    withheld: &mut Vec<String>,
) -> Limits {
    let (default, most) = (&defaults.limits, &defaults.limits_max);
    let size = |bytes: usize| size_text(bytes as u64);
    let mut told = |what: Option<String>| withheld.extend(what);
    Limits {
        fuel: limit("fuel", (asked.fuel, allowed.fuel), (default.fuel, most.fuel), u64_text, &mut told),
        memory_bytes: limit(
            "memory",
            (asked.memory_bytes, allowed.memory_bytes),
            (default.memory_bytes, most.memory_bytes),
            size,
            &mut told,
        ),
        timeout: limit(
            "timeout",
            (asked.timeout, allowed.timeout),
            (default.timeout, most.timeout),
            duration_text,
            &mut told,
        ),
        concurrency: limit(
            "concurrency",
            (asked.concurrency, allowed.concurrency),
            (default.concurrency, most.concurrency),
            |calls| calls.to_string(),
            &mut told,
        ),
        output_bytes: limit(
            "output",
            (asked.output_bytes, allowed.output_bytes),
            (default.output_bytes, most.output_bytes),
            size,
            &mut told,
        ),
        log_bytes: limit(
            "log",
            (asked.log_bytes, allowed.log_bytes),
            (default.log_bytes, most.log_bytes),
            size,
            &mut told,
        ),
    }
}

/// A module that asks for no limit has the operator's, or the default.
fn limit<T: Ord + Copy>(
    name: &str,
    (asked, allowed): (Option<T>, Option<T>),
    (default, most): (T, T),
    text: impl Fn(T) -> String,
    tell: &mut impl FnMut(Option<String>),
) -> T {
    let Some(asked) = asked else { return allowed.unwrap_or(default) };
    let most = allowed.unwrap_or(most);
    if asked > most {
        tell(Some(format!(
            "limits.{name} = {} is more than the {} that are allowed",
            text(asked),
            text(most)
        )));
    }
    asked.min(most)
}

fn u64_text(number: u64) -> String {
    number.to_string()
}

fn grants(
    asked: &GrantSettings,
    allowed: &GrantSettings,
    defaults: &Defaults,
    withheld: &mut Vec<String>,
) -> Grants {
    Grants {
        environment: environment(asked, allowed, withheld),
        secrets: secrets(asked, allowed, withheld),
        scratch_bytes: scratch(asked, allowed, defaults, withheld),
        clocks: source(asked.clocks, allowed.clocks),
        randomness: source(asked.randomness, allowed.randomness),
        directories: directories(asked, allowed, withheld),
        http: http(asked, allowed, withheld),
    }
}

/// The operator's values win, since the operator knows the place.
fn environment(
    asked: &GrantSettings,
    allowed: &GrantSettings,
    withheld: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let asked = asked.environment.clone().unwrap_or_default();
    let Some(allowed) = &allowed.environment else { return asked };
    let (given, others): (Vec<_>, Vec<_>) = asked.into_keys().partition(|name| allowed.contains_key(name));
    withheld.extend(others.into_iter().map(|name| format!("grants.environment has no {name} in the policy")));
    given.into_iter().map(|name| (name.clone(), allowed[&name].clone())).collect()
}

/// Each secret has a list of modules as well, which is asked when it is read.
fn secrets(asked: &GrantSettings, allowed: &GrantSettings, withheld: &mut Vec<String>) -> BTreeSet<String> {
    let asked = asked.secrets.clone().unwrap_or_default();
    let Some(allowed) = &allowed.secrets else { return asked };
    let (given, others): (BTreeSet<_>, BTreeSet<_>) =
        asked.into_iter().partition(|name| allowed.contains(name));
    withheld.extend(others.into_iter().map(|name| format!("grants.secrets has no \"{name}\" in the policy")));
    given
}

fn scratch(
    asked: &GrantSettings,
    allowed: &GrantSettings,
    defaults: &Defaults,
    withheld: &mut Vec<String>,
) -> u64 {
    let Some(asked) = asked.scratch_bytes else { return 0 };
    let most = allowed.scratch_bytes.unwrap_or(defaults.scratch_bytes_max);
    if asked > most {
        let (asked, most) = (size_text(asked), size_text(most));
        withheld.push(format!("grants.scratch = \"{asked}\" is more than the \"{most}\" that are allowed"));
    }
    asked.min(most)
}

/// What is the same each time tells less, so it is the narrower.
fn source(asked: Option<Source>, allowed: Option<Source>) -> Source {
    match (asked, allowed) {
        (Some(Source::Deterministic), _) | (_, Some(Source::Deterministic)) => Source::Deterministic,
        (Some(Source::Real) | None, Some(Source::Real) | None) => Source::Real,
    }
}

fn directories(
    asked: &GrantSettings,
    allowed: &GrantSettings,
    withheld: &mut Vec<String>,
) -> Vec<DirectoryGrant> {
    let allowed = allowed.directories.as_deref().unwrap_or_default();
    let mut given = Vec::new();
    for rule in asked.directories.iter().flatten() {
        let found = allowed.iter().find(|candidate| candidate.guest == rule.guest);
        let Some((found, host)) = found.and_then(|found| Some((found, found.host.clone()?))) else {
            withheld.push(format!("grants.directory has no {} in the policy", directory_text(rule)));
            continue;
        };
        let access = rule.access.min(found.access);
        if access < rule.access {
            withheld
                .push(format!("grants.directory has {} with access = \"read\" in the policy", rule.guest));
        }
        let quota_bytes = quota(rule, found, access, withheld);
        given.push(DirectoryGrant { host, guest: rule.guest.clone(), access, quota_bytes });
    }
    given
}

/// The smaller one; a side without one leaves it to the other.
fn quota(
    asked: &DirectoryRule,
    allowed: &DirectoryRule,
    access: Access,
    withheld: &mut Vec<String>,
) -> Option<u64> {
    if access == Access::ReadOnly {
        return None;
    }
    let (Some(wanted), Some(most)) = (asked.quota_bytes, allowed.quota_bytes) else {
        return asked.quota_bytes.or(allowed.quota_bytes);
    };
    if wanted > most {
        let most = size_text(most);
        withheld.push(format!("grants.directory has {} with quota = \"{most}\" in the policy", asked.guest));
    }
    Some(wanted.min(most))
}

/// As it stands in a manifest, on one line.
fn directory_text(rule: &DirectoryRule) -> String {
    let access = match rule.access {
        Access::ReadOnly => "read",
        Access::ReadWrite => "read-write",
    };
    format!("{{ guest = \"{}\", access = \"{access}\" }}", rule.guest)
}

/// Every rule of the one narrowed by every rule of the other lets through exactly what both let through.
fn http(asked: &GrantSettings, allowed: &GrantSettings, withheld: &mut Vec<String>) -> Vec<HttpRule> {
    let asked = asked.http.clone().unwrap_or_default();
    let Some(allowed) = &allowed.http else { return asked };
    let mut given: Vec<HttpRule> = Vec::new();
    for rule in &asked {
        let narrowed: Vec<HttpRule> = allowed.iter().filter_map(|other| rule.intersection(other)).collect();
        if !narrowed.contains(rule) {
            withheld.push(format!("grants.http has no {rule} in the policy"));
        }
        for rule in narrowed {
            if !given.contains(&rule) {
                given.push(rule);
            }
        }
    }
    given
}
