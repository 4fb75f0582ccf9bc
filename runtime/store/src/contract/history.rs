//! Pages of history.

use asl::Data;
use asl::interpreter::{ExecutionId, HistoryKind};

use crate::page::PAGE_BYTES_MAX;
use crate::{HistoryQuery, Order, ReadError, Store};

use super::sample;

/// Two executions whose rows alternate: execution 1 has 20 events in rows of 1 to 4, some rows have none.
async fn write(store: &impl Store) -> u64 {
    let rows = [1..2, 2..4, 4..4, 4..7, 7..11, 11..12, 12..16, 16..16, 16..21, 21..21];
    let mut previous = None;
    let mut lsn = 0;
    for ids in rows {
        lsn += 5;
        sample::commit(store, |batch| {
            batch.history.push((lsn, sample::history_row(1, previous, ids.clone())));
            batch.history.push((lsn + 1, sample::history_row(2, None, 1..9)));
        })
        .await;
        previous = Some(lsn);
    }
    lsn
}

pub async fn history_is_read_in_pages_of_any_size(store: &impl Store) {
    let last = write(store).await;
    let forward: Vec<u32> = (1..21).collect();
    let reverse: Vec<u32> = (1..21).rev().collect();
    for max in [0, 1, 2, 3, 4, 5, 7, 19, 20, 21, 1000, usize::MAX] {
        let (ids, sizes) = sample::read_all(store, sample::query(1, last, Order::Forward, max)).await;
        assert_eq!(ids, forward, "forward by {max}");
        assert_eq!(sizes.len(), 20_usize.div_ceil(max.max(1)), "no page is empty or short");
        let (ids, _) = sample::read_all(store, sample::query(1, last, Order::Reverse, max)).await;
        assert_eq!(ids, reverse, "in reverse by {max}");
    }
}

pub async fn history_grows_while_it_is_read(store: &impl Store) {
    let last = write(store).await;
    let mut query = sample::query(1, last, Order::Forward, 15);
    let first = store.history(query.clone()).await.expect("readable");
    sample::commit(store, |batch| {
        batch.history.push((last + 100, sample::history_row(1, Some(last), 21..23)));
    })
    .await;
    query.from = first.next;
    query.last_lsn = last + 100;
    let (ids, _) = sample::read_all(store, query).await;
    assert_eq!(ids, (16..23).collect::<Vec<u32>>());
}

pub async fn pages_of_large_events_end_early(store: &impl Store) {
    const EVENT_BYTES: usize = 1 << 20;
    let large = Data::from_valid_text(format!("\"{}\"", "x".repeat(EVENT_BYTES)));
    for id in 1..=10_u32 {
        let lsn = u64::from(id);
        let mut row = sample::history_row(1, (id > 1).then(|| lsn - 1), id..id + 1);
        row.events[0].kind = HistoryKind::ExecutionSucceeded { output: large.clone() };
        sample::commit(store, |batch| batch.history.push((lsn, row))).await;
    }
    for order in [Order::Forward, Order::Reverse] {
        let (mut ids, sizes) = sample::read_all(store, sample::query(1, 10, order, 1000)).await;
        ids.sort_unstable();
        assert_eq!(ids, (1..=10).collect::<Vec<u32>>());
        assert!(sizes.iter().all(|size| *size <= PAGE_BYTES_MAX / EVENT_BYTES), "{sizes:?}");
    }
}

pub async fn history_positions_are_checked(store: &impl Store) {
    let last = write(store).await;
    let forward = sample::query(1, last, Order::Forward, 2);
    let reverse = sample::query(1, last, Order::Reverse, 2);
    let forward_next = store.history(forward.clone()).await.expect("readable").next;
    let reverse_next = store.history(reverse.clone()).await.expect("readable").next;
    let other_order = HistoryQuery { from: forward_next.clone(), ..reverse.clone() };
    sample::assert_invalid_position(&store.history(other_order).await);
    let other_order = HistoryQuery { from: reverse_next.clone(), ..forward };
    sample::assert_invalid_position(&store.history(other_order).await);
    let execution = ExecutionId(2);
    let other_execution = HistoryQuery { from: reverse_next, execution, last_lsn: last + 1, ..reverse };
    sample::assert_invalid_position(&store.history(other_execution).await);
    let end = "0100000015".parse().expect("well formed");
    let beyond = HistoryQuery { from: Some(end), ..sample::query(1, last, Order::Forward, 2) };
    let page = store.history(beyond).await.expect("readable");
    assert_eq!((page.items.len(), page.next), (0, None));
}

pub async fn removed_history_is_told_apart(store: &impl Store) {
    let last = write(store).await;
    sample::commit(store, |batch| batch.history_removed.push(last)).await;
    for order in [Order::Forward, Order::Reverse] {
        let page = store.history(sample::query(1, last, order, 10)).await;
        assert!(matches!(page, Err(ReadError::HistoryRemoved { lsn }) if lsn == last), "{page:?}");
    }
    let other = store.history(sample::query(1, last + 1, Order::Forward, 10)).await;
    assert!(matches!(other, Err(ReadError::Corrupt { .. })), "{other:?}");
}

pub async fn history_is_removed_in_slices(store: &impl Store) {
    let last = write(store).await;
    let mut next = Some(last);
    let mut removed = Vec::new();
    while let Some(lsn) = next {
        let (rows, rest) = store.history_rows(lsn, 4).await.expect("readable");
        sample::commit(store, |batch| batch.history_removed.clone_from(&rows)).await;
        removed.extend(rows);
        next = rest;
    }
    assert_eq!(removed, (1..=10).rev().map(|row| row * 5).collect::<Vec<u64>>());
    assert_eq!(store.history_rows(last, 4).await.expect("readable"), (Vec::new(), None));
    let other = store.history(sample::query(2, last + 1, Order::Forward, 10)).await.expect("readable");
    assert_eq!(other.items.len(), 8);
}
