//! What an execution keeps of a distributed Map that runs: the Map Run with its counts, and a row for each child
//! execution, so that a child that starts or ends rewrites neither the items nor the other children.

use minicbor::{Decode, Encode};

use crate::data::json::Data;
use crate::data::text::Text;
use crate::data::timestamp::Timestamp;

use super::execution::{AttemptId, ExecutionId, RowId};

/// A distributed Map that runs.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct MapRun {
    /// The thread that is in the Map state.
    #[n(0)]
    pub owner: RowId,
    /// The UUID in its ARN.
    #[n(1)]
    pub id: ExecutionId,
    #[n(2)]
    pub arn: Text,
    #[n(3)]
    pub started_at: Timestamp,
    /// What its children are started as.
    #[n(4)]
    pub attempt: AttemptId,
    /// The row of the items.
    #[n(5)]
    pub items: RowId,
    #[n(6)]
    pub item_count: u32,
    /// The first item that no child has yet.
    #[n(7)]
    pub next_item: u32,
    /// Row of the first child; the others follow.
    #[n(8)]
    pub first_child: RowId,
    /// Children started so far.
    #[n(9)]
    pub started: u32,
    /// 0 is as many as the engine allows.
    #[n(10)]
    pub concurrency_max: u32,
    #[n(11)]
    pub tolerance: Tolerance,
    #[n(12)]
    pub items_by_status: MapRunCounts,
    #[n(13)]
    pub children_by_status: MapRunCounts,
    /// Bytes of the outputs so far.
    #[n(14)]
    pub output_bytes: u64,
    #[n(15)]
    pub batches: Option<Batches>,
    /// How it ended, while its rows wait for a redrive.
    #[n(16)]
    pub ended: Option<MapRunEnd>,
    #[n(17)]
    pub redriven: Option<MapRunRedrive>,
}

/// The end of a Map Run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct MapRunEnd {
    #[n(0)]
    pub status: MapRunStatus,
    #[n(1)]
    pub at: Timestamp,
}

/// The redrives of a Map Run, and how far the last one has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct MapRunRedrive {
    #[n(0)]
    pub count: u32,
    #[n(1)]
    pub at: Timestamp,
    /// Of those that wait, the first child that has yet to be told so.
    #[n(2)]
    pub next_told: u32,
    /// The first child that has yet to be looked at; none when all of them have been.
    #[n(3)]
    pub next_child: Option<u32>,
}

/// How items are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Batches {
    #[n(0)]
    pub items_max: Option<u32>,
    #[n(1)]
    pub bytes_max: Option<u32>,
    /// The row of `BatchInput`.
    #[n(2)]
    pub input: Option<RowId>,
}

/// How many items may fail. A bound that is not given does not bind, but without any none may.
#[derive(Debug, Clone, Copy, PartialEq, Default, Encode, Decode)]
pub struct Tolerance {
    #[n(0)]
    pub count: Option<u32>,
    #[n(1)]
    pub percentage: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub struct MapRunCounts {
    #[n(0)]
    pub running: u32,
    #[n(1)]
    pub succeeded: u32,
    #[n(2)]
    pub failed: u32,
    #[n(3)]
    pub timed_out: u32,
    #[n(4)]
    pub aborted: u32,
    /// Those that did not succeed and wait for their redrive; only after a redrive.
    #[n(5)]
    pub pending_redrive: Option<u32>,
    /// Those among the unsuccessful that can be redriven no more, if there are any.
    #[n(6)]
    pub not_redrivable: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum MapRunStatus {
    #[n(0)]
    Running,
    #[n(1)]
    Succeeded,
    #[n(2)]
    Failed,
    #[n(3)]
    Aborted,
}

/// What UpdateMapRun changes; what is none stays.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MapRunUpdate {
    pub concurrency_max: Option<u32>,
    pub tolerated_failure_count: Option<u32>,
    pub tolerated_failure_percentage: Option<f64>,
}

/// A child execution of a Map Run.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct MapRunChild {
    #[n(0)]
    pub run: RowId,
    #[n(1)]
    pub id: ExecutionId,
    #[n(2)]
    pub item_count: u32,
    /// Set when it has succeeded.
    #[n(3)]
    pub output: Option<Data>,
    /// Set when it has ended otherwise. Children that can be redriven no more leave no row.
    #[n(4)]
    pub failure: Option<ChildFailure>,
}

/// How a child ended that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ChildFailure {
    #[n(0)]
    Failed,
    #[n(1)]
    TimedOut,
    #[n(2)]
    Aborted,
}

/// What a Map Run wants of one of its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildWanted {
    /// Nothing more: what runs of it is to be stopped.
    Nothing,
    /// It waits for its redrive.
    Pending,
    /// It runs, and its end is awaited as that of this attempt.
    Running(AttemptId),
}

impl MapRun {
    /// Rows of the children that were started.
    pub(super) fn children(&self) -> impl Iterator<Item = RowId> + use<> {
        let first = self.first_child.0;
        (first..first + u64::from(self.started)).map(RowId)
    }

    /// The row of one child.
    pub(super) fn child(&self, index: u32) -> RowId {
        RowId(self.first_child.0 + u64::from(index))
    }

    /// `RUNNING`, or how it ended.
    pub fn status(&self) -> MapRunStatus {
        self.ended.map_or(MapRunStatus::Running, |ended| ended.status)
    }

    /// Whether another child may run, as far as `concurrency_max` and the engine's own bound go.
    pub(super) fn has_room(&self, engine_max: u32) -> bool {
        let wanted = if self.concurrency_max == 0 { engine_max } else { self.concurrency_max };
        self.children_by_status.running < wanted.min(engine_max)
    }

    pub(super) fn is_done(&self) -> bool {
        let counts = &self.children_by_status;
        self.next_item == self.item_count && counts.running == 0 && counts.pending_redrive.unwrap_or(0) == 0
    }

    /// What it wants of the child in this row of its own.
    pub(super) fn wanted(&self, row: RowId, child: &MapRunChild) -> ChildWanted {
        let index = row.0 - self.first_child.0;
        let next_child = self.redriven.and_then(|redriven| redriven.next_child);
        match (self.ended, &child.output, child.failure) {
            (Some(_), _, _) | (_, Some(_), _) => ChildWanted::Nothing,
            (None, None, None) => ChildWanted::Running(self.attempt),
            (None, None, Some(_)) if next_child.is_some_and(|next| u64::from(next) <= index) => {
                ChildWanted::Pending
            }
            (None, None, Some(_)) => ChildWanted::Nothing,
        }
    }

    /// Whether more items have failed than may.
    pub(super) fn exceeds_tolerance(&self) -> bool {
        let MapRunCounts { failed, timed_out, aborted, .. } = self.items_by_status;
        let failed = failed + timed_out + aborted;
        let Tolerance { count, percentage } = self.tolerance;
        if count.is_none() && percentage.is_none() {
            return failed > 0;
        }
        let over = |percentage: f64| f64::from(failed) * 100.0 > percentage * f64::from(self.item_count);
        count.is_some_and(|count| failed > count) || percentage.is_some_and(over)
    }
}

impl MapRunCounts {
    pub(super) fn start(&mut self, count: u32) {
        self.running += count;
    }

    pub(super) fn succeed(&mut self, count: u32) {
        self.running -= count;
        self.succeeded += count;
    }

    pub(super) fn fail(&mut self, count: u32, failure: ChildFailure, is_final: bool) {
        self.running -= count;
        *self.of(failure) += count;
        if is_final {
            *self.not_redrivable.get_or_insert(0) += count;
        }
    }

    /// What still ran when its Map Run ended.
    pub(super) fn abort(&mut self) {
        self.aborted += std::mem::take(&mut self.running);
    }

    /// What did not succeed waits for its redrive.
    pub(super) fn await_redrive(&mut self, count: u32, failure: ChildFailure) {
        *self.of(failure) -= count;
        *self.pending_redrive.get_or_insert(0) += count;
    }

    /// What waited for its redrive waits in vain.
    pub(super) fn give_up_redrive(&mut self, count: u32, failure: ChildFailure) {
        *self.of(failure) += count;
        *self.pending_redrive.get_or_insert(0) -= count;
    }

    /// What waited for its redrive runs again.
    pub(super) fn redrive(&mut self, count: u32) {
        *self.pending_redrive.get_or_insert(0) -= count;
        self.running += count;
    }

    fn of(&mut self, failure: ChildFailure) -> &mut u32 {
        match failure {
            ChildFailure::Failed => &mut self.failed,
            ChildFailure::TimedOut => &mut self.timed_out,
            ChildFailure::Aborted => &mut self.aborted,
        }
    }

    /// Those that have been started.
    pub fn started(&self) -> u32 {
        let pending = self.pending_redrive.unwrap_or(0);
        self.running + self.succeeded + self.failed + self.timed_out + self.aborted + pending
    }
}
