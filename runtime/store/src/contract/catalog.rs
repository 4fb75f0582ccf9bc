//! Machines, activities, modules and secrets.

use asl::Text;
use asl::interpreter::{ExecutionId, RowId};

use crate::batch::Change::Put;
use crate::record::SecretKind;
use crate::{RowKey, SecretKey, Store, contract::sample};

const NAMES: [&str; 7] = ["A", "a", "a-1", "aa", "b", "z", "ä"];

pub async fn names_are_listed_in_pages(store: &impl Store) {
    sample::commit(store, |batch| {
        for (name, number) in NAMES.into_iter().zip(1..) {
            batch.machines.insert(name.into(), Put(sample::machine(name, number)));
            batch.activities.insert(name.into(), Put(sample::activity(name)));
            batch.module_heads.insert(name.into(), Put(sample::head(1)));
        }
    })
    .await;
    for max in [0, 1, 2, 6, 7, 8, usize::MAX] {
        let (mut machines, mut activities, mut modules) = (Vec::new(), Vec::new(), Vec::new());
        let (mut from_machine, mut from_activity, mut from_module) = (None, None, None);
        loop {
            let page = store.list_machines(from_machine.as_ref(), max).await.expect("readable");
            from_machine = sample::through_text(&page);
            machines.extend(page.items.into_iter().map(|machine| machine.name.to_string()));
            let page = store.list_activities(from_activity.as_ref(), max).await.expect("readable");
            from_activity = sample::through_text(&page);
            activities.extend(page.items.into_iter().map(|activity| activity.name.to_string()));
            let page = store.list_modules(from_module.as_ref(), max).await.expect("readable");
            from_module = sample::through_text(&page);
            modules.extend(page.items.into_iter().map(|(name, _)| name));
            if from_machine.is_none() {
                break;
            }
        }
        assert_eq!((from_activity, from_module), (None, None));
        assert_eq!((machines, activities, modules), (names(), names(), names()), "by {max}");
    }
}

fn names() -> Vec<String> {
    NAMES.map(str::to_owned).into()
}

pub async fn module_versions_are_listed_newest_first(store: &impl Store) {
    sample::commit(store, |batch| {
        for (name, version) in [("a", 1), ("a", 2), ("a", 256), ("a", u32::MAX), ("ab", 3), ("A", 4)] {
            let module = sample::module(u64::from(version));
            batch.modules.insert((Text::from(name), version), Put(module));
        }
    })
    .await;
    for max in [1, 3, 4, 5] {
        let mut versions = Vec::new();
        let mut from = None;
        loop {
            let page = store.list_module_versions("a", from.as_ref(), max).await.expect("readable");
            from = sample::through_text(&page);
            versions.extend(page.items.into_iter().map(|(version, _)| version));
            let Some(next) = &from else { break };
            let other = store.list_module_versions("ab", Some(next), max).await;
            sample::assert_invalid_position(&other);
        }
        assert_eq!(versions, [u32::MAX, 256, 2, 1], "by {max}");
    }
}

pub async fn map_runs_are_listed_newest_first(store: &impl Store) {
    let key = |execution, row| RowKey { execution: ExecutionId(execution), row: RowId(row) };
    sample::commit(store, |batch| {
        for (execution, row) in [(1, 9), (1, 3), (1, 400), (2, 5), (0, 7)] {
            let run = sample::map_run(u32::try_from(row).expect("small"));
            batch.map_runs.insert(key(execution, row), Put(run));
        }
    })
    .await;
    for max in [0, 1, 2, 3, 4] {
        let (mut runs, mut from) = (Vec::new(), None);
        loop {
            let page = store.list_map_runs(ExecutionId(1), from.as_ref(), max).await.expect("readable");
            from = sample::through_text(&page);
            runs.extend(page.items.into_iter().map(|run| run.items.by_status.running));
            let of_another = store.list_map_runs(ExecutionId(2), from.as_ref(), max).await;
            if from.is_none() {
                break;
            }
            sample::assert_invalid_position(&of_another);
        }
        assert_eq!(runs, [400, 9, 3], "by {max}");
    }
}

pub async fn secrets_are_listed_by_kind(store: &impl Store) {
    let key = |kind, name: &str| SecretKey { kind, name: name.into() };
    sample::commit(store, |batch| {
        for (name, number) in NAMES.into_iter().zip(1..) {
            batch.secrets.insert(key(SecretKind::Connection, name), Put(sample::secret(number)));
        }
        batch.secrets.insert(key(SecretKind::AccessKey, "b"), Put(sample::secret(100)));
        batch.secrets.insert(key(SecretKind::ModuleSecret, "b"), Put(sample::secret(200)));
    })
    .await;
    for max in [0, 1, 3, 7, 8] {
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let page =
                store.list_secrets(SecretKind::Connection, from.as_ref(), max).await.expect("readable");
            from = sample::through_text(&page);
            found.extend(page.items.into_iter().map(|(name, _)| name));
            let of_another = store.list_secrets(SecretKind::AccessKey, from.as_ref(), max).await;
            if from.is_none() {
                break;
            }
            sample::assert_invalid_position(&of_another);
        }
        assert_eq!(found, names(), "by {max}");
    }
    let one = store.list_secrets(SecretKind::AccessKey, None, 10).await.expect("readable");
    assert_eq!(one.items, [("b".to_owned(), sample::secret(100))]);
}
