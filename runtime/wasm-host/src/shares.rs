//! What all calls have together and nobody waits for. A module may hold as much of it as it leaves free: one that takes
//! all that it can has half, the next one half of what is left, and whoever comes then still finds some.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Clones share the same.
#[derive(Debug, Clone)]
pub struct Shares(Arc<Mutex<Held>>);

#[derive(Debug)]
struct Held {
    free: u64,
    of_modules: HashMap<Arc<str>, u64>,
}

/// A part of it, given back when dropped.
#[derive(Debug)]
pub struct Share {
    shares: Shares,
    module: Arc<str>,
    amount: u64,
}

impl Shares {
    /// So much for all.
    pub fn new(total: u64) -> Shares {
        Shares(Arc::new(Mutex::new(Held { free: total, of_modules: HashMap::new() })))
    }

    /// None if it is more than the module may have now.
    pub fn take(&self, module: &Arc<str>, amount: u64) -> Option<Share> {
        let is_taken = self.add(module, amount);
        is_taken.then(|| Share { shares: self.clone(), module: Arc::clone(module), amount })
    }

    /// The same for whoever counts what it has, and gives it back with [`Shares::remove`].
    pub(crate) fn add(&self, module: &Arc<str>, amount: u64) -> bool {
        let mut held = self.lock();
        let Some((free, after)) = held.after(module, amount) else { return false };
        held.free = free;
        match held.of_modules.get_mut(module) {
            Some(own) => *own = after,
            None => _ = held.of_modules.insert(Arc::clone(module), after),
        }
        true
    }

    pub(crate) fn has_room(&self, module: &str, amount: u64) -> bool {
        self.lock().after(module, amount).is_some()
    }

    pub(crate) fn remove(&self, module: &str, amount: u64) {
        let mut held = self.lock();
        held.free += amount;
        if let Some(own) = held.of_modules.get_mut(module) {
            *own -= amount;
            if *own == 0 {
                held.of_modules.remove(module);
            }
        }
    }

    /// No code that can panic runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// What is free and what the module has when it has taken so much more, if it may.
    fn after(&self, module: &str, amount: u64) -> Option<(u64, u64)> {
        let free = self.free.checked_sub(amount)?;
        let own = self.of_modules.get(module).copied().unwrap_or_default().checked_add(amount)?;
        (own <= free).then_some((free, own))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.remove(&self.module, self.amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_holds_no_more_than_it_leaves_free() {
        let shares = Shares::new(100);
        let take = |module: &str, amount| shares.take(&module.into(), amount);
        let half = take("a", 50).unwrap();
        assert!(take("a", 1).is_none() && !shares.has_room("a", 1) && shares.has_room("b", 25));
        let quarter = take("b", 25).unwrap();
        assert!(take("b", 1).is_none() && take("c", 13).is_none() && take("c", u64::MAX).is_none());
        drop(half);
        let more = take("b", 25).unwrap();
        drop((quarter, more));
        assert!(shares.lock().of_modules.is_empty());
        assert_eq!(shares.lock().free, 100);
    }
}
