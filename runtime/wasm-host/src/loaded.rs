//! The modules that are ready to be called, at most so many, the least recently called leaving first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OnceCell;

use crate::digest::Digest;

/// One place that is filled once, however many calls want it at the same time.
pub(crate) type Cell<T> = Arc<OnceCell<Arc<T>>>;

#[derive(Debug)]
pub(crate) struct LoadedModules<T> {
    entries: Mutex<Entries<T>>,
    entries_max: usize,
}

#[derive(Debug)]
struct Entries<T> {
    by_digest: HashMap<Digest, Entry<T>>,
    uses: u64,
}

#[derive(Debug)]
struct Entry<T> {
    cell: Cell<T>,
    last_use: u64,
}

impl<T> LoadedModules<T> {
    pub(crate) fn new(entries_max: usize) -> Self {
        let entries = Mutex::new(Entries { by_digest: HashMap::new(), uses: 0 });
        Self { entries, entries_max: entries_max.max(1) }
    }

    /// The place of a module, empty when it has to be loaded.
    pub(crate) fn cell(&self, digest: Digest) -> Cell<T> {
        let mut entries = self.lock();
        entries.uses += 1;
        let now = entries.uses;
        if let Some(entry) = entries.by_digest.get_mut(&digest) {
            entry.last_use = now;
            return Arc::clone(&entry.cell);
        }
        if entries.by_digest.len() >= self.entries_max {
            entries.evict();
        }
        let cell = Cell::default();
        entries.by_digest.insert(digest, Entry { cell: Arc::clone(&cell), last_use: now });
        cell
    }

    pub(crate) fn remove(&self, digest: Digest) {
        self.lock().by_digest.remove(&digest);
    }

    /// No code that can panic runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Entries<T> {
    /// A scan of some hundred entries, once per load from disk.
    fn evict(&mut self) {
        let oldest = self.by_digest.iter().min_by_key(|(_, entry)| entry.last_use).map(|(digest, _)| *digest);
        if let Some(digest) = oldest {
            self.by_digest.remove(&digest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_leaves_first() {
        let modules = LoadedModules::new(2);
        let [a, b, c] = [b"a", b"b", b"c"].map(|bytes| Digest::of(bytes));
        for (digest, value) in [(a, 1), (b, 2)] {
            modules.cell(digest).set(Arc::new(value)).unwrap();
        }
        modules.cell(a);
        modules.cell(c);
        assert_eq!(modules.cell(a).get().map(|value| **value), Some(1));
        assert_eq!(modules.cell(b).get(), None);
    }
}
