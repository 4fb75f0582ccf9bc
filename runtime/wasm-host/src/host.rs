//! The host: modules, slots and threads behind one handle.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmtime::Engine;

use crate::call::Call;
use crate::digest::Digest;
use crate::engine;
use crate::error::{HostError, ModuleError};
use crate::files::Files;
use crate::gate::{Gate, Refused};
use crate::guest_files::HostFiles;
use crate::imports;
use crate::inspect::ModuleInfo;
use crate::invoke::{self, Environment};
use crate::lanes::Lanes;
use crate::options::Options;
use crate::outcome::{Failure, Outcome};
use crate::outgoing::Outgoing;
use crate::registry::{Bounds, Registry};
use crate::requests;
use crate::threads::GuestThreads;
use crate::ticker::Ticker;
use crate::turns::Progress;

/// Keeps modules and calls them. Clones share one host; its threads end with the last clone.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    registry: Registry,
    gate: Gate,
    lanes: Lanes,
    memory_bytes_max: usize,
    files: HostFiles,
    outgoing: Option<Arc<dyn Outgoing>>,
    requests: requests::OfHost,
    /// No new calls.
    closing: CancellationToken,
    /// No calls at all.
    stopping: CancellationToken,
    calls: TaskTracker,
    threads: GuestThreads,
    _ticker: Ticker,
}

/// How busy a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Calls that have a slot.
    pub live: usize,
    /// Calls that wait for a slot.
    pub waiting: usize,
}

impl Host {
    /// Sets up the engine, its threads and the module folder. Does not need a runtime.
    pub fn new(options: &Options) -> Result<Self, HostError> {
        let (engine, allocation) = engine::build(options)?;
        let linker = imports::linker(&engine).map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let files = Files::open(&options.data_dir, configuration(&engine)).map_err(HostError::DataDir)?;
        let threads = GuestThreads::start(options.guest_threads).map_err(HostError::Threads)?;
        let ticker = Ticker::start(&engine).map_err(HostError::Threads)?;
        let guest_files =
            HostFiles::open(&options.data_dir, threads.slow().clone()).map_err(HostError::DataDir)?;
        let bounds = Bounds {
            memory_bytes_max: options.memory_bytes_max,
            module_bytes_max: options.module_bytes_max,
            loaded_modules_max: options.loaded_modules_max,
        };
        let lanes = Lanes::new(&threads, options);
        let registry = Registry::new(engine, linker, files, threads.slow().clone(), &bounds);
        tracing::info!(?allocation, slots = options.slots, "module host is ready");
        Ok(Self {
            inner: Arc::new(Inner {
                registry: registry.map_err(HostError::DataDir)?,
                gate: Gate::new(options.slots, options.queue_max),
                memory_bytes_max: options.memory_bytes_max,
                files: guest_files,
                outgoing: options.outgoing.clone(),
                requests: requests::OfHost::new(),
                closing: CancellationToken::new(),
                stopping: CancellationToken::new(),
                calls: TaskTracker::new(),
                lanes,
                threads,
                _ticker: ticker,
            }),
        })
    }

    /// Checks, compiles and keeps a component. Adding it again changes nothing. A module is either kept whole or
    /// not at all, whenever this is interrupted.
    pub async fn add(&self, bytes: Bytes) -> Result<ModuleInfo, ModuleError> {
        self.inner.registry.add(bytes).await
    }

    /// All modules that are kept.
    pub fn digests(&self) -> Vec<Digest> {
        self.inner.registry.digests()
    }

    pub fn contains(&self, digest: Digest) -> bool {
        self.inner.registry.contains(digest)
    }

    /// What is known of a module.
    pub async fn info(&self, digest: Digest) -> Result<ModuleInfo, ModuleError> {
        Ok(self.inner.registry.get(digest).await?.0.info.clone())
    }

    /// Forgets a module. Calls that have begun end as they would.
    pub async fn remove(&self, digest: Digest) -> Result<(), ModuleError> {
        self.inner.registry.remove(digest).await
    }

    /// Calls a module in a fresh instance. Dropping the future ends the guest.
    pub async fn call(&self, call: Call) -> Outcome {
        match self.inner.call(call).await {
            Ok(outcome) => outcome,
            Err(failure) => Outcome::not_started(failure),
        }
    }

    /// Where guests run. A call that is made there stays on its thread.
    pub fn runtime(&self) -> &Handle {
        self.inner.lanes.quick()
    }

    pub fn stats(&self) -> Stats {
        Stats { live: self.inner.gate.occupied(), waiting: self.inner.gate.waiting() }
    }

    /// Takes no more calls, lets those that run go on for `grace`, then cancels them. Returns when none is left.
    pub async fn shutdown(&self, grace: Duration) {
        let inner = &self.inner;
        inner.closing.cancel();
        inner.calls.close();
        if tokio::time::timeout(grace, inner.calls.wait()).await.is_err() {
            inner.stopping.cancel();
            inner.calls.wait().await;
        }
        inner.threads.stop();
    }
}

impl Inner {
    async fn call(&self, call: Call) -> Result<Outcome, Failure> {
        let closed = || Failure::Host("the host is shutting down".to_owned());
        if self.closing.is_cancelled() {
            return Err(closed());
        }
        let slot = self.gate.enter(&call.module, call.limits.concurrency, &call.cancel).await;
        let slot = slot.map_err(|refused| match refused {
            Refused::Full => Failure::Overloaded,
            Refused::Cancelled => Failure::Cancelled,
        })?;
        let (module, is_cold) = tokio::select! {
            // A module that is loaded is there at once, and then the others need not listen.
            biased;
            found = self.registry.get(call.digest) => found.map_err(|error| not_loaded(&call, &error))?,
            () = call.cancel.cancelled() => return Err(Failure::Cancelled),
            () = self.closing.cancelled() => return Err(closed()),
        };
        let progress = Progress::new();
        let environment = Environment {
            module: Arc::clone(&module),
            is_cold,
            progress: progress.clone(),
            _slot: slot,
            memory_bytes_max: self.memory_bytes_max,
            files: self.files.clone(),
            outgoing: self.outgoing.clone(),
            requests: self.requests.clone(),
            stopping: self.stopping.clone(),
        };
        let name = Arc::clone(&call.module);
        // In a box from the start: it is large, and goes from hand to hand.
        let guest = Box::pin(self.calls.track_future(invoke::run(call, environment)));
        let ended = self.lanes.run((&name, &module.habit), &progress, guest).await;
        ended.map_err(|error| Failure::Host(format!("the call ended early: {error}")))
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

fn not_loaded(call: &Call, error: &ModuleError) -> Failure {
    match error {
        ModuleError::NotFound => Failure::NotFound(call.digest),
        other => Failure::Host(format!("the module cannot be loaded: {other}")),
    }
}

/// Stands for all that compiled code depends on. The hasher is the same in every process; should another version
/// of Rust change it, modules are compiled once more.
fn configuration(engine: &Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}
