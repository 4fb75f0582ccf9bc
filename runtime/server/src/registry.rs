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
            None | Some("$LATEST") => head.latest_version,
            Some(qualifier) => match qualifier.parse() {
                Ok(version) => version,
                Err(_) => return Ok(Found::NoVersion),
            },
        };
        let Some(record) = self.store.module(name, version).await.map_err(unreadable)? else {
            return Ok(Found::NoVersion);
        };
        let digest =
            record.digest.parse().map_err(|error| format!("the digest of {name} is damaged: {error}"))?;
        Ok(Found::Version(ModuleVersion { version, digest }))
    }
}
