//! The state of one execution: a tree of threads and forks, small rows that are stored one by one.
//!
//! A thread of control is in one state at a time; the root thread is the execution itself. A Parallel or Map
//! state makes a fork, which counts, and a thread for each branch or item, which points back to the fork. A
//! finished child keeps its output in its own row until the fork joins, so that no row grows with their number.

use crate::data::text::Text;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minicbor::{Decode, Encode};

use crate::data::json::Data;
use crate::data::timestamp::Timestamp;
use crate::definition::{Definition, ScopeId, StateId};

use super::child::{MapItem, Parent};
use super::map_run_row::{MapRun, MapRunChild};
use super::test_case::TestCase;

/// Identifies an execution; its high bits are the time of its start, so that ids grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(pub u128);

impl<C> Encode<C> for ExecutionId {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(&self.0.to_be_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for ExecutionId {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<ExecutionId, minicbor::decode::Error> {
        let bytes = decoder.bytes()?;
        let bytes =
            bytes.try_into().map_err(|_| minicbor::decode::Error::message("an execution id has 16 bytes"))?;
        Ok(ExecutionId(u128::from_be_bytes(bytes)))
    }
}

/// Identifies a row of one execution. 0 is reserved for the execution itself, 1 is the root thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct RowId(#[n(0)] pub u64);

impl RowId {
    pub const EXECUTION: RowId = RowId(0);
    pub const ROOT: RowId = RowId(1);
    /// No row of a state: marks an execution whose end its parent has not been told.
    pub const END: RowId = RowId(u64::MAX);
    /// No row of a state: marks an execution that is to be stopped with its parent, or redriven with it.
    pub const SETTLE: RowId = RowId(u64::MAX - 1);
}

/// Identifies one attempt of one task within an execution; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct AttemptId(#[n(0)] pub u64);

/// What stays the same for the whole execution and is not stored with its rows.
#[derive(Debug, Clone)]
pub struct ExecutionInfo {
    pub id: ExecutionId,
    pub arn: Text,
    pub name: Text,
    pub input: Data,
    pub started_at: Timestamp,
    pub role_arn: Text,
    pub state_machine_arn: Text,
    pub state_machine_name: Text,
    pub version_arn: Option<Text>,
    pub alias_arn: Option<Text>,
    pub region: Text,
    /// 256 bits of the system's generator: task tokens, `States.UUID` and jitter come from it.
    pub seed: [u8; 32],
    pub redrive_count: u32,
    pub redriven_at: Option<Timestamp>,
    /// The execution that started this one.
    pub parent: Option<Box<Parent>>,
}

impl ExecutionInfo {
    /// What a child execution of a Map Run works on.
    pub fn map_item(&self) -> Option<&MapItem> {
        self.parent.as_ref()?.item.as_ref()
    }

    /// The part of the definition that the execution runs.
    pub(crate) fn scope(&self) -> ScopeId {
        self.map_item().map_or(Definition::ROOT, |item| item.processor)
    }
}

/// The counters of a running execution.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Header {
    #[n(0)]
    pub next_event: u32,
    #[n(1)]
    pub next_row: u64,
    #[n(2)]
    pub next_attempt: u64,
    /// How often entropy was drawn from the seed.
    #[n(3)]
    pub entropy_drawn: u64,
    /// Threads that a step left ready to go on, because it had written enough.
    #[n(4)]
    pub ready: Vec<RowId>,
    /// In a test case: how many answers each mocked state has given.
    #[n(5)]
    pub mocked: Option<Vec<(StateId, u32)>>,
}

impl Default for Header {
    fn default() -> Header {
        Header {
            next_event: 1,
            next_row: RowId::ROOT.0,
            next_attempt: 1,
            entropy_drawn: 0,
            ready: Vec::new(),
            mocked: None,
        }
    }
}

/// An execution that runs, or that can be redriven, in memory.
#[derive(Debug, Clone)]
pub struct ExecutionState {
    pub info: Arc<ExecutionInfo>,
    pub header: Header,
    pub(crate) rows: BTreeMap<RowId, Row>,
    /// Rows that were written or removed since the last [`ExecutionState::take_changed`].
    pub(crate) changed: BTreeSet<RowId>,
    /// What stands in for tasks, if the execution is a test.
    pub test_case: Option<Arc<TestCase>>,
}

impl ExecutionState {
    pub fn new(info: Arc<ExecutionInfo>) -> ExecutionState {
        ExecutionState::load(info, Header::default(), BTreeMap::new())
    }

    /// Puts a stored execution together again.
    pub fn load(info: Arc<ExecutionInfo>, header: Header, rows: BTreeMap<RowId, Row>) -> ExecutionState {
        ExecutionState { info, header, rows, changed: BTreeSet::new(), test_case: None }
    }

    pub fn row(&self, id: RowId) -> Option<&Row> {
        self.rows.get(&id)
    }

    pub fn rows(&self) -> impl Iterator<Item = (RowId, &Row)> {
        self.rows.iter().map(|(id, row)| (*id, row))
    }

    /// The rows that changed since the last call; none for a row that is gone.
    pub fn take_changed(&mut self) -> Vec<(RowId, Option<Row>)> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|id| (id, self.rows.get(&id).cloned())).collect()
    }

    pub(crate) fn put(&mut self, id: RowId, row: Row) {
        self.rows.insert(id, row);
        self.changed.insert(id);
    }

    pub(crate) fn remove(&mut self, id: RowId) -> Option<Row> {
        self.changed.insert(id);
        self.rows.remove(&id)
    }

    pub fn thread(&self, id: RowId) -> Option<&Thread> {
        match self.rows.get(&id) {
            Some(Row::Thread(thread)) => Some(thread),
            Some(Row::Fork(_) | Row::Items(_) | Row::MapRun(_) | Row::MapRunChild(_)) | None => None,
        }
    }

    /// A thread that is known to be there, to be changed.
    pub(crate) fn thread_mut(&mut self, id: RowId) -> &mut Thread {
        self.changed.insert(id);
        match self.rows.get_mut(&id) {
            Some(Row::Thread(thread)) => thread,
            Some(Row::Fork(_) | Row::Items(_) | Row::MapRun(_) | Row::MapRunChild(_)) | None => {
                panic!("row {} is no thread", id.0)
            }
        }
    }

    pub(crate) fn fork_mut(&mut self, id: RowId) -> &mut Fork {
        self.changed.insert(id);
        match self.rows.get_mut(&id) {
            Some(Row::Fork(fork)) => fork,
            Some(Row::Thread(_) | Row::Items(_) | Row::MapRun(_) | Row::MapRunChild(_)) | None => {
                panic!("row {} is no fork", id.0)
            }
        }
    }

    pub(crate) fn fork(&self, id: RowId) -> &Fork {
        match self.rows.get(&id) {
            Some(Row::Fork(fork)) => fork,
            Some(Row::Thread(_) | Row::Items(_) | Row::MapRun(_) | Row::MapRunChild(_)) | None => {
                panic!("row {} is no fork", id.0)
            }
        }
    }

    pub(crate) fn map_run(&self, id: RowId) -> Option<&MapRun> {
        match self.rows.get(&id) {
            Some(Row::MapRun(run)) => Some(run),
            Some(Row::Thread(_) | Row::Fork(_) | Row::Items(_) | Row::MapRunChild(_)) | None => None,
        }
    }

    pub(crate) fn map_run_mut(&mut self, id: RowId) -> &mut MapRun {
        self.changed.insert(id);
        match self.rows.get_mut(&id) {
            Some(Row::MapRun(run)) => run,
            Some(Row::Thread(_) | Row::Fork(_) | Row::Items(_) | Row::MapRunChild(_)) | None => {
                panic!("row {} is no Map Run", id.0)
            }
        }
    }

    /// Whether the execution has ended without success and kept what a redrive needs.
    pub fn is_stopped(&self) -> bool {
        self.thread(RowId::ROOT).is_some_and(|root| matches!(root.phase, Phase::Stopped(_)))
    }

    /// Takes `count` row ids in a row; gives the first.
    pub(crate) fn reserve_rows(&mut self, count: u64) -> RowId {
        let first = self.header.next_row;
        self.header.next_row += count;
        RowId(first)
    }
}

/// A stored piece of an execution that runs or can be redriven.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Row {
    #[n(0)]
    Thread(#[n(0)] Box<Thread>),
    #[n(1)]
    Fork(#[n(0)] Fork),
    /// The items of a Map, which stay the same while it runs.
    #[n(2)]
    Items(#[n(0)] Data),
    #[n(3)]
    MapRun(#[n(0)] Box<MapRun>),
    #[n(4)]
    MapRunChild(#[n(0)] MapRunChild),
}

/// Variables in the order in which they were first assigned.
pub type Variables = Vec<(Text, Data)>;

/// One thread of control.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Thread {
    /// The fork that waits for this thread; none for the root.
    #[n(0)]
    pub fork: Option<RowId>,
    /// The branch, or the item's index.
    #[n(1)]
    pub index: u32,
    #[n(2)]
    pub state: StateId,
    /// The input of `state`, before InputPath.
    #[n(3)]
    pub input: Data,
    /// The variables of this thread's own scope; those of outer scopes are found through the fork.
    #[n(4)]
    pub variables: Variables,
    /// The last event of this thread, which the next one names as its previous.
    #[n(5)]
    pub last_event: u32,
    /// The event that entered `state`, for error texts.
    #[n(6)]
    pub entered_event: u32,
    #[n(7)]
    pub entered_at: Timestamp,
    /// Attempts that each retrier of `state` has used; empty until the first failure, and after a redrive.
    #[n(8)]
    pub retries: Vec<u32>,
    #[n(9)]
    pub phase: Phase,
    /// The event before the one that entered `state`: a failed evaluation and a stop name it as their previous.
    #[n(10)]
    pub before_event: u32,
}

impl Thread {
    /// The root thread, before its first state.
    pub(crate) fn new(state: StateId, input: Data) -> Thread {
        Thread {
            fork: None,
            index: 0,
            state,
            input,
            variables: Vec::new(),
            last_event: 0,
            entered_event: 0,
            entered_at: Timestamp::EPOCH,
            retries: Vec::new(),
            phase: Phase::Entering,
            before_event: 0,
        }
    }

    /// A branch or an item of a fork.
    pub(crate) fn child(fork: RowId, index: u32, state: StateId, input: Data, last_event: u32) -> Thread {
        Thread { fork: Some(fork), index, last_event, before_event: last_event, ..Thread::new(state, input) }
    }

    pub(crate) fn assign(&mut self, assigned: Variables) {
        if assigned.is_empty() {
            return;
        }
        let known = self.variables.iter().enumerate();
        let places: BTreeMap<Text, usize> = known.map(|(at, (name, _))| (name.clone(), at)).collect();
        for (name, value) in assigned {
            match places.get(&name) {
                Some(at) => self.variables[*at].1 = value,
                None => self.variables.push((name, value)),
            }
        }
    }

    pub fn retry_count(&self) -> u32 {
        self.retries.iter().sum()
    }

    /// The task that the thread awaits, if it is this attempt of it.
    pub fn awaited(&self, attempt: AttemptId) -> Option<&TaskPhase> {
        match &self.phase {
            Phase::Task(task) if task.attempt == attempt => Some(task),
            Phase::Task(_)
            | Phase::Entering
            | Phase::Working
            | Phase::RetryAt(_)
            | Phase::WaitUntil(_)
            | Phase::Forked(_)
            | Phase::Done(_)
            | Phase::Stopped(_) => None,
        }
    }
}

/// What a thread waits for.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Phase {
    /// `state` is to be entered.
    #[n(0)]
    Entering,
    /// `state` was entered; its work is to be done, or done again.
    #[n(1)]
    Working,
    #[n(2)]
    Task(#[n(0)] TaskPhase),
    #[n(3)]
    RetryAt(#[n(0)] Timestamp),
    #[n(4)]
    WaitUntil(#[n(0)] Timestamp),
    #[n(5)]
    Forked(#[n(0)] RowId),
    /// A branch or item that has come to its end and waits to be joined.
    #[n(6)]
    Done(#[n(0)] Data),
    /// It failed, or was given up with what is around it. Only a redrive takes it up again.
    #[n(7)]
    Stopped(#[n(0)] Stopped),
}

/// Where a stopped thread goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Stopped {
    /// Its state is to be entered, or entered again.
    #[n(0)]
    Unentered,
    /// Its state was entered; its work is to be done anew.
    #[n(1)]
    Entered,
    /// The branches or items of its state go on.
    #[n(2)]
    Forked(#[n(0)] RowId),
}

/// A task attempt that has been scheduled.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct TaskPhase {
    #[n(0)]
    pub attempt: AttemptId,
    #[n(1)]
    pub stage: TaskStage,
    /// The effective input; none if it is the thread's own input.
    #[n(2)]
    pub input: Option<Data>,
    /// When `TimeoutSeconds` is over.
    #[n(3)]
    pub deadline: Option<Timestamp>,
    #[n(4)]
    pub heartbeat_seconds: Option<u32>,
    /// When the next heartbeat is due.
    #[n(5)]
    pub heartbeat_due: Option<Timestamp>,
    #[n(6)]
    pub role_arn: Option<String>,
    /// The execution that the task has started and whose end it awaits.
    #[n(7)]
    pub child: Option<ExecutionId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum TaskStage {
    /// An activity in its queue.
    #[n(0)]
    Scheduled,
    /// With an executor or a worker.
    #[n(1)]
    Started,
    /// The service has taken it; now it waits for its token or for a job.
    #[n(2)]
    Submitted,
}

/// The bookkeeping of a Parallel or Map state.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Fork {
    /// The thread that is in the Parallel or Map state.
    #[n(0)]
    pub owner: RowId,
    /// Row of the first child; the others follow.
    #[n(1)]
    pub first_child: RowId,
    #[n(2)]
    pub count: u32,
    /// Children started so far.
    #[n(3)]
    pub started: u32,
    /// Children started and not finished.
    #[n(4)]
    pub live: u32,
    #[n(5)]
    pub failed: u32,
    /// How many items may fail; none if a first failure fails the state.
    #[n(6)]
    pub tolerated_failures: Option<u32>,
    /// The row of a Map's items; none for a Parallel.
    #[n(7)]
    pub items: Option<RowId>,
    /// How many children run at once; none for a Parallel, whose branches all do.
    #[n(8)]
    pub concurrency: Option<u32>,
    /// The first child that a redrive has yet to look at; none when it has seen all of them.
    #[n(9)]
    pub next_redriven: Option<u32>,
}
