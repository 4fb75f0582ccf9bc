//! What an execution goes on from.

use asl::Text;
use asl::interpreter::{AttemptId, ExecutionId, RowId, TimerKind};

use crate::batch::Change::Put;
use crate::record::StateRow;
use crate::{QueueKey, ReadError, RowKey, Store, TimerKey};

use super::sample;

pub async fn state_is_loaded_whole_and_alone(store: &impl Store) {
    let ids = [0, 1, 0xff, 0x100, u128::MAX].map(ExecutionId);
    sample::commit(store, |batch| {
        for execution in ids {
            let row = |row| RowKey { execution, row: RowId(row) };
            let lsn = u64::try_from(execution.0 & 0xffff).expect("masked");
            batch.state.insert(row(0), Put(StateRow::Header(sample::header(lsn))));
            batch.state.insert(row(1), Put(StateRow::Row(sample::row(lsn))));
            batch.state.insert(row(u64::MAX), Put(StateRow::Row(sample::row(3))));
        }
    })
    .await;
    for execution in ids {
        let lsn = u64::try_from(execution.0 & 0xffff).expect("masked");
        let state = store.load_state(execution).await.expect("readable").expect("stored");
        assert_eq!(state.header, sample::header(lsn));
        assert_eq!(store.state_header(execution).await.expect("readable"), Some(state.header.clone()));
        let rows = [(RowId(1), sample::row(lsn)), (RowId(u64::MAX), sample::row(3))];
        assert_eq!(state.rows, rows.clone().into());
        for (row, value) in rows {
            let found = store.state_row(RowKey { execution, row }).await.expect("readable");
            assert_eq!(found, Some(value));
        }
        for row in [RowId::EXECUTION, RowId(2)] {
            assert_eq!(store.state_row(RowKey { execution, row }).await.expect("readable"), None);
        }
    }
    assert_eq!(store.load_state(ExecutionId(2)).await.expect("readable"), None);
}

pub async fn state_without_its_header_is_corrupt(store: &impl Store) {
    let row = |execution, row| RowKey { execution: ExecutionId(execution), row: RowId(row) };
    sample::commit(store, |batch| {
        batch.state.insert(row(1, 1), Put(StateRow::Row(sample::row(1))));
        batch.state.insert(row(2, 0), Put(StateRow::Row(sample::row(1))));
        batch.state.insert(row(3, 0), Put(StateRow::Header(sample::header(1))));
        batch.state.insert(row(3, 1), Put(StateRow::Header(sample::header(1))));
    })
    .await;
    for execution in 1..=3 {
        let state = store.load_state(ExecutionId(execution)).await;
        assert!(matches!(state, Err(ReadError::Corrupt { table: "state", .. })), "{state:?}");
    }
}

pub async fn timers_are_due_in_order(store: &impl Store) {
    let timer = |due, execution, kind| TimerKey {
        due: sample::at(due),
        execution: ExecutionId(execution),
        row: RowId(1),
        kind,
    };
    let timers = [
        timer(i64::MIN, 9, TimerKind::Wake),
        timer(-1, 8, TimerKind::Wake),
        timer(0, 7, TimerKind::Wake),
        timer(256, 5, TimerKind::Wake),
        timer(256, 6, TimerKind::TaskTimeout),
        timer(256, 6, TimerKind::HeartbeatTimeout),
        timer(i64::MAX, 1, TimerKind::ExecutionTimeout),
    ];
    sample::commit(store, |batch| batch.timers.extend(timers.map(|timer| (timer, Put(()))))).await;
    assert_eq!(store.next_timer().await.expect("readable"), Some(sample::at(i64::MIN)));
    for (now, due) in [(i64::MIN, 1), (-2, 1), (-1, 2), (255, 3), (256, 6), (i64::MAX, 7)] {
        let found = store.due_timers(sample::at(now), 100).await.expect("readable");
        assert_eq!(found, timers[..due], "at {now}");
    }
    assert_eq!(store.due_timers(sample::at(256), 4).await.expect("readable"), timers[..4]);
    assert_eq!(store.due_timers(sample::at(256), 0).await.expect("readable"), []);
}

pub async fn work_under_way_is_found_in_slices(store: &impl Store) {
    let row = |execution, row| RowKey { execution: ExecutionId(execution), row: RowId(row) };
    let work = [row(1, 0), row(1, 7), row(2, 1), row(1 << 90, 1)].map(|key| (key, AttemptId(key.row.0)));
    sample::commit(store, |batch| {
        batch.dispatched.extend(work.map(|(key, attempt)| (key, Put(attempt))));
    })
    .await;
    let mut found = Vec::new();
    loop {
        let slice = store.dispatched(found.last().map(|(key, _)| *key), 3).await.expect("readable");
        if slice.is_empty() {
            break;
        }
        found.extend(slice);
    }
    assert_eq!(found, work);
}

pub async fn queues_keep_their_order(store: &impl Store) {
    sample::commit(store, |batch| {
        for (activity, number) in [("a", 300), ("a", 2), ("ab", 1), ("a", u64::MAX), ("A", 1), ("a\0", 4)] {
            let key = QueueKey { activity: Text::from(activity), number };
            batch.activity_tasks.insert(key, Put(sample::queued(number)));
        }
    })
    .await;
    let numbers = async |after, max| {
        let tasks = store.activity_tasks("a", after, max).await.expect("readable");
        assert!(tasks.iter().all(|(number, task)| *task == sample::queued(*number)));
        tasks.into_iter().map(|(number, _)| number).collect::<Vec<u64>>()
    };
    assert_eq!(numbers(None, 10).await, [2, 300, u64::MAX]);
    assert_eq!(numbers(None, 2).await, [2, 300]);
    assert_eq!(numbers(Some(2), 10).await, [300, u64::MAX]);
    assert!(numbers(Some(u64::MAX), 10).await.is_empty());
}
