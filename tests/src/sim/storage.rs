//! The store of the simulation: the one in memory, with commits that take time and can fail, and a shadow of
//! the tables that must drain.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use asl::interpreter::{AttemptId, ExecutionId, Phase, Row, TimerKind};
use engine::shard::{Loaded, LoadedExecution, Missing, Snapshot, TaskKey};
use store::{
    Batch, Change, Changes, ExecutionRecord, ExecutionStatus, MemoryStore, QueueKey, Redrives, RowKey, Store,
    StoredState, TimerKey,
};

use super::history::Histories;

pub(super) struct Storage {
    pub(super) memory: MemoryStore,
    /// Batches on their way, by the number of their commit.
    pending: BTreeMap<u64, Batch>,
    pub(super) executions: BTreeMap<ExecutionId, ExecutionStatus>,
    pub(super) running: usize,
    pub(super) state: BTreeSet<RowKey>,
    /// All but those that end the time for a redrive.
    pub(super) timers: BTreeSet<TimerKey>,
    pub(super) redrives_over: BTreeSet<TimerKey>,
    pub(super) dispatched: BTreeSet<RowKey>,
    pub(super) queued: BTreeSet<QueueKey>,
    pub(super) histories: Histories,
    /// The number of the newest row of history.
    last_history: u64,
}

/// The futures of the store in memory are done when they are polled.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store in memory never waits"),
    }
}

/// The store in memory can always be read.
const READABLE: &str = "the store in memory holds what it was given";

impl Storage {
    pub(super) fn new() -> Storage {
        Storage {
            memory: MemoryStore::new(1),
            pending: BTreeMap::new(),
            executions: BTreeMap::new(),
            running: 0,
            state: BTreeSet::new(),
            timers: BTreeSet::new(),
            redrives_over: BTreeSet::new(),
            dispatched: BTreeSet::new(),
            queued: BTreeSet::new(),
            histories: Histories::default(),
            last_history: 0,
        }
    }

    pub(super) fn submit(&mut self, commit: u64, batch: Batch) {
        self.pending.insert(commit, batch);
    }

    pub(super) fn pending(&self) -> Vec<u64> {
        self.pending.keys().copied().collect()
    }

    /// The process that sent the batch is gone before it was written.
    pub(super) fn forget(&mut self, commit: u64) {
        self.pending.remove(&commit);
    }

    /// Makes a batch durable, after those that were sent before it.
    pub(super) fn apply(&mut self, commit: u64, results: &[TaskKey]) -> Result<(), String> {
        while let Some((number, batch)) = self.pending.pop_first() {
            if number > commit {
                self.pending.insert(number, batch);
                break;
            }
            self.write(batch, results)?;
        }
        Ok(())
    }

    fn write(&mut self, batch: Batch, results: &[TaskKey]) -> Result<(), String> {
        shadow(&mut self.state, &batch.state);
        let of_redrives = |key: &TimerKey| key.kind == TimerKind::RedriveOver;
        let (redrives, timers) = batch.timers.clone().into_iter().partition(|(key, _)| of_redrives(key));
        shadow(&mut self.timers, &timers);
        shadow(&mut self.redrives_over, &redrives);
        shadow(&mut self.dispatched, &batch.dispatched);
        shadow(&mut self.queued, &batch.activity_tasks);
        for (number, row) in &batch.history {
            if std::mem::replace(&mut self.last_history, *number) >= *number {
                return Err(format!("a number of the sequence is given twice: {number} to {row:?}"));
            }
            self.histories.append(row, results)?;
        }
        for (id, change) in &batch.executions {
            match change {
                Change::Put(record) => self.execution_written(*id, record)?,
                Change::Delete => return Err(format!("nobody deletes executions: {id:?}")),
            }
        }
        at_once(self.memory.commit(batch)).map_err(|error| error.to_string())
    }

    fn execution_written(&mut self, id: ExecutionId, record: &ExecutionRecord) -> Result<(), String> {
        let before = self.executions.insert(id, record.status);
        self.running -= usize::from(before == Some(ExecutionStatus::Running));
        self.running += usize::from(record.status == ExecutionStatus::Running);
        if before.is_some_and(|status| status != ExecutionStatus::Running) {
            let before = self.execution(id).expect("it was written");
            if !may_follow(&before, record) {
                return Err(format!("an execution that had ended was written again: {before:?}, {record:?}"));
            }
        }
        self.histories.check_status(id, record)
    }

    /// Whether nothing is under way any more, whatever executions that have ended may have kept.
    pub(super) fn is_drained(&self) -> bool {
        self.timers.is_empty() && self.dispatched.is_empty() && self.queued.is_empty()
    }

    /// Whether nothing at all is left of executions that have ended.
    pub(super) fn keeps_nothing(&self) -> bool {
        self.is_drained() && self.state.is_empty() && self.redrives_over.is_empty()
    }

    pub(super) fn leftovers(&self) -> String {
        format!(
            "state {:?}, timers {:?} {:?}, dispatched {:?}, queued {:?}",
            self.state, self.timers, self.redrives_over, self.dispatched, self.queued
        )
    }

    pub(super) fn execution(&self, id: ExecutionId) -> Option<ExecutionRecord> {
        at_once(self.memory.execution(id)).expect(READABLE)
    }

    pub(super) fn state_of(&self, id: ExecutionId) -> Option<StoredState> {
        at_once(self.memory.load_state(id)).expect(READABLE)
    }

    pub(super) fn find(&self, machine: &str, name: &str) -> Option<(ExecutionId, ExecutionRecord)> {
        at_once(engine::find_execution(&self.memory, machine, name)).expect(READABLE)
    }

    /// Whether the store says that this attempt is the one that is awaited.
    pub(super) fn awaits(&self, task: TaskKey) -> bool {
        let Some(state) = self.state_of(task.execution) else { return false };
        let Some(Row::Thread(thread)) = state.rows.get(&task.row) else { return false };
        matches!(&thread.phase, Phase::Task(awaited) if awaited.attempt == task.attempt)
    }

    /// Whether the store knows of an attempt, be it over or not.
    pub(super) fn has_scheduled(&self, task: TaskKey) -> bool {
        self.state_of(task.execution).map_or_else(
            || self.executions.get(&task.execution).is_some_and(|status| *status != ExecutionStatus::Running),
            |state| state.header.header.next_attempt > task.attempt.0,
        )
    }

    /// What the shard misses, as the driver loads it.
    pub(super) fn load(&self, missing: Missing) -> Loaded {
        let store = &self.memory;
        match missing {
            Missing::Machine(name) => {
                let record = at_once(store.machine(&name)).expect(READABLE);
                let found = record.and_then(|record| {
                    let revision = at_once(store.revision(record.revision)).expect(READABLE);
                    revision.map(|revision| (record, revision))
                });
                Loaded::Machine(name, found)
            }
            Missing::Revision(number) => {
                let revision = at_once(store.revision(number)).expect(READABLE);
                Loaded::Revision(number, revision.expect("the revision of a version stays"))
            }
            Missing::Execution(id) => Loaded::Execution(id, self.load_execution(id)),
            Missing::Kept(id) => {
                let kept = self.state_of(id).map(|state| {
                    let record = self.execution(id).expect("its state is there");
                    let revision = at_once(store.revision(record.revision)).expect(READABLE);
                    Box::new((revision.expect("the revision of an execution stays"), state))
                });
                Loaded::Kept(id, kept)
            }
            Missing::Name(machine, name) => {
                let id = self.find(&machine, &name).map(|(id, _)| id);
                Loaded::Name(machine, name, id)
            }
            Missing::Module(name) => Loaded::Module(name, None),
            Missing::ModuleVersion(name, version) => Loaded::ModuleVersion(name, version, false),
            Missing::Secret(key) => Loaded::Secret(key, None),
        }
    }

    fn load_execution(&self, id: ExecutionId) -> LoadedExecution {
        let Some(record) = self.execution(id) else { return LoadedExecution::Absent };
        if record.status != ExecutionStatus::Running {
            return LoadedExecution::Ended(Box::new(record));
        }
        let revision = at_once(self.memory.revision(record.revision)).expect(READABLE);
        LoadedExecution::Running {
            record: Box::new(record),
            revision: Box::new(revision.expect("the revision of an execution stays")),
            state: Box::new(self.state_of(id).expect("an execution that runs has a state")),
        }
    }

    /// What a shard starts with, as the driver loads it.
    pub(super) fn snapshot(&self) -> Snapshot {
        let store = &self.memory;
        let meta = at_once(store.meta()).expect(READABLE);
        let page = at_once(store.list_activities(None, 1_000)).expect(READABLE);
        let queue = |name: &str| at_once(store.activity_tasks(name, None, 10_000)).expect(READABLE);
        let activities = page.items.into_iter().map(|activity| {
            let tasks = queue(&activity.name);
            (activity, tasks)
        });
        Snapshot { sequence: meta.sequence, activities: activities.collect() }
    }
}

/// Whether an execution that has ended may become this: one that was redriven, one that can be no more, or a child of a
/// Map Run that waits for its redrive or whose end is told again.
fn may_follow(before: &ExecutionRecord, after: &ExecutionRecord) -> bool {
    let is_redriven = after.redrive_count == before.redrive_count + 1;
    let is_child = before.parent.as_ref().is_some_and(|parent| parent.item.is_some());
    let is_unsuccessful = before.status != ExecutionStatus::Succeeded;
    (is_redriven && is_unsuccessful) || ((is_unsuccessful || is_child) && lasting(before) == lasting(after))
}

/// What stays of an execution that has ended.
fn lasting(record: &ExecutionRecord) -> ExecutionRecord {
    let redrives = record.redrives.clone().unwrap_or_default();
    let mut parent = record.parent.clone();
    if let Some(parent) = parent.as_mut().filter(|parent| parent.item.is_some()) {
        parent.attempt = AttemptId(0);
    }
    ExecutionRecord {
        status: redrives.ended_as.unwrap_or(record.status),
        redrives: Some(Box::new(Redrives { is_over: true, ended_as: None, ..*redrives })),
        parent,
        ..record.clone()
    }
}

fn shadow<K: Ord + Clone, T>(keys: &mut BTreeSet<K>, changes: &Changes<K, T>) {
    for (key, change) in changes {
        match change {
            Change::Put(_) => _ = keys.insert(key.clone()),
            Change::Delete => _ = keys.remove(key),
        }
    }
}
