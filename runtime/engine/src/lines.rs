//! Who is next among attempts that wait for a place: each function has a line of its own, and the lines take turns.
//!
//! A line may have four times as many places as are left free. So a function whose attempts hang takes four fifths of
//! all places and no more, the next one four fifths of what is left, and whatever comes then still finds a place at once.
//! Nothing needs to be known of how long an attempt will take, and a function that is alone has most of the places.

use std::collections::{HashMap, VecDeque};

use asl::Text;

/// Places of one line for each that is free.
const PLACES_FOR_EACH_FREE: usize = 4;

#[derive(Debug)]
pub(crate) struct Lines<K> {
    free: usize,
    lines: HashMap<Text, Line<K>>,
    /// The lines in which somebody waits, in the order of their turns.
    turns: VecDeque<Text>,
}

#[derive(Debug)]
struct Line<K> {
    places: usize,
    waiting: VecDeque<K>,
}

impl<K> Lines<K> {
    pub(crate) fn new(places: usize) -> Lines<K> {
        Lines { free: places, lines: HashMap::new(), turns: VecDeque::new() }
    }

    pub(crate) fn has_free(&self) -> bool {
        self.free > 0
    }

    /// Goes to the end of a line.
    pub(crate) fn wait(&mut self, name: &Text, key: K) {
        let line = self.lines.entry(name.clone());
        let line = line.or_insert_with(|| Line { places: 0, waiting: VecDeque::new() });
        if line.waiting.is_empty() {
            self.turns.push_back(name.clone());
        }
        line.waiting.push_back(key);
    }

    /// Takes a place for the first of the line whose turn it is.
    pub(crate) fn next(&mut self) -> Option<(Text, K)> {
        let places_max = PLACES_FOR_EACH_FREE.saturating_mul(self.free);
        for _ in 0..self.turns.len() {
            let name = self.turns.pop_front()?;
            let Some(line) = self.lines.get_mut(&name) else { continue };
            let key = if line.places < places_max { line.waiting.pop_front() } else { None };
            if !line.waiting.is_empty() {
                self.turns.push_back(name.clone());
            }
            if let Some(key) = key {
                line.places += 1;
                self.free -= 1;
                return Some((name, key));
            }
        }
        None
    }

    pub(crate) fn give_back(&mut self, name: &Text) {
        let Some(line) = self.lines.get_mut(name) else { return };
        line.places -= 1;
        self.free += 1;
        if line.places == 0 && line.waiting.is_empty() {
            self.lines.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(lines: &mut Lines<usize>) -> Vec<(String, usize)> {
        std::iter::from_fn(|| lines.next()).map(|(name, key)| (name.to_string(), key)).collect()
    }

    fn wait(lines: &mut Lines<usize>, name: &str, count: usize) {
        (0..count).for_each(|key| lines.wait(&name.into(), key));
    }

    #[test]
    fn lines_take_turns_and_keep_their_order() {
        let mut lines = Lines::new(20);
        wait(&mut lines, "a", 3);
        wait(&mut lines, "b", 1);
        wait(&mut lines, "c", 2);
        let order: Vec<_> =
            started(&mut lines).into_iter().map(|(name, key)| format!("{name}{key}")).collect();
        assert_eq!(order, ["a0", "b0", "c0", "a1", "c1", "a2"]);
    }

    #[test]
    fn what_hangs_leaves_places_to_the_others() {
        let mut lines = Lines::new(1_280);
        wait(&mut lines, "slow", 5_000);
        assert_eq!(started(&mut lines).len(), 1_024);
        // Another one flows: as many as there are go through the places that are left, one after the other.
        wait(&mut lines, "quick", 5_000);
        let mut done = 0;
        while done < 5_000 {
            let batch = started(&mut lines);
            assert!(!batch.is_empty() && batch.iter().all(|(name, _)| name == "quick"));
            done += batch.len();
            batch.iter().for_each(|(name, _)| lines.give_back(&name.as_str().into()));
        }
        // And so does a third, while two hang.
        wait(&mut lines, "slow too", 5_000);
        started(&mut lines);
        wait(&mut lines, "third", 1);
        assert_eq!(started(&mut lines), [("third".to_owned(), 0)]);
    }

    #[test]
    fn places_that_come_back_are_shared_evenly() {
        let mut lines = Lines::new(1_280);
        wait(&mut lines, "a", 5_000);
        let first = started(&mut lines).len();
        wait(&mut lines, "b", 5_000);
        started(&mut lines);
        for _ in 0..first {
            lines.give_back(&"a".into());
            started(&mut lines);
        }
        let places = |name: &str| lines.lines[&Text::from(name)].places;
        assert!(places("a").abs_diff(places("b")) < 8 && lines.free > 100, "{} are free", lines.free);
    }

    #[test]
    fn a_few_places_are_all_used() {
        for places in 1..=4 {
            let mut lines = Lines::new(places);
            wait(&mut lines, "a", 9);
            assert_eq!(started(&mut lines).len(), places);
            assert!(!lines.has_free());
            lines.give_back(&"a".into());
            assert_eq!(started(&mut lines), [("a".to_owned(), places)]);
        }
    }

    #[test]
    fn a_line_without_attempts_takes_no_memory() {
        let mut lines = Lines::new(2);
        wait(&mut lines, "a", 2);
        started(&mut lines);
        lines.give_back(&"a".into());
        lines.give_back(&"a".into());
        assert!(lines.lines.is_empty() && lines.turns.is_empty());
    }
}
