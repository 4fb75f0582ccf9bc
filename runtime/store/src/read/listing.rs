//! Lists of a machine's executions.

use std::ops::ControlFlow;

use asl::Timestamp;
use asl::interpreter::ExecutionId;

use crate::error::ReadError;
use crate::key::{Key, ListingKey};
use crate::kv::{KeyRange, View, corrupt, keys};
use crate::page::{InvalidPosition, Order, PAGE_ITEMS_MAX, Page, Position, PositionKind};
use crate::record::{ExecutionStatus, ExecutionSummary};
use crate::table::{self, TableId};

/// In a position: the list goes over all statuses.
const EVERY_STATUS: u8 = u8::MAX;

pub(crate) fn page(
    view: &impl View,
    machine_id: u64,
    status: Option<ExecutionStatus>,
    from: Option<&Position>,
    max: usize,
) -> Result<Page<(ExecutionId, ExecutionSummary)>, ReadError> {
    let max = max.clamp(1, PAGE_ITEMS_MAX);
    let from = from.map(|position| open(position, machine_id, status)).transpose()?;
    let mut found = Vec::new();
    for status in
        ExecutionStatus::ALL.into_iter().filter(|candidate| status.is_none_or(|status| status == *candidate))
    {
        let range = range(machine_id, status);
        let range = match from {
            Some((at, execution)) => range.before(&ListingKey { machine_id, status, at, execution }),
            None => range,
        };
        // One more than the page shows whether there is another.
        found.extend(keys::<table::Listing>(view, &range, Order::Reverse, max + 1)?);
    }
    found.sort_unstable_by_key(|key| std::cmp::Reverse((key.at, key.execution)));
    let more = found.len() > max;
    found.truncate(max);
    let next = found.last().filter(|_| more).map(|last| position(last, status));
    let mut items = Vec::with_capacity(found.len());
    for key in found {
        let summary = view.get(TableId::Executions, &key.execution.to_bytes(), ExecutionSummary::decode)?;
        if let Some(summary) = summary.transpose().map_err(corrupt(TableId::Executions))? {
            items.push((key.execution, summary));
        }
    }
    Ok(Page { items, next })
}

pub(crate) fn count(
    view: &impl View,
    machine_id: u64,
    status: ExecutionStatus,
    limit: u64,
) -> Result<u64, ReadError> {
    let mut count = 0;
    view.scan(TableId::Listing, &range(machine_id, status), Order::Forward, |_, _| {
        if count == limit {
            return Ok(ControlFlow::Break(()));
        }
        count += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(count)
}

fn range(machine_id: u64, status: ExecutionStatus) -> KeyRange {
    let mut prefix = machine_id.to_bytes();
    status.number().write_to(&mut prefix);
    KeyRange::prefix(prefix)
}

fn status_number(status: Option<ExecutionStatus>) -> u8 {
    status.map_or(EVERY_STATUS, ExecutionStatus::number)
}

fn position(last: &ListingKey, status: Option<ExecutionStatus>) -> Position {
    Position::new(PositionKind::Executions, |bytes| {
        last.machine_id.write_to(bytes);
        status_number(status).write_to(bytes);
        last.at.write_to(bytes);
        last.execution.write_to(bytes);
    })
}

fn open(
    position: &Position,
    machine_id: u64,
    status: Option<ExecutionStatus>,
) -> Result<(Timestamp, ExecutionId), InvalidPosition> {
    let (machine, filter, at, execution) = position.open(PositionKind::Executions, |bytes| {
        Ok((u64::take(bytes)?, u8::take(bytes)?, Timestamp::take(bytes)?, ExecutionId::take(bytes)?))
    })?;
    if machine == machine_id && filter == status_number(status) {
        Ok((at, execution))
    } else {
        Err(InvalidPosition)
    }
}
