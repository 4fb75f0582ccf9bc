//! Calls of a module without a server: one host for one module, with its compiled code kept in a folder of the user.
//!
//! Compiling a component of Python takes 20 s of CPU, so it is done once for each content. Every module has a folder of
//! its own below the cache, because a host owns its folder; a lock is held while one is made ready.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use bytes::Bytes;
use wasm_host::{Call, Defaults, Digest, Effective, Host, Limits, Options, Outcome, Policy};

use super::Failure;
use super::terminal::read_text;
use crate::limits::{LOCAL_MODULES_KEPT, MODULE_BYTES_MAX};
use crate::module_rules::{ModuleRules, Told};

/// The folder below the user's own for caches.
const FOLDER: &str = "stepwell";
const LOCK: &str = "lock";
/// A call of a command line has the host for itself.
const SLOTS: u32 = 2;
/// Whoever stops a call does not wait for it.
const GRACE: Duration = Duration::ZERO;

/// A module that is ready to be called.
#[derive(Debug)]
pub(crate) struct LocalModule {
    host: Host,
    digest: Digest,
    /// How long it took to have it ready, which is mostly compiling.
    pub(crate) ready_in: Duration,
}

impl LocalModule {
    /// Reads a component and makes it ready.
    pub(crate) async fn load(file: &Path, cache: &Path) -> Result<LocalModule, Failure> {
        let bytes = read(file)?;
        let begun = Instant::now();
        let digest = Digest::of(&bytes);
        let name = digest.to_string().replace(':', "-");
        make_private(cache)?;
        let lock = lock(cache)?;
        let folder = cache.join(name);
        let host = Host::new(&Options { slots: SLOTS, ..Options::new(&folder) })?;
        let added = host.add(bytes).await;
        // The folder that was used last is the last to go.
        let _unwritable = File::open(&folder).and_then(|folder| folder.set_modified(SystemTime::now()));
        remove_oldest(cache, LOCAL_MODULES_KEPT);
        drop(lock);
        let info = added.with_context(|| format!("{} cannot be called", file.display()))?;
        Ok(LocalModule { host, digest: info.digest, ready_in: begun.elapsed() })
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// Performs one call. Ctrl-C ends it, as a cancelled one.
    pub(crate) async fn call(&self, call: Call) -> Outcome {
        let cancel = call.cancel.clone();
        let calling = self.host.call(call);
        tokio::pin!(calling);
        tokio::select! {
            outcome = &mut calling => outcome,
            _interrupt = tokio::signal::ctrl_c() => {
                cancel.cancel();
                calling.await
            }
        }
    }

    pub(crate) async fn close(self) {
        self.host.shutdown(GRACE).await;
    }
}

/// What a module gets by its manifest where no policy says otherwise.
pub(crate) fn effective(manifest: Option<&Path>, name: &str) -> Result<Effective, Failure> {
    let memory_bytes_max = wasm_host::limits::MEMORY_BYTES_MAX_DEFAULT;
    let rules =
        ModuleRules::new(Policy::default(), Defaults::new(Limits::default(), memory_bytes_max, SLOTS));
    let text = manifest.map(read_text).transpose()?;
    let file = manifest.map_or_else(String::new, |file| format!(" {}", file.display()));
    rules
        .of_manifest(name, text.as_deref(), &Told::default())
        .with_context(|| format!("the manifest{file} cannot be used"))
}

/// Where compiled modules are kept: the folder that is given, or one of the user's.
pub(crate) fn cache_folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || {
        let below = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
        variable("HOME").map(|home| home.join(below))
    };
    let folder = given.map(Path::to_owned);
    let folder = folder.or_else(|| Some(variable("XDG_CACHE_HOME").or_else(home)?.join(FOLDER)));
    folder.context("there is no place for compiled modules: give --cache DIR, or set HOME")
}

fn read(file: &Path) -> Result<Bytes, Failure> {
    let size = fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?.len();
    if size > MODULE_BYTES_MAX as u64 {
        anyhow::bail!(
            "{} has {size} bytes, and a component at most {} MiB; build it for release and strip it",
            file.display(),
            MODULE_BYTES_MAX >> 20
        );
    }
    let bytes = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Bytes::from(bytes))
}

/// Nobody else may write there: compiled code is run as it is found.
fn make_private(cache: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(cache);
    made.with_context(|| {
        format!(
            "the folder for compiled modules, {}, cannot be made; choose another with --cache",
            cache.display()
        )
    })
}

fn lock(cache: &Path) -> Result<File, Failure> {
    let path = cache.join(LOCK);
    let file = File::options().create(true).append(true).open(&path);
    let file = file.with_context(|| {
        format!("{} cannot be written; choose another folder with --cache", path.display())
    })?;
    file.lock().with_context(|| format!("{} cannot be locked", path.display()))?;
    Ok(file)
}

/// Best effort: what cannot be removed now is removed another time. Code in use stays where it is mapped.
fn remove_oldest(cache: &Path, kept: usize) {
    let Ok(entries) = fs::read_dir(cache) else { return };
    let modified = |folder: &Path| fs::metadata(folder).and_then(|metadata| metadata.modified()).ok();
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    let mut folders: Vec<_> = folders.filter_map(|folder| Some((modified(&folder)?, folder))).collect();
    folders.sort();
    let surplus = folders.len().saturating_sub(kept);
    for (_, folder) in folders.drain(..surplus) {
        let _tried = fs::remove_dir_all(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_that_were_used_last_stay() {
        let cache = tempfile::tempdir().unwrap();
        for (name, seconds) in [("a", 3), ("b", 1), ("c", 2)] {
            let folder = cache.path().join(name);
            fs::create_dir(&folder).unwrap();
            let used = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            File::open(&folder).unwrap().set_modified(used).unwrap();
        }
        let _lock = lock(cache.path()).unwrap();
        remove_oldest(cache.path(), 2);
        let left = |name: &str| cache.path().join(name).exists();
        assert_eq!(["a", "b", "c", LOCK].map(left), [true, false, true, true]);
    }

    #[test]
    fn a_folder_that_is_given_is_taken() {
        assert_eq!(cache_folder(Some(Path::new("here"))).unwrap(), Path::new("here"));
    }

    #[tokio::test]
    async fn what_is_no_component_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("task.wasm");
        let load = async || {
            format!("{:#}", LocalModule::load(&file, &folder.path().join("cache")).await.unwrap_err())
        };
        assert!(load().await.contains("task.wasm cannot be read: "), "{}", load().await);
        fs::write(&file, "text").unwrap();
        assert!(
            load().await.contains("task.wasm cannot be called: this is not WebAssembly"),
            "{}",
            load().await
        );
    }
}
