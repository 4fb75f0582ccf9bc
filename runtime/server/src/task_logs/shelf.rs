//! What is kept and where: the segments of each module with the places of their entries, in memory.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::entry::Key;
use super::segment::{Place, Segment};

/// Shared by the thread that writes and by those who read.
#[derive(Debug)]
pub(super) struct Shelf(Mutex<Segments>);

#[derive(Debug, Default)]
pub(super) struct Segments {
    modules: HashMap<Arc<str>, Module>,
    pub(super) bytes: u64,
    pub(super) entries: usize,
    last_number: u64,
    pub(super) last_sequence: u64,
    /// Lines that were not kept.
    pub(super) lost: u64,
}

/// The segments of one module, the oldest first; the last one is written.
#[derive(Debug, Default)]
struct Module {
    list: VecDeque<Segment>,
    bytes: u64,
    entries: usize,
}

/// Entries with the numbers of their segments.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) places: Vec<(u64, Place)>,
    /// Behind all that there is, if there are no further ones: nobody needs to look at it again.
    pub(super) end: Option<Position>,
}

/// Where a reader goes on: at the entry with this number or the next one, after so many of its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Position {
    pub(super) sequence: u64,
    pub(super) line: usize,
}

impl Shelf {
    pub(super) fn new() -> Shelf {
        Shelf(Mutex::new(Segments::default()))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Segments> {
        // A panic while the lock is held leaves whole entries behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Segments {
    /// A segment of a module behind those that it has.
    pub(super) fn push(&mut self, module: &Arc<str>, segment: Segment) {
        let (bytes, entries) = (segment.bytes, segment.places.len());
        self.last_number = self.last_number.max(segment.number);
        let last = segment.places.iter().map(|place| place.sequence).max();
        self.last_sequence = self.last_sequence.max(last.unwrap_or_default());
        let own = self.modules.entry(Arc::clone(module)).or_default();
        own.list.push_back(segment);
        (own.bytes, own.entries) = (own.bytes + bytes, own.entries + entries);
        (self.bytes, self.entries) = (self.bytes + bytes, self.entries + entries);
    }

    /// The number of a segment behind all that there were.
    pub(super) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// The number of the next entry. It counts from when the entry is here: whoever reads while it is written must find it
    /// the next time.
    pub(super) fn next_sequence(&self) -> u64 {
        self.last_sequence + 1
    }

    pub(super) fn modules(&self) -> usize {
        self.modules.len()
    }

    /// The segment of a module that is written, and its bytes.
    pub(super) fn last(&self, module: &str) -> Option<(u64, u64)> {
        self.modules.get(module)?.list.back().map(|last| (last.number, last.bytes))
    }

    /// Adds an entry to the last segment of a module.
    pub(super) fn add(&mut self, module: &str, place: Place) {
        let Some(own) = self.modules.get_mut(module) else { return };
        let Some(last) = own.list.back_mut() else { return };
        let bytes = u64::from(place.bytes);
        self.last_sequence = self.last_sequence.max(place.sequence);
        last.bytes += bytes;
        last.places.push(place);
        (own.bytes, own.entries) = (own.bytes + bytes, own.entries + 1);
        (self.bytes, self.entries) = (self.bytes + bytes, self.entries + 1);
    }

    /// Forgets the oldest segment of the module that has most bytes, or most entries. Gives its number.
    pub(super) fn drop_of_most(&mut self, by_entries: bool) -> Option<u64> {
        let most = |own: &Module| if by_entries { own.entries as u64 } else { own.bytes };
        let first = |own: &Module| own.list.front().map(|segment| segment.number);
        let largest = self.modules.iter().max_by_key(|(_, own)| (most(own), Reverse(first(own))));
        let name = Arc::clone(largest?.0);
        let own = self.modules.get_mut(&name)?;
        let oldest = own.list.pop_front()?;
        let (bytes, entries) = (oldest.bytes, oldest.places.len());
        (own.bytes, own.entries) = (own.bytes - bytes, own.entries - entries);
        (self.bytes, self.entries) = (self.bytes - bytes, self.entries - entries);
        if own.list.is_empty() {
            self.modules.remove(&name);
        }
        Some(oldest.number)
    }

    /// The first entries with a key from a position on, as many as have so many bytes together, and at least one.
    pub(super) fn find(&self, key: Key, from: Position, bytes_max: usize) -> Found {
        let mut found = Found { places: Vec::new(), end: None };
        let mut bytes = 0;
        let mut modules: Vec<_> = self.modules.values().map(|own| own.find(key, from)).collect();
        // The next entry of each module, the first of all on top.
        let mut heads = BinaryHeap::new();
        for (index, entries) in modules.iter_mut().enumerate() {
            heads.extend(
                entries.next().map(|(number, place)| Reverse((place.sequence, index, number, place))),
            );
        }
        while let Some(Reverse((_, index, number, place))) = heads.pop() {
            bytes += place.bytes as usize;
            if bytes > bytes_max && !found.places.is_empty() {
                return found;
            }
            found.places.push((number, place));
            let next = modules[index].next();
            heads.extend(next.map(|(number, place)| Reverse((place.sequence, index, number, place))));
        }
        found.end = Some(from.max(Position { sequence: self.last_sequence + 1, line: 0 }));
        found
    }
}

impl Module {
    fn find(&self, key: Key, from: Position) -> impl Iterator<Item = (u64, Place)> {
        self.list.iter().flat_map(move |segment| {
            let begin = segment.places.partition_point(|place| place.sequence < from.sequence);
            let places = segment.places[begin..].iter().filter(move |place| place.key == key);
            places.map(|place| (segment.number, *place))
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.sequence, self.line)
    }
}

#[derive(Debug)]
pub(super) struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Position, InvalidPosition> {
        let (sequence, line) = text.split_once('.').ok_or(InvalidPosition)?;
        let sequence = sequence.parse().map_err(|_| InvalidPosition)?;
        Ok(Position { sequence, line: line.parse().map_err(|_| InvalidPosition)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, sequence: u64) -> Place {
        Place { key: Key::module(name), sequence, offset: 0, bytes: 10 }
    }

    #[test]
    fn an_entry_that_is_being_written_is_found_when_it_is_there() {
        let mut segments = Segments::default();
        segments.push(&"m".into(), Segment::new(1));
        let find = |segments: &Segments, from| segments.find(Key::module("a"), from, 100);
        let sequence = segments.next_sequence();
        let seen = find(&segments, Position::default());
        assert!(seen.places.is_empty());
        segments.add("m", place("a", sequence));
        let seen = find(&segments, seen.end.unwrap());
        assert_eq!(seen.places.len(), 1);
        assert!(find(&segments, seen.end.unwrap()).places.is_empty());
        assert_eq!(segments.next_sequence(), sequence + 1);
    }

    #[test]
    fn entries_are_found_from_a_position_on_within_bounds() {
        let mut segments = Segments::default();
        for (number, module, entries) in [
            (3, "m", [("a", 1), ("b", 2), ("a", 4)].as_slice()),
            (4, "n", &[("a", 3), ("a", 7)]),
            (5, "m", &[("b", 5), ("a", 6)]),
        ] {
            let module = module.into();
            segments.push(&module, Segment::new(number));
            for (key, sequence) in entries {
                segments.add(&module, place(key, *sequence));
            }
        }
        assert_eq!((segments.bytes, segments.entries), (70, 7));
        let check = |from: &str, bytes_max, expected: &[(u64, u64)], end: Option<&str>| {
            let found = segments.find(Key::module("a"), from.parse().unwrap(), bytes_max);
            let places: Vec<_> =
                found.places.iter().map(|(number, place)| (*number, place.sequence)).collect();
            assert_eq!(places, expected, "{from} {bytes_max}");
            assert_eq!(found.end.map(|end| end.to_string()).as_deref(), end, "{from} {bytes_max}");
        };
        check("0.0", 100, &[(3, 1), (4, 3), (3, 4), (5, 6), (4, 7)], Some("8.0"));
        check("3.1", 100, &[(4, 3), (3, 4), (5, 6), (4, 7)], Some("8.0"));
        check("5.0", 100, &[(5, 6), (4, 7)], Some("8.0"));
        check("8.0", 100, &[], Some("8.0"));
        check("9.2", 100, &[], Some("9.2"));
        check("0.0", 20, &[(3, 1), (4, 3)], None);
        check("2.0", 1, &[(4, 3)], None);
        assert_eq!(segments.next_number(), 6);
        assert_eq!(segments.drop_of_most(false), Some(3));
        assert_eq!((segments.bytes, segments.entries), (40, 4));
        assert_eq!(segments.drop_of_most(true), Some(4), "of two equal ones the one with the older segment");
        assert_eq!((segments.modules(), segments.drop_of_most(true), segments.modules()), (1, Some(5), 0));
        assert_eq!(segments.drop_of_most(false), None);
    }

    #[test]
    fn a_position_is_read_as_it_is_written() {
        let position = Position { sequence: 1, line: 3 };
        assert_eq!(position.to_string().parse::<Position>().unwrap(), position);
        for wrong in ["", "1", "1.2.3", "1.x", "-1.2"] {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }
}
