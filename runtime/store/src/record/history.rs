//! A row of history: the events of one transition.
//!
//! A fixed prefix comes before the events, so that a reader can walk back over an execution's rows without
//! decoding what it doesn't show.

use asl::interpreter::{ExecutionId, HistoryEvent};

use crate::codec::{Record, decode_cbor, encode_cbor, split_version};
use crate::error::DecodeError;
use crate::key::Key;

/// The events of one transition. They have consecutive ids.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    pub execution: ExecutionId,
    /// The execution's row before this one; none for its first.
    pub previous_lsn: Option<u64>,
    pub events: Vec<HistoryEvent>,
}

/// What can be read of a row without decoding its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowPrefix {
    pub(crate) execution: ExecutionId,
    pub(crate) previous_lsn: Option<u64>,
    /// 0 in a row without events.
    pub(crate) first_event: u32,
    pub(crate) count: u32,
}

impl RowPrefix {
    fn of(row: &HistoryRow) -> RowPrefix {
        RowPrefix {
            execution: row.execution,
            previous_lsn: row.previous_lsn,
            first_event: row.events.first().map_or(0, |event| event.id),
            count: u32::try_from(row.events.len()).expect("a transition has fewer than 4 billion events"),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.execution.write_to(out);
        u8::from(self.previous_lsn.is_some()).write_to(out);
        self.previous_lsn.unwrap_or(0).write_to(out);
        self.first_event.write_to(out);
        self.count.write_to(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<RowPrefix, DecodeError> {
        let execution = ExecutionId::take(bytes)?;
        let has_previous = match u8::take(bytes)? {
            0 => false,
            1 => true,
            flag => return Err(DecodeError::malformed("HistoryRow", format!("its flag is {flag}"))),
        };
        let previous_lsn = u64::take(bytes)?;
        Ok(RowPrefix {
            execution,
            previous_lsn: has_previous.then_some(previous_lsn),
            first_event: u32::take(bytes)?,
            count: u32::take(bytes)?,
        })
    }

    /// Reads the prefix of a stored row.
    pub(crate) fn decode(bytes: &[u8]) -> Result<RowPrefix, DecodeError> {
        let mut rest = events_version_1(bytes)?;
        RowPrefix::take(&mut rest)
    }

    /// The id after the row's last event.
    pub(crate) fn end_event(&self) -> u32 {
        self.first_event.saturating_add(self.count)
    }
}

fn events_version_1(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    match split_version(bytes)? {
        (1, rest) => Ok(rest),
        (found, _) => Err(DecodeError::Version { record: "HistoryRow", found }),
    }
}

impl Record for HistoryRow {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(1);
        RowPrefix::of(self).encode(out);
        encode_cbor(&self.events, out);
    }

    fn decode(bytes: &[u8]) -> Result<HistoryRow, DecodeError> {
        let mut rest = events_version_1(bytes)?;
        let prefix = RowPrefix::take(&mut rest)?;
        let events: Vec<HistoryEvent> = decode_cbor("HistoryRow", rest)?;
        let row = HistoryRow { execution: prefix.execution, previous_lsn: prefix.previous_lsn, events };
        if RowPrefix::of(&row) == prefix {
            Ok(row)
        } else {
            Err(DecodeError::malformed("HistoryRow", "its prefix does not fit its events"))
        }
    }
}
