//! Map Runs, by their ids and by their executions.

use asl::interpreter::ExecutionId;

use crate::error::ReadError;
use crate::key::{Key, RowKey};
use crate::kv::{KeyRange, View, get, rows};
use crate::page::{InvalidPosition, Order, PAGE_ITEMS_MAX, Page, Position, PositionKind};
use crate::record::MapRunRecord;
use crate::table;

pub(crate) fn by_id(view: &impl View, id: ExecutionId) -> Result<Option<(RowKey, MapRunRecord)>, ReadError> {
    let Some(key) = get::<table::MapRunIds>(view, &id)? else { return Ok(None) };
    Ok(get::<table::MapRuns>(view, &key)?.map(|record| (key, record)))
}

pub(crate) fn page(
    view: &impl View,
    execution: ExecutionId,
    from: Option<&Position>,
    max: usize,
) -> Result<Page<MapRunRecord>, ReadError> {
    let max = max.clamp(1, PAGE_ITEMS_MAX);
    let range = KeyRange::prefix(execution.to_bytes());
    let range = match from {
        Some(position) => {
            let last = position.key::<RowKey>(PositionKind::MapRuns)?;
            if last.execution != execution {
                return Err(InvalidPosition.into());
            }
            range.before(&last)
        }
        None => range,
    };
    let mut found = rows::<table::MapRuns>(view, &range, Order::Reverse, max + 1)?;
    let more = found.len() > max;
    found.truncate(max);
    let next = found.last().filter(|_| more).map(|(key, _)| Position::at(PositionKind::MapRuns, key));
    Ok(Page { items: found.into_iter().map(|(_, record)| record).collect(), next })
}
