//! What a commit does.

use asl::Text;
use asl::interpreter::{AttemptId, ExecutionId, RowId, TimerKind};

use crate::batch::Change::{Delete, Put};
use crate::record::{ExecutionStatus, SecretKind, StateRow};
use crate::{
    Batch, CallbackKey, CallbackRequestKey, CommitError, ListingKey, NameKey, Order, QueueKey, RowKey,
    SecretKey, Store, TimerKey,
};

use super::sample;

const ID: ExecutionId = ExecutionId(1 << 100);
const ROW: RowKey = RowKey { execution: ID, row: RowId(1) };
const MAP_RUN: ExecutionId = ExecutionId(77);
const CALLBACK: CallbackKey = CallbackKey { row: ROW, attempt: AttemptId(1) };
const REQUEST: CallbackRequestKey = CallbackRequestKey { callback: CALLBACK, number: 0 };
const HEADER: RowKey = RowKey { execution: ID, row: RowId::EXECUTION };

fn name() -> NameKey {
    NameKey { machine: Text::from("machine"), execution: Text::from("execution") }
}

fn listing() -> ListingKey {
    ListingKey { machine_id: 7, status: ExecutionStatus::Running, at: sample::at(3), execution: ID }
}

fn timer() -> TimerKey {
    TimerKey { due: sample::at(-3), execution: ID, row: RowId(1), kind: TimerKind::Wake }
}

fn place() -> QueueKey {
    QueueKey { activity: Text::from("activity"), number: 2 }
}

fn secret() -> SecretKey {
    SecretKey { kind: SecretKind::Connection, name: Text::from("secret") }
}

fn fill(batch: &mut Batch) {
    batch.sequence = 10;
    batch.executions.insert(ID, Put(sample::execution(1, ExecutionStatus::Running)));
    batch.state.insert(HEADER, Put(StateRow::Header(sample::header(1))));
    batch.state.insert(ROW, Put(StateRow::Row(sample::row(1))));
    batch.history.push((1, sample::history_row(ID.0, None, 1..3)));
    batch.names.insert(name(), Put(ID));
    batch.listing.insert(listing(), Put(()));
    batch.dispatched.insert(ROW, Put(AttemptId(1)));
    batch.timers.insert(timer(), Put(()));
    batch.machines.insert(Text::from("machine"), Put(sample::machine("machine", 7)));
    batch.revisions.insert(8, Put(sample::revision(8)));
    batch.activities.insert(Text::from("activity"), Put(sample::activity("activity")));
    batch.activity_tasks.insert(place(), Put(sample::queued(1)));
    batch.modules.insert((Text::from("module"), 1), Put(sample::module(1)));
    batch.module_heads.insert(Text::from("module"), Put(sample::head(1)));
    batch.module_uploads.insert((Text::from("module"), 2), Put(sample::module(2)));
    batch.map_runs.insert(ROW, Put(sample::map_run(1)));
    batch.map_run_ids.insert(MAP_RUN, Put(ROW));
    batch.secrets.insert(secret(), Put(sample::secret(1)));
    batch.callback_requests.insert(REQUEST, Put(sample::callback_request(1)));
    batch.callback_answers.insert(CALLBACK, Put(sample::callback_answer()));
}

pub async fn a_new_store_is_empty(store: &impl Store) {
    let meta = store.meta().await.expect("readable");
    assert_eq!((meta.format_version, meta.sequence), (crate::key::FORMAT_VERSION, 0));
    assert_eq!(store.execution(ID).await.expect("readable"), None);
    assert_eq!(store.execution_by_name("machine", "execution").await.expect("readable"), None);
    assert_eq!(store.load_state(ID).await.expect("readable"), None);
    assert_eq!(store.next_timer().await.expect("readable"), None);
    assert_eq!(store.due_timers(sample::at(i64::MAX), 10).await.expect("readable"), []);
    assert_eq!(store.dispatched(None, 10).await.expect("readable"), []);
    assert_eq!(store.list_executions(7, None, None, 10).await.expect("readable").items, []);
    assert_eq!(store.list_machines(None, 10).await.expect("readable").items, []);
    assert_eq!(store.list_activities(None, 10).await.expect("readable").items, []);
    assert_eq!(store.list_modules(None, 10).await.expect("readable").items, []);
    assert_eq!(store.list_secrets(SecretKind::Connection, None, 10).await.expect("readable").items, []);
}

pub async fn every_table_keeps_what_is_put(store: &impl Store) {
    sample::commit(store, fill).await;
    let record = sample::execution(1, ExecutionStatus::Running);
    assert_eq!(store.meta().await.expect("readable").sequence, 10);
    assert_eq!(store.execution(ID).await.expect("readable"), Some(record.clone()));
    assert_eq!(store.execution_by_name("machine", "execution").await.expect("readable"), Some((ID, record)));
    let state = store.load_state(ID).await.expect("readable").expect("stored");
    assert_eq!(state.header, sample::header(1));
    assert_eq!(state.rows, [(RowId(1), sample::row(1))].into());
    let history = store.history(sample::query(ID.0, 1, Order::Forward, 10)).await.expect("readable");
    assert_eq!(history.items, [sample::event(1), sample::event(2)]);
    let list = store.list_executions(7, None, None, 10).await.expect("readable");
    assert_eq!(list.items.len(), 1);
    assert_eq!(&*list.items[0].1.name, "execution-1");
    assert_eq!(store.dispatched(None, 10).await.expect("readable"), [(ROW, AttemptId(1))]);
    assert_eq!(store.next_timer().await.expect("readable"), Some(sample::at(-3)));
    assert_eq!(store.machine("machine").await.expect("readable"), Some(sample::machine("machine", 7)));
    assert_eq!(store.revision(8).await.expect("readable"), Some(sample::revision(8)));
    assert_eq!(store.activity("activity").await.expect("readable"), Some(sample::activity("activity")));
    let queue = store.activity_tasks("activity", None, 10).await.expect("readable");
    assert_eq!(queue, [(2, sample::queued(1))]);
    assert_eq!(store.module("module", 1).await.expect("readable"), Some(sample::module(1)));
    assert_eq!(store.module_head("module").await.expect("readable"), Some(sample::head(1)));
    assert_eq!(store.module_upload("module", 2).await.expect("readable"), Some(sample::module(2)));
    assert_eq!(store.module_upload("module", 1).await.expect("readable"), None);
    assert_eq!(store.oldest_state().await.expect("readable"), Some(ID));
    assert_eq!(store.map_run(MAP_RUN).await.expect("readable"), Some((ROW, sample::map_run(1))));
    assert_eq!(store.secret(&secret()).await.expect("readable"), Some(sample::secret(1)));
    let runs = store.list_map_runs(ID, None, 10).await.expect("readable");
    assert_eq!((runs.items, runs.next), (vec![sample::map_run(1)], None));
    let asked = store.callback_request(REQUEST).await.expect("readable");
    assert_eq!(asked, Some(sample::callback_request(1)));
    let other = CallbackRequestKey { number: 1, ..REQUEST };
    assert_eq!(store.callback_request(other).await.expect("readable"), None);
    assert_eq!(store.callback_answer(CALLBACK).await.expect("readable"), Some(sample::callback_answer()));
    let other = CallbackKey { attempt: AttemptId(2), ..CALLBACK };
    assert_eq!(store.callback_answer(other).await.expect("readable"), None);
}

pub async fn deleted_rows_are_gone(store: &impl Store) {
    sample::commit(store, fill).await;
    sample::commit(store, |batch| {
        batch.executions.insert(ID, Delete);
        batch.state.extend([(HEADER, Delete), (ROW, Delete)]);
        batch.history_removed.push(1);
        batch.names.insert(name(), Delete);
        batch.listing.insert(listing(), Delete);
        batch.dispatched.insert(ROW, Delete);
        batch.timers.insert(timer(), Delete);
        batch.machines.insert(Text::from("machine"), Delete);
        batch.revisions.insert(8, Delete);
        batch.activities.insert(Text::from("activity"), Delete);
        batch.activity_tasks.insert(place(), Delete);
        batch.modules.insert((Text::from("module"), 1), Delete);
        batch.module_heads.insert(Text::from("module"), Delete);
        batch.module_uploads.insert((Text::from("module"), 2), Delete);
        batch.map_runs.insert(ROW, Delete);
        batch.map_run_ids.insert(MAP_RUN, Delete);
        batch.secrets.insert(secret(), Delete);
        batch.callback_requests.insert(REQUEST, Delete);
        batch.callback_answers.insert(CALLBACK, Delete);
        // Nothing is there to be deleted.
        batch.machines.insert(Text::from("other"), Delete);
    })
    .await;
    assert_eq!(store.revision(8).await.expect("readable"), None);
    assert_eq!(store.module("module", 1).await.expect("readable"), None);
    assert_eq!(store.module_head("module").await.expect("readable"), None);
    assert_eq!(store.module_upload("module", 2).await.expect("readable"), None);
    assert_eq!(store.oldest_state().await.expect("readable"), None);
    assert_eq!(store.map_run(MAP_RUN).await.expect("readable"), None);
    assert_eq!(store.secret(&secret()).await.expect("readable"), None);
    assert_eq!(store.list_map_runs(ID, None, 10).await.expect("readable").items, []);
    assert_eq!(store.callback_request(REQUEST).await.expect("readable"), None);
    assert_eq!(store.callback_answer(CALLBACK).await.expect("readable"), None);
    assert_eq!(store.machine("machine").await.expect("readable"), None);
    assert_eq!(store.activity("activity").await.expect("readable"), None);
    assert_eq!(store.activity_tasks("activity", None, 10).await.expect("readable"), []);
    assert_eq!(store.history_rows(1, 10).await.expect("readable"), (Vec::new(), None));
    sample::commit(store, |batch| batch.sequence = 10).await;
    let sequence = store.meta().await.expect("readable").sequence;
    assert_eq!(sequence, 10, "numbers are never given twice");
}

pub async fn the_last_change_of_a_row_wins(store: &impl Store) {
    let mut first = Batch::default();
    first.machines.insert(Text::from("put"), Delete);
    first.machines.insert(Text::from("deleted"), Put(sample::machine("deleted", 1)));
    let mut second = Batch::default();
    second.machines.insert(Text::from("put"), Put(sample::machine("put", 2)));
    second.machines.insert(Text::from("deleted"), Delete);
    first.merge(second);
    assert_eq!((first.rows(), first.is_empty()), (2, false));
    store.commit(first).await.expect("committed");
    assert_eq!(store.machine("put").await.expect("readable"), Some(sample::machine("put", 2)));
    assert_eq!(store.machine("deleted").await.expect("readable"), None);
}

pub async fn the_sequence_only_grows(store: &impl Store) {
    for (given, stored) in [(5, 5), (0, 5), (3, 5), (u64::MAX, u64::MAX)] {
        sample::commit(store, |batch| batch.sequence = given).await;
        assert_eq!(store.meta().await.expect("readable").sequence, stored, "after {given}");
    }
}

pub async fn an_owner_that_lost_its_shard_is_refused(store: &impl Store) {
    let write = async |shard: u32, epoch: u64, machine_id: u64| {
        let fill = |batch: &mut Batch| {
            (batch.shard, batch.epoch) = (shard, epoch);
            batch.machines.insert(Text::from("machine"), Put(sample::machine("machine", machine_id)));
        };
        sample::try_commit(store, fill).await
    };
    assert_eq!(write(3, 5, 1).await, Ok(()));
    assert_eq!(write(3, 4, 2).await, Err(CommitError::Fenced));
    assert_eq!(store.machine("machine").await.expect("readable"), Some(sample::machine("machine", 1)));
    assert_eq!(write(3, 5, 3).await, Ok(()), "the owner goes on");
    assert_eq!(write(2, 0, 4).await, Ok(()), "other shards have epochs of their own");
    assert_eq!(write(3, 6, 5).await, Ok(()));
    assert_eq!(write(3, 5, 6).await, Err(CommitError::Fenced));
    assert_eq!(store.machine("machine").await.expect("readable"), Some(sample::machine("machine", 5)));
}

/// Whoever keeps what was read of modules looks at the count alone.
pub async fn changes_of_modules_are_counted(store: &impl Store) {
    type Fill = fn(&mut Batch);
    let changes: [(Fill, bool); 5] = [
        (|batch| _ = batch.module_heads.insert(Text::from("module"), Put(sample::head(1))), true),
        (|batch| _ = batch.modules.insert((Text::from("module"), 1), Put(sample::module(1))), true),
        (|batch| _ = batch.module_uploads.insert((Text::from("module"), 2), Put(sample::module(2))), true),
        (|batch| _ = batch.executions.insert(ID, Put(sample::execution(1, ExecutionStatus::Running))), false),
        (|batch| _ = batch.module_heads.insert(Text::from("module"), Delete), true),
    ];
    for (fill, is_counted) in changes {
        let before = store.module_changes();
        sample::commit(store, fill).await;
        assert_eq!(store.module_changes() > before, is_counted);
    }
}

pub async fn names_do_not_run_into_each_other(store: &impl Store) {
    let names =
        [("a", "bc"), ("ab", "c"), ("a\0b", "c"), ("a", "b\0c"), ("a\u{1}", "c"), ("größe", "ä"), ("", "")];
    let ids = || (1..).map(ExecutionId);
    sample::commit(store, |batch| {
        for ((machine, execution), id) in names.into_iter().zip(ids()) {
            let key = NameKey { machine: machine.into(), execution: execution.into() };
            batch.names.insert(key, Put(id));
            batch.executions.insert(id, Put(sample::execution(1, ExecutionStatus::Running)));
        }
    })
    .await;
    for ((machine, execution), id) in names.into_iter().zip(ids()) {
        let found = store.execution_by_name(machine, execution).await.expect("readable");
        assert_eq!(found.map(|(id, _)| id), Some(id), "{machine:?} {execution:?}");
    }
    assert_eq!(store.execution_by_name("a", "b").await.expect("readable"), None);
}
