//! How much of what waits to be written is whose: a module may have as much as it leaves free, so that one that logs faster
//! than can be written loses its own lines.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Pending(Arc<Mutex<Bytes>>);

#[derive(Debug)]
struct Bytes {
    free: usize,
    of_modules: HashMap<Arc<str>, usize>,
}

/// A log that waits, until this is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    pending: Pending,
    module: Arc<str>,
    bytes: usize,
}

impl Pending {
    pub(super) fn new(bytes_max: usize) -> Pending {
        Pending(Arc::new(Mutex::new(Bytes { free: bytes_max, of_modules: HashMap::new() })))
    }

    /// None if the module has as much as it may.
    pub(super) fn take(&self, module: &Arc<str>, bytes: usize) -> Option<Waiting> {
        let mut all = self.lock();
        let free = all.free.checked_sub(bytes)?;
        match all.of_modules.get_mut(module) {
            Some(own) if *own + bytes <= free => *own += bytes,
            Some(_) => return None,
            None if bytes > free => return None,
            None => _ = all.of_modules.insert(Arc::clone(module), bytes),
        }
        all.free = free;
        Some(Waiting { pending: self.clone(), module: Arc::clone(module), bytes })
    }

    fn lock(&self) -> MutexGuard<'_, Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut all = self.pending.lock();
        all.free += self.bytes;
        if let Some(own) = all.of_modules.get_mut(&self.module) {
            *own -= self.bytes;
            if *own == 0 {
                all.of_modules.remove(&self.module);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_has_no_more_than_it_leaves_free() {
        let pending = Pending::new(100);
        let take = |module: &str, bytes| pending.take(&module.into(), bytes);
        let (first, second) = (take("a", 30).unwrap(), take("a", 20).unwrap());
        assert!(take("a", 1).is_none() && take("b", 26).is_none() && take("b", usize::MAX).is_none());
        let other = take("b", 25).unwrap();
        drop((first, second));
        assert!(take("a", 37).is_some());
        drop(other);
        let all = pending.lock();
        assert_eq!((all.free, all.of_modules.len()), (100, 0));
    }
}
