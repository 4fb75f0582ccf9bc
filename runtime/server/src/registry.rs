//! The registry of modules as the executor of tasks sees it.

use executors::{Found, ModuleVersion, Modules};
use store::Store;

/// Finds modules in the store.
#[derive(Debug)]
pub(crate) struct Registry<S> {
    pub(crate) store: S,
}

impl<S: Store> Modules for Registry<S> {
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
}
