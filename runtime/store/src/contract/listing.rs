//! Lists of executions.

use crate::record::ExecutionStatus;
use crate::{Position, Store};

use super::sample;

/// Thirty executions of machine 7 over three statuses; some share their time.
const EXECUTIONS: u64 = 30;
const STATUSES: [ExecutionStatus; 3] =
    [ExecutionStatus::Running, ExecutionStatus::Failed, ExecutionStatus::PendingRedrive];

fn status(number: u64) -> ExecutionStatus {
    let index = usize::try_from(number % 3).expect("less than 3");
    STATUSES[index]
}

fn time(number: u64) -> i64 {
    i64::try_from(number * 7 % 11).expect("small") - 3
}

async fn write(store: &impl Store) {
    sample::commit(store, |batch| {
        for number in 1..=EXECUTIONS {
            sample::list(batch, number, status(number), time(number));
        }
    })
    .await;
}

fn expected(filter: Option<ExecutionStatus>) -> Vec<u64> {
    let mut numbers: Vec<u64> =
        (1..=EXECUTIONS).filter(|number| filter.is_none_or(|filter| filter == status(*number))).collect();
    numbers.sort_by_key(|number| std::cmp::Reverse((time(*number), *number)));
    numbers
}

async fn read(store: &impl Store, filter: Option<ExecutionStatus>, max: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut from = None;
    loop {
        let page = store.list_executions(7, filter, from.as_ref(), max).await.expect("readable");
        from = sample::through_text(&page);
        for (id, summary) in page.items {
            let number = u64::try_from(id.0).expect("small");
            assert_eq!(summary.status, status(number));
            assert_eq!(&*summary.name, format!("execution-{number}"));
            numbers.push(number);
        }
        if from.is_none() {
            return numbers;
        }
    }
}

pub async fn lists_are_newest_first(store: &impl Store) {
    write(store).await;
    let filters = ExecutionStatus::ALL.into_iter().map(Some).chain([None]);
    for filter in filters {
        for max in [0, 1, 2, 9, 10, 11, 29, 30, 31, usize::MAX] {
            assert_eq!(read(store, filter, max).await, expected(filter), "{filter:?} by {max}");
        }
    }
    for other_machine in [0, 6, 8] {
        let page = store.list_executions(other_machine, None, None, 10).await.expect("readable");
        assert_eq!(page.items, []);
    }
}

pub async fn list_positions_are_checked(store: &impl Store) {
    write(store).await;
    let page = store.list_executions(7, None, None, 1).await.expect("readable");
    let next = page.next.expect("there are more");
    sample::assert_invalid_position(&store.list_executions(8, None, Some(&next), 1).await);
    let running = Some(ExecutionStatus::Running);
    sample::assert_invalid_position(&store.list_executions(7, running, Some(&next), 1).await);
    sample::assert_invalid_position(&store.list_machines(Some(&next), 1).await);
    sample::assert_invalid_position(&store.list_activities(Some(&next), 1).await);
    sample::assert_invalid_position(&store.list_modules(Some(&next), 1).await);
    sample::assert_invalid_position(&store.list_module_versions("module", Some(&next), 1).await);
    let cut: Position = next.to_string()[..20].parse().expect("well formed");
    sample::assert_invalid_position(&store.list_executions(7, None, Some(&cut), 1).await);
}

pub async fn counts_stop_at_their_limit(store: &impl Store) {
    write(store).await;
    for (status, limit, count) in [
        (ExecutionStatus::Running, 100, 10),
        (ExecutionStatus::Failed, 10, 10),
        (ExecutionStatus::Failed, 9, 9),
        (ExecutionStatus::Failed, 0, 0),
        (ExecutionStatus::Succeeded, 100, 0),
    ] {
        assert_eq!(store.count_executions(7, status, limit).await.expect("readable"), count, "{status:?}");
    }
    assert_eq!(store.count_executions(8, ExecutionStatus::Running, 9).await.expect("readable"), 0);
}
