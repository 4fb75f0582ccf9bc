//! The registry of modules as the executor of tasks sees it.

use std::sync::{Arc, Weak};

use executors::{Found, ModuleVersion, Modules};
use store::Store;
use tokio::sync::SetOnce;
use wasm_host::{Effective, SecretSource};

use crate::app::App;
use crate::module_rules::ModuleRules;
use crate::module_secrets::ModuleSecrets;

/// Finds modules in the store.
#[derive(Debug)]
pub(crate) struct Registry<S> {
    pub(crate) store: S,
    pub(crate) rules: Arc<ModuleRules>,
    /// Has their secrets, once it is there.
    pub(crate) api: Weak<SetOnce<App<S>>>,
}

impl<S: Store + Clone> Modules for Registry<S> {
    async fn find(&self, name: &str, qualifier: Option<&str>) -> Result<Found, String> {
        let unreadable = |error: store::ReadError| format!("the module registry cannot be read: {error}");
        let Some(head) = self.store.module_head(name).await.map_err(unreadable)? else {
            return Ok(Found::NoModule);
        };
        let version = match qualifier {
            None | Some("$LATEST") => None,
            Some(qualifier) => match qualifier.parse() {
                Ok(version) => Some(version),
                Err(_) => return Ok(Found::NoVersion),
            },
        };
        let record = self.store.module(name, version.unwrap_or(head.latest_version)).await;
        let Some(record) = record.map_err(unreadable)? else {
            return Ok(Found::NoVersion);
        };
        let digest =
            record.digest.parse().map_err(|error| format!("the digest of {name} is damaged: {error}"))?;
        let manifest = record.manifest.map(|manifest| manifest.0);
        Ok(Found::Version(ModuleVersion { version, digest, manifest }))
    }

    fn permits(&self, name: &str, module: &ModuleVersion) -> Result<Arc<Effective>, String> {
        let rules = self.rules.of_version(name, module.version, module.manifest.as_ref());
        rules.map_err(|error| format!("the manifest of {name} cannot be read: {error}"))
    }

    fn secrets(&self, name: &str) -> Arc<dyn SecretSource> {
        Arc::new(ModuleSecrets::new(Weak::clone(&self.api), name))
    }
}
