//! `module.toml`: the limits and grants that a module asks for. A policy says what is allowed in the same words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use super::quantity::{duration, size};
use super::reader::{Field, Table, syntax};
use super::{HttpRule, ManifestError};

/// Ours: it is a page of text, kept with every version of a module.
pub const MANIFEST_BYTES_MAX: usize = 64 << 10;
/// Ours: environment variables of one module.
pub const ENVIRONMENT_MAX: usize = 64;
/// AWS Lambda allows 4 KB of environment variables; this is for all names and values together.
pub const ENVIRONMENT_BYTES_MAX: usize = 4 << 10;
/// Ours: secrets of one module.
pub const SECRETS_MAX: usize = 64;
/// Ours: folders of one module, each an open descriptor in every call.
pub const DIRECTORIES_MAX: usize = 16;
/// Ours: every request is held against each of them.
pub const HTTP_RULES_MAX: usize = 64;
/// Where a module finds its scratch space.
pub(crate) const SCRATCH: &str = "/scratch";

/// What a module asks for. What it does not say is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    pub limits: LimitSettings,
    pub grants: GrantSettings,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitSettings {
    pub fuel: Option<u64>,
    pub memory_bytes: Option<usize>,
    pub timeout: Option<Duration>,
    /// Calls of the module at once.
    pub concurrency: Option<u32>,
    pub output_bytes: Option<usize>,
    pub log_bytes: Option<usize>,
}

#[derive(Clone, Default, PartialEq, Eq)]
pub struct GrantSettings {
    pub environment: Option<BTreeMap<String, String>>,
    pub secrets: Option<BTreeSet<String>>,
    pub scratch_bytes: Option<u64>,
    pub clocks: Option<Source>,
    pub randomness: Option<Source>,
    pub directories: Option<Vec<DirectoryRule>>,
    pub http: Option<Vec<HttpRule>>,
}

/// Where time or randomness comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Source {
    #[default]
    Real,
    /// The same for every run of the same attempt.
    Deterministic,
}

/// What the guest may do with the files of a granted folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    ReadOnly,
    ReadWrite,
}

/// A folder under the name that the guest sees. Only a policy says where it is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryRule {
    pub guest: String,
    pub access: Access,
    pub host: Option<PathBuf>,
    /// What a call may add to it.
    pub quota_bytes: Option<u64>,
}

/// Whose words they are: a module does not know folders of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    Module,
    Operator,
}

impl Manifest {
    /// Reads `module.toml`.
    pub fn parse(text: &str) -> Result<Manifest, ManifestError> {
        if text.len() > MANIFEST_BYTES_MAX {
            let why = format!("the manifest has {} bytes; {MANIFEST_BYTES_MAX} are the most", text.len());
            return Err(ManifestError { line: 1, field: String::new(), why });
        }
        let document = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
        Manifest::read(Table::root(text, document.get_ref()), Author::Module)
    }

    pub(super) fn read(table: Table<'_>, author: Author) -> Result<Manifest, ManifestError> {
        let table = table.with_only(&["limits", "grants"])?;
        let limits = table.field("limits").map(|field| LimitSettings::read(&field)).transpose()?;
        let grants = table.field("grants").map(|field| GrantSettings::read(&field, author)).transpose()?;
        Ok(Manifest { limits: limits.unwrap_or_default(), grants: grants.unwrap_or_default() })
    }

    /// What this says, and `other` where this says nothing.
    pub(super) fn or(&self, other: &Manifest) -> Manifest {
        let (limits, grants) = (&self.limits, &self.grants);
        let (other_limits, other_grants) = (&other.limits, &other.grants);
        Manifest {
            limits: LimitSettings {
                fuel: limits.fuel.or(other_limits.fuel),
                memory_bytes: limits.memory_bytes.or(other_limits.memory_bytes),
                timeout: limits.timeout.or(other_limits.timeout),
                concurrency: limits.concurrency.or(other_limits.concurrency),
                output_bytes: limits.output_bytes.or(other_limits.output_bytes),
                log_bytes: limits.log_bytes.or(other_limits.log_bytes),
            },
            grants: GrantSettings {
                environment: grants.environment.clone().or_else(|| other_grants.environment.clone()),
                secrets: grants.secrets.clone().or_else(|| other_grants.secrets.clone()),
                scratch_bytes: grants.scratch_bytes.or(other_grants.scratch_bytes),
                clocks: grants.clocks.or(other_grants.clocks),
                randomness: grants.randomness.or(other_grants.randomness),
                directories: grants.directories.clone().or_else(|| other_grants.directories.clone()),
                http: grants.http.clone().or_else(|| other_grants.http.clone()),
            },
        }
    }
}

impl LimitSettings {
    fn read(field: &Field<'_>) -> Result<LimitSettings, ManifestError> {
        let table =
            field.table()?.with_only(&["fuel", "memory", "timeout", "concurrency", "output", "log"])?;
        Ok(LimitSettings {
            fuel: table.field("fuel").map(|field| field.count()).transpose()?,
            memory_bytes: table.field("memory").map(|field| bytes(&field)).transpose()?,
            timeout: table.field("timeout").map(|field| time(&field)).transpose()?,
            concurrency: table.field("concurrency").map(|field| field.count()).transpose()?,
            output_bytes: table.field("output").map(|field| bytes(&field)).transpose()?,
            log_bytes: table.field("log").map(|field| bytes(&field)).transpose()?,
        })
    }
}

impl GrantSettings {
    fn read(field: &Field<'_>, author: Author) -> Result<GrantSettings, ManifestError> {
        let known = ["environment", "secrets", "scratch", "clocks", "randomness", "directory", "http"];
        let table = field.table()?.with_only(&known)?;
        let rules = |field: Field<'_>| {
            let items = field.items(HTTP_RULES_MAX)?;
            items.iter().map(|item| HttpRule::read(item.table()?)).collect::<Result<Vec<_>, _>>()
        };
        Ok(GrantSettings {
            environment: table.field("environment").map(|field| environment(&field)).transpose()?,
            secrets: table.field("secrets").map(|field| secrets(&field)).transpose()?,
            scratch_bytes: table.field("scratch").map(|field| bytes(&field)).transpose()?,
            clocks: table.field("clocks").map(|field| source(&field)).transpose()?,
            randomness: table.field("randomness").map(|field| source(&field)).transpose()?,
            directories: table.field("directory").map(|field| directories(&field, author)).transpose()?,
            http: table.field("http").map(rules).transpose()?,
        })
    }
}

/// Leaves out the values of the environment: they may be secrets.
impl fmt::Debug for GrantSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("GrantSettings")
            .field(
                "environment",
                &self.environment.as_ref().map(|variables| variables.keys().collect::<Vec<_>>()),
            )
            .field("secrets", &self.secrets)
            .field("scratch_bytes", &self.scratch_bytes)
            .field("clocks", &self.clocks)
            .field("randomness", &self.randomness)
            .field("directories", &self.directories)
            .field("http", &self.http)
            .finish()
    }
}

fn bytes<T: TryFrom<u64>>(field: &Field<'_>) -> Result<T, ManifestError> {
    let wrong =
        || field.wrong("it must be a size above zero with its unit, as \"128 MiB\" (B, KiB, MiB, GiB)");
    size(field.text()?).and_then(|bytes| T::try_from(bytes).ok()).ok_or_else(wrong)
}

fn time(field: &Field<'_>) -> Result<Duration, ManifestError> {
    let wrong = || field.wrong("it must be a time above zero with its unit, as \"60 s\" (ms, s, min, h)");
    duration(field.text()?).ok_or_else(wrong)
}

fn source(field: &Field<'_>) -> Result<Source, ManifestError> {
    match field.text()? {
        "real" => Ok(Source::Real),
        "deterministic" => Ok(Source::Deterministic),
        _ => Err(field.wrong("it must be \"real\" or \"deterministic\"")),
    }
}

fn environment(field: &Field<'_>) -> Result<BTreeMap<String, String>, ManifestError> {
    let mut variables = BTreeMap::new();
    let mut size = 0;
    for (name, value) in field.table()?.fields() {
        let text = value.text()?;
        if name.is_empty() || name.contains(['=', '\0']) || text.contains('\0') {
            return Err(value.wrong("a variable has a name without '=', and neither has a zero character"));
        }
        size += name.len() + text.len();
        variables.insert(name.into_owned(), text.to_owned());
    }
    if variables.len() > ENVIRONMENT_MAX || size > ENVIRONMENT_BYTES_MAX {
        return Err(field.wrong(format!(
            "there are {} variables of {size} bytes; {ENVIRONMENT_MAX} of {ENVIRONMENT_BYTES_MAX} bytes together \
             are the most",
            variables.len()
        )));
    }
    Ok(variables)
}

fn secrets(field: &Field<'_>) -> Result<BTreeSet<String>, ManifestError> {
    let mut names = BTreeSet::new();
    for item in field.items(SECRETS_MAX)? {
        let name = item.text()?;
        if !crate::secrets::is_valid_name(name) {
            return Err(item.wrong(crate::secrets::NAME_RULE));
        }
        names.insert(name.to_owned());
    }
    Ok(names)
}

fn directories(field: &Field<'_>, author: Author) -> Result<Vec<DirectoryRule>, ManifestError> {
    let mut rules: Vec<DirectoryRule> = Vec::new();
    for item in field.items(DIRECTORIES_MAX)? {
        let table = item.table()?.with_only(&["host", "guest", "access", "quota"])?;
        let guest = table.required("guest", "guest = \"/data\"")?;
        let name = guest.text()?.to_owned();
        if !is_guest_path(&name) {
            return Err(guest.wrong(format!(
                "it must be an absolute name as /data, without '.', '..' or an end in '/', and outside {SCRATCH}"
            )));
        }
        if rules.iter().any(|rule| rule.guest == name) {
            return Err(guest.wrong("another directory has this name"));
        }
        let access = table.required("access", "access = \"read\" or access = \"read-write\"")?;
        let access = match access.text()? {
            "read" => Access::ReadOnly,
            "read-write" => Access::ReadWrite,
            _ => return Err(access.wrong("it must be \"read\" or \"read-write\"")),
        };
        let host = match (author, table.field("host")) {
            (Author::Module, None) => None,
            (Author::Module, Some(host)) => {
                return Err(host.wrong(
                    "folders of the machine are the operator's to give, in the file of --module-policy; ask for guest \
                     and access alone",
                ));
            }
            (Author::Operator, _) => {
                let host = table.required("host", "host = \"/srv/data\", the folder on this machine")?;
                let path = Path::new(host.text()?);
                if !path.is_absolute() {
                    return Err(host.wrong("it must be the absolute path of a folder on this machine"));
                }
                Some(path.to_owned())
            }
        };
        let quota = table.field("quota");
        if let Some(quota) = quota.as_ref().filter(|_| access == Access::ReadOnly) {
            return Err(quota.wrong("it bounds what is written: it needs access = \"read-write\""));
        }
        let quota_bytes = quota.map(|field| bytes(&field)).transpose()?;
        rules.push(DirectoryRule { guest: name, access, host, quota_bytes });
    }
    Ok(rules)
}

fn is_guest_path(name: &str) -> bool {
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    let is_scratch = name.strip_prefix(SCRATCH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    name.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_part)) && !is_scratch
}
