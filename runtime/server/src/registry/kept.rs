//! What was read of modules, kept until one of them changes. A call of a small module takes no longer than reading and
//! making this anew would.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use executors::ModuleVersion;
use store::{ModuleHead, ModulePlace};

/// Ours: modules that are kept, each some kilobytes with its manifest.
const MODULES_MAX: usize = 1_024;
/// Ours: versions of one module, of which running executions seldom use more than two.
const VERSIONS_MAX: usize = 16;

/// A version, and whether it was asked for as the newest upload, which then has no number.
pub(super) type Key = (ModulePlace, bool);

#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Modules>);

#[derive(Debug, Default)]
struct Modules {
    /// The store's count of changes for which all of this is true.
    changes: u64,
    by_name: HashMap<String, Module>,
}

#[derive(Debug)]
struct Module {
    head: ModuleHead,
    versions: HashMap<Key, Arc<ModuleVersion>>,
}

impl Kept {
    /// The version that `choose` finds by the module's head.
    pub(super) fn get(
        &self,
        changes: u64,
        name: &str,
        choose: impl FnOnce(&ModuleHead) -> Option<Key>,
    ) -> Option<Arc<ModuleVersion>> {
        let modules = self.lock();
        let module = modules.by_name.get(name).filter(|_| modules.changes == changes)?;
        module.versions.get(&choose(&module.head)?).cloned()
    }

    /// `changes` is what the store had counted before any of this was read.
    pub(super) fn put(&self, changes: u64, head: ModuleHead, key: Key, version: &Arc<ModuleVersion>) {
        let mut modules = self.lock();
        if modules.changes < changes {
            modules.by_name.clear();
            modules.changes = changes;
        } else if modules.changes > changes {
            return;
        }
        if modules.by_name.len() >= MODULES_MAX && !modules.by_name.contains_key(&*version.name) {
            modules.by_name.clear();
        }
        let module = modules.by_name.entry(version.name.to_string());
        let module = module.or_insert_with(|| Module { head, versions: HashMap::new() });
        if module.versions.len() >= VERSIONS_MAX {
            module.versions.clear();
        }
        module.versions.insert(key, Arc::clone(version));
    }

    /// No code that can panic runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Modules> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use wasm_host::{Digest, Effective};

    use super::*;

    const KEY: Key = (ModulePlace::Upload(1), true);

    fn put(kept: &Kept, changes: u64, name: &str, upload: u32) {
        let head = ModuleHead { latest_version: 0, pointers: None, tags: None };
        let version = ModuleVersion {
            name: name.into(),
            version: None,
            digest: Digest::of(&upload.to_le_bytes()),
            permits: Effective::default(),
        };
        kept.put(changes, head, (ModulePlace::Upload(upload), true), &Arc::new(version));
    }

    fn has(kept: &Kept, changes: u64, name: &str, key: Key) -> bool {
        kept.get(changes, name, |_| Some(key)).is_some()
    }

    #[test]
    fn a_change_of_any_module_ends_all_that_is_kept() {
        let kept = Kept::default();
        put(&kept, 3, "a", 1);
        put(&kept, 3, "b", 1);
        assert!(has(&kept, 3, "a", KEY) && has(&kept, 3, "b", KEY));
        assert!(!has(&kept, 4, "a", KEY));
        put(&kept, 4, "a", 1);
        assert!(has(&kept, 4, "a", KEY) && !has(&kept, 4, "b", KEY));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let kept = Kept::default();
        put(&kept, 4, "a", 2);
        put(&kept, 3, "a", 1);
        assert!(!has(&kept, 4, "a", KEY) && has(&kept, 4, "a", (ModulePlace::Upload(2), true)));
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let kept = Kept::default();
        for number in 0..5_000 {
            put(&kept, 1, &format!("m{number}"), 1);
            put(&kept, 1, "m", number);
        }
        let modules = kept.lock();
        assert!(modules.by_name.len() <= MODULES_MAX);
        assert!(modules.by_name.values().all(|module| module.versions.len() <= VERSIONS_MAX));
    }
}
