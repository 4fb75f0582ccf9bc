//! Asks two stores everything that can be asked over the keys that the generator uses.

use std::fmt::Debug;

use asl::interpreter::{ExecutionId, RowId};

use crate::record::{ExecutionStatus, SecretKind};
use crate::{CallbackRequestKey, HistoryQuery, Order, RowKey, Store};

use super::generate::{EXECUTIONS, Generator, NAMES, NUMBERS, callback};
use super::sample;

const PAGE_SIZES: [usize; 3] = [1, 3, 100];

/// Fails unless both stores give the same answers; `known` has made what they hold.
pub async fn assert_same_answers(left: &impl Store, right: &impl Store, known: &Generator) {
    let same = |question: &str, left: &dyn Debug, right: &dyn Debug| {
        assert_eq!(format!("{left:?}"), format!("{right:?}"), "{question}");
    };
    let (meta, other) = (left.meta().await, right.meta().await);
    same("sequence", &meta.map(|meta| meta.sequence), &other.map(|meta| meta.sequence));
    for number in 0..EXECUTIONS {
        let id = ExecutionId(u128::from(number));
        same("execution", &left.execution(id).await, &right.execution(id).await);
        same("state", &left.load_state(id).await, &right.load_state(id).await);
        same("header", &left.state_header(id).await, &right.state_header(id).await);
        same("map run", &left.map_run(id).await, &right.map_run(id).await);
        let (runs, other) = (left.list_map_runs(id, None, 9).await, right.list_map_runs(id, None, 9).await);
        same("map runs", &runs, &other);
        for number in 0..NUMBERS {
            let row = RowKey { execution: id, row: RowId(1 + number) };
            same("row", &left.state_row(row).await, &right.state_row(row).await);
            let key = CallbackRequestKey { callback: callback(row), number };
            let (asked, other) = (left.callback_request(key).await, right.callback_request(key).await);
            assert_eq!(asked.expect("readable"), other.expect("readable"), "callback request");
            let key = callback(row);
            same("answer", &left.callback_answer(key).await, &right.callback_answer(key).await);
        }
    }
    for name in NAMES {
        let (found, other) =
            (left.execution_by_name(name, name).await, right.execution_by_name(name, name).await);
        same("name", &found, &other);
        same("machine", &left.machine(name).await, &right.machine(name).await);
        same("activity", &left.activity(name).await, &right.activity(name).await);
        for number in 0..NUMBERS {
            let number = u32::try_from(number).expect("small");
            let (upload, other) =
                (left.module_upload(name, number).await, right.module_upload(name, number).await);
            same("upload", &upload, &other);
        }
        same("head", &left.module_head(name).await, &right.module_head(name).await);
        let after = Some(NUMBERS / 2);
        let (queue, other) =
            (left.activity_tasks(name, after, 9).await, right.activity_tasks(name, after, 9).await);
        same("queue", &queue, &other);
    }
    for now in -3..4 {
        let now = sample::at(now);
        same("timers", &left.due_timers(now, 7).await, &right.due_timers(now, 7).await);
    }
    same("oldest", &left.oldest_state().await, &right.oldest_state().await);
    same("timer", &left.next_timer().await, &right.next_timer().await);
    same("dispatched", &left.dispatched(None, 100).await, &right.dispatched(None, 100).await);
    for number in 0..NUMBERS {
        same("revision", &left.revision(number).await, &right.revision(number).await);
    }
    for size in PAGE_SIZES {
        same("pages", &pages(left, size).await, &pages(right, size).await);
        same("history", &histories(left, known, size).await, &histories(right, known, size).await);
    }
}

/// The text of every page of every list.
async fn pages(store: &impl Store, size: usize) -> Vec<String> {
    let mut pages = Vec::new();
    let mut from = None;
    for name in NAMES {
        loop {
            let page = store.list_module_versions(name, from.as_ref(), size).await.expect("readable");
            pages.push(format!("{page:?}"));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    for machine_id in 0..NUMBERS {
        for status in ExecutionStatus::ALL.into_iter().map(Some).chain([None]) {
            loop {
                let page = store.list_executions(machine_id, status, from.as_ref(), size).await;
                let page = page.expect("readable");
                pages.push(format!("{page:?}"));
                from = page.next;
                if from.is_none() {
                    break;
                }
            }
        }
    }
    loop {
        let page = store.list_machines(from.as_ref(), size).await.expect("readable");
        pages.push(format!("{page:?}"));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    pages.push(format!("{:?}", store.list_activities(None, size).await));
    pages.push(format!("{:?}", store.list_modules(None, size).await));
    for kind in SecretKind::ALL {
        pages.push(format!("{:?}", store.list_secrets(kind, None, size).await));
    }
    pages
}

/// The history of every execution, forward and in reverse.
async fn histories(store: &impl Store, known: &Generator, size: usize) -> Vec<(Vec<u32>, Vec<usize>)> {
    let mut histories = Vec::new();
    for (number, chain) in (0_u32..).zip(known.chains) {
        let Some(last_lsn) = chain.last_lsn else { continue };
        for order in [Order::Forward, Order::Reverse] {
            let execution = ExecutionId(u128::from(number));
            let query = HistoryQuery { execution, last_lsn, order, from: None, max: size };
            histories.push(sample::read_all(store, query).await);
        }
    }
    histories
}
