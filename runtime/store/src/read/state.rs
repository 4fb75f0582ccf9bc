//! What an execution needs to go on: its state, its timers, the work that was under way, queued tasks.

use std::collections::BTreeMap;

use asl::interpreter::{AttemptId, ExecutionId, Row, RowId};
use asl::{Text, Timestamp};

use crate::error::{DecodeError, ReadError};
use crate::key::{Key, NameKey, QueueKey, RowKey, TimerKey};
use crate::kv::{KeyRange, View, corrupt, get, keys, rows};
use crate::page::{Order, SCAN_ROWS_MAX};
use crate::record::{ExecutionRecord, QueuedTask, StateHeader, StateRow, StoredState};
use crate::table::{self, TableId};

pub(crate) fn execution_by_name(
    view: &impl View,
    machine: &str,
    name: &str,
) -> Result<Option<(ExecutionId, ExecutionRecord)>, ReadError> {
    let key = NameKey { machine: machine.into(), execution: name.into() };
    let Some(id) = get::<table::Names>(view, &key)? else { return Ok(None) };
    Ok(get::<table::Executions>(view, &id)?.map(|record| (id, record)))
}

pub(crate) fn load(view: &impl View, id: ExecutionId) -> Result<Option<StoredState>, ReadError> {
    // All rows: what bounds them is the execution's own limits.
    let stored = rows::<table::State>(view, &KeyRange::prefix(id.to_bytes()), Order::Forward, usize::MAX)?;
    let mut header = None;
    let mut state = BTreeMap::new();
    for (key, row) in stored {
        match (key.row, row) {
            (RowId::EXECUTION, StateRow::Header(found)) => header = Some(found),
            (RowId::EXECUTION, StateRow::Row(_)) | (_, StateRow::Header(_)) => {
                return Err(malformed("its row is of the wrong kind"));
            }
            (row_id, StateRow::Row(row)) => {
                state.insert(row_id, row);
            }
        }
    }
    match header {
        Some(header) => Ok(Some(StoredState { header, rows: state })),
        None if state.is_empty() => Ok(None),
        None => Err(malformed("it has no header")),
    }
}

pub(crate) fn header(view: &impl View, id: ExecutionId) -> Result<Option<StateHeader>, ReadError> {
    match get::<table::State>(view, &RowKey { execution: id, row: RowId::EXECUTION })? {
        Some(StateRow::Header(header)) => Ok(Some(header)),
        Some(StateRow::Row(_)) => Err(malformed("its row is of the wrong kind")),
        None => Ok(None),
    }
}

pub(crate) fn row(view: &impl View, key: RowKey) -> Result<Option<Row>, ReadError> {
    match get::<table::State>(view, &key)? {
        Some(StateRow::Row(row)) => Ok(Some(row)),
        Some(StateRow::Header(_)) if key.row != RowId::EXECUTION => {
            Err(malformed("its row is of the wrong kind"))
        }
        Some(StateRow::Header(_)) | None => Ok(None),
    }
}

pub(crate) fn oldest(view: &impl View) -> Result<Option<ExecutionId>, ReadError> {
    let first = keys::<table::State>(view, &KeyRange::all(), Order::Forward, 1)?;
    Ok(first.first().map(|key| key.execution))
}

fn malformed(reason: &str) -> ReadError {
    corrupt(TableId::State)(DecodeError::malformed("state of an execution", reason))
}

pub(crate) fn due_timers(view: &impl View, now: Timestamp, max: usize) -> Result<Vec<TimerKey>, ReadError> {
    let range = KeyRange::all();
    let range = match now.as_milliseconds().checked_add(1) {
        Some(after) => range.before(&Timestamp::from_milliseconds(after)),
        None => range,
    };
    keys::<table::Timers>(view, &range, Order::Forward, max.min(SCAN_ROWS_MAX))
}

pub(crate) fn next_timer(view: &impl View) -> Result<Option<Timestamp>, ReadError> {
    let first = keys::<table::Timers>(view, &KeyRange::all(), Order::Forward, 1)?;
    Ok(first.first().map(|timer| timer.due))
}

pub(crate) fn dispatched(
    view: &impl View,
    after: Option<RowKey>,
    max: usize,
) -> Result<Vec<(RowKey, AttemptId)>, ReadError> {
    let range = KeyRange::all();
    let range = match after {
        Some(key) => range.after(&key),
        None => range,
    };
    rows::<table::Dispatched>(view, &range, Order::Forward, max.min(SCAN_ROWS_MAX))
}

pub(crate) fn activity_tasks(
    view: &impl View,
    activity: &str,
    after: Option<u64>,
    max: usize,
) -> Result<Vec<(u64, QueuedTask)>, ReadError> {
    let activity = Text::from(activity);
    let range = KeyRange::prefix(activity.to_bytes());
    let range = match after {
        Some(number) => range.after(&QueueKey { activity, number }),
        None => range,
    };
    let found = rows::<table::ActivityTasks>(view, &range, Order::Forward, max.min(SCAN_ROWS_MAX))?;
    Ok(found.into_iter().map(|(key, task)| (key.number, task)).collect())
}
