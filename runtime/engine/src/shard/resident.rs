//! An execution in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use asl::interpreter::{
    Ending, ExecutionId, ExecutionInfo, ExecutionState, Header, HistoryEvent, RowId, TestCase,
};
use store::{ExecutionRecord, ExecutionStatus, ListingKey, RevisionRecord, StateHeader, StoredState};

use super::machines::Revision;

/// What is known of an execution.
#[derive(Debug)]
pub(super) enum Known {
    Running(Box<Resident>),
    /// Kept until its end is durable, and then only as long as there is room.
    Ended(Box<ExecutionRecord>),
    /// The store has none of this id.
    Absent,
}

#[derive(Debug)]
pub(super) struct Resident {
    pub(super) record: ExecutionRecord,
    pub(super) revision: Arc<Revision>,
    pub(super) state: ExecutionState,
    /// The newest history row.
    pub(super) last_lsn: Option<u64>,
    /// Rows that the store has, or will have when the batches before this one are durable.
    pub(super) stored_rows: BTreeSet<RowId>,
    /// Whether the store has the record and the header.
    pub(super) is_stored: bool,
    /// Whether the store is told to continue it after a restart.
    pub(super) continues: bool,
    /// Events of the batch that is being gathered.
    pub(super) events: Vec<HistoryEvent>,
    /// Where the lists have it, if it has ended and was redriven since.
    pub(super) stale_listing: Vec<ListingKey>,
    /// Set by the step that ends it.
    pub(super) ending: Option<Ending>,
    /// Whether its parent must still be told of its end.
    pub(super) owes_end: bool,
    /// Its parent no longer awaits its end.
    pub(super) is_abandoned: bool,
}

impl Resident {
    pub(super) fn new(
        id: ExecutionId,
        record: ExecutionRecord,
        revision: Arc<Revision>,
        test_case: Option<Arc<TestCase>>,
    ) -> Resident {
        let mut state = ExecutionState::new(info(id, &record, &revision.record));
        state.test_case = test_case;
        Resident {
            record,
            revision,
            state,
            last_lsn: None,
            stored_rows: BTreeSet::new(),
            is_stored: false,
            continues: false,
            events: Vec::new(),
            stale_listing: Vec::new(),
            ending: None,
            owes_end: false,
            is_abandoned: false,
        }
    }

    pub(super) fn load(
        id: ExecutionId,
        record: ExecutionRecord,
        revision: Arc<Revision>,
        stored: StoredState,
        test_case: Option<Arc<TestCase>>,
    ) -> Resident {
        let info = info(id, &record, &revision.record);
        let continues = !stored.header.header.ready.is_empty() || stored.header.header == Header::default();
        let mut state = ExecutionState::load(info, stored.header.header, stored.rows);
        state.test_case.clone_from(&test_case);
        Resident {
            // Numbers begin at 1: a child that has yet to take its first step has no row.
            last_lsn: Some(stored.header.last_lsn).filter(|lsn| *lsn > 0),
            stored_rows: state.rows().map(|(row, _)| row).collect(),
            state,
            is_stored: true,
            continues,
            ..Resident::new(id, record, revision, test_case)
        }
    }
}

impl Resident {
    /// An Express child of a Map Run that has ended without success, which a redrive lets begin anew.
    pub(super) fn before_start(
        id: ExecutionId,
        record: ExecutionRecord,
        revision: Arc<Revision>,
        test_case: Option<Arc<TestCase>>,
    ) -> Option<Resident> {
        let info = info(id, &record, &revision.record);
        let definition = revision.definition.as_ref().ok()?;
        let state = ExecutionState::before_start(info, definition, record.event_count);
        let rows = state.rows().map(|(row, content)| (row, content.clone())).collect();
        let header = StateHeader { header: state.header, last_lsn: record.last_lsn };
        Some(Resident::load(id, record, revision, StoredState { header, rows }, test_case))
    }

    /// Whether it has yet to take its first step.
    pub(super) fn is_new(&self) -> bool {
        self.state.header == Header::default()
    }

    /// Takes down in the record how and when the execution ended.
    pub(super) fn end_record(&mut self, ending: &Ending, at: asl::Timestamp) {
        let record = &mut self.record;
        record.stopped_at = Some(at);
        record.event_count = self.state.header.next_event - 1;
        let (status, error) = match ending {
            Ending::Succeeded { output } => {
                record.output = Some(output.clone());
                (ExecutionStatus::Succeeded, None)
            }
            Ending::Failed(error) => (ExecutionStatus::Failed, Some(error)),
            Ending::TimedOut(error) => (ExecutionStatus::TimedOut, Some(error)),
            Ending::Aborted(error) => (ExecutionStatus::Aborted, Some(error)),
        };
        record.status = status;
        record.error = error.cloned();
    }
}

fn info(id: ExecutionId, record: &ExecutionRecord, revision: &RevisionRecord) -> Arc<ExecutionInfo> {
    Arc::new(ExecutionInfo {
        id,
        arn: record.arn.clone(),
        name: record.name.clone(),
        input: record.input.clone(),
        started_at: record.started_at,
        role_arn: revision.role_arn.clone(),
        state_machine_arn: record.state_machine_arn.clone(),
        state_machine_name: revision.machine_name.clone(),
        version_arn: record.version_arn.clone(),
        alias_arn: record.alias_arn.clone(),
        region: record.arn.split(':').nth(3).unwrap_or_default().into(),
        seed: record.seed,
        redrive_count: record.redrive_count,
        redriven_at: record.redriven_at,
        parent: record.parent.clone(),
    })
}
