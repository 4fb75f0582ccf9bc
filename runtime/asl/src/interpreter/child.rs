//! Executions that another execution started: where they belong, who they are, and how their end comes back.

use minicbor::{Decode, Encode};

use crate::data::json::Data;
use crate::data::scope::keyed_digest;
use crate::data::text::Text;
use crate::data::timestamp::Timestamp;
use crate::definition::ScopeId;

use super::event::Ending;
use super::execution::{AttemptId, ExecutionId, ExecutionInfo, ExecutionState, Row, RowId};
use super::map_run_row::ChildWanted;
use super::stepper::Stepper;

/// Who awaits the end of an execution. Its row and attempt name one awaited thing within the parent, as they do
/// for a task with an executor.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct Parent {
    #[n(0)]
    pub execution: ExecutionId,
    #[n(1)]
    pub row: RowId,
    #[n(2)]
    pub attempt: AttemptId,
    /// Present in the children of a Map Run.
    #[n(3)]
    pub item: Option<MapItem>,
}

/// What a child execution of a Map Run works on.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct MapItem {
    #[n(0)]
    pub map_run_arn: Text,
    /// The item processor, which is what the child runs of its machine's definition.
    #[n(1)]
    pub processor: ScopeId,
    #[n(2)]
    pub express: bool,
    #[n(3)]
    pub count: u32,
    /// None for a batch.
    #[n(4)]
    pub index: Option<u32>,
    /// The item, where it is not the child's input.
    #[n(5)]
    pub value: Option<Data>,
    /// Of an entry of an object.
    #[n(6)]
    pub key: Option<Text>,
}

/// A child execution to start. It runs a part of its parent's definition.
#[derive(Debug, Clone, PartialEq)]
pub struct StartChild {
    pub id: ExecutionId,
    pub seed: [u8; 32],
    pub arn: Text,
    pub name: Text,
    pub state_machine_arn: Text,
    pub input: Data,
    /// The Map Run that the child belongs to.
    pub map_run: ExecutionId,
    pub parent: Parent,
}

/// A child execution as its parent sees it when it has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ChildEnd {
    pub id: ExecutionId,
    pub arn: Text,
    pub name: Text,
    pub state_machine_arn: Text,
    pub input: Data,
    pub started_at: Timestamp,
    pub stopped_at: Timestamp,
    pub ending: Ending,
    /// It can be redriven no more, whatever its ending.
    pub is_final: bool,
}

/// Identity and secret of a child that `parent` starts at `now`: an id of the same form as any other, a UUID of
/// version 7, and a seed. Both come from the parent's seed, so that a step stays a function of its arguments.
pub fn child_identity(
    parent: &ExecutionInfo,
    row: RowId,
    attempt: AttemptId,
    now: Timestamp,
) -> (ExecutionId, [u8; 32]) {
    let mut place = row.0.to_be_bytes().to_vec();
    place.extend(attempt.0.to_be_bytes());
    let digest = keyed_digest(&parent.seed, b"child id", &place);
    let random = u128::from_be_bytes(digest[..16].try_into().expect("a digest has 32 bytes"));
    let milliseconds = u128::from(now.as_milliseconds().max(0).unsigned_abs()) & ((1 << 48) - 1);
    let id = (milliseconds << 80) | (random & UUID_RANDOM_BITS) | UUID_VERSION_7 | UUID_VARIANT;
    (ExecutionId(id), keyed_digest(&parent.seed, b"child seed", &place))
}

impl ExecutionState {
    /// What this execution wants of one that it started for a Map Run.
    pub fn wanted(&self, row: RowId, child: ExecutionId) -> ChildWanted {
        if self.is_stopped() {
            return ChildWanted::Nothing;
        }
        match self.row(row) {
            Some(Row::MapRunChild(found)) if found.id == child => {
                self.map_run(found.run).map_or(ChildWanted::Nothing, |run| run.wanted(row, found))
            }
            Some(Row::MapRunChild(_) | Row::Thread(_) | Row::Fork(_) | Row::Items(_) | Row::MapRun(_))
            | None => ChildWanted::Nothing,
        }
    }
}

/// RFC 9562: the bits of a UUID of version 7 that are random, beside its time.
const UUID_RANDOM_BITS: u128 = 0x0fff_3fff_ffff_ffff_ffff;
const UUID_VERSION_7: u128 = 0x7000_0000_0000_0000_0000;
const UUID_VARIANT: u128 = 0x8000_0000_0000_0000;

impl Stepper<'_> {
    /// An execution that this one started has ended; says whether that was awaited.
    pub(super) fn child_execution_ended(&mut self, row: RowId, attempt: AttemptId, end: &ChildEnd) -> bool {
        match self.state.row(row) {
            Some(Row::Thread(_)) => self.task_child_ended(row, attempt, end),
            Some(Row::MapRunChild(_)) => self.map_run_child_ended(row, attempt, end),
            Some(Row::Fork(_) | Row::Items(_) | Row::MapRun(_)) | None => false,
        }
    }
}

/// A UUID as text.
pub(super) fn uuid(id: ExecutionId) -> String {
    let digits = format!("{:032x}", id.0);
    let (a, b, c, d, e) = (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
    format!("{a}-{b}-{c}-{d}-{e}")
}
