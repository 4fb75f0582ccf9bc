//! What must be true when everything has come to its end.

use std::collections::{BTreeMap, BTreeSet};

use asl::Text;
use asl::interpreter::{Ending, ExecutionId, HistoryEvent, HistoryKind, MapRunStatus};
use engine::arn::MapRunArn;
use store::{ExecutionRecord, ExecutionStatus, HistoryQuery, Order, Store, TimerKey, map_run_listing};

use crate::resting;

use super::clients::Clients;
use super::reference::References;
use super::storage::{Storage, at_once};

/// Holds the store against what clients were told and against a run in which nothing goes wrong; gives the hash
/// of all histories.
pub(super) fn check(store: &Storage, clients: &Clients) -> Result<u64, String> {
    let mut references = References::default();
    let mut definitions = BTreeMap::new();
    let mut hash = Hash::new();
    for id in store.executions.keys() {
        let record = store.execution(*id).ok_or_else(|| format!("{id:?} is lost"))?;
        let events = history(store, *id, &record)?;
        hash.add(&minicbor::to_vec(&events).expect("a history can be encoded"));
        let definition: &Text = definitions.entry(record.revision).or_insert_with(|| {
            let revision = at_once(store.memory.revision(record.revision));
            revision.expect("it can be read").expect("revisions stay").definition
        });
        let reference = references.ending(definition, &record);
        map_runs(store, *id, &events)?;
        kept(store, *id, &record)?;
        is_as_without_faults(&record, reference, definition, clients)
            .map_err(|rule| format!("{rule}: {record:?}; without faults {reference:?}; {definition}"))?;
    }
    promises(store, clients)?;
    redrives(store, clients)?;
    Ok(hash.0)
}

/// An execution that has ended keeps what a redrive needs until a timer removes it, and nothing else; one that has
/// succeeded keeps nothing.
fn kept(store: &Storage, id: ExecutionId, record: &ExecutionRecord) -> Result<(), String> {
    let over = store.redrives_over.iter().filter(|timer| timer.execution == id).copied();
    let over: Vec<TimerKey> = over.collect();
    let Some(state) = store.state_of(id) else {
        let is_right = record.status == ExecutionStatus::Succeeded && over.is_empty();
        return if is_right { Ok(()) } else { Err(format!("{record:?} has kept nothing, and {over:?}")) };
    };
    if record.status == ExecutionStatus::Succeeded || record.redrives.is_none() {
        return Err(format!("{record:?} has kept {state:?}"));
    }
    let due = record.stopped_at.map(|at| at.saturating_add_seconds(14 * 24 * 3_600));
    if over.iter().map(|timer| Some(timer.due)).ne([due]) {
        return Err(format!("{record:?} is not kept until {due:?}, but as {over:?} say"));
    }
    if !state.header.header.ready.is_empty() {
        return Err(format!("something goes on after the end: {state:?}"));
    }
    let rows = state.rows.iter().map(|(row, content)| (*row, content)).collect();
    resting::check(&rows).map_err(|rule| format!("{rule}: {record:?} has kept {state:?}"))
}

/// Each redrive was asked for, and each of which a client was told has happened. A token that comes back after its time
/// redrives anew, which only a clock that jumps brings about.
fn redrives(store: &Storage, clients: &Clients) -> Result<(), String> {
    for (arn, asked) in &clients.redrives {
        let found = store.find(arn.state_machine_name(), arn.name());
        let (id, _) = found.ok_or_else(|| format!("{arn} is lost"))?;
        let redrives = store.histories.redrives(id);
        if redrives.len() > *asked && !clients.clock_jumps {
            return Err(format!("{arn} was redriven at {redrives:?}, though {asked} have asked for it"));
        }
        let told = clients.redriven.iter().filter(|(redriven, _)| redriven == arn);
        if told.clone().any(|(_, at)| !redrives.contains(at)) || told.count() > redrives.len() {
            return Err(format!("{arn} was redriven at {redrives:?}, and clients were told otherwise"));
        }
    }
    Ok(())
}

fn history(store: &Storage, id: ExecutionId, record: &ExecutionRecord) -> Result<Vec<HistoryEvent>, String> {
    let mut events = Vec::new();
    let mut from = None;
    loop {
        let query = HistoryQuery {
            execution: id,
            last_lsn: record.last_lsn,
            order: Order::Forward,
            from,
            max: 1_000,
        };
        let page = at_once(store.memory.history(query)).map_err(|error| error.to_string())?;
        events.extend(page.items);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    if events.len() != store.histories.events(id) || events.len() != record.event_count as usize {
        return Err(format!("{} of the events of {record:?} are found", events.len()));
    }
    Ok(events)
}

/// A Map Run has started one child for each item, and knows how many ended how. Its redrives are in the history.
fn map_runs(store: &Storage, id: ExecutionId, events: &[HistoryEvent]) -> Result<(), String> {
    let runs = at_once(store.memory.list_map_runs(id, None, 1_000)).map_err(|error| error.to_string())?;
    for run in runs.items {
        let arn = MapRunArn::parse(&run.arn).map_err(|error| error.to_string())?;
        let listing = map_run_listing(ExecutionId(arn.id().as_u128()));
        let count = |status| {
            let children = at_once(store.memory.list_executions(listing, status, None, 1_000));
            children.map_or(0, |page| page.items.len())
        };
        let counts = run.children.by_status;
        let is_counted = counts.running == 0 && counts.started() as usize == count(None);
        // What ended while its Map Run was being given up may not have been counted so any more.
        let is_right = run.status != MapRunStatus::Succeeded
            || (counts.succeeded as usize == count(Some(ExecutionStatus::Succeeded))
                && counts.failed as usize == count(Some(ExecutionStatus::Failed))
                && run.items.pending == 0);
        let redrives = events.iter().filter_map(|event| match &event.kind {
            HistoryKind::MapRunRedriven { map_run_arn, redrive_count } if *map_run_arn == run.arn => {
                Some(*redrive_count)
            }
            _ => None,
        });
        let is_redriven = redrives.eq(1..=run.redrive_count);
        let children = at_once(store.memory.list_executions(listing, None, None, 1_000));
        let children = children.map_err(|error| error.to_string())?.items;
        let items: BTreeSet<Option<u32>> =
            children.iter().map(|(_, child)| child.parent.as_ref()?.item.as_ref()?.index).collect();
        if items.len() != children.len() || counts.pending_redrive.unwrap_or(0) > 0 || !is_redriven {
            return Err(format!("a Map Run has children twice or redrives it knows nothing of: {run:?}"));
        }
        if run.status == MapRunStatus::Running || !is_counted || !is_right {
            return Err(format!("a Map Run does not fit its {} children: {run:?}", count(None)));
        }
    }
    Ok(())
}

/// An execution ends as it would if nothing went wrong. Excepted are those that a client asked to stop, which may
/// be aborted, children of Map Runs, which are aborted with them, and those of machines with `TimeoutSeconds`, which may time out after so many seconds.
fn is_as_without_faults(
    record: &ExecutionRecord,
    reference: &Ending,
    definition: &str,
    clients: &Clients,
) -> Result<(), &'static str> {
    let is_same = match (record.status, reference) {
        (ExecutionStatus::Succeeded, Ending::Succeeded { output }) => record.output.as_ref() == Some(output),
        (ExecutionStatus::Failed, Ending::Failed(error)) => record.error.as_ref() == Some(error),
        (ExecutionStatus::Aborted, _) if record.parent.is_some() => true,
        (ExecutionStatus::Aborted, _) => clients.stops.iter().any(|arn| arn.as_str() == &*record.arn),
        (ExecutionStatus::TimedOut, _) => {
            let definition: serde_json::Value =
                serde_json::from_str(definition).expect("it was parsed before");
            let seconds = definition["TimeoutSeconds"].as_i64();
            let stopped_at = record.stopped_at.ok_or("an execution that has ended has a time of its end")?;
            let began_at = record.redriven_at.unwrap_or(record.started_at);
            seconds.is_some_and(|seconds| began_at.saturating_add_seconds(seconds) <= stopped_at)
        }
        (_, _) => false,
    };
    if is_same { Ok(()) } else { Err("an execution ends as without faults") }
}

/// What clients were told is still true.
fn promises(store: &Storage, clients: &Clients) -> Result<(), String> {
    for (started, input) in &clients.started {
        let found = store.find(started.arn.state_machine_name(), started.arn.name());
        let is_there = found.is_some_and(|(id, record)| {
            id == started.id && record.input == *input && record.started_at == started.at
        });
        if !is_there {
            return Err(format!("an execution is lost of which a client knows: {started:?}"));
        }
    }
    for (arn, at) in &clients.stopped {
        let found = store.find(arn.state_machine_name(), arn.name());
        if found.is_none_or(|(id, _)| !store.histories.ends(id).contains(at)) {
            return Err(format!("{arn} was not stopped at {at}, as a client was told"));
        }
    }
    Ok(())
}

/// FNV-1a.
struct Hash(u64);

impl Hash {
    fn new() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
