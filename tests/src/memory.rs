//! What a run keeps as the engine would: encoded rows, and the timers that are set.

use std::collections::BTreeMap;
use std::sync::Arc;

use asl::Timestamp;
use asl::interpreter::{Command, ExecutionInfo, ExecutionState, Header, Row, RowId, Timer};

/// The stored bytes of one execution. Only rows that say they changed are written, so a row that changes without
/// saying so shows as a difference.
#[derive(Debug)]
pub(crate) struct Memory {
    info: Arc<ExecutionInfo>,
    header: Vec<u8>,
    rows: BTreeMap<RowId, Vec<u8>>,
}

impl Memory {
    pub(crate) fn new(state: &ExecutionState) -> Memory {
        let rows = state.rows().map(|(id, row)| (id, encode(row))).collect();
        Memory { info: Arc::clone(&state.info), header: encode(&state.header), rows }
    }

    pub(crate) fn save(&mut self, state: &mut ExecutionState) {
        // A redrive counts itself; the engine stores that with the execution's record.
        self.info = Arc::clone(&state.info);
        self.header = encode(&state.header);
        for (id, row) in state.take_changed() {
            match row {
                Some(row) => _ = self.rows.insert(id, encode(&row)),
                None => _ = self.rows.remove(&id),
            }
        }
    }

    pub(crate) fn load(&self) -> ExecutionState {
        let header: Header = minicbor::decode(&self.header).expect("a header that was encoded");
        let rows = self.rows.iter().map(|(id, bytes)| {
            let row: Row = minicbor::decode(bytes).expect("a row that was encoded");
            (*id, row)
        });
        ExecutionState::load(Arc::clone(&self.info), header, rows.collect())
    }
}

fn encode<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("a vector takes every byte")
}

/// The timers that are set. Set and cleared as the commands say, with no leniency but one: a timer that has fired
/// may be cleared again.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: BTreeMap<Timer, Timestamp>,
    fired: Option<Timer>,
}

impl Timers {
    pub(crate) fn apply(&mut self, command: &Command) {
        match command {
            Command::SetTimer { timer, due } => {
                let before = self.set.insert(*timer, *due);
                assert_eq!(before, None, "a timer is cleared before it is set again: {timer:?}");
            }
            Command::ClearTimer { timer, due } => match self.set.remove(timer) {
                Some(set) => {
                    assert_eq!(set, *due, "a timer is cleared with the time it was set for: {timer:?}")
                }
                None => assert_eq!(self.fired, Some(*timer), "only a timer that is set is cleared"),
            },
            Command::StartTask { .. }
            | Command::OfferActivity { .. }
            | Command::AskCallback { .. }
            | Command::CancelTask { .. }
            | Command::StartChild(_)
            | Command::StopChild(_)
            | Command::RedriveChild { .. }
            | Command::MapRun { .. }
            | Command::End(_) => {}
        }
    }

    /// Whether the timer is still set for this time; if so it fires.
    pub(crate) fn fire(&mut self, timer: Timer, due: Timestamp) -> bool {
        let fires = self.set.get(&timer) == Some(&due);
        if fires {
            self.set.remove(&timer);
            self.fired = Some(timer);
        }
        fires
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}
