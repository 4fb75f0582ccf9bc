//! Express executions of 10 Pass states in this process, with those that have ended kept to look at and without.
//!
//! `cargo bench --package server --bench express`
#![allow(clippy::unwrap_used, reason = "a benchmark stops where something unexpected happens")]

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use asl::Data;
use asl::definition::{MachineType, parse};
use divan::Bencher;
use divan::counter::ItemsCount;
use engine::arn::{StateMachineArn, StateMachineReference};
use engine::{
    CreateStateMachine, Engine, Express, ExpressStart, Handle, MachineKind, Options, TaskDispatch,
    TaskExecutor, TaskOutcome,
};
use server::{KeptLimits, LogsTo, Observing};
use store::{ExecutionStatus, MemoryStore};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const STATES: usize = 10;
/// Executions of one sample, and how many clients start them.
const EXECUTIONS: usize = 4_096;
const CLIENTS: usize = 64;
const INPUT: &str = r#"{"order": {"id": "A1"}, "n": 5}"#;
const STOP_PATIENCE: Duration = Duration::from_secs(10);

fn main() {
    divan::main();
}

/// Pass states call nobody.
struct Nobody;

impl TaskExecutor for Nobody {
    async fn run(&self, task: TaskDispatch, _: CancellationToken) -> TaskOutcome {
        panic!("nobody runs {}", task.request.resource)
    }
}

fn definition() -> String {
    let mut states = String::new();
    for number in 1..STATES {
        write!(states, r#""S{number}": {{"Type": "Pass", "Next": "S{}"}}, "#, number + 1).unwrap();
    }
    format!(r#"{{"StartAt": "S1", "States": {{{states}"S{STATES}": {{"Type": "Pass", "End": true}}}}}}"#)
}

fn create(runtime: &Runtime, handle: &Handle<MemoryStore>) -> StateMachineArn {
    let arn = StateMachineArn::new("us-east-1", "123456789012", "machine").unwrap();
    let text = definition();
    let request = CreateStateMachine {
        arn: arn.clone(),
        kind: MachineKind::Express,
        definition: Arc::new(parse(&text, MachineType::Express).definition.unwrap()),
        text: text.into(),
        role_arn: "arn:aws:iam::123456789012:role/r".to_owned(),
        logging: None,
        tracing: None,
        encryption: None,
        tags: Vec::new(),
        publish: None,
    };
    runtime.block_on(handle.create_state_machine(request)).unwrap();
    arn
}

/// Each execution is started and waited for.
fn run(bencher: Bencher<'_, '_>, kept: Option<KeptLimits>) {
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = MemoryStore::new(1);
    let start = Engine::start(Options::default(), store.clone(), Arc::new(Nobody));
    let (handle, engine) = runtime.block_on(start).unwrap();
    let arn = create(&runtime, &handle);
    let observing = Observing::start(folder.path(), LogsTo::Off, kept).unwrap();
    let (observed, observer) = observing.express();
    let shard = engine::shard::Options { observed, ..Default::default() };
    let options = Options { shard, observer: Some(observer), ..Options::default() };
    let (express, in_memory) = runtime.block_on(Express::start(options, store, Arc::new(Nobody))).unwrap();
    bencher.counter(ItemsCount::new(EXECUTIONS)).bench_local(|| run_all(&runtime, &express, &arn));
    runtime.block_on(async {
        in_memory.stop().await;
        engine.stop().await;
        observing.stop(STOP_PATIENCE).await;
    });
}

fn run_all(runtime: &Runtime, express: &Express<MemoryStore>, arn: &StateMachineArn) {
    runtime.block_on(async {
        let clients = (0..CLIENTS).map(|_| {
            let (express, arn) = (express.clone(), arn.clone());
            tokio::spawn(async move {
                for _ in 0..EXECUTIONS / CLIENTS {
                    let request = ExpressStart {
                        state_machine: StateMachineReference::Machine(arn.clone()),
                        name: None,
                        input: Data::parse(INPUT).unwrap(),
                        trace_header: None,
                        test_case: None,
                    };
                    let ended = express.run_execution(request).await.unwrap();
                    assert_eq!(ended.status, ExecutionStatus::Succeeded);
                }
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await.unwrap();
        }
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn kept_nowhere(bencher: Bencher<'_, '_>) {
    run(bencher, None);
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn kept_to_look_at(bencher: Bencher<'_, '_>) {
    run(bencher, Some(KeptLimits { executions: 1_000, bytes: 64 << 20 }));
}
