//! Adds, loads and removes modules.
//!
//! Compiling takes from tenths of a second to half a minute of all cores, so one module is compiled at a time, on
//! a thread that may block. Loading compiled code takes a fifth of a millisecond.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::digest::Digest;
use crate::error::ModuleError;
use crate::files::Files;
use crate::inspect::{self, Loaded, ModuleInfo};
use crate::loaded::LoadedModules;
use crate::state::GuestState;

/// Modules being added at once; all but one wait for the compiler, each with its bytes in memory.
const ADDING_MAX: usize = 8;
/// Two modules at a time would take twice as long each.
const COMPILING_MAX: usize = 1;

pub(crate) struct Registry {
    shared: Arc<Shared>,
    threads: Handle,
    loaded: LoadedModules<Loaded>,
    adding: Semaphore,
    compiling: Arc<Semaphore>,
    module_bytes_max: usize,
}

/// What the blocking threads need.
struct Shared {
    engine: Engine,
    linker: Linker<GuestState>,
    files: Files,
    memory_bytes_max: usize,
    /// The modules on disk and their sizes.
    known: Mutex<HashMap<Digest, u64>>,
    /// Held while files are added or removed, which takes as long as the disk does. No call waits for it.
    changing: Mutex<()>,
}

/// What there is to know about limits of modules.
pub(crate) struct Bounds {
    pub(crate) memory_bytes_max: usize,
    pub(crate) module_bytes_max: usize,
    pub(crate) loaded_modules_max: usize,
}

impl Registry {
    pub(crate) fn new(
        engine: Engine,
        linker: Linker<GuestState>,
        files: Files,
        threads: Handle,
        bounds: &Bounds,
    ) -> std::io::Result<Self> {
        let known = Mutex::new(files.list()?.into_iter().collect());
        let memory_bytes_max = bounds.memory_bytes_max;
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                linker,
                files,
                memory_bytes_max,
                known,
                changing: Mutex::new(()),
            }),
            threads,
            loaded: LoadedModules::new(bounds.loaded_modules_max),
            adding: Semaphore::new(ADDING_MAX),
            compiling: Arc::new(Semaphore::new(COMPILING_MAX)),
            module_bytes_max: bounds.module_bytes_max,
        })
    }

    pub(crate) fn contains(&self, digest: Digest) -> bool {
        self.shared.contains(digest)
    }

    pub(crate) fn digests(&self) -> Vec<Digest> {
        self.shared.known().keys().copied().collect()
    }

    pub(crate) async fn add(&self, bytes: Bytes) -> Result<ModuleInfo, ModuleError> {
        inspect::check_preamble(&bytes, self.module_bytes_max)?;
        let _place = self.adding.try_acquire().map_err(|_| ModuleError::Busy)?;
        let hashed = bytes.clone();
        let digest = self.blocking(move |_| Ok(Digest::of(&hashed))).await?;
        // A module that is here but cannot be loaded is replaced: adding it again repairs a damaged file.
        if let Ok((loaded, _)) = self.get(digest).await {
            return Ok(loaded.info.clone());
        }
        let permit = self.compile_permit().await?;
        let loaded = self.blocking(move |shared| shared.add(digest, &bytes, permit)).await?;
        let info = loaded.info.clone();
        // Another call may have filled the place in between, with the same module.
        let _ = self.loaded.cell(digest).set(Arc::new(loaded));
        Ok(info)
    }

    pub(crate) async fn remove(&self, digest: Digest) -> Result<(), ModuleError> {
        self.loaded.remove(digest);
        let removed = self.blocking(move |shared| shared.remove(digest)).await;
        // Once more, for a call that loaded it in between.
        self.loaded.remove(digest);
        removed
    }

    /// The module and whether it had to be loaded.
    pub(crate) async fn get(&self, digest: Digest) -> Result<(Arc<Loaded>, bool), ModuleError> {
        let Some(size_bytes) = self.shared.known().get(&digest).copied() else {
            return Err(ModuleError::NotFound);
        };
        let cell = self.loaded.cell(digest);
        if let Some(loaded) = cell.get() {
            return Ok((Arc::clone(loaded), false));
        }
        let loaded = cell.get_or_try_init(|| async { self.load(digest, size_bytes).await.map(Arc::new) });
        Ok((Arc::clone(loaded.await?), true))
    }

    async fn load(&self, digest: Digest, size_bytes: u64) -> Result<Loaded, ModuleError> {
        let from_cache = self.blocking(move |shared| shared.load_compiled(digest, size_bytes)).await;
        let error = match from_cache {
            Ok(loaded) => return Ok(loaded),
            Err(error) => error,
        };
        tracing::info!(%digest, %error, "module is compiled again");
        let permit = self.compile_permit().await?;
        self.blocking(move |shared| shared.recompile(digest, permit)).await
    }

    async fn compile_permit(&self) -> Result<OwnedSemaphorePermit, ModuleError> {
        let permit = Arc::clone(&self.compiling).acquire_owned().await;
        permit.map_err(|_| ModuleError::Host("the compiler is closed".to_owned()))
    }

    /// Runs to its end even when nobody waits for it any more.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, ModuleError> + Send + 'static,
    ) -> Result<T, ModuleError> {
        let shared = Arc::clone(&self.shared);
        let ended = self.threads.spawn_blocking(move || work(&shared)).await;
        ended.unwrap_or_else(|error| Err(ModuleError::Host(format!("work on a module ended early: {error}"))))
    }
}

impl Shared {
    fn known(&self) -> MutexGuard<'_, HashMap<Digest, u64>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn contains(&self, digest: Digest) -> bool {
        self.known().contains_key(&digest)
    }

    /// What a panic leaves half done is removed when the host starts.
    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, digest: Digest, bytes: &[u8], permit: OwnedSemaphorePermit) -> Result<Loaded, ModuleError> {
        let compiled = self.compile(digest, bytes)?;
        drop(permit);
        let changing = self.changing();
        self.files.store(digest, bytes, &compiled)?;
        let size_bytes = bytes.len() as u64;
        self.known().insert(digest, size_bytes);
        drop(changing);
        self.load_compiled(digest, size_bytes)
    }

    fn remove(&self, digest: Digest) -> Result<(), ModuleError> {
        let _changing = self.changing();
        self.known().remove(&digest).ok_or(ModuleError::NotFound)?;
        Ok(self.files.remove(digest)?)
    }

    #[allow(unsafe_code, reason = "compiled code is machine code: loading it is an act of trust")]
    fn load_compiled(&self, digest: Digest, size_bytes: u64) -> Result<Loaded, ModuleError> {
        // SAFETY: the file holds what `Component::serialize` returned to a host of ours. Only `Files` writes in that
        // folder, which is closed to other users; files appear whole, by a rename after a flush; uploads are never
        // stored there, only compiled. The engine itself refuses code of another version or configuration.
        let component =
            unsafe { Component::deserialize_file(&self.engine, self.files.compiled_path(digest)) };
        let component = component.map_err(|error| ModuleError::Invalid(format!("{error:#}")))?;
        self.prepare(digest, &component, size_bytes)
    }

    fn recompile(&self, digest: Digest, permit: OwnedSemaphorePermit) -> Result<Loaded, ModuleError> {
        let bytes = self.files.read_module(digest)?;
        if Digest::of(&bytes) != digest {
            return Err(ModuleError::Invalid("the file has changed since it was added".to_owned()));
        }
        let component = inspect::compile(&self.engine, &bytes)?;
        drop(permit);
        let _changing = self.changing();
        if self.contains(digest)
            && let Err(error) = self.files.store_compiled(digest, &serialize(&component)?)
        {
            // The call can go on; the next load compiles once more.
            tracing::warn!(%digest, %error, "compiled module is not kept");
        }
        self.prepare(digest, &component, bytes.len() as u64)
    }

    /// Compiled code of a module that is fit to be called. It is loaded from its file, as it is after a restart: pages
    /// of a file take memory only when they are used, and the system may drop them again.
    fn compile(&self, digest: Digest, bytes: &[u8]) -> Result<Vec<u8>, ModuleError> {
        let component = inspect::compile(&self.engine, bytes)?;
        self.prepare(digest, &component, bytes.len() as u64)?;
        serialize(&component)
    }

    fn prepare(&self, digest: Digest, component: &Component, size_bytes: u64) -> Result<Loaded, ModuleError> {
        inspect::prepare(&self.linker, component, digest, size_bytes, self.memory_bytes_max)
    }
}

fn serialize(component: &Component) -> Result<Vec<u8>, ModuleError> {
    component.serialize().map_err(|error| ModuleError::Invalid(format!("{error:#}")))
}
