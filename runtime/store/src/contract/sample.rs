//! Records with content, for the cases.

use asl::interpreter::{
    AttemptId, CallbackRequest, Decision, ErrorOutput, ExecutionId, Header, HistoryEvent, HistoryKind,
    MapRunCounts, MapRunStatus, Row, RowId, Tolerance,
};
use asl::{Data, Text, Timestamp};

use crate::batch::Change;
use crate::record::{
    ActivityRecord, CallbackAnswered, ExecutionRecord, ExecutionStatus, HistoryRow, LatestMove, MachineKind,
    MachineRecord, MachineStatus, MapRunRecord, MapRunTotals, ModuleHead, ModulePointers, ModuleRecord,
    QueuedTask, RevisionRecord, SecretRecord, StateHeader,
};
use crate::{Batch, CommitError, HistoryQuery, ListingKey, Order, Page, Position, ReadError, Store};

pub(super) fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

pub(super) fn data(number: u64) -> Data {
    Data::from_valid_text(format!(r#"{{"number": {number}}}"#))
}

pub(super) fn execution(number: u64, status: ExecutionStatus) -> ExecutionRecord {
    let name = Text::from(format!("execution-{number}"));
    ExecutionRecord {
        arn: Text::from(format!("arn:aws:states:us-east-1:123456789012:execution:machine:{}", &*name)),
        name,
        state_machine_arn: Text::from("arn:aws:states:us-east-1:123456789012:stateMachine:machine"),
        machine_id: 7,
        revision: 8,
        status,
        started_at: at(1_700_000_000_000),
        stopped_at: (status != ExecutionStatus::Running).then(|| at(1_700_000_000_001)),
        input: data(number),
        output: (status == ExecutionStatus::Succeeded).then(|| data(number + 1)),
        error: (status == ExecutionStatus::Failed).then(|| ErrorOutput::new("Broken", "It broke.")),
        last_lsn: number,
        event_count: 5,
        seed: [u8::try_from(number % 251).expect("less than 251"); 32],
        redrive_count: 0,
        redriven_at: None,
        trace_header: Some("Root=1-5759e988-bd862e3fe1be46a994272793".to_owned()),
        version_arn: None,
        alias_arn: None,
        parent: None,
        lists: None,
        redrives: None,
        test_case: None,
    }
}

pub(super) fn header(last_lsn: u64) -> StateHeader {
    let header = Header {
        next_event: 3,
        next_row: 9,
        next_attempt: 4,
        entropy_drawn: 2,
        ready: vec![RowId(1)],
        mocked: None,
    };
    StateHeader { header, last_lsn }
}

/// A row of the interpreter. What is in it is the interpreter's affair.
pub(super) fn row(number: u64) -> Row {
    Row::Items(data(number))
}

pub(super) fn event(id: u32) -> HistoryEvent {
    let kind = HistoryKind::StateEntered {
        state_type: asl::interpreter::StateType::Pass,
        name: Text::from("State"),
        input: data(u64::from(id)),
    };
    HistoryEvent { id, previous: id.saturating_sub(1), at: at(i64::from(id)), kind }
}

pub(super) fn history_row(
    execution: u128,
    previous_lsn: Option<u64>,
    ids: std::ops::Range<u32>,
) -> HistoryRow {
    HistoryRow { execution: ExecutionId(execution), previous_lsn, events: ids.map(event).collect() }
}

pub(super) fn machine(name: &str, machine_id: u64) -> MachineRecord {
    MachineRecord {
        machine_id,
        name: name.into(),
        arn: Text::from(format!("arn:aws:states:us-east-1:123456789012:stateMachine:{name}")),
        kind: MachineKind::Standard,
        status: MachineStatus::Active,
        created_at: at(1_700_000_000_000),
        revision: machine_id + 1,
        tags: vec![("team".to_owned(), "billing".to_owned())],
        next_version: 1,
        published: None,
        first_version: None,
    }
}

pub(super) fn revision(number: u64) -> RevisionRecord {
    RevisionRecord {
        machine_arn: Text::from("arn:aws:states:us-east-1:123456789012:stateMachine:machine"),
        machine_name: Text::from("machine"),
        kind: MachineKind::Express,
        definition: Text::from(format!(r#"{{"Comment": "{number}"}}"#)),
        role_arn: Text::from("arn:aws:iam::123456789012:role/role"),
        updated_at: at(1_700_000_000_002),
        revision_id: Some(Text::from("revision")),
        logging: Some(data(1)),
        tracing: None,
        encryption: None,
        version_description: None,
    }
}

pub(super) fn activity(name: &str) -> ActivityRecord {
    ActivityRecord {
        arn: Text::from(format!("arn:aws:states:us-east-1:123456789012:activity:{name}")),
        name: name.into(),
        created_at: at(1_700_000_000_003),
        tags: Vec::new(),
        encryption: None,
    }
}

pub(super) fn map_run(number: u32) -> MapRunRecord {
    let by_status = MapRunCounts { running: number, pending_redrive: Some(2), ..MapRunCounts::default() };
    let totals = MapRunTotals { pending: 1, by_status };
    MapRunRecord {
        arn: Text::from(format!("arn:aws:states:us-east-1:123456789012:mapRun:machine/label:{number}")),
        execution: ExecutionId(1),
        execution_arn: Text::from("arn:aws:states:us-east-1:123456789012:execution:machine:run"),
        status: MapRunStatus::Running,
        started_at: at(1_700_000_000_005),
        stopped_at: None,
        concurrency_max: 10,
        tolerance: Tolerance { count: Some(1), percentage: Some(12.5) },
        items: totals,
        children: totals,
        redrive_count: 0,
        redriven_at: None,
    }
}

pub(super) fn callback_request(number: u64) -> CallbackRequest {
    CallbackRequest {
        title: Some(format!("Question {number}")),
        message: None,
        payload: Some(data(number)),
        expires_at: at(1_700_000_000_006),
        reject_error: None,
        accepts_output: true,
    }
}

pub(super) fn callback_answer() -> CallbackAnswered {
    CallbackAnswered { decision: Decision::Rejected, at: at(1_700_000_000_007) }
}

pub(super) fn queued(number: u64) -> QueuedTask {
    QueuedTask {
        execution: ExecutionId(u128::from(number)),
        row: RowId(1),
        attempt: AttemptId(number),
        scheduled_at: at(9),
    }
}

pub(super) fn module(number: u64) -> ModuleRecord {
    ModuleRecord {
        digest: Text::from(format!("sha256:{number:064x}")),
        size_bytes: number,
        exports: vec!["handle".to_owned()],
        created_at: at(1_700_000_000_004),
        description: None,
        manifest: number.is_multiple_of(2).then(|| Text::from("[limits]")),
        configuration: None,
        package_digest: None,
    }
}

pub(super) fn head(latest_version: u32) -> ModuleHead {
    let latest = vec![LatestMove { at: at(i64::from(latest_version)), upload: latest_version }];
    let pointers =
        ModulePointers { last_upload: latest_version, latest, published: None, aliases: Vec::new() };
    let pointers = latest_version.is_multiple_of(2).then(|| Box::new(pointers));
    let tags =
        latest_version.is_multiple_of(3).then(|| vec![("team".to_owned(), latest_version.to_string())]);
    ModuleHead { latest_version, pointers, tags }
}

pub(super) fn secret(number: u64) -> SecretRecord {
    SecretRecord {
        created_at: at(1_700_000_000_005),
        updated_at: at(1_700_000_000_006),
        public: Some(data(number)),
        sealed: number.to_be_bytes().into(),
    }
}

/// Commits a batch that `fill` has made.
pub(super) async fn commit(store: &impl Store, fill: impl FnOnce(&mut Batch)) {
    let result = try_commit(store, fill).await;
    assert_eq!(result, Ok(()));
}

pub(super) async fn try_commit(store: &impl Store, fill: impl FnOnce(&mut Batch)) -> Result<(), CommitError> {
    let mut batch = Batch::default();
    fill(&mut batch);
    store.commit(batch).await
}

/// Lists an execution, with its record.
pub(super) fn list(batch: &mut Batch, number: u64, status: ExecutionStatus, time: i64) {
    let id = ExecutionId(u128::from(number));
    batch.executions.insert(id, Change::Put(execution(number, status)));
    let key = ListingKey { machine_id: 7, status, at: at(time), execution: id };
    batch.listing.insert(key, Change::Put(()));
}

pub(super) fn query(execution: u128, last_lsn: u64, order: Order, max: usize) -> HistoryQuery {
    HistoryQuery { execution: ExecutionId(execution), last_lsn, order, from: None, max }
}

/// Reads page after page through the text of each position, and gives the ids and the sizes of the pages.
pub(super) async fn read_all(store: &impl Store, mut query: HistoryQuery) -> (Vec<u32>, Vec<usize>) {
    let mut ids = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let page = store.history(query.clone()).await.expect("the history can be read");
        sizes.push(page.items.len());
        ids.extend(page.items.iter().map(|event| event.id));
        query.from = through_text(&page);
        if query.from.is_none() {
            return (ids, sizes);
        }
    }
}

pub(super) fn through_text<T>(page: &Page<T>) -> Option<Position> {
    page.next.as_ref().map(|next| next.to_string().parse().expect("a position reads its own text"))
}

pub(super) fn assert_invalid_position<T: std::fmt::Debug>(result: &Result<T, ReadError>) {
    assert!(matches!(result, Err(ReadError::InvalidPosition(_))), "{result:?}");
}
