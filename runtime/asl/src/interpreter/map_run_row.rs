//! What an execution keeps of a distributed Map that runs: the Map Run with its counts, and a row for each child
//! execution, so that a child that starts or ends rewrites neither the items nor the other children.

use minicbor::{Decode, Encode};

use crate::data::json::Data;
use crate::data::text::Text;
use crate::data::timestamp::Timestamp;

use super::event::Ending;
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
    /// Set when it has succeeded. Children that end otherwise leave no row.
    #[n(3)]
    pub output: Option<Data>,
}

impl MapRun {
    /// Rows of the children that were started.
    pub(super) fn children(&self) -> impl Iterator<Item = RowId> + use<> {
        let first = self.first_child.0;
        (first..first + u64::from(self.started)).map(RowId)
    }

    /// Whether another child may start, as far as `concurrency_max` and the engine's own bound go.
    pub(super) fn has_room(&self, engine_max: u32) -> bool {
        let wanted = if self.concurrency_max == 0 { engine_max } else { self.concurrency_max };
        self.next_item < self.item_count && self.children_by_status.running < wanted.min(engine_max)
    }

    pub(super) fn is_done(&self) -> bool {
        self.next_item == self.item_count && self.children_by_status.running == 0
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

    pub(super) fn end(&mut self, count: u32, ending: &Ending) {
        self.running -= count;
        match ending {
            Ending::Succeeded { .. } => self.succeeded += count,
            Ending::Failed(_) => self.failed += count,
            Ending::TimedOut(_) => self.timed_out += count,
            Ending::Aborted(_) => self.aborted += count,
        }
    }

    /// What still ran when its Map Run ended.
    pub(super) fn abort(&mut self) {
        self.aborted += std::mem::take(&mut self.running);
    }

    /// Those that have been started.
    pub fn started(&self) -> u32 {
        self.running + self.succeeded + self.failed + self.timed_out + self.aborted
    }
}
