//! Limits and grants as they stand in TOML, for people to look at. Values of environment variables are left out.

use std::fmt;

use super::parse::{Access, DirectoryRule, GrantSettings, LimitSettings, Manifest, Source};
use super::quantity::{duration_text, size_text};
use super::{Effective, HttpRule};

impl Effective {
    /// The same as a manifest in which everything is said.
    pub fn settings(&self) -> Manifest {
        let (limits, grants) = (&self.limits, &self.grants);
        let directories = grants.directories.iter().map(|grant| DirectoryRule {
            guest: grant.guest.clone(),
            access: grant.access,
            host: Some(grant.host.clone()),
            quota_bytes: grant.quota_bytes,
        });
        Manifest {
            limits: LimitSettings {
                fuel: Some(limits.fuel),
                memory_bytes: Some(limits.memory_bytes),
                timeout: Some(limits.timeout),
                concurrency: Some(limits.concurrency),
                output_bytes: Some(limits.output_bytes),
                log_bytes: Some(limits.log_bytes),
            },
            grants: GrantSettings {
                environment: Some(grants.environment.clone()),
                secrets: Some(grants.secrets.clone()),
                scratch_bytes: Some(grants.scratch_bytes),
                clocks: Some(grants.clocks),
                randomness: Some(grants.randomness),
                directories: Some(directories.collect()),
                http: Some(grants.http.clone()),
            },
        }
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LimitSettings { fuel, memory_bytes, timeout, concurrency, output_bytes, log_bytes } = self.limits;
        let size = |bytes: usize| format!("\"{}\"", size_text(bytes as u64));
        let limits = [
            ("fuel", fuel.map(|fuel| fuel.to_string())),
            ("memory", memory_bytes.map(size)),
            ("timeout", timeout.map(|timeout| format!("\"{}\"", duration_text(timeout)))),
            ("concurrency", concurrency.map(|calls| calls.to_string())),
            ("output", output_bytes.map(size)),
            ("log", log_bytes.map(size)),
        ];
        let grants = &self.grants;
        let names = |names: Vec<String>| format!("[{}]", names.join(", "));
        let grants = [
            ("environment", grants.environment.as_ref().map(|variables| variable_list(variables.keys()))),
            (
                "secrets",
                grants
                    .secrets
                    .as_ref()
                    .map(|secrets| names(secrets.iter().map(|name| format!("\"{name}\"")).collect())),
            ),
            ("scratch", grants.scratch_bytes.map(|bytes| format!("\"{}\"", size_text(bytes)))),
            ("clocks", grants.clocks.map(source)),
            ("randomness", grants.randomness.map(source)),
            (
                "directory",
                grants.directories.as_ref().map(|rules| names(rules.iter().map(directory).collect())),
            ),
            (
                "http",
                grants.http.as_ref().map(|rules| names(rules.iter().map(HttpRule::to_string).collect())),
            ),
        ];
        section(formatter, "limits", &limits)?;
        section(formatter, "grants", &grants)
    }
}

fn section(formatter: &mut fmt::Formatter<'_>, name: &str, fields: &[(&str, Option<String>)]) -> fmt::Result {
    let mut said = fields.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).peekable();
    if said.peek().is_some() {
        writeln!(formatter, "[{name}]")?;
    }
    said.try_for_each(|(name, value)| writeln!(formatter, "{name} = {value}"))
}

fn variable_list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let list: Vec<String> = names.map(|name| format!("{name:?} = \"…\"")).collect();
    if list.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", list.join(", ")) }
}

fn source(source: Source) -> String {
    match source {
        Source::Real => "\"real\"".to_owned(),
        Source::Deterministic => "\"deterministic\"".to_owned(),
    }
}

fn directory(rule: &DirectoryRule) -> String {
    let access = match rule.access {
        Access::ReadOnly => "read",
        Access::ReadWrite => "read-write",
    };
    let host = rule.host.as_ref().map(|host| format!("host = {:?}, ", host.display().to_string()));
    let quota = rule.quota_bytes.map(|bytes| format!(", quota = \"{}\"", size_text(bytes)));
    let (host, quota) = (host.unwrap_or_default(), quota.unwrap_or_default());
    format!("{{ {host}guest = {:?}, access = \"{access}\"{quota} }}", rule.guest)
}
