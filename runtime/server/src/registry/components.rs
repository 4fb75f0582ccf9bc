//! Components that nothing names any more are removed.
//!
//! An upload writes the component first and its record after it, so a crash between leaves a component without a record,
//! which the next start removes. While an upload is under way its component is *held*; what is held, or was held since a
//! collection began, is not removed by it.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use store::{ModuleHead, ModuleRecord, ReadError, Store};
use wasm_host::{Digest, Host};

/// Modules and versions read at once.
const PAGE: usize = 100;

/// Which components must stay though no record names them.
#[derive(Debug, Default)]
pub(crate) struct Components {
    state: Mutex<State>,
    /// One collection at a time, and one that waits for its turn.
    collecting: tokio::sync::Mutex<()>,
    waiting: AtomicBool,
    /// Held while a component is removed, so that no upload counts on it.
    removing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    held: HashMap<Digest, usize>,
    /// What the collection under way may remove.
    doomed: HashSet<Digest>,
}

/// Keeps a component from being collected.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    components: &'a Components,
    digest: Digest,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut state = self.components.lock();
        if let Some(count) = state.held.get_mut(&self.digest) {
            *count -= 1;
            if *count == 0 {
                state.held.remove(&self.digest);
            }
        }
    }
}

impl Components {
    /// From here on the component stays.
    pub(crate) async fn hold(&self, digest: Digest) -> Held<'_> {
        let _none_is_removed = self.removing.lock().await;
        let mut state = self.lock();
        *state.held.entry(digest).or_default() += 1;
        state.doomed.remove(&digest);
        Held { components: self, digest }
    }

    /// Removes what no record names and nobody holds. Tells how many those were. While another collection waits for its
    /// turn there is nothing to do: that one will see all.
    pub(crate) async fn collect<S: Store>(&self, host: &Host, store: &S) -> Result<usize, ReadError> {
        if self.waiting.swap(true, Ordering::AcqRel) {
            return Ok(0);
        }
        let _alone = self.collecting.lock().await;
        self.waiting.store(false, Ordering::Release);
        let candidates = host.digests();
        {
            let mut state = self.lock();
            let free = candidates.into_iter().filter(|digest| !state.held.contains_key(digest)).collect();
            state.doomed = free;
        }
        // Read after the candidates were chosen: what was recorded before that is seen here.
        let named = named(store).await?;
        let doomed: Vec<Digest> = self.lock().doomed.difference(&named).copied().collect();
        let mut removed = 0;
        for digest in doomed {
            let _nobody_holds = self.removing.lock().await;
            if !self.lock().doomed.contains(&digest) {
                continue;
            }
            match host.remove(digest).await {
                Ok(()) => removed += 1,
                // The next collection tries again.
                Err(error) => tracing::warn!(%digest, %error, "a component that nothing names stays"),
            }
        }
        self.lock().doomed.clear();
        Ok(removed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The components of all versions, and of all uploads that `$LATEST` is or was for an execution that may ask.
async fn named<S: Store>(store: &S) -> Result<HashSet<Digest>, ReadError> {
    let mut digests = HashSet::new();
    let mut from = None;
    loop {
        let page = store.list_modules(from.as_ref(), PAGE).await?;
        for (name, head) in &page.items {
            named_by(store, name, head, &mut digests).await?;
        }
        from = page.next;
        if from.is_none() {
            return Ok(digests);
        }
    }
}

async fn named_by<S: Store>(
    store: &S,
    name: &str,
    head: &ModuleHead,
    digests: &mut HashSet<Digest>,
) -> Result<(), ReadError> {
    let mut add = |record: &ModuleRecord| match record.digest.parse() {
        Ok(digest) => _ = digests.insert(digest),
        Err(error) => tracing::error!(module = name, %error, "the digest of a module is damaged"),
    };
    for upload in head.uploads() {
        store.module_upload(name, upload).await?.iter().for_each(&mut add);
    }
    let mut from = None;
    loop {
        let page = store.list_module_versions(name, from.as_ref(), PAGE).await?;
        page.items.iter().for_each(|(_, record)| add(record));
        from = page.next;
        if from.is_none() {
            return Ok(());
        }
    }
}
