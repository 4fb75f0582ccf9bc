//! What a backend that maps bytes to bytes must do. The typed store is written once on top of it.

use std::ops::{Bound, ControlFlow};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::batch::Batch;
use crate::codec::Record;
use crate::error::{CommitError, DecodeError, ReadError};
use crate::key::Key;
use crate::page::Order;
use crate::table::{Table, TableId};

/// Ordered tables of bytes.
pub(crate) trait Kv: Send + Sync + 'static {
    type View<'a>: View;

    /// A state of the store between two commits. It must be dropped before anything is awaited.
    fn view(&self) -> Result<Self::View<'_>, ReadError>;

    fn commit(&self, batch: Batch) -> impl Future<Output = Result<(), CommitError>> + Send;

    fn module_changes(&self) -> &ModuleChanges;
}

/// Counts the commits that change modules.
#[derive(Debug, Default)]
pub(crate) struct ModuleChanges(AtomicU64);

impl ModuleChanges {
    /// To be called when what was committed can be read, and before anybody is told of it: whoever has read the count
    /// before reading modules has seen no later state than the count stands for.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

pub(crate) trait View {
    /// Gives `read` the value where it lies, so that one that is large need not be copied for its prefix.
    fn get<R>(
        &self,
        table: TableId,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>, ReadError>;

    /// Gives `visit` the rows of the range one by one, until it breaks off.
    fn scan(
        &self,
        table: TableId,
        range: &KeyRange,
        order: Order,
        visit: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError>;
}

/// A range of keys.
#[derive(Debug, Clone)]
pub(crate) struct KeyRange {
    pub(crate) start: Bound<Vec<u8>>,
    pub(crate) end: Bound<Vec<u8>>,
}

impl KeyRange {
    pub(crate) fn all() -> KeyRange {
        KeyRange { start: Bound::Unbounded, end: Bound::Unbounded }
    }

    /// All keys that start so.
    pub(crate) fn prefix(prefix: Vec<u8>) -> KeyRange {
        let last = prefix.iter().rposition(|byte| *byte != u8::MAX);
        let end = last.map_or(Bound::Unbounded, |last| {
            let mut end = prefix[..=last].to_vec();
            end[last] += 1;
            Bound::Excluded(end)
        });
        KeyRange { start: Bound::Included(prefix), end }
    }

    /// The part after a key.
    pub(crate) fn after(self, key: &impl Key) -> KeyRange {
        KeyRange { start: Bound::Excluded(key.to_bytes()), ..self }
    }

    /// The part before a key.
    pub(crate) fn before(self, key: &impl Key) -> KeyRange {
        KeyRange { end: Bound::Excluded(key.to_bytes()), ..self }
    }

    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (self.start.as_ref().map(Vec::as_slice), self.end.as_ref().map(Vec::as_slice))
    }

    /// Whether no key can be in it. Positions come from outside, and B-trees refuse a range whose ends cross.
    pub(crate) fn is_empty(&self) -> bool {
        match self.bounds() {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (
                Bound::Included(start) | Bound::Excluded(start),
                Bound::Included(end) | Bound::Excluded(end),
            ) => start >= end,
        }
    }
}

pub(crate) fn corrupt(table: TableId) -> impl Fn(DecodeError) -> ReadError {
    move |source| ReadError::Corrupt { table: table.name(), source }
}

pub(crate) fn get<T: Table>(view: &impl View, key: &T::Key) -> Result<Option<T::Value>, ReadError> {
    let value = view.get(T::ID, &key.to_bytes(), T::Value::decode)?;
    value.transpose().map_err(corrupt(T::ID))
}

/// Rows of a table, decoded.
pub(crate) type Rows<T> = Vec<(<T as Table>::Key, <T as Table>::Value)>;

/// At most `max` rows of a range.
pub(crate) fn rows<T: Table>(
    view: &impl View,
    range: &KeyRange,
    order: Order,
    max: usize,
) -> Result<Rows<T>, ReadError> {
    let mut rows = Vec::new();
    view.scan(T::ID, range, order, |key, value| {
        if rows.len() == max {
            return Ok(ControlFlow::Break(()));
        }
        let key = T::Key::from_bytes(key).map_err(corrupt(T::ID))?;
        rows.push((key, T::Value::decode(value).map_err(corrupt(T::ID))?));
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(rows)
}

/// At most `max` keys of a range, for tables whose values don't matter.
pub(crate) fn keys<T: Table>(
    view: &impl View,
    range: &KeyRange,
    order: Order,
    max: usize,
) -> Result<Vec<T::Key>, ReadError> {
    let mut keys = Vec::new();
    view.scan(T::ID, range, order, |key, _| {
        if keys.len() == max {
            return Ok(ControlFlow::Break(()));
        }
        keys.push(T::Key::from_bytes(key).map_err(corrupt(T::ID))?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(keys)
}

#[cfg(all(test, feature = "redb"))]
type Dump = Vec<(TableId, Vec<u8>, Vec<u8>)>;

/// Every row of every table, to compare two stores bit by bit.
#[cfg(all(test, feature = "redb"))]
pub(crate) fn dump(kv: &impl Kv) -> Result<Dump, ReadError> {
    let view = kv.view()?;
    let mut rows = Vec::new();
    for table in TableId::ALL {
        view.scan(table, &KeyRange::all(), Order::Forward, |key, value| {
            rows.push((table, key.to_vec(), value.to_vec()));
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_the_next_one_begins() {
        let check = |prefix: &[u8], end: Bound<&[u8]>| {
            let range = KeyRange::prefix(prefix.to_vec());
            assert_eq!(range.bounds(), (Bound::Included(prefix), end));
        };
        check(&[1, 2], Bound::Excluded(&[1, 3]));
        check(&[1, 0xff], Bound::Excluded(&[2]));
        check(&[0xff, 0xff], Bound::Unbounded);
        check(&[], Bound::Unbounded);
    }

    #[test]
    fn ranges_whose_ends_cross_are_empty() {
        let range = |after: u64, before: u64| KeyRange::all().after(&after).before(&before);
        assert!(range(2, 1).is_empty());
        assert!(range(1, 1).is_empty());
        assert!(!range(1, 2).is_empty());
        assert!(!KeyRange::all().is_empty());
    }
}
