//! Who is next among attempts that wait for a place: each function has a line of its own, and the lines take turns.
//!
//! A line may have four times as many places as are left free. So a function whose attempts hang takes four fifths of
//! all places and no more, the next one four fifths of what is left, and whatever comes then still finds a place at once.
//! Nothing needs to be known of how long an attempt will take, and a function that is alone has most of the places.
//!
//! Lines of a group share what one line may have, by the same rule: hosts that hang take four fifths of it one after the
//! other, and however many there are, the lines of other tasks have what is left.

use std::collections::{HashMap, VecDeque};

use crate::port::Line;

/// Places of one line for each that is free.
const PLACES_FOR_EACH_FREE: usize = 4;

#[derive(Debug)]
pub(crate) struct Lines<K> {
    free: usize,
    lines: HashMap<Line, Waiting<K>>,
    /// The places of each group.
    groups: HashMap<&'static str, usize>,
    /// The lines in which somebody waits, in the order of their turns.
    turns: VecDeque<Line>,
}

#[derive(Debug)]
struct Waiting<K> {
    places: usize,
    keys: VecDeque<K>,
}

impl<K> Lines<K> {
    pub(crate) fn new(places: usize) -> Lines<K> {
        Lines { free: places, lines: HashMap::new(), groups: HashMap::new(), turns: VecDeque::new() }
    }

    pub(crate) fn has_free(&self) -> bool {
        self.free > 0
    }

    /// Goes to the end of a line.
    pub(crate) fn wait(&mut self, line: Line, key: K) {
        let waiting = self.lines.entry(line.clone());
        let waiting = waiting.or_insert_with(|| Waiting { places: 0, keys: VecDeque::new() });
        if waiting.keys.is_empty() {
            self.turns.push_back(line);
        }
        waiting.keys.push_back(key);
    }

    /// Takes a place for the first of the line whose turn it is.
    pub(crate) fn next(&mut self) -> Option<(Line, K)> {
        for _ in 0..self.turns.len() {
            let line = self.turns.pop_front()?;
            let places_max = self.places_max(&line);
            let Some(waiting) = self.lines.get_mut(&line) else { continue };
            let key = if waiting.places < places_max { waiting.keys.pop_front() } else { None };
            if !waiting.keys.is_empty() {
                self.turns.push_back(line.clone());
            }
            if let Some(key) = key {
                waiting.places += 1;
                self.free -= 1;
                if let Some(group) = line.group {
                    *self.groups.entry(group).or_default() += 1;
                }
                return Some((line, key));
            }
        }
        None
    }

    /// What a line may have now.
    fn places_max(&self, line: &Line) -> usize {
        let places_max = PLACES_FOR_EACH_FREE.saturating_mul(self.free);
        let Some(group) = line.group else { return places_max };
        let taken = self.groups.get(group).copied().unwrap_or_default();
        // Each place that the group takes is one more of its own and one less that is free.
        let free_in_group = places_max.saturating_sub(taken).div_ceil(PLACES_FOR_EACH_FREE + 1);
        PLACES_FOR_EACH_FREE.saturating_mul(free_in_group)
    }

    pub(crate) fn give_back(&mut self, line: &Line) {
        let Some(waiting) = self.lines.get_mut(line) else { return };
        waiting.places -= 1;
        self.free += 1;
        if let Some(places) = line.group.and_then(|group| self.groups.get_mut(group)) {
            *places -= 1;
        }
        if waiting.places == 0 && waiting.keys.is_empty() {
            self.lines.remove(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(lines: &mut Lines<usize>) -> Vec<(String, usize)> {
        std::iter::from_fn(|| lines.next()).map(|(line, key)| (line.name.to_string(), key)).collect()
    }

    fn line(name: &str) -> Line {
        Line::of(name.into())
    }

    fn host(name: &str) -> Line {
        Line { group: Some("hosts"), ..line(name) }
    }

    fn wait(lines: &mut Lines<usize>, name: &str, count: usize) {
        wait_in(lines, &line(name), count);
    }

    fn wait_in(lines: &mut Lines<usize>, line: &Line, count: usize) {
        (0..count).for_each(|key| lines.wait(line.clone(), key));
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
            batch.iter().for_each(|(name, _)| lines.give_back(&line(name)));
        }
        // And so does a third, while two hang.
        wait(&mut lines, "slow too", 5_000);
        started(&mut lines);
        wait(&mut lines, "third", 1);
        assert_eq!(started(&mut lines), [("third".to_owned(), 0)]);
    }

    #[test]
    fn a_host_that_hangs_takes_its_own_places() {
        let mut lines = Lines::new(1_280);
        wait_in(&mut lines, &host("hangs"), 5_000);
        assert_eq!(started(&mut lines).len(), 820);
        wait_in(&mut lines, &host("answers"), 100);
        assert_eq!(started(&mut lines).len(), 100);
        (0..100).for_each(|_| lines.give_back(&host("answers")));
        // However many of them hang, they have together what one function may have.
        for number in 0..100 {
            wait_in(&mut lines, &host(&number.to_string()), 5_000);
            started(&mut lines);
        }
        assert_eq!((lines.free, lines.groups["hosts"]), (256, 1_024));
        wait(&mut lines, "function", 200);
        assert_eq!(started(&mut lines).len(), 200);
    }

    #[test]
    fn places_that_come_back_are_shared_evenly() {
        let mut lines = Lines::new(1_280);
        wait(&mut lines, "a", 5_000);
        let first = started(&mut lines).len();
        wait(&mut lines, "b", 5_000);
        started(&mut lines);
        for _ in 0..first {
            lines.give_back(&line("a"));
            started(&mut lines);
        }
        let places = |name: &str| lines.lines[&line(name)].places;
        assert!(places("a").abs_diff(places("b")) < 8 && lines.free > 100, "{} are free", lines.free);
    }

    #[test]
    fn a_few_places_are_all_used() {
        for places in 1..=4 {
            let mut lines = Lines::new(places);
            wait(&mut lines, "a", 9);
            assert_eq!(started(&mut lines).len(), places);
            assert!(!lines.has_free());
            let mut hosts = Lines::new(places);
            wait_in(&mut hosts, &host("a"), 9);
            assert_eq!(started(&mut hosts).len(), places);
            lines.give_back(&line("a"));
            assert_eq!(started(&mut lines), [("a".to_owned(), places)]);
        }
    }

    #[test]
    fn a_line_without_attempts_takes_no_memory() {
        let mut lines = Lines::new(2);
        wait(&mut lines, "a", 2);
        started(&mut lines);
        lines.give_back(&line("a"));
        lines.give_back(&line("a"));
        assert!(lines.lines.is_empty() && lines.turns.is_empty());
    }
}
