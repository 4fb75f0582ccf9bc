//! The stored bytes of every record: they stay what they are, come back as they were, and never make us panic.

use std::fmt::Debug;

use asl::definition::StateId;
use asl::interpreter::{
    AttemptId, CallbackRequest, ChildFailure, Decision, ErrorOutput, ExecutionId, Fork, Header, HistoryEvent,
    HistoryKind, Iteration, Parent, Phase, Row, RowId, Scheduled, ServiceName, StateType, Stopped, TaskPhase,
    TaskScheduled, TaskStage, TaskUsage, Thread,
};
use asl::{Data, Text, Timestamp};

use crate::codec::Record;
use crate::contract::Prng;
use crate::error::DecodeError;
use crate::key::RowKey;

use super::*;

mod map_run;

/// The bytes of every version that was ever written, a line for each: record, version, bytes.
///
/// A record that changes its meaning gets a new version and a new line; the lines that are there stay, and
/// [`FROZEN`] with them. A new optional field at the end changes no line.
const GOLDEN: &str = include_str!("golden.txt");

/// A checksum of each golden line. Who changes a line instead of adding one must change this too, and then
/// stores that exist can no longer be read.
const FROZEN: &[u64] = &[
    0xd41a_a7f9_22d7_384f, // ExecutionRecord
    0x9ec8_9fb8_4e67_e497, // StateRow::Header
    0xc34d_8144_208e_4ea2, // StateRow::Row
    0xfe8a_5463_1d6d_e8ca, // HistoryRow
    0x4a01_f1fd_7933_e3e6, // MachineRecord
    0x3bb5_d14e_3cba_b4a3, // RevisionRecord
    0xfbf7_aff4_5b6b_3597, // ActivityRecord
    0x8634_13a0_27ba_8785, // QueuedTask
    0xc86f_3613_0a54_81c6, // ModuleRecord
    0xa628_4165_f45e_8aaa, // ModuleHead
    0xd094_fd39_d1f2_6556, // u64
    0x2cb1_066e_abce_dbc8, // ExecutionId
    0x0f28_a21a_adc0_ad9f, // AttemptId
    0x401c_d93d_f03e_faa3, // StateRow::Row/Fork
    0xb14d_fc56_7dbd_6dd6, // StateRow::Row/Entering
    0x0a9a_c00c_cd89_99ca, // StateRow::Row/Working
    0x0025_1292_8798_3739, // StateRow::Row/Task/Scheduled
    0x3dd2_d879_1731_4038, // StateRow::Row/Task/Started
    0x7218_ffa8_ee1d_9219, // StateRow::Row/Task/Submitted
    0x2262_b819_ac98_fd7f, // StateRow::Row/RetryAt
    0x8e98_917b_057a_4702, // StateRow::Row/WaitUntil
    0x3391_cbad_52df_2ba6, // StateRow::Row/Forked
    0xa585_8fa1_b5dc_89df, // StateRow::Row/Done
    0x5375_1156_a85d_7b18, // HistoryRow/EveryKind
    0xc0d0_4b47_4089_f5cb, // ExecutionRecord/Child
    0xb193_cd63_6720_a56e, // MachineRecord/Published
    0xaf5d_0aac_ee76_30b5, // ExecutionRecord/Lists
    0x5ce2_fd45_55a7_356c, // StateRow::Row/Task/Child
    0xf0bd_af94_357e_7595, // ExecutionRecord/MapRunChild
    0x977d_0679_65fc_905d, // StateRow::Row/MapRun
    0x39ba_0173_a351_0579, // StateRow::Row/MapRunChild
    0xd3a8_6a8d_ed91_f4b6, // HistoryRow/MapRuns
    0xfcc2_5efb_7472_54d7, // MapRunRecord
    0x8973_7f90_ad90_c4ea, // MachineRecord/FirstVersion
    0x08c8_81d3_95dd_74f3, // RowKey
    0x136d_2a3b_29b9_238f, // SecretRecord
    0x261c_18f7_b45c_6e35, // CallbackRequest
    0x7aaf_3ac4_fe21_2365, // CallbackAnswered
    0xa997_be1e_a285_db48, // ExecutionRecord/Redrives
    0xb022_8f9a_d222_3668, // StateRow::Row/Fork/Redriven
    0xd038_d4a9_b7fa_3520, // StateRow::Row/Stopped/Entered
    0x8e15_ba80_2ad2_1149, // StateRow::Row/Stopped/Forked
    0xa093_2de7_8f1a_1976, // StateRow::Row/Stopped/Unentered
    0x7c21_7ae5_ed92_8a3e, // StateRow::Header/Mocked
    0x208e_8938_f982_b725, // ExecutionRecord/TestCase
    0x8d5d_d9cb_84be_acf1, // StateRow::Row/MapRun/Redriven
    0x5fb0_ee89_9b82_9758, // StateRow::Row/MapRunChild/Failed
    0x9d9a_4910_f947_ee2b, // StateRow::Row/MapRunChild/TimedOut
    0x7349_95de_e827_e9be, // StateRow::Row/MapRunChild/Aborted
    0xfd18_f1f2_c532_ea11, // HistoryRow/MapRunRedriven
    0x3244_9ad9_0375_6219, // ExecutionRecord/PendingRedrive
    0xe315_37a4_b519_0e57, // ExecutionRecord/MapRunChild/Entry
    0x32ef_c058_26ab_c5c3, // ModuleRecord/Manifest
    0x513d_ad0c_2edb_2b21, // ModuleRecord/Configuration
    0x40d3_bcba_93ce_9c8f, // ModuleHead/Pointers
    0x0839_244d_e2f8_3ba7, // HistoryRow/Used
    0xb648_376f_5814_06ea, // ModuleHead/Tags
];

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

fn data() -> Data {
    Data::from_valid_text(r#"{"a": [1, "ä"]}"#)
}

fn execution() -> ExecutionRecord {
    ExecutionRecord {
        arn: Text::from("arn"),
        name: Text::from("name"),
        state_machine_arn: Text::from("machine"),
        machine_id: 1,
        revision: 300,
        status: ExecutionStatus::Failed,
        started_at: at(1_700_000_000_123),
        stopped_at: Some(at(-1)),
        input: data(),
        output: Some(data()),
        error: Some(ErrorOutput { error: Some("Error".to_owned()), cause: None }),
        last_lsn: u64::MAX,
        event_count: 25_000,
        seed: [7; 32],
        redrive_count: 2,
        redriven_at: Some(at(0)),
        trace_header: Some("Root=1".to_owned()),
        version_arn: Some(Text::from("version")),
        alias_arn: Some(Text::from("alias")),
        parent: None,
        lists: None,
        redrives: None,
        test_case: None,
    }
}

fn child() -> ExecutionRecord {
    let parent = Parent { execution: ExecutionId(0x0102), row: RowId(3), attempt: AttemptId(4), item: None };
    ExecutionRecord { parent: Some(Box::new(parent)), ..execution() }
}

fn header() -> StateRow {
    let header = Header {
        next_event: 2,
        next_row: 3,
        next_attempt: 4,
        entropy_drawn: 5,
        ready: vec![RowId(6)],
        mocked: None,
    };
    StateRow::Header(StateHeader { header, last_lsn: 7 })
}

fn mocked_header() -> StateRow {
    let StateRow::Header(StateHeader { header, last_lsn }) = header() else { panic!("another row") };
    let header = Header { mocked: Some(vec![(StateId(1), 2), (StateId(3), 300)]), ..header };
    StateRow::Header(StateHeader { header, last_lsn })
}

fn history() -> HistoryRow {
    let entered =
        HistoryKind::StateEntered { state_type: StateType::Choice, name: Text::from("State"), input: data() };
    let failed = HistoryKind::ExecutionFailed(ErrorOutput::new("Error", "cause"));
    let events = vec![
        HistoryEvent { id: 8, previous: 7, at: at(1), kind: entered },
        HistoryEvent { id: 9, previous: 8, at: at(2), kind: failed },
    ];
    HistoryRow { execution: ExecutionId(0x0102 << 100), previous_lsn: Some(10), events }
}

fn thread(phase: Phase) -> StateRow {
    StateRow::Row(Row::Thread(Box::new(Thread {
        fork: Some(RowId(2)),
        index: 3,
        state: StateId(4),
        input: data(),
        variables: vec![(Text::from("v"), data())],
        last_event: 5,
        entered_event: 6,
        entered_at: at(7),
        retries: vec![1, 0],
        phase,
        before_event: 8,
    })))
}

fn task(stage: TaskStage) -> StateRow {
    thread(Phase::Task(TaskPhase {
        attempt: AttemptId(9),
        stage,
        input: Some(data()),
        deadline: Some(at(10)),
        heartbeat_seconds: Some(11),
        heartbeat_due: Some(at(12)),
        role_arn: Some("role".to_owned()),
        child: None,
    }))
}

fn awaiting_child() -> StateRow {
    let phase = TaskPhase {
        attempt: AttemptId(9),
        stage: TaskStage::Submitted,
        input: None,
        deadline: None,
        heartbeat_seconds: None,
        heartbeat_due: None,
        role_arn: None,
        child: Some(ExecutionId(0x0506)),
    };
    thread(Phase::Task(phase))
}

fn redriven() -> ExecutionRecord {
    let tokens = vec![RedriveToken { token: "token".to_owned(), used_at: at(3) }];
    let redrives = Redrives { tokens, is_over: true, ended_as: None };
    ExecutionRecord { redrives: Some(Box::new(redrives)), ..execution() }
}

fn pending_redrive() -> ExecutionRecord {
    let redrives = Redrives { ended_as: Some(ExecutionStatus::Aborted), ..Redrives::default() };
    let status = ExecutionStatus::PendingRedrive;
    ExecutionRecord { status, redrives: Some(Box::new(redrives)), ..execution() }
}

fn stopped(stopped: Stopped) -> StateRow {
    thread(Phase::Stopped(stopped))
}

fn fork() -> StateRow {
    fork_of(None, None)
}

fn fork_of(concurrency: Option<u32>, next_redriven: Option<u32>) -> StateRow {
    StateRow::Row(Row::Fork(Fork {
        owner: RowId(1),
        first_child: RowId(2),
        count: 3,
        started: 2,
        live: 1,
        failed: 1,
        tolerated_failures: Some(2),
        items: Some(RowId(5)),
        concurrency,
        next_redriven,
    }))
}

fn scheduled() -> Box<Scheduled> {
    Box::new(Scheduled {
        resource: Text::from("arn"),
        input: data(),
        timeout_seconds: Some(5),
        heartbeat_seconds: Some(6),
        role_arn: Some("role".to_owned()),
    })
}

fn service() -> ServiceName {
    ServiceName { resource_type: Text::from("lambda"), resource: Text::from("invoke") }
}

fn task_scheduled() -> Box<TaskScheduled> {
    Box::new(TaskScheduled {
        service: service(),
        region: Text::from("us-east-1"),
        parameters: data(),
        timeout_seconds: Some(7),
        heartbeat_seconds: None,
        role_arn: None,
    })
}

/// What was first known of an attempt.
fn first_usage() -> TaskUsage {
    let usage = TaskUsage { fuel: 1, memory_bytes_peak: 2, wall_microseconds: 3, ..TaskUsage::default() };
    TaskUsage { cold: true, ..usage }
}

/// All that an attempt used.
fn used() -> HistoryRow {
    let usage = TaskUsage { cpu_microseconds: Some(4), log_lines: Some(500), ..first_usage() };
    let kind = HistoryKind::LambdaFunctionSucceeded(data(), Some(usage));
    HistoryRow { events: vec![HistoryEvent { id: 8, previous: 7, at: at(1), kind }], ..history() }
}

/// One event of each kind.
fn every_kind() -> HistoryRow {
    let error = || ErrorOutput::new("Error", "cause");
    let usage = Some(first_usage());
    let iteration = || Iteration { name: Text::from("Map"), index: 4 };
    let (name, state_type, state) = (Text::from("State"), StateType::Map, Text::from("State"));
    let role_arn = Text::from("role");
    let assigned = vec![(Text::from("v"), data())];
    let kinds = vec![
        HistoryKind::ExecutionStarted {
            input: data(),
            role_arn,
            version_arn: Some(name.clone()),
            alias_arn: None,
        },
        HistoryKind::ExecutionSucceeded { output: data() },
        HistoryKind::ExecutionFailed(error()),
        HistoryKind::ExecutionTimedOut(ErrorOutput::default()),
        HistoryKind::ExecutionAborted(error()),
        HistoryKind::ExecutionRedriven { redrive_count: 8 },
        HistoryKind::StateEntered { state_type, name: name.clone(), input: data() },
        HistoryKind::StateExited { state_type, name, output: data(), assigned },
        HistoryKind::StateAborted { state_type },
        HistoryKind::TaskScheduled(task_scheduled()),
        HistoryKind::TaskStarted(service()),
        HistoryKind::TaskStartFailed(service(), error()),
        HistoryKind::TaskSubmitted(service(), data()),
        HistoryKind::TaskSubmitFailed(service(), error()),
        HistoryKind::TaskSucceeded(service(), data(), usage),
        HistoryKind::TaskFailed(service(), error(), usage),
        HistoryKind::TaskTimedOut(service(), error()),
        HistoryKind::LambdaFunctionScheduled(scheduled()),
        HistoryKind::LambdaFunctionScheduleFailed(error()),
        HistoryKind::LambdaFunctionStarted,
        HistoryKind::LambdaFunctionStartFailed(error()),
        HistoryKind::LambdaFunctionSucceeded(data(), usage),
        HistoryKind::LambdaFunctionFailed(error(), None),
        HistoryKind::LambdaFunctionTimedOut(error()),
        HistoryKind::ActivityScheduled(scheduled()),
        HistoryKind::ActivityScheduleFailed(error()),
        HistoryKind::ActivityStarted { worker_name: Some("worker".to_owned()) },
        HistoryKind::ActivitySucceeded(data()),
        HistoryKind::ActivityFailed(error()),
        HistoryKind::ActivityTimedOut(error()),
        HistoryKind::ParallelStateStarted,
        HistoryKind::ParallelStateSucceeded,
        HistoryKind::ParallelStateFailed,
        HistoryKind::MapStateStarted { length: 9 },
        HistoryKind::MapStateSucceeded,
        HistoryKind::MapStateFailed,
        HistoryKind::MapIterationStarted(iteration()),
        HistoryKind::MapIterationSucceeded(iteration()),
        HistoryKind::MapIterationFailed(iteration()),
        HistoryKind::MapIterationAborted(iteration()),
        HistoryKind::EvaluationFailed { error: error(), location: Some("Output".to_owned()), state },
    ];
    let event = |(id, kind): (u32, HistoryKind)| HistoryEvent { id, previous: id - 1, at: at(1), kind };
    let events = (1..).zip(kinds).map(event).collect();
    HistoryRow { execution: ExecutionId(1), previous_lsn: None, events }
}

fn machine() -> MachineRecord {
    MachineRecord {
        machine_id: 1,
        name: Text::from("machine"),
        arn: Text::from("arn"),
        kind: MachineKind::Express,
        status: MachineStatus::Deleting,
        created_at: at(3),
        revision: 4,
        tags: vec![("key".to_owned(), "value".to_owned())],
        next_version: 5,
        published: None,
        first_version: None,
    }
}

fn published() -> MachineRecord {
    let version = VersionRecord {
        number: 4,
        revision: 6,
        created_at: at(7),
        description: Some("fourth".to_owned()),
        list_id: 8,
    };
    let alias = AliasRecord {
        name: Text::from("live"),
        description: None,
        routes: vec![Route { version: 4, weight: 70 }, Route { version: 3, weight: 30 }],
        created_at: at(9),
        updated_at: at(10),
        list_id: 11,
    };
    let published = Published { versions: vec![version], aliases: vec![alias] };
    MachineRecord { published: Some(Box::new(published)), ..machine() }
}

fn published_at_once() -> MachineRecord {
    let first_version = FirstVersion { number: 1, description: Some("first".to_owned()) };
    MachineRecord { first_version: Some(first_version), ..published() }
}

fn revision() -> RevisionRecord {
    RevisionRecord {
        machine_arn: Text::from("arn"),
        machine_name: Text::from("machine"),
        kind: MachineKind::Standard,
        definition: Text::from("{}"),
        role_arn: Text::from("role"),
        updated_at: at(6),
        revision_id: Some(Text::from("revision")),
        logging: Some(data()),
        tracing: Some(data()),
        encryption: Some(data()),
        version_description: Some("first".to_owned()),
    }
}

fn activity() -> ActivityRecord {
    ActivityRecord {
        arn: Text::from("arn"),
        name: Text::from("activity"),
        created_at: at(7),
        tags: vec![("key".to_owned(), "value".to_owned())],
        encryption: Some(data()),
    }
}

fn queued() -> QueuedTask {
    QueuedTask { execution: ExecutionId(1), row: RowId(2), attempt: AttemptId(3), scheduled_at: at(4) }
}

fn callback_request() -> CallbackRequest {
    CallbackRequest {
        title: Some("title".to_owned()),
        message: Some("message".to_owned()),
        payload: Some(data()),
        expires_at: at(4),
        reject_error: Some("Error".to_owned()),
        accepts_output: true,
    }
}

fn module() -> ModuleRecord {
    ModuleRecord {
        digest: Text::from("sha256:00"),
        size_bytes: 1,
        exports: vec!["handle".to_owned()],
        created_at: at(8),
        description: Some("words".to_owned()),
        manifest: None,
        configuration: None,
        package_digest: None,
    }
}

fn configured() -> ModuleRecord {
    let (configuration, package_digest) = (Some(data()), Some(Text::from("sha256:01")));
    ModuleRecord { configuration, package_digest, ..module() }
}

fn pointers() -> ModuleHead {
    let also = Some(ModuleShare { version: 2, weight: 250_000 });
    let alias = ModuleAlias {
        name: Text::from("live"),
        description: Some("words".to_owned()),
        moves: vec![
            AliasMove { at: at(4), target: ModuleTarget { version: 1, also: None } },
            AliasMove { at: at(5), target: ModuleTarget { version: 1, also } },
        ],
        revision: 2,
    };
    let pointers = ModulePointers {
        last_upload: 3,
        latest: vec![LatestMove { at: at(6), upload: 3 }],
        published: Some(9),
        aliases: vec![alias],
    };
    ModuleHead { latest_version: 9, pointers: Some(Box::new(pointers)), tags: None }
}

fn tagged() -> ModuleHead {
    let tags = Some(vec![("key".to_owned(), "value".to_owned())]);
    ModuleHead { latest_version: 9, pointers: None, tags }
}

fn secret() -> SecretRecord {
    SecretRecord { created_at: at(9), updated_at: at(10), public: Some(data()), sealed: vec![1, 2, 0xff] }
}

type Comparison = dyn Fn(&[u8]) -> Result<bool, DecodeError>;

/// A record with what is asked of every kind of record.
struct Sample {
    name: &'static str,
    bytes: Vec<u8>,
    /// Whether bytes are this very record.
    is: Box<Comparison>,
    /// Decodes without comparing: a payload whose text was damaged is found out when it is parsed.
    decode: fn(&[u8]) -> Result<(), DecodeError>,
}

fn sample<T: Record + PartialEq + Debug + 'static>(name: &'static str, record: T) -> Sample {
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    let is = Box::new(move |bytes: &[u8]| T::decode(bytes).map(|found| found == record));
    Sample { name, bytes, is, decode: |bytes| T::decode(bytes).map(drop) }
}

/// One of each record as it is written today.
fn samples() -> Vec<Sample> {
    vec![
        sample("ExecutionRecord", execution()),
        sample("StateRow::Header", header()),
        sample("StateRow::Row", StateRow::Row(Row::Items(data()))),
        sample("HistoryRow", history()),
        sample("MachineRecord", machine()),
        sample("RevisionRecord", revision()),
        sample("ActivityRecord", activity()),
        sample("QueuedTask", queued()),
        sample("ModuleRecord", module()),
        sample("ModuleRecord/Manifest", ModuleRecord { manifest: Some("[limits]".into()), ..module() }),
        sample("ModuleHead", ModuleHead { latest_version: 9, pointers: None, tags: None }),
        sample("ModuleRecord/Configuration", configured()),
        sample("ModuleHead/Pointers", pointers()),
        sample("ModuleHead/Tags", tagged()),
        sample("u64", 0x0102_u64),
        sample("ExecutionId", ExecutionId(0x0102)),
        sample("AttemptId", AttemptId(0x0102)),
        sample("StateRow::Row/Fork", fork()),
        sample("StateRow::Row/Entering", thread(Phase::Entering)),
        sample("StateRow::Row/Working", thread(Phase::Working)),
        sample("StateRow::Row/Task/Scheduled", task(TaskStage::Scheduled)),
        sample("StateRow::Row/Task/Started", task(TaskStage::Started)),
        sample("StateRow::Row/Task/Submitted", task(TaskStage::Submitted)),
        sample("StateRow::Row/RetryAt", thread(Phase::RetryAt(at(13)))),
        sample("StateRow::Row/WaitUntil", thread(Phase::WaitUntil(at(13)))),
        sample("StateRow::Row/Forked", thread(Phase::Forked(RowId(14)))),
        sample("StateRow::Row/Done", thread(Phase::Done(data()))),
        sample("StateRow::Row/Stopped/Unentered", stopped(Stopped::Unentered)),
        sample("StateRow::Row/Stopped/Entered", stopped(Stopped::Entered)),
        sample("StateRow::Row/Stopped/Forked", stopped(Stopped::Forked(RowId(14)))),
        sample("StateRow::Row/Fork/Redriven", fork_of(Some(40), Some(1))),
        sample("ExecutionRecord/Redrives", redriven()),
        sample("HistoryRow/EveryKind", every_kind()),
        sample("ExecutionRecord/Child", child()),
        sample("MachineRecord/Published", published()),
        sample("ExecutionRecord/Lists", ExecutionRecord { lists: Some(vec![21, 300]), ..execution() }),
        sample("StateRow::Row/Task/Child", awaiting_child()),
        sample("ExecutionRecord/MapRunChild", map_run::child()),
        sample("StateRow::Row/MapRun", map_run::run_row()),
        sample("StateRow::Row/MapRunChild", map_run::child_row()),
        sample("HistoryRow/MapRuns", map_run::history()),
        sample("HistoryRow/Used", used()),
        sample("MapRunRecord", map_run::record()),
        sample("StateRow::Row/MapRun/Redriven", map_run::redriven_run_row()),
        sample("StateRow::Row/MapRunChild/Failed", map_run::failed_child_row(ChildFailure::Failed)),
        sample("StateRow::Row/MapRunChild/TimedOut", map_run::failed_child_row(ChildFailure::TimedOut)),
        sample("StateRow::Row/MapRunChild/Aborted", map_run::failed_child_row(ChildFailure::Aborted)),
        sample("HistoryRow/MapRunRedriven", map_run::redriven_history()),
        sample("ExecutionRecord/PendingRedrive", pending_redrive()),
        sample("ExecutionRecord/MapRunChild/Entry", map_run::child_of_entry()),
        sample("MachineRecord/FirstVersion", published_at_once()),
        sample("SecretRecord", secret()),
        sample("CallbackRequest", callback_request()),
        sample("CallbackAnswered", CallbackAnswered { decision: Decision::Approved, at: at(5) }),
        sample("StateRow::Header/Mocked", mocked_header()),
        sample("ExecutionRecord/TestCase", ExecutionRecord { test_case: Some("case".into()), ..execution() }),
        sample("RowKey", RowKey { execution: ExecutionId(0x0102), row: RowId(3) }),
    ]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// FNV-1a: enough to notice a change.
fn checksum(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn what_is_written_has_a_golden_line() {
    let line =
        |sample: Sample| format!("{} {:02x} {}", sample.name, sample.bytes[0], hex(&sample.bytes[1..]));
    let lines = samples().into_iter().map(line);
    let missing: Vec<String> = lines.filter(|line| !GOLDEN.lines().any(|golden| golden == line)).collect();
    assert!(
        missing.is_empty(),
        "no longer written as the version says; add versions and these lines\n{}",
        missing.join("\n")
    );
}

#[test]
fn what_was_ever_written_is_still_read() {
    let samples = samples();
    for line in GOLDEN.lines() {
        let mut words = line.split(' ');
        let name = words.next().unwrap();
        let digits: String = words.collect();
        let bytes: Vec<u8> = (0..digits.len() / 2)
            .map(|index| u8::from_str_radix(&digits[index * 2..index * 2 + 2], 16).unwrap())
            .collect();
        let sample = samples.iter().find(|sample| sample.name == name).unwrap();
        assert_eq!((sample.is)(&bytes), Ok(true), "{line}");
    }
}

#[test]
fn golden_lines_are_only_added() {
    let sums: Vec<u64> = GOLDEN.lines().map(checksum).collect();
    assert_eq!(sums, FROZEN, "a golden line was changed; only new lines with new sums are allowed");
}

#[test]
fn records_cut_off_are_refused() {
    for Sample { name, bytes, is, .. } in samples() {
        for length in 0..bytes.len() {
            let cut = is(&bytes[..length]);
            assert!(cut.is_err(), "{name} cut to {length} bytes: {cut:?}");
        }
        assert!(is(&[bytes.as_slice(), &[0]].concat()).is_err(), "{name} with a byte more");
    }
}

#[test]
fn unknown_versions_are_told() {
    for Sample { name, mut bytes, is, .. } in samples() {
        bytes[0] = 0x7f;
        assert!(matches!(is(&bytes), Err(DecodeError::Version { found: 0x7f, .. })), "{name}");
    }
}

#[test]
fn damaged_records_never_panic() {
    let mut prng = Prng::new(3);
    for Sample { bytes, decode, .. } in samples() {
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[index] ^= 1 << bit;
                let _any = decode(&damaged);
            }
        }
        for _ in 0..2000 {
            let length = prng.below(64) as usize;
            let mut garbage = vec![bytes[0]];
            garbage.extend((0..length).map(|_| prng.number() as u8));
            let _any = decode(&garbage);
        }
    }
}

fn maybe<T>(prng: &mut Prng, value: T) -> Option<T> {
    (prng.below(2) == 0).then_some(value)
}

#[test]
fn records_survive_their_encoding() {
    let mut prng = Prng::new(5);
    for _ in 0..500 {
        let record = ExecutionRecord {
            status: *prng.pick(&ExecutionStatus::ALL),
            started_at: at(prng.number().cast_signed()),
            stopped_at: maybe(&mut prng, at(1)),
            output: maybe(&mut prng, data()),
            error: maybe(&mut prng, ErrorOutput::default()),
            last_lsn: prng.number(),
            redriven_at: maybe(&mut prng, at(2)),
            trace_header: maybe(&mut prng, "Root=1".to_owned()),
            version_arn: maybe(&mut prng, Text::from("version")),
            alias_arn: maybe(&mut prng, Text::from("alias")),
            ..execution()
        };
        let Sample { bytes, is, .. } = sample("ExecutionRecord", record);
        assert_eq!(is(&bytes), Ok(true));
        let events = history().events.into_iter().take(prng.below(3) as usize).collect();
        let row = HistoryRow { previous_lsn: maybe(&mut prng, 0), events, ..history() };
        let Sample { bytes, is, .. } = sample("HistoryRow", row);
        assert_eq!(is(&bytes), Ok(true));
    }
}

#[test]
fn a_summary_is_read_from_the_record() {
    let record = execution();
    let mut bytes = Vec::new();
    record.encode(&mut bytes);
    let summary = ExecutionSummary::decode(&bytes).unwrap();
    assert_eq!((summary.arn, summary.status), (record.arn, record.status));
    assert_eq!((summary.started_at, summary.stopped_at), (record.started_at, record.stopped_at));
    assert_eq!((summary.redrive_count, summary.redriven_at), (record.redrive_count, record.redriven_at));
    assert_eq!((summary.version_arn, summary.alias_arn), (record.version_arn, record.alias_arn));
}

#[test]
fn a_prefix_is_read_without_the_events() {
    let row = history();
    let mut bytes = Vec::new();
    row.encode(&mut bytes);
    // What comes after the prefix is not looked at.
    bytes.truncate(34);
    let prefix = RowPrefix::decode(&bytes).unwrap();
    let expected = RowPrefix { execution: row.execution, previous_lsn: Some(10), first_event: 8, count: 2 };
    assert_eq!(prefix, expected);
    assert_eq!(prefix.end_event(), 10);
}
