//! A bounded map of what the store also has, the least recently used going first.
//!
//! What was written in a batch that is not durable yet is never dropped: the store would still give what was
//! there before.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};

/// Uses that have been followed by later ones and may wait to be cleared away, beside as many as there are entries.
const STALE_MIN: usize = 64;

pub(super) struct Cache<K, V, S = RandomState> {
    entries: HashMap<K, Entry<V>, S>,
    /// Keys in the order of use, each with the tick of that use; older ticks are stale.
    order: VecDeque<(K, u64)>,
    tick: u64,
    capacity: usize,
}

struct Entry<V> {
    value: V,
    /// The batch that last changed it.
    generation: u64,
    used: u64,
}

impl<K, V, S> fmt::Debug for Cache<K, V, S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cache").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone, V, S: BuildHasher + Default> Cache<K, V, S> {
    pub(super) fn new(capacity: usize) -> Cache<K, V, S> {
        Cache { entries: HashMap::default(), order: VecDeque::new(), tick: 0, capacity }
    }

    pub(super) fn contains<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.entries.contains_key(key)
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|entry| &entry.value)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        self.entries.remove(key).map(|entry| entry.value)
    }

    /// For reading or changing; `generation` is that of the batch which a change goes into.
    pub(super) fn get_mut(&mut self, key: &K, generation: u64) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        self.tick += 1;
        entry.used = self.tick;
        // A look at what an unsealed batch writes must not make it look durable.
        entry.generation = entry.generation.max(generation);
        self.order.push_back((key.clone(), self.tick));
        Some(&mut entry.value)
    }

    /// Puts in what the store has (generation 0) or what a batch writes.
    pub(super) fn insert(&mut self, key: K, value: V, generation: u64) {
        self.tick += 1;
        self.order.push_back((key.clone(), self.tick));
        self.entries.insert(key, Entry { value, generation, used: self.tick });
    }

    /// Drops the least recently used beyond the capacity, as far as batches up to `durable` are concerned.
    pub(super) fn trim(&mut self, durable: u64) {
        let mut kept = Vec::new();
        while self.entries.len() > self.capacity {
            let Some((key, tick)) = self.order.pop_front() else { break };
            let Some(entry) = self.entries.get(&key).filter(|entry| entry.used == tick) else { continue };
            if entry.generation > durable {
                kept.push((key, tick));
            } else {
                self.entries.remove(&key);
            }
        }
        for used in kept.into_iter().rev() {
            self.order.push_front(used);
        }
        // As many uses were added since the last time as are looked at now.
        if self.order.len() > 2 * self.entries.len() + STALE_MIN {
            let entries = &self.entries;
            self.order.retain(|(key, tick)| entries.get(key).is_some_and(|entry| entry.used == *tick));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_the_least_recently_used_that_is_durable() {
        let mut cache: Cache<i32, ()> = Cache::new(2);
        for (key, generation) in [(1, 0), (2, 9), (3, 0), (4, 0)] {
            cache.insert(key, (), generation);
        }
        cache.get_mut(&1, 0);
        cache.trim(5);
        let left: Vec<i32> = (1..=4).filter(|key| cache.contains(key)).collect();
        assert_eq!(left, [1, 2], "3 and 4 go: 2 is not durable and 1 was used last");
        cache.trim(9);
        assert!(cache.contains(&2), "nothing goes while there is room");
    }

    #[test]
    fn the_order_of_use_stays_bounded() {
        let mut cache: Cache<i32, ()> = Cache::new(4);
        cache.insert(1, (), 0);
        for _ in 0..10_000 {
            cache.get_mut(&1, 0);
        }
        cache.trim(0);
        assert!(cache.order.len() < 100);
        assert!(cache.contains(&1));
    }
}
