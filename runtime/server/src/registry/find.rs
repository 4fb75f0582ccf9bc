//! What a module's name and qualifier mean, and meant when an execution began.

use std::sync::{Arc, Weak};
use std::time::Duration;

use asl::Data;
use executors::{Caller, Found, ModuleExecutor, ModuleVersion, Modules, Overrides};
use serde_json::Value;
use store::{ModuleHead, ModulePlace, ModuleRecord, ReadError, Store};
use tokio::sync::SetOnce;
use wasm_host::{Effective, Host, SecretSource};

use crate::app::{Account, App};
use crate::module_rules::ModuleRules;
use crate::module_secrets::ModuleSecrets;

/// The qualifier of the newest upload.
pub(crate) const LATEST: &str = "$LATEST";

/// Finds modules in the store.
#[derive(Debug)]
pub struct Registry<S> {
    store: S,
    rules: Arc<ModuleRules>,
    /// Has their secrets, once it is there.
    api: Weak<SetOnce<App<S>>>,
}

/// The modules as functions, for tasks and for the Lambda API. Their secrets are found when the server is set.
pub fn functions<S: Store + Clone>(
    host: &Host,
    store: &S,
    account: &Account,
    rules: &Arc<ModuleRules>,
    api: &Arc<SetOnce<App<S>>>,
) -> ModuleExecutor<Registry<S>> {
    let names = executors::Account { id: account.id.clone(), region: account.region.clone() };
    let registry = Registry { store: store.clone(), rules: Arc::clone(rules), api: Arc::downgrade(api) };
    ModuleExecutor::new(host.clone(), registry, names)
}

/// An upload or a version, and how it was come by.
#[derive(Debug, Clone, PartialEq)]
struct Located {
    /// None if the newest upload was asked for.
    version: Option<u32>,
    record: ModuleRecord,
}

/// What there is under a name.
#[derive(Debug, Clone, PartialEq)]
enum Lookup {
    Found(Box<Located>),
    NoVersion,
    NoModule,
}

/// Looks up a version's number, an alias or `$LATEST` as a caller sees it.
async fn locate<S: Store>(
    store: &S,
    name: &str,
    qualifier: Option<&str>,
    caller: Caller,
) -> Result<Lookup, ReadError> {
    let Some(head) = store.module_head(name).await? else { return Ok(Lookup::NoModule) };
    let Some(place) = place(&head, qualifier, caller) else { return Ok(Lookup::NoVersion) };
    let (version, record) = match (place, qualifier) {
        (ModulePlace::Version(version), None | Some(LATEST)) => (None, store.module(name, version).await?),
        (ModulePlace::Version(version), Some(_)) => (Some(version), store.module(name, version).await?),
        (ModulePlace::Upload(upload), _) => (None, store.module_upload(name, upload).await?),
    };
    Ok(match record {
        Some(record) => Lookup::Found(Box::new(Located { version, record })),
        None => Lookup::NoVersion,
    })
}

fn place(head: &ModuleHead, qualifier: Option<&str>, caller: Caller) -> Option<ModulePlace> {
    let Some(qualifier) = qualifier.filter(|qualifier| *qualifier != LATEST) else {
        return Some(head.latest_at(caller.began_at));
    };
    if let Ok(version) = qualifier.parse() {
        return Some(ModulePlace::Version(version));
    }
    match head.alias(qualifier)?.version_at(caller.began_at, caller.draw) {
        0 => Some(head.latest_at(caller.began_at)),
        version => Some(ModulePlace::Version(version)),
    }
}

impl<S: Store + Clone> Modules for Registry<S> {
    async fn find(&self, name: &str, qualifier: Option<&str>, caller: Caller) -> Result<Found, String> {
        let found = locate(&self.store, name, qualifier, caller).await;
        let found = found.map_err(|error| format!("the module registry cannot be read: {error}"))?;
        let located = match found {
            Lookup::Found(located) => located,
            Lookup::NoVersion => return Ok(Found::NoVersion),
            Lookup::NoModule => return Ok(Found::NoModule),
        };
        let Located { version, record } = *located;
        let digest =
            record.digest.parse().map_err(|error| format!("the digest of {name} is damaged: {error}"))?;
        let overrides = overrides(record.configuration.as_ref());
        let manifest = record.manifest.map(|text| text.0);
        Ok(Found::Version(ModuleVersion { version, digest, manifest, overrides }))
    }

    fn permits(&self, name: &str, module: &ModuleVersion) -> Result<Arc<Effective>, String> {
        let environment = &module.overrides.environment;
        let rules = self.rules.of_version(name, module.version, module.manifest.as_ref(), environment);
        rules.map_err(|error| format!("the manifest of {name} cannot be read: {error}"))
    }

    fn secrets(&self, name: &str) -> Arc<dyn SecretSource> {
        Arc::new(ModuleSecrets::new(Weak::clone(&self.api), name))
    }
}

/// What counts of what the Lambda API was told of a function.
fn overrides(configuration: Option<&Data>) -> Overrides {
    let number = |member: &str| configuration.and_then(|told| told.value()[member].as_u64());
    let mebibytes = number("MemorySize").and_then(|mebibytes| usize::try_from(mebibytes).ok());
    let variables = configuration.and_then(|told| told.value()["Environment"]["Variables"].as_object());
    let variable = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    Overrides {
        environment: variables.into_iter().flatten().filter_map(variable).collect(),
        timeout: number("Timeout").map(Duration::from_secs),
        memory_bytes: mebibytes.map(|mebibytes| mebibytes.saturating_mul(1 << 20)),
    }
}
