//! What all calls have together and nobody waits for. A module may hold as much of it as it leaves free: one that takes
//! all that it can has half, the next one half of what is left, and whoever comes then still finds some.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Clones share the same.
#[derive(Debug, Clone)]
pub(crate) struct Shares(Arc<Mutex<Held>>);

#[derive(Debug)]
struct Held {
    free: u64,
    of_modules: HashMap<Arc<str>, u64>,
}

/// A part of it, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    shares: Shares,
    module: Arc<str>,
    amount: u64,
}

impl Shares {
    pub(crate) fn new(total: u64) -> Shares {
        Shares(Arc::new(Mutex::new(Held { free: total, of_modules: HashMap::new() })))
    }

    /// None if it is more than the module may have now.
    pub(crate) fn take(&self, module: &Arc<str>, amount: u64) -> Option<Share> {
        let mut held = self.lock();
        let after = held.of_modules.get(module).copied().unwrap_or_default().checked_add(amount)?;
        let free = held.free.checked_sub(amount).filter(|free| after <= *free)?;
        held.free = free;
        held.of_modules.insert(Arc::clone(module), after);
        Some(Share { shares: self.clone(), module: Arc::clone(module), amount })
    }

    /// No code that can panic runs under this lock.
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.lock();
        held.free += self.amount;
        if let Some(of_module) = held.of_modules.get_mut(&self.module) {
            *of_module -= self.amount;
            if *of_module == 0 {
                held.of_modules.remove(&self.module);
            }
        }
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
        assert!(take("a", 1).is_none());
        let quarter = take("b", 25).unwrap();
        assert!(take("b", 1).is_none() && take("c", 13).is_none() && take("c", u64::MAX).is_none());
        drop(half);
        let more = take("b", 25).unwrap();
        drop((quarter, more));
        assert!(shares.lock().of_modules.is_empty());
        assert_eq!(shares.lock().free, 100);
    }
}
