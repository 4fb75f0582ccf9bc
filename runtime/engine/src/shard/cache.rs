//! A bounded map of what the store also has, the least recently used going first.
//!
//! What was written in a batch that is not durable yet is never dropped: the store would still give what was
//! there before.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::Hash;

pub(super) struct Cache<K, V> {
    entries: HashMap<K, Entry<V>>,
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

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cache").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + Clone, V> Cache<K, V> {
    pub(super) fn new(capacity: usize) -> Cache<K, V> {
        Cache { entries: HashMap::new(), order: VecDeque::new(), tick: 0, capacity }
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
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
        while self.entries.len() > self.capacity || self.order.len() > 2 * self.entries.len() + 64 {
            let Some((key, tick)) = self.order.pop_front() else { break };
            let Some(entry) = self.entries.get(&key) else { continue };
            if entry.used != tick {
                continue;
            }
            if entry.generation > durable || self.entries.len() <= self.capacity {
                kept.push((key, tick));
                if kept.len() > self.entries.len() {
                    break;
                }
                continue;
            }
            self.entries.remove(&key);
        }
        for used in kept.into_iter().rev() {
            self.order.push_front(used);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_the_least_recently_used_that_is_durable() {
        let mut cache = Cache::new(2);
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
        let mut cache = Cache::new(4);
        cache.insert(1, (), 0);
        for _ in 0..10_000 {
            cache.get_mut(&1, 0);
        }
        cache.trim(0);
        assert!(cache.order.len() < 100);
        assert!(cache.contains(&1));
    }
}
