//! Pages of long answers, and the positions between them.

use std::fmt;
use std::str::FromStr;

use asl::interpreter::ExecutionId;

use crate::key::Key;

/// AWS: `maxResults` of every list and of GetExecutionHistory is at most 1,000.
pub(crate) const PAGE_ITEMS_MAX: usize = 1000;
/// Ours: a page of history ends early when its rows have so many bytes. A thousand events may have 256 KiB
/// each, and several readers at once must fit into memory.
pub(crate) const PAGE_BYTES_MAX: usize = 4 << 20;
/// Ours: rows that a scan for recovery takes at once.
pub(crate) const SCAN_ROWS_MAX: usize = 10_000;
/// Ours: bytes of a position. The longest has a name of 80 characters of four bytes.
const POSITION_BYTES_MAX: usize = 512;

/// Some of the answers, and where the others begin.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Position>,
}

impl<T> Page<T> {
    pub(crate) fn map<R>(self, change: impl FnMut(T) -> R) -> Page<R> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Forward,
    Reverse,
}

/// Asks for events of an execution.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryQuery {
    pub execution: ExecutionId,
    /// The newest row: from [`StateHeader`](crate::StateHeader) while the execution runs, and from
    /// [`ExecutionRecord`](crate::ExecutionRecord) after it.
    pub last_lsn: u64,
    pub order: Order,
    pub from: Option<Position>,
    /// At least 1 and at most 1,000 events are given, fewer if they are large.
    pub max: usize,
}

/// Where a page begins. Opaque: only the query that made it can use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position(Vec<u8>);

/// The text is no position, or one of another query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the position is not valid")]
pub struct InvalidPosition;

/// The first byte of a position. Positions live in clients' hands for a day, so the numbers stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PositionKind {
    HistoryForward = 1,
    HistoryReverse = 2,
    Executions = 3,
    Machines = 4,
    Activities = 5,
    Modules = 6,
    ModuleVersions = 7,
    MapRuns = 8,
    Secrets = 9,
}

impl Position {
    pub(crate) fn new(kind: PositionKind, write: impl FnOnce(&mut Vec<u8>)) -> Position {
        let mut bytes = vec![kind as u8];
        write(&mut bytes);
        Position(bytes)
    }

    /// A position that is one key.
    pub(crate) fn at(kind: PositionKind, key: &impl Key) -> Position {
        Position::new(kind, |bytes| key.write_to(bytes))
    }

    /// What the position holds, if it is of this kind.
    pub(crate) fn open<T>(
        &self,
        kind: PositionKind,
        take: impl FnOnce(&mut &[u8]) -> Result<T, crate::error::DecodeError>,
    ) -> Result<T, InvalidPosition> {
        let mut rest = self.0.strip_prefix(&[kind as u8]).ok_or(InvalidPosition)?;
        let value = take(&mut rest).map_err(|_| InvalidPosition)?;
        if rest.is_empty() { Ok(value) } else { Err(InvalidPosition) }
    }

    /// The key of a position that is one.
    pub(crate) fn key<K: Key>(&self, kind: PositionKind) -> Result<K, InvalidPosition> {
        self.open(kind, K::take)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Position, InvalidPosition> {
        let digits = text.as_bytes();
        if digits.is_empty() || digits.len() > 2 * POSITION_BYTES_MAX || !digits.len().is_multiple_of(2) {
            return Err(InvalidPosition);
        }
        let bytes = digits.chunks_exact(2).map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _other => None,
        });
        bytes.collect::<Option<Vec<u8>>>().map(Position).ok_or(InvalidPosition)
    }
}

/// The value of a digit as [`Position`] prints it; one position has one text.
fn digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _other => None,
    }
}

#[cfg(test)]
mod tests {
    use asl::Text;

    use super::*;

    #[test]
    fn a_position_survives_its_text() {
        let position = Position::at(PositionKind::Machines, &Text::from("größe"));
        let read: Position = position.to_string().parse().unwrap();
        assert_eq!(read.key::<Text>(PositionKind::Machines), Ok(Text::from("größe")));
    }

    #[test]
    fn a_position_fits_one_query() {
        let position = Position::at(PositionKind::Machines, &Text::from("a"));
        assert_eq!(position.key::<Text>(PositionKind::Activities), Err(InvalidPosition));
        assert_eq!(position.key::<u64>(PositionKind::Machines), Err(InvalidPosition));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "0", "0g", "AB", "é", " 01", &"00".repeat(POSITION_BYTES_MAX + 1)] {
            assert_eq!(text.parse::<Position>(), Err(InvalidPosition), "{text}");
        }
    }
}
