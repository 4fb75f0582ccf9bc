//! Whole executions of 10 Pass states in this process, on one core: the interpreter alone, then the engine with its
//! stores.
//!
//! `cargo bench --package tests --bench executions`
#![allow(clippy::unwrap_used, reason = "a benchmark stops where something unexpected happens")]

use std::fmt::Write;
use std::sync::Arc;

use asl::definition::{MachineType, parse};
use asl::interpreter::{Event, ExecutionState, Surroundings};
use asl::{Data, Definition, Timestamp, step};
use divan::Bencher;
use divan::counter::ItemsCount;
use engine::arn::{StateMachineArn, StateMachineReference};
use engine::{
    CreateStateMachine, Engine, Handle, MachineKind, Options, StartExecution, TaskDispatch, TaskExecutor,
    TaskOutcome,
};
use store::{ExecutionStatus, MemoryStore, RedbOptions, RedbStore, Store};
use tests::runner;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const STATES: usize = 10;
/// Executions of one sample, and how many clients start them.
const EXECUTIONS: usize = 4_096;
const CLIENTS: usize = 64;
const INPUT: &str = r#"{"order": {"id": "A1"}, "n": 5}"#;
const NOW: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);

fn main() {
    divan::main();
}

fn machine(state: &str, language: &str) -> String {
    let mut states = String::new();
    for number in 1..=STATES {
        let next = if number == STATES {
            r#""End": true"#.to_owned()
        } else {
            format!(r#""Next": "S{}""#, number + 1)
        };
        let comma = if number == 1 { "" } else { ", " };
        write!(states, r#"{comma}"S{number}": {{"Type": "Pass", {state}{next}}}"#).unwrap();
    }
    format!(r#"{{"QueryLanguage": "{language}", "StartAt": "S1", "States": {{{states}}}}}"#)
}

fn definition(text: &str) -> Definition {
    let parsed = parse(text, MachineType::Standard);
    parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))
}

struct NoActivities;

impl Surroundings for NoActivities {
    fn activity_exists(&self, _: &str) -> bool {
        false
    }
}

fn interpret(bencher: Bencher<'_, '_>, state: &str, language: &str) {
    let definition = definition(&machine(state, language));
    let input = Data::parse(INPUT).unwrap();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        let mut state = ExecutionState::new(Arc::new(runner::info(input.clone(), NOW)));
        let mut events = 0;
        let mut transition = step(&definition, &mut state, Event::Start, NOW, &NoActivities);
        loop {
            events += transition.history.len();
            state.take_changed();
            if !transition.more {
                break;
            }
            transition = step(&definition, &mut state, Event::Continue, NOW, &NoActivities);
        }
        assert_eq!(events, 2 + 2 * STATES);
    });
}

#[divan::bench]
fn interpreter_alone(bencher: Bencher<'_, '_>) {
    interpret(bencher, "", "JSONPath");
}

#[divan::bench]
fn interpreter_alone_with_parameters(bencher: Bencher<'_, '_>) {
    interpret(bencher, r#""Parameters": {"order.$": "$.order", "n.$": "$.n"}, "#, "JSONPath");
}

#[divan::bench]
fn interpreter_alone_with_jsonata(bencher: Bencher<'_, '_>) {
    interpret(
        bencher,
        r#""Output": {"order": "{% $states.input.order %}", "n": "{% $states.input.n + 1 %}"}, "#,
        "JSONata",
    );
}

/// Pass states call nobody.
struct Nobody;

impl TaskExecutor for Nobody {
    async fn run(&self, task: TaskDispatch, _: CancellationToken) -> TaskOutcome {
        panic!("nobody runs {}", task.request.resource)
    }
}

/// Each execution is started, run, kept with its whole history, and read back.
fn run_in_engine<S: Store + Clone>(bencher: Bencher<'_, '_>, store: S) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = Options { ..Options::default() };
    let (handle, engine) = runtime.block_on(Engine::start(options, store, Arc::new(Nobody))).unwrap();
    let arn = StateMachineArn::new("us-east-1", "123456789012", "machine").unwrap();
    let text = machine("", "JSONPath");
    let request = CreateStateMachine {
        arn: arn.clone(),
        kind: MachineKind::Standard,
        definition: Arc::new(definition(&text)),
        text: text.into(),
        role_arn: "arn:aws:iam::123456789012:role/r".to_owned(),
        logging: None,
        tracing: None,
        encryption: None,
        tags: Vec::new(),
        publish: None,
    };
    runtime.block_on(handle.create_state_machine(request)).unwrap();
    bencher.counter(ItemsCount::new(EXECUTIONS)).bench_local(|| start_all(&runtime, &handle, &arn));
    runtime.block_on(engine.stop());
}

fn start_all<S: Store + Clone>(runtime: &Runtime, handle: &Handle<S>, arn: &StateMachineArn) {
    runtime.block_on(async {
        let clients = (0..CLIENTS).map(|_| {
            let (handle, arn) = (handle.clone(), arn.clone());
            tokio::spawn(async move {
                for _ in 0..EXECUTIONS / CLIENTS {
                    let request = StartExecution {
                        state_machine: StateMachineReference::Machine(arn.clone()),
                        name: None,
                        input: Data::parse(INPUT).unwrap(),
                        trace_header: None,
                        test_case: None,
                    };
                    let started = handle.start_execution(request).await.unwrap();
                    let record = handle.store().execution(started.id).await.unwrap().unwrap();
                    assert_eq!(record.status, ExecutionStatus::Succeeded);
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap();
        }
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn engine_with_store_in_memory(bencher: Bencher<'_, '_>) {
    run_in_engine(bencher, MemoryStore::new(1));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn engine_with_store_on_disk(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    let options = RedbOptions::new(folder.path(), 1);
    run_in_engine(bencher, RedbStore::open(&options).unwrap());
}
