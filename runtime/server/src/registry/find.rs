//! What a module's name and qualifier mean, and meant when an execution began.

use std::sync::{Arc, Weak};

use executors::{Caller, Found, ModuleExecutor, ModuleVersion, Modules};
use store::{ModuleHead, ModulePlace, ReadError, Store};
use tokio::sync::SetOnce;
use wasm_host::{Host, SecretSource};

use crate::app::{Account, App};
use crate::module_rules::{ModuleRules, Told};
use crate::module_secrets::ModuleSecrets;
use crate::registry::kept::{Kept, Key};

/// The qualifier of the newest upload.
pub(crate) const LATEST: &str = "$LATEST";

/// Finds modules in the store.
#[derive(Debug)]
pub struct Registry<S> {
    store: S,
    rules: Arc<ModuleRules>,
    kept: Kept,
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
    let registry = Registry {
        store: store.clone(),
        rules: Arc::clone(rules),
        kept: Kept::default(),
        api: Arc::downgrade(api),
    };
    ModuleExecutor::new(host.clone(), registry, names)
}

/// Where a version's number, an alias or `$LATEST` leads a caller; none if there is no such alias.
fn place(head: &ModuleHead, qualifier: Option<&str>, caller: Caller) -> Option<Key> {
    let Some(qualifier) = qualifier.filter(|qualifier| *qualifier != LATEST) else {
        return Some((head.latest_at(caller.began_at), true));
    };
    if let Ok(version) = qualifier.parse() {
        return Some((ModulePlace::Version(version), false));
    }
    match head.alias(qualifier)?.version_at(caller.began_at, caller.draw) {
        0 => Some((head.latest_at(caller.began_at), false)),
        version => Some((ModulePlace::Version(version), false)),
    }
}

impl<S: Store + Clone> Registry<S> {
    async fn read(&self, name: &str, qualifier: Option<&str>, caller: Caller) -> Result<Found, String> {
        let unreadable = |error: ReadError| format!("the module registry cannot be read: {error}");
        let changes = self.store.module_changes();
        let Some(head) = self.store.module_head(name).await.map_err(unreadable)? else {
            return Ok(Found::NoModule);
        };
        let Some(key) = place(&head, qualifier, caller) else { return Ok(Found::NoVersion) };
        let (version, record) = match key {
            (ModulePlace::Version(version), is_latest) => {
                ((!is_latest).then_some(version), self.store.module(name, version).await)
            }
            (ModulePlace::Upload(upload), _) => (None, self.store.module_upload(name, upload).await),
        };
        let Some(record) = record.map_err(unreadable)? else { return Ok(Found::NoVersion) };
        let digest =
            record.digest.parse().map_err(|error| format!("the digest of {name} is damaged: {error}"))?;
        let told = Told::of(record.configuration.as_ref());
        let permits = self.rules.of_manifest(name, record.manifest.as_deref(), &told);
        let permits = permits.map_err(|error| format!("the manifest of {name} cannot be read: {error}"))?;
        let version = Arc::new(ModuleVersion { name: name.into(), version, digest, permits });
        self.kept.put(changes, head, key, &version);
        Ok(Found::Version(version))
    }
}

impl<S: Store + Clone> Modules for Registry<S> {
    async fn find(&self, name: &str, qualifier: Option<&str>, caller: Caller) -> Result<Found, String> {
        let kept = self.kept.get(self.store.module_changes(), name, |head| place(head, qualifier, caller));
        match kept {
            Some(version) => Ok(Found::Version(version)),
            None => self.read(name, qualifier, caller).await,
        }
    }

    fn secrets(&self, name: &str) -> Arc<dyn SecretSource> {
        Arc::new(ModuleSecrets::new(Weak::clone(&self.api), name))
    }
}
