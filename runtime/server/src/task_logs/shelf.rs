//! What is kept and where: the segments with the places of their entries, in memory.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entry::Key;
use super::segment::{Place, Segment};

/// Shared by the thread that writes and by those who read.
#[derive(Debug)]
pub(super) struct Shelf(Mutex<Segments>);

/// The segments, the oldest first; the last one is written.
#[derive(Debug, Default)]
pub(super) struct Segments {
    pub(super) list: VecDeque<Segment>,
    pub(super) bytes: u64,
    pub(super) entries: usize,
    last_dropped: u64,
    /// Lines that were not kept.
    pub(super) lost: u64,
}

/// Entries with the numbers of their segments.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) places: Vec<(u64, Place)>,
    /// Behind all that there is, if there are no further ones: nobody needs to look at it again.
    pub(super) end: Option<Position>,
}

/// Where a reader goes on: at an entry or behind it, after so many of the entry's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Position {
    pub(super) segment: u64,
    pub(super) offset: u64,
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
    pub(super) fn push(&mut self, segment: Segment) {
        self.bytes += segment.bytes;
        self.entries += segment.places.len();
        self.list.push_back(segment);
    }

    /// The number of a segment behind all that there were.
    pub(super) fn next_number(&self) -> u64 {
        self.list.back().map_or(self.last_dropped, |last| last.number) + 1
    }

    /// Adds an entry to the last segment.
    pub(super) fn add(&mut self, place: Place) {
        let Some(last) = self.list.back_mut() else { return };
        last.bytes += u64::from(place.bytes);
        last.places.push(place);
        self.bytes += u64::from(place.bytes);
        self.entries += 1;
    }

    /// Forgets the oldest segment, and gives its number.
    pub(super) fn drop_oldest(&mut self) -> Option<u64> {
        let oldest = self.list.pop_front()?;
        self.bytes -= oldest.bytes;
        self.entries -= oldest.places.len();
        self.last_dropped = oldest.number;
        Some(oldest.number)
    }

    /// The first entries with a key from a position on, as many as have so many bytes together, and at least one.
    pub(super) fn find(&self, key: Key, from: Position, bytes_max: usize) -> Found {
        let mut found = Found { places: Vec::new(), end: None };
        let mut bytes = 0;
        for segment in self.list.iter().filter(|segment| segment.number >= from.segment) {
            let offset = if segment.number == from.segment { from.offset } else { 0 };
            let begin = segment.places.partition_point(|place| place.offset < offset);
            for place in segment.places[begin..].iter().filter(|place| place.key == key) {
                bytes += place.bytes as usize;
                if bytes > bytes_max && !found.places.is_empty() {
                    return found;
                }
                found.places.push((segment.number, *place));
            }
        }
        let end = self.list.back().map(|last| Position { segment: last.number, offset: last.bytes, line: 0 });
        found.end = Some(end.map_or(from, |end| end.max(from)));
        found
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.segment, self.offset, self.line)
    }
}

#[derive(Debug)]
pub(super) struct InvalidPosition;

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Position, InvalidPosition> {
        let mut numbers = text.split('.').map(|number| number.parse::<u64>());
        let (Some(Ok(segment)), Some(Ok(offset)), Some(Ok(line)), None) =
            (numbers.next(), numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(InvalidPosition);
        };
        let line = usize::try_from(line).map_err(|_| InvalidPosition)?;
        Ok(Position { segment, offset, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, offset: u64) -> Place {
        Place { key: Key::module(name), offset, bytes: 10 }
    }

    #[test]
    fn entries_are_found_from_a_position_on_within_bounds() {
        let mut segments = Segments::default();
        for (number, names) in [(3, "aba"), (5, "ba")] {
            segments.push(Segment::new(number));
            for (index, name) in names.chars().enumerate() {
                segments.add(place(&name.to_string(), index as u64 * 10));
            }
        }
        assert_eq!((segments.bytes, segments.entries), (50, 5));
        let check = |from: &str, bytes_max, expected: &[(u64, u64)], end: Option<&str>| {
            let found = segments.find(Key::module("a"), from.parse().unwrap(), bytes_max);
            let places: Vec<_> = found.places.iter().map(|(number, place)| (*number, place.offset)).collect();
            assert_eq!(places, expected, "{from} {bytes_max}");
            assert_eq!(found.end.map(|end| end.to_string()).as_deref(), end, "{from} {bytes_max}");
        };
        check("0.0.0", 100, &[(3, 0), (3, 20), (5, 10)], Some("5.20.0"));
        check("3.1.0", 100, &[(3, 20), (5, 10)], Some("5.20.0"));
        check("4.20.0", 100, &[(5, 10)], Some("5.20.0"));
        check("5.20.0", 100, &[], Some("5.20.0"));
        check("7.0.0", 100, &[], Some("7.0.0"));
        check("0.0.0", 20, &[(3, 0), (3, 20)], None);
        check("0.0.0", 1, &[(3, 0)], None);
        assert_eq!(segments.drop_oldest(), Some(3));
        assert_eq!((segments.bytes, segments.entries), (20, 2));
    }

    #[test]
    fn a_position_is_read_as_it_is_written() {
        let position = Position { segment: 1, offset: 2, line: 3 };
        assert_eq!(position.to_string().parse::<Position>().unwrap(), position);
        for wrong in ["", "1.2", "1.2.3.4", "1.2.x", "-1.2.3"] {
            assert!(wrong.parse::<Position>().is_err(), "{wrong}");
        }
    }
}
