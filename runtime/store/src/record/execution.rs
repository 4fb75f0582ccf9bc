//! An execution: what describes it, and the rows of its state while it runs or can be redriven.

use std::collections::BTreeMap;

use asl::interpreter::{ErrorOutput, Header, Parent, Row, RowId};
use asl::{Data, Text, Timestamp};
use minicbor::{Decode, Encode};

use crate::codec::{Record, decode_cbor, encode_cbor, record_version_1, split_version};
use crate::error::DecodeError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum ExecutionStatus {
    #[n(0)]
    Running,
    #[n(1)]
    Succeeded,
    #[n(2)]
    Failed,
    #[n(3)]
    TimedOut,
    #[n(4)]
    Aborted,
    #[n(5)]
    PendingRedrive,
}

impl ExecutionStatus {
    pub const ALL: [ExecutionStatus; 6] = [
        ExecutionStatus::Running,
        ExecutionStatus::Succeeded,
        ExecutionStatus::Failed,
        ExecutionStatus::TimedOut,
        ExecutionStatus::Aborted,
        ExecutionStatus::PendingRedrive,
    ];

    /// The number in keys and positions, the same as in records.
    pub(crate) const fn number(self) -> u8 {
        match self {
            ExecutionStatus::Running => 0,
            ExecutionStatus::Succeeded => 1,
            ExecutionStatus::Failed => 2,
            ExecutionStatus::TimedOut => 3,
            ExecutionStatus::Aborted => 4,
            ExecutionStatus::PendingRedrive => 5,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<ExecutionStatus> {
        ExecutionStatus::ALL.into_iter().find(|status| status.number() == number)
    }
}

/// What DescribeExecution and ListExecutions show. Written when an execution starts, ends, waits for its redrive and is
/// redriven, and when it can be redriven no more.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ExecutionRecord {
    #[n(0)]
    pub arn: Text,
    #[n(1)]
    pub name: Text,
    #[n(2)]
    pub state_machine_arn: Text,
    #[n(3)]
    pub machine_id: u64,
    /// The revision of the machine that the execution is pinned to.
    #[n(4)]
    pub revision: u64,
    #[n(5)]
    pub status: ExecutionStatus,
    #[n(6)]
    pub started_at: Timestamp,
    #[n(7)]
    pub stopped_at: Option<Timestamp>,
    #[n(8)]
    pub input: Data,
    #[n(9)]
    pub output: Option<Data>,
    #[n(10)]
    pub error: Option<ErrorOutput>,
    /// The newest history row at the last write of this record. While the execution runs, [`StateHeader`] has
    /// the true one.
    #[n(11)]
    pub last_lsn: u64,
    /// Events at the last write of this record.
    #[n(12)]
    pub event_count: u32,
    #[cbor(n(13), with = "minicbor::bytes")]
    pub seed: [u8; 32],
    #[n(14)]
    pub redrive_count: u32,
    #[n(15)]
    pub redriven_at: Option<Timestamp>,
    #[n(16)]
    pub trace_header: Option<String>,
    #[n(17)]
    pub version_arn: Option<Text>,
    #[n(18)]
    pub alias_arn: Option<Text>,
    /// The execution that started this one and awaits its end.
    #[n(19)]
    pub parent: Option<Box<Parent>>,
    /// Lists in which the execution stands besides that of its machine: those of its version and its alias.
    #[n(20)]
    pub lists: Option<Vec<u64>>,
    /// From the first end without success on. None of what ended before executions could be redriven.
    #[n(21)]
    pub redrives: Option<Box<Redrives>>,
    /// The test case with which it was started: answers stand in for tasks.
    #[n(22)]
    pub test_case: Option<Text>,
}

/// What is known of an execution's redrives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Redrives {
    /// The tokens of the last ones, the newest at the end.
    #[n(0)]
    pub tokens: Vec<RedriveToken>,
    /// The rows from which it would go on were removed, since their time was over.
    #[n(1)]
    pub is_over: bool,
    /// How it ended, while it is shown as waiting for its redrive.
    #[n(2)]
    pub ended_as: Option<ExecutionStatus>,
}

/// A client's token that redrove an execution.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RedriveToken {
    #[n(0)]
    pub token: String,
    #[n(1)]
    pub used_at: Timestamp,
}

/// What every execution has from its start.
#[derive(Debug)]
pub struct NewExecution {
    pub arn: Text,
    pub name: Text,
    pub state_machine_arn: Text,
    pub machine_id: u64,
    pub revision: u64,
    pub started_at: Timestamp,
    pub input: Data,
    pub seed: [u8; 32],
}

impl ExecutionRecord {
    /// An execution that starts now, with no history yet.
    pub fn running(new: NewExecution) -> ExecutionRecord {
        ExecutionRecord {
            arn: new.arn,
            name: new.name,
            state_machine_arn: new.state_machine_arn,
            machine_id: new.machine_id,
            revision: new.revision,
            status: ExecutionStatus::Running,
            started_at: new.started_at,
            stopped_at: None,
            input: new.input,
            output: None,
            error: None,
            last_lsn: 0,
            event_count: 0,
            seed: new.seed,
            redrive_count: 0,
            redriven_at: None,
            trace_header: None,
            version_arn: None,
            alias_arn: None,
            parent: None,
            lists: None,
            redrives: None,
            test_case: None,
        }
    }
}

/// What a list shows of an [`ExecutionRecord`]. Read from the same bytes, past the payloads, which may be
/// thousands of times larger.
#[derive(Debug, Clone, PartialEq, Decode)]
pub struct ExecutionSummary {
    #[n(0)]
    pub arn: Text,
    #[n(1)]
    pub name: Text,
    #[n(2)]
    pub state_machine_arn: Text,
    #[n(5)]
    pub status: ExecutionStatus,
    #[n(6)]
    pub started_at: Timestamp,
    #[n(7)]
    pub stopped_at: Option<Timestamp>,
    #[n(14)]
    pub redrive_count: u32,
    #[n(15)]
    pub redriven_at: Option<Timestamp>,
    #[n(17)]
    pub version_arn: Option<Text>,
    #[n(18)]
    pub alias_arn: Option<Text>,
    #[n(19)]
    pub parent: Option<Box<Parent>>,
}

impl ExecutionSummary {
    /// Reads the summary of a stored [`ExecutionRecord`].
    pub(crate) fn decode(bytes: &[u8]) -> Result<ExecutionSummary, DecodeError> {
        match split_version(bytes)? {
            (1, rest) => decode_cbor("ExecutionRecord", rest),
            (found, _) => Err(DecodeError::Version { record: "ExecutionRecord", found }),
        }
    }
}

/// The execution's own row among the rows of its state.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct StateHeader {
    #[n(0)]
    pub header: Header,
    /// The newest history row.
    #[n(1)]
    pub last_lsn: u64,
}

record_version_1!(ExecutionRecord);

/// An execution that runs or can be redriven, as it was stored.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredState {
    pub header: StateHeader,
    pub rows: BTreeMap<RowId, Row>,
}

/// A row of an execution's state: row 0 is the header, the others are the interpreter's.
#[derive(Debug, Clone, PartialEq)]
pub enum StateRow {
    Header(StateHeader),
    Row(Row),
}

/// The first byte tells the two kinds apart; each has versions of its own.
const ROW_VERSION_1: u8 = 0x01;
const HEADER_VERSION_1: u8 = 0x81;

impl Record for StateRow {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            StateRow::Header(header) => {
                out.push(HEADER_VERSION_1);
                encode_cbor(header, out);
            }
            StateRow::Row(row) => {
                out.push(ROW_VERSION_1);
                encode_cbor(row, out);
            }
        }
    }

    fn decode(bytes: &[u8]) -> Result<StateRow, DecodeError> {
        match split_version(bytes)? {
            (ROW_VERSION_1, rest) => decode_cbor("Row", rest).map(StateRow::Row),
            (HEADER_VERSION_1, rest) => decode_cbor("StateHeader", rest).map(StateRow::Header),
            (found, _) => Err(DecodeError::Version { record: "StateRow", found }),
        }
    }
}
