//! Pages of an execution's history.
//!
//! Rows lie in the order in which they were committed, each with the number of its execution's row before it.
//! A reader walks back from the newest. Reading forward it first collects the rows of its page, and of the
//! others it looks only at the prefix; a page costs one look-up for each row after its begin.

use asl::interpreter::{ExecutionId, HistoryEvent};

use crate::codec::Record;
use crate::error::{DecodeError, ReadError};
use crate::key::Key;
use crate::kv::{View, corrupt};
use crate::page::{
    HistoryQuery, InvalidPosition, Order, PAGE_BYTES_MAX, PAGE_ITEMS_MAX, Page, Position, PositionKind,
};
use crate::record::{HistoryRow, RowPrefix};
use crate::table::TableId;

/// Event ids begin here.
const FIRST_EVENT: u32 = 1;

pub(crate) fn page(view: &impl View, query: &HistoryQuery) -> Result<Page<HistoryEvent>, ReadError> {
    // Numbers begin at 1: an execution that has yet to take its first step has no row.
    if query.last_lsn == 0 {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let max = query.max.clamp(1, PAGE_ITEMS_MAX);
    match query.order {
        Order::Forward => forward(view, query, max),
        Order::Reverse => reverse(view, query, max),
    }
}

fn forward(view: &impl View, query: &HistoryQuery, max: usize) -> Result<Page<HistoryEvent>, ReadError> {
    let start = match &query.from {
        Some(position) => position.key::<u32>(PositionKind::HistoryForward)?,
        None => FIRST_EVENT,
    };
    let wanted_max = u32::try_from(max).unwrap_or(u32::MAX);
    let end = start.saturating_add(wanted_max);
    let (rows, history_end) = rows_of(view, query, start, end)?;
    let mut events: Vec<HistoryEvent> = Vec::new();
    let mut bytes = 0;
    for lsn in rows.into_iter().rev() {
        if bytes >= PAGE_BYTES_MAX {
            break;
        }
        let (row, size) = row(view, query.execution, lsn)?;
        bytes += size;
        events.extend(row.events.into_iter().filter(|event| (start..end).contains(&event.id)));
    }
    let next_event = events.last().map_or(start, |event| event.id.saturating_add(1));
    let more = !events.is_empty() && next_event < history_end;
    let next = more.then(|| Position::at(PositionKind::HistoryForward, &next_event));
    Ok(Page { items: events, next })
}

/// The rows that have events in `start..end`, newest first, and the id after the last event of all.
fn rows_of(
    view: &impl View,
    query: &HistoryQuery,
    start: u32,
    end: u32,
) -> Result<(Vec<u64>, u32), ReadError> {
    let mut rows = Vec::new();
    let mut history_end = 0;
    let mut next = Some(query.last_lsn);
    while let Some(lsn) = next {
        let prefix = prefix(view, query.execution, lsn)?;
        history_end = history_end.max(prefix.end_event());
        if prefix.count > 0 {
            if prefix.end_event() <= start {
                break;
            }
            if prefix.first_event < end {
                rows.push(lsn);
            }
        }
        next = earlier(lsn, prefix.previous_lsn)?;
    }
    Ok((rows, history_end))
}

fn reverse(view: &impl View, query: &HistoryQuery, max: usize) -> Result<Page<HistoryEvent>, ReadError> {
    let (start, mut limit) = match &query.from {
        Some(position) => open_reverse(position, view, query)?,
        None => (query.last_lsn, u32::MAX),
    };
    let mut events = Vec::new();
    let mut bytes = 0;
    let mut next = Some(start);
    while let Some(lsn) = next {
        if bytes >= PAGE_BYTES_MAX {
            break;
        }
        let (row, size) = row(view, query.execution, lsn)?;
        bytes += size;
        for event in row.events.into_iter().rev().filter(|event| event.id <= limit) {
            if events.len() == max {
                return Ok(Page { items: events, next: Some(reverse_position(lsn, event.id)) });
            }
            events.push(event);
        }
        limit = u32::MAX;
        next = earlier(lsn, row.previous_lsn)?;
    }
    Ok(Page { items: events, next: next.map(|lsn| reverse_position(lsn, u32::MAX)) })
}

fn reverse_position(lsn: u64, event: u32) -> Position {
    Position::new(PositionKind::HistoryReverse, |bytes| {
        lsn.write_to(bytes);
        event.write_to(bytes);
    })
}

/// A position names a row, and clients can make up any: it must be one of this execution.
fn open_reverse(
    position: &Position,
    view: &impl View,
    query: &HistoryQuery,
) -> Result<(u64, u32), ReadError> {
    let (lsn, event) =
        position.open(PositionKind::HistoryReverse, |bytes| Ok((u64::take(bytes)?, u32::take(bytes)?)))?;
    let prefix = view.get(TableId::History, &lsn.to_bytes(), RowPrefix::decode)?;
    match prefix.transpose().map_err(corrupt(TableId::History))? {
        Some(prefix) if prefix.execution == query.execution => Ok((lsn, event)),
        Some(_) | None => Err(InvalidPosition.into()),
    }
}

/// Numbers of rows, newest first, and the one to go on with.
pub(crate) fn row_numbers(
    view: &impl View,
    last_lsn: u64,
    max: usize,
) -> Result<(Vec<u64>, Option<u64>), ReadError> {
    let mut rows = Vec::new();
    let mut next = Some(last_lsn);
    while let Some(lsn) = next {
        if rows.len() == max {
            break;
        }
        let prefix = view.get(TableId::History, &lsn.to_bytes(), RowPrefix::decode)?;
        let Some(prefix) = prefix.transpose().map_err(corrupt(TableId::History))? else {
            // An earlier pass of retention was here.
            return Ok((rows, None));
        };
        rows.push(lsn);
        next = earlier(lsn, prefix.previous_lsn)?;
    }
    Ok((rows, next))
}

/// The chain must go back, or a damaged row would hold a reader for ever.
fn earlier(lsn: u64, previous: Option<u64>) -> Result<Option<u64>, ReadError> {
    match previous {
        Some(previous) if previous >= lsn => Err(corrupt(TableId::History)(DecodeError::malformed(
            "HistoryRow",
            "its previous row comes later",
        ))),
        Some(_) | None => Ok(previous),
    }
}

fn prefix(view: &impl View, execution: ExecutionId, lsn: u64) -> Result<RowPrefix, ReadError> {
    let prefix = view.get(TableId::History, &lsn.to_bytes(), RowPrefix::decode)?;
    let prefix = prefix.transpose().map_err(corrupt(TableId::History))?;
    let prefix = prefix.ok_or(ReadError::HistoryRemoved { lsn })?;
    check_owner(execution, prefix.execution)?;
    Ok(prefix)
}

/// A row and how many bytes it takes.
fn row(view: &impl View, execution: ExecutionId, lsn: u64) -> Result<(HistoryRow, usize), ReadError> {
    let row = view.get(TableId::History, &lsn.to_bytes(), |bytes| {
        HistoryRow::decode(bytes).map(|row| (row, bytes.len()))
    })?;
    let (row, size) =
        row.transpose().map_err(corrupt(TableId::History))?.ok_or(ReadError::HistoryRemoved { lsn })?;
    check_owner(execution, row.execution)?;
    Ok((row, size))
}

fn check_owner(wanted: ExecutionId, found: ExecutionId) -> Result<(), ReadError> {
    if wanted == found {
        Ok(())
    } else {
        Err(corrupt(TableId::History)(DecodeError::malformed("HistoryRow", "it is of another execution")))
    }
}
