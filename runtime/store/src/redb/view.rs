//! Reading from redb: a short read transaction, whose tables are opened when first asked for.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use ::redb::{Database, ReadOnlyTable, ReadTransaction, ReadableDatabase};

use crate::error::ReadError;
use crate::kv::{KeyRange, View};
use crate::page::Order;
use crate::table::TableId;

use super::definition;

type OpenTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// While it lives no page that it can see is used again, so that the file grows: keep it short.
pub(crate) struct RedbView {
    transaction: ReadTransaction,
    /// The table that was asked for last: nearly every read stays in one.
    last: RefCell<Option<(TableId, Rc<OpenTable>)>>,
}

impl RedbView {
    pub(super) fn new(database: &Database) -> Result<RedbView, ReadError> {
        let transaction = database.begin_read().map_err(unavailable)?;
        Ok(RedbView { transaction, last: RefCell::default() })
    }

    fn table(&self, table: TableId) -> Result<Rc<OpenTable>, ReadError> {
        let mut last = self.last.borrow_mut();
        if let Some((open, found)) = &*last
            && *open == table
        {
            return Ok(Rc::clone(found));
        }
        let open = Rc::new(self.transaction.open_table(definition(table)).map_err(unavailable)?);
        *last = Some((table, Rc::clone(&open)));
        Ok(open)
    }
}

fn unavailable(error: impl Into<::redb::Error>) -> ReadError {
    ReadError::Unavailable(Box::new(error.into()))
}

impl View for RedbView {
    fn get<R>(
        &self,
        table: TableId,
        key: &[u8],
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<Option<R>, ReadError> {
        let table = self.table(table)?;
        let value = table.get(key).map_err(unavailable)?;
        Ok(value.map(|value| read(value.value())))
    }

    fn scan(
        &self,
        table: TableId,
        range: &KeyRange,
        order: Order,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, ReadError>,
    ) -> Result<(), ReadError> {
        if range.is_empty() {
            return Ok(());
        }
        let table = self.table(table)?;
        let mut rows = table.range::<&[u8]>(range.bounds()).map_err(unavailable)?;
        while let Some(row) = match order {
            Order::Forward => rows.next(),
            Order::Reverse => rows.next_back(),
        } {
            let (key, value) = row.map_err(unavailable)?;
            if visit(key.value(), value.value())?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
