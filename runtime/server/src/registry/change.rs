//! Changes of modules: an upload is taken apart, checked and compiled, and then becomes a record; a change is answered
//! when it has begun.

use std::time::Duration;

use asl::{Data, Timestamp};
use bytes::Bytes;
use engine::{ChangeModule, Expected, ModuleChange, ModuleChanged, PutModule, Refusal};
use store::{ReadError, Store};
use wasm_host::{Digest, ManifestError, ModuleError, ModuleInfo};

use crate::app::{App, now};
use crate::module_rules::{self, Told};
use crate::package::{self, Package, PackageError};

/// Ours: how long before the oldest execution a module's moves are kept. It covers Express executions, of which nothing
/// is kept and which last five minutes, and clocks that are not quite in step with the ids of executions.
const LEEWAY_SECONDS: i64 = 10 * 60;
/// Ours: the longest that an answer waits until its change has begun; it is 20 ms unless the clock was set back.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(1);

/// What is uploaded.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) name: String,
    /// A component, or an archive with one.
    pub(crate) bytes: Bytes,
    pub(crate) expected: Expected,
    pub(crate) configuration: Option<Data>,
    /// Whether the archive itself counts, and not only what is in it.
    pub(crate) keeps_package_digest: bool,
    pub(crate) publish: bool,
    pub(crate) description: Option<String>,
    /// Of a module that is new.
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) if_upload: Option<u32>,
}

/// What came of an upload.
#[derive(Debug)]
pub(crate) struct Uploaded {
    pub(crate) info: ModuleInfo,
    pub(crate) changed: ModuleChanged,
    /// What it asks for in vain, and what it imports without a grant.
    pub(crate) warnings: Vec<String>,
}

/// A change of a module that exists.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) name: String,
    pub(crate) change: ModuleChange,
    pub(crate) if_upload: Option<u32>,
}

/// Why a module was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error("module.toml, {0}.")]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Module(#[from] ModuleError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Takes an upload in, whole or not at all. What has arrived is carried through, though the client may be gone.
pub(crate) async fn upload<S: Store + Clone>(app: &App<S>, upload: Upload) -> Result<Uploaded, ChangeError> {
    let app = app.clone();
    let taken = tokio::spawn(async move { take(&app, upload).await }).await;
    taken.expect("taking an upload does not panic")
}

async fn take<S: Store + Clone>(app: &App<S>, upload: Upload) -> Result<Uploaded, ChangeError> {
    let Upload {
        name,
        bytes,
        expected,
        configuration,
        keeps_package_digest,
        publish,
        description,
        tags,
        if_upload,
    } = upload;
    let package_digest =
        if keeps_package_digest { Some(digest(bytes.clone()).await.to_string()) } else { None };
    let Package { component, manifest } = package::read(bytes).await?;
    let rules = app.rules().of_manifest(&name, manifest.as_deref(), &Told::default())?;
    let held = app.components().hold(digest(component.clone()).await).await;
    let info = app.host().add(component).await?;
    let warnings = module_rules::warnings(&rules, &info);
    let put = PutModule {
        expected,
        digest: info.digest.to_string(),
        size_bytes: info.size_bytes,
        exports: info.exports.clone(),
        manifest: manifest.map(asl::Text::from),
        configuration,
        package_digest,
        publish,
        description,
        tags,
    };
    let changed = change(app, Change { name, change: ModuleChange::Put(put), if_upload }).await;
    drop(held);
    if changed.is_err() {
        // The component may be one that nothing names.
        collect_later(app);
    }
    Ok(Uploaded { info, changed: changed?, warnings })
}

async fn digest(bytes: Bytes) -> Digest {
    let digest = tokio::task::spawn_blocking(move || Digest::of(&bytes)).await;
    digest.expect("a digest of bytes does not fail")
}

/// Makes a change, and waits until executions that begin see it.
pub(crate) async fn change<S: Store + Clone>(
    app: &App<S>,
    change: Change,
) -> Result<ModuleChanged, ChangeError> {
    let Change { name, change, if_upload } = change;
    let needed_since = needed_since(app.store(), now()).await?;
    let changed = app.engine().change_module(ChangeModule { name, change, if_upload, needed_since }).await?;
    if changed.frees {
        collect_later(app);
    }
    let left = changed.begins_at.as_milliseconds().saturating_sub(now().as_milliseconds());
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
    tokio::time::sleep(left.min(BEGIN_TIMEOUT)).await;
    Ok(changed)
}

/// Removes components that nothing names any more, in the background.
pub(crate) fn collect_later<S: Store + Clone>(app: &App<S>) {
    let app = app.clone();
    tokio::spawn(async move {
        match app.components().collect(app.host(), app.store()).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "components that nothing names were removed"),
            Err(error) => tracing::warn!(%error, "components that nothing names could not be looked for"),
        }
    });
}

/// No execution that runs or can be redriven has begun before.
async fn needed_since<S: Store>(store: &S, now: Timestamp) -> Result<Timestamp, ReadError> {
    let oldest = match store.oldest_state().await? {
        Some(id) => store.execution(id).await?.map(|record| record.started_at),
        None => None,
    };
    Ok(oldest.map_or(now, |oldest| oldest.min(now)).saturating_add_seconds(-LEEWAY_SECONDS))
}
