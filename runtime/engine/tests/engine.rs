//! The engine over a store in memory, with an executor that answers by the name of the function.
#![allow(clippy::unwrap_used, reason = "a test fails where something unexpected happens")]

#[path = "engine/definitions.rs"]
mod definitions;
#[path = "engine/fairness.rs"]
mod fairness;
#[path = "engine/modules.rs"]
mod modules;
#[path = "engine/redrive.rs"]
mod redrive;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use asl::Data;
use asl::definition::MachineType;
use asl::interpreter::{ErrorOutput, HistoryKind, TimeScale};
use engine::arn::{ActivityArn, ExecutionArn, StateMachineArn};
use engine::shard::TaskKey;
use engine::{
    CreateActivity, CreateStateMachine, Engine, Express, ExpressStart, Handle, MachineKind, Options, Refusal,
    StartAnswer, StartExecution, StartForTask, Started, StopExecution, TaskDispatch, TaskExecutor,
    TaskOutcome,
};
use futures::FutureExt;
use store::{ExecutionRecord, ExecutionStatus, HistoryQuery, MemoryStore, Order, Store};
use tokio_util::sync::CancellationToken;

/// `double` doubles a number, `flaky` fails twice, `never` waits to be cancelled and `held` to be released;
/// `startExecution` starts a child.
#[derive(Default)]
struct Functions {
    calls: AtomicU32,
    cancelled: AtomicU32,
    released: CancellationToken,
    handle: Mutex<Option<Handle<MemoryStore>>>,
}

impl Functions {
    async fn start_child(&self, task: &TaskDispatch) -> Result<Data, ErrorOutput> {
        let handle = loop {
            let handle = self.handle.lock().unwrap().clone();
            if let Some(handle) = handle {
                break handle;
            }
            tokio::task::yield_now().await;
        };
        let answer = StartAnswer {
            write: |arn, _, _| Data::from(serde_json::Value::from(arn)),
            request_id: String::new(),
        };
        let request = StartForTask {
            task: TaskKey { execution: task.execution, row: task.request.row, attempt: task.request.attempt },
            start: StartExecution {
                state_machine: StateMachineArn::parse(task.request.input.value().as_str().unwrap())
                    .unwrap()
                    .into(),
                name: None,
                input: Data::parse("[1]").unwrap(),
                trace_header: None,
                test_case: None,
            },
            is_awaited: task.request.resource.contains(".sync"),
            answer,
        };
        let started = handle.start_for_task(request.clone()).await;
        let started = started.map_err(|refusal| ErrorOutput::new("Refused", refusal.to_string()))?;
        // What a run after a crash would do: it is refused, and nothing more is started.
        assert_eq!(handle.start_for_task(request.clone()).await, Err(Refusal::TaskTimedOut));
        Ok(request.answer.of(started.arn.as_str(), started.at))
    }
}

impl TaskExecutor for Functions {
    async fn run(&self, task: TaskDispatch, cancel: CancellationToken) -> TaskOutcome {
        let calls = self.calls.fetch_add(1, Ordering::SeqCst);
        if task.request.resource.contains(":startExecution") {
            return TaskOutcome { result: self.start_child(&task).await, usage: None };
        }
        let name = task.request.resource.rsplit(':').next().unwrap_or_default();
        let result = match name {
            "double" => Ok((task.request.input.value().as_i64().expect("a number") * 2).into()),
            "flaky" if calls < 2 => Err(ErrorOutput::new("Busy", "try again")),
            "flaky" => Ok(serde_json::json!("done")),
            "never" => {
                cancel.cancelled().await;
                self.cancelled.fetch_add(1, Ordering::SeqCst);
                Ok(serde_json::Value::Null)
            }
            "held" => {
                // A restart cancels it, and then its answer is no result.
                tokio::select! {
                    () = self.released.cancelled() => {}
                    () = cancel.cancelled() => {}
                }
                Ok(serde_json::Value::Null)
            }
            other => panic!("there is no function {other}"),
        };
        TaskOutcome { result: result.map(|value: serde_json::Value| Data::from(value)), usage: None }
    }
}

struct World {
    handle: Handle<MemoryStore>,
    engine: Option<Engine>,
    store: MemoryStore,
    functions: Arc<Functions>,
}

impl World {
    async fn new() -> World {
        World::on(MemoryStore::new(1), Arc::default()).await
    }

    async fn on(store: MemoryStore, functions: Arc<Functions>) -> World {
        World::with(Options::default(), store, functions).await
    }

    async fn with(options: Options, store: MemoryStore, functions: Arc<Functions>) -> World {
        let (handle, engine) = Engine::start(options, store.clone(), Arc::clone(&functions)).await.unwrap();
        *functions.handle.lock().unwrap() = Some(handle.clone());
        World { handle, engine: Some(engine), store, functions }
    }

    /// Stops the engine and starts another one on the same store.
    async fn restart(self) -> World {
        self.restart_with(Options::default()).await
    }

    async fn restart_with(mut self, options: Options) -> World {
        self.engine.take().unwrap().stop().await;
        *self.functions.handle.lock().unwrap() = None;
        World::with(options, self.store, self.functions).await
    }

    async fn create(&self, name: &str, definition: &str) -> StateMachineArn {
        let arn = StateMachineArn::new("us-east-1", "123456789012", name).unwrap();
        let parsed = asl::definition::parse(definition, MachineType::Standard);
        let request = CreateStateMachine {
            arn: arn.clone(),
            kind: MachineKind::Standard,
            text: definition.into(),
            definition: Arc::new(parsed.definition.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics))),
            role_arn: "arn:aws:iam::123456789012:role/r".to_owned(),
            logging: None,
            tracing: None,
            encryption: None,
            tags: Vec::new(),
            publish: None,
        };
        self.handle.create_state_machine(request).await.unwrap();
        arn
    }

    async fn start(
        &self,
        machine: &StateMachineArn,
        name: Option<&str>,
        input: &str,
    ) -> Result<Started, Refusal> {
        let request = StartExecution {
            state_machine: machine.clone().into(),
            name: name.map(str::to_owned),
            input: Data::parse(input).unwrap(),
            trace_header: None,
            test_case: None,
        };
        self.handle.start_execution(request).await
    }

    /// Waits until the execution ends; the test runner bounds the time.
    async fn ended(&self, started: &Started) -> ExecutionRecord {
        loop {
            let record = self.store.execution(started.id).await.unwrap().unwrap();
            if record.status != ExecutionStatus::Running {
                return record;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn events(&self, started: &Started, record: &ExecutionRecord) -> Vec<HistoryKind> {
        let execution = started.id;
        let query = HistoryQuery {
            execution,
            last_lsn: record.last_lsn,
            order: Order::Forward,
            from: None,
            max: 1_000,
        };
        let page = self.store.history(query).await.unwrap();
        page.items.into_iter().map(|event| event.kind).collect()
    }
}

const DOUBLE: &str = r#"{"StartAt": "A", "States": {
    "A": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:double", "Next": "B"},
    "B": {"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:double", "End": true}}}"#;

const ACTIVITY: &str = r#"{"StartAt": "A", "States": {
    "A": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:approve", "End": true}}}"#;

async fn activity(world: &World) -> ActivityArn {
    let arn = ActivityArn::new("us-east-1", "123456789012", "approve").unwrap();
    let request = CreateActivity { arn: arn.clone(), encryption: None, tags: Vec::new() };
    world.handle.create_activity(request).await.unwrap();
    arn
}

#[tokio::test]
async fn tasks_run_one_after_the_other() {
    let world = World::new().await;
    let machine = world.create("double", DOUBLE).await;
    let started = world.start(&machine, None, "5").await.unwrap();
    let record = world.ended(&started).await;
    assert_eq!(record.output.as_ref().map(Data::text), Some("20"));
    assert_eq!(world.events(&started, &record).await.len(), 12);
    assert_eq!(record.event_count, 12);
}

#[tokio::test]
async fn an_activity_is_answered_by_its_token_once() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let started = world.start(&machine, None, r#"{"amount": 7}"#).await.unwrap();
    let task = world.handle.get_activity_task(arn, Some("w".to_owned())).await.unwrap().unwrap();
    assert_eq!(task.input.text(), r#"{"amount": 7}"#);
    world.handle.send_task_heartbeat(&task.token).await.unwrap();
    world.handle.send_task_success(&task.token, Data::parse("true").unwrap()).await.unwrap();
    assert_eq!(world.ended(&started).await.output.unwrap().text(), "true");
    let again = world.handle.send_task_success(&task.token, Data::parse("false").unwrap()).await;
    assert_eq!(again, Err(Refusal::TaskTimedOut));
    let mut forged = task.token.into_bytes();
    forged[60] = if forged[60] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    assert_eq!(world.handle.send_task_heartbeat(&forged).await, Err(Refusal::InvalidToken));
}

#[tokio::test]
async fn a_waiting_poller_gets_the_next_task_even_after_a_restart() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let started = world.start(&machine, None, "1").await.unwrap();
    let world = world.restart().await;
    let task = world.handle.get_activity_task(arn, None).await.unwrap().unwrap();
    let world = world.restart().await;
    world.handle.send_task_failure(&task.token, ErrorOutput::new("No", "not today")).await.unwrap();
    assert_eq!(world.ended(&started).await.error, Some(ErrorOutput::new("No", "not today")));
}

/// For what would be waited for without end.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_poll_that_ends_at_once_is_not_overtaken_by_its_end() {
    let options = Options { activity_poll: Duration::ZERO, ..Options::default() };
    let world = World::with(options, MemoryStore::new(1), Arc::default()).await;
    let arn = activity(&world).await;
    for _ in 0..100 {
        // The driver finds all of it at once, as it does when it was busy.
        let polls =
            futures::future::join_all((0..5).map(|_| world.handle.get_activity_task(arn.clone(), None)));
        let answers = tokio::time::timeout(PATIENCE, polls).await.expect("every poll is answered");
        assert!(answers.iter().all(|answer| *answer == Ok(None)), "{answers:?}");
    }
}

#[tokio::test]
async fn a_worker_that_goes_before_its_poll_is_taken_takes_no_task_with_it() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    for number in 0..20 {
        {
            // The poll is sent, and nobody waits for it any more.
            let poll = std::pin::pin!(world.handle.get_activity_task(arn.clone(), None));
            assert!(poll.now_or_never().is_none());
        }
        world.start(&machine, None, &number.to_string()).await.unwrap();
        let poll = tokio::time::timeout(PATIENCE, world.handle.get_activity_task(arn.clone(), None));
        let task = poll.await.expect("the task is there").unwrap().unwrap();
        assert_eq!(task.input.text(), number.to_string());
    }
}

#[tokio::test]
async fn a_task_whose_worker_goes_before_it_has_it_is_handed_to_the_next() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    for turns in 0..10 {
        let mut start = std::pin::pin!(world.start(&machine, None, "1"));
        let mut answer = None;
        {
            let poll = std::pin::pin!(world.handle.get_activity_task(arn.clone(), Some("gone".to_owned())));
            assert!(poll.now_or_never().is_none());
            // The poll goes away earlier or later on the way of the task.
            for _ in 0..turns {
                if answer.is_none() {
                    answer = (&mut start).now_or_never();
                }
                tokio::task::yield_now().await;
            }
        }
        let started = match answer {
            Some(answer) => answer,
            None => start.await,
        };
        let started = started.unwrap();
        let poll = world.handle.get_activity_task(arn.clone(), Some("there".to_owned()));
        let task = tokio::time::timeout(PATIENCE, poll).await.expect("the task is there").unwrap().unwrap();
        // Nobody else gets it now.
        let other = world.handle.get_activity_task(arn.clone(), None);
        let other = std::pin::pin!(other);
        assert!(other.now_or_never().is_none());
        world.handle.send_task_success(&task.token, Data::parse("true").unwrap()).await.unwrap();
        let record = world.ended(&started).await;
        let events = world.events(&started, &record).await;
        let starts = events.iter().filter(|event| matches!(event, HistoryKind::ActivityStarted { .. }));
        assert_eq!(starts.count(), 1, "{events:?}");
    }
}

#[tokio::test]
async fn a_task_that_was_taken_back_and_is_answered_waits_for_no_worker() {
    let world = World::new().await;
    let arn = activity(&world).await;
    // The input of this task shows its token to whoever reads the history.
    let definition = ACTIVITY.replace("\"End\"", "\"Parameters\": {\"token.$\": \"$$.Task.Token\"}, \"End\"");
    let machine = world.create("shown", &definition).await;
    let started = {
        let poll = std::pin::pin!(world.handle.get_activity_task(arn.clone(), None));
        assert!(poll.now_or_never().is_none());
        world.start(&machine, None, "1").await.unwrap()
    };
    let header = world.store.state_header(started.id).await.unwrap().unwrap();
    let record = world.store.execution(started.id).await.unwrap().unwrap();
    let record = ExecutionRecord { last_lsn: header.last_lsn, ..record };
    let events = world.events(&started, &record).await;
    let token = events.iter().find_map(|event| match event {
        HistoryKind::ActivityScheduled(scheduled) => scheduled.input.value()["token"].as_str(),
        _other => None,
    });
    let token = token.unwrap().to_owned();
    // After this answer the poll has been taken back, and the task is in the queue.
    world.handle.send_task_heartbeat(&token).await.unwrap();
    world.handle.send_task_success(&token, Data::parse("true").unwrap()).await.unwrap();
    assert_eq!(world.ended(&started).await.status, ExecutionStatus::Succeeded);

    world.start(&machine, None, "2").await.unwrap();
    let poll = tokio::time::timeout(PATIENCE, world.handle.get_activity_task(arn, None));
    let task = poll.await.expect("the task is there").unwrap().expect("the one of the second execution");
    assert_ne!(task.token, token);
}

#[tokio::test]
async fn names_make_a_start_idempotent_while_it_runs() {
    let world = World::new().await;
    activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let first = world.start(&machine, Some("one"), "1").await.unwrap();
    assert_eq!(world.start(&machine, Some("one"), "1").await.unwrap(), first);
    let other = world.start(&machine, Some("one"), "2").await;
    assert!(matches!(other, Err(Refusal::ExecutionAlreadyExists { .. })), "{other:?}");
    let stop = StopExecution { arn: first.arn.clone(), reason: ErrorOutput::default() };
    let stopped = world.handle.stop_execution(stop.clone()).await.unwrap();
    assert_eq!(world.handle.stop_execution(stop).await.unwrap(), stopped);
    let again = world.start(&machine, Some("one"), "1").await;
    assert!(matches!(again, Err(Refusal::ExecutionAlreadyExists { .. })), "{again:?}");
}

#[tokio::test]
async fn a_running_task_is_started_again_after_a_restart() {
    let world = World::new().await;
    let definition = DOUBLE.replace("function:double\", \"Next\"", "function:never\", \"Next\"");
    let machine = world.create("never", &definition).await;
    let started = world.start(&machine, None, "1").await.unwrap();
    while world.functions.calls.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let world = world.restart().await;
    while world.functions.calls.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    let stop = StopExecution { arn: started.arn.clone(), reason: ErrorOutput::new("Enough", "stop") };
    world.handle.stop_execution(stop).await.unwrap();
    assert_eq!(world.ended(&started).await.status, ExecutionStatus::Aborted);
    while world.functions.cancelled.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_machine_with_running_executions_is_deleted() {
    let world = World::new().await;
    activity(&world).await;
    let machine = world.create("approve", ACTIVITY).await;
    let started = world.start(&machine, None, "1").await.unwrap();
    world.handle.delete_state_machine(machine.clone()).await.unwrap();
    assert_eq!(world.ended(&started).await.status, ExecutionStatus::Aborted);
    while world.store.machine("approve").await.unwrap().is_some() {
        tokio::task::yield_now().await;
    }
    let refused = world.start(&machine, None, "1").await;
    assert!(matches!(refused, Err(Refusal::StateMachineDoesNotExist { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_long_loop_gives_way_and_ends_at_the_history_limit() {
    let world = World::new().await;
    let machine = world
        .create("loop", r#"{"StartAt": "A", "States": {
                "A": {"Type": "Pass", "Next": "B"},
                "B": {"Type": "Choice", "Choices": [{"Variable": "$.stop", "IsPresent": true, "Next": "C"}], "Default": "A"},
                "C": {"Type": "Succeed"}}}"#)
        .await;
    let started = world.start(&machine, None, "{}").await.unwrap();
    let record = world.ended(&started).await;
    assert_eq!(record.event_count, 25_000);
    assert_eq!(record.error.unwrap().error.as_deref(), Some("States.Runtime"));
}

#[tokio::test]
async fn an_express_machine_is_for_the_engine_that_keeps_nothing() {
    let world = World::new().await;
    let arn = StateMachineArn::new("us-east-1", "123456789012", "express").unwrap();
    let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#;
    let request = CreateStateMachine {
        arn: arn.clone(),
        kind: MachineKind::Express,
        text: text.into(),
        definition: Arc::new(asl::definition::parse(text, MachineType::Express).definition.unwrap()),
        role_arn: String::new(),
        logging: None,
        tracing: None,
        encryption: None,
        tags: Vec::new(),
        publish: None,
    };
    world.handle.create_state_machine(request).await.unwrap();
    assert_eq!(world.start(&arn, None, "{}").await, Err(Refusal::ExpressNotSupported));
    let (express, engine) =
        Express::start(Options::default(), world.store.clone(), Arc::clone(&world.functions)).await.unwrap();
    let request = || ExpressStart {
        state_machine: arn.clone().into(),
        name: Some("again".to_owned()),
        input: Data::parse("[1]").unwrap(),
        trace_header: None,
        test_case: None,
    };
    let runs = futures::future::join_all((0..100).map(|_| express.run_execution(request()))).await;
    for run in runs {
        let record = run.unwrap();
        assert_eq!((record.status, record.output.unwrap().text()), (ExecutionStatus::Succeeded, "[1]"));
    }
    assert_eq!(express.start_execution(request()).await.unwrap().status, ExecutionStatus::Running);
    engine.stop().await;
    assert_eq!(express.start_execution(request()).await, Err(Refusal::Stopping));
}

#[tokio::test]
async fn a_full_queue_refuses_and_loses_nothing() {
    let store = MemoryStore::new(1);
    let options = Options { requests_max: 4, ..Options::default() };
    let (handle, engine) =
        Engine::start(options, store.clone(), Arc::new(Functions::default())).await.unwrap();
    let world = World { handle, engine: Some(engine), store, functions: Arc::default() };
    let machine = world.create("pass", r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}"#).await;
    // All are sent before the driver has its turn on this one thread.
    let starts = futures::future::join_all((0..50).map(|_| world.start(&machine, None, "{}"))).await;
    let accepted: Vec<_> = starts.iter().filter_map(|start| start.as_ref().ok()).collect();
    assert_eq!(accepted.len(), 4);
    assert!(starts.iter().all(|start| start.is_ok() || *start == Err(Refusal::Overloaded)));
    for started in accepted {
        assert_eq!(world.ended(started).await.status, ExecutionStatus::Succeeded);
    }
    assert!(world.start(&machine, None, "{}").await.is_ok(), "there is room again");
}

/// A machine whose one task starts an execution of `child`.
async fn parent(world: &World, pattern: &str, child: &StateMachineArn) -> StateMachineArn {
    let definition = format!(
        r#"{{"StartAt": "A", "States": {{"A": {{"Type": "Task", "End": true, "InputPath": "$.machine",
            "Resource": "arn:aws:states:::states:startExecution{pattern}"}}}}}}"#
    );
    assert_eq!(child.name(), "approve");
    world.create("parent", &definition).await
}

async fn start_parent(world: &World, parent: &StateMachineArn, child: &StateMachineArn) -> Started {
    let input = serde_json::json!({ "machine": child.as_str() }).to_string();
    world.start(parent, None, &input).await.unwrap()
}

/// The executions of `approve`.
async fn children(world: &World) -> Vec<ExecutionStatus> {
    let machine = world.store.machine("approve").await.unwrap().unwrap();
    let page = world.store.list_executions(machine.machine_id, None, None, 10).await.unwrap();
    page.items.into_iter().map(|(_, child)| child.status).collect()
}

#[tokio::test]
async fn a_parent_awaits_its_child_through_restarts() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let child = world.create("approve", ACTIVITY).await;
    let machine = parent(&world, ".sync:2", &child).await;
    let started = start_parent(&world, &machine, &child).await;
    let task = world.handle.get_activity_task(arn, None).await.unwrap().unwrap();
    let world = world.restart().await;
    let world = world.restart().await;
    world.handle.send_task_success(&task.token, Data::parse("{\"ok\":true}").unwrap()).await.unwrap();
    let world = world.restart().await;
    let record = world.ended(&started).await;
    let output = record.output.clone().unwrap();
    assert_eq!(output.value()["Output"], serde_json::json!({"ok": true}));
    assert_eq!(output.value()["Input"], serde_json::json!([1]));
    assert_eq!(children(&world).await, [ExecutionStatus::Succeeded]);
    let events = world.events(&started, &record).await;
    let submitted = events.iter().filter(|event| matches!(event, HistoryKind::TaskSubmitted(..))).count();
    assert_eq!((submitted, events.len()), (1, 8));
}

#[tokio::test]
async fn a_child_that_fails_fails_its_task() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let child = world.create("approve", ACTIVITY).await;
    let machine = parent(&world, ".sync", &child).await;
    let started = start_parent(&world, &machine, &child).await;
    let task = world.handle.get_activity_task(arn, None).await.unwrap().unwrap();
    world.handle.send_task_failure(&task.token, ErrorOutput::new("No", "not today")).await.unwrap();
    let error = world.ended(&started).await.error.unwrap();
    assert_eq!(error.error.as_deref(), Some("States.TaskFailed"));
    let cause: serde_json::Value = serde_json::from_str(&error.cause.unwrap()).unwrap();
    assert_eq!((&cause["Error"], &cause["Status"]), (&"No".into(), &"FAILED".into()));
}

#[tokio::test]
async fn a_child_is_stopped_with_its_parent() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let child = world.create("approve", ACTIVITY).await;
    let machine = parent(&world, ".sync", &child).await;
    let started = start_parent(&world, &machine, &child).await;
    world.handle.get_activity_task(arn, None).await.unwrap().unwrap();
    let stop = StopExecution { arn: started.arn.clone(), reason: ErrorOutput::default() };
    world.handle.stop_execution(stop).await.unwrap();
    let world = world.restart().await;
    while children(&world).await != [ExecutionStatus::Aborted] {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.ended(&started).await.status, ExecutionStatus::Aborted);
}

#[tokio::test]
async fn a_child_that_nobody_awaits_goes_on_alone() {
    let world = World::new().await;
    let arn = activity(&world).await;
    let child = world.create("approve", ACTIVITY).await;
    let machine = parent(&world, "", &child).await;
    let started = start_parent(&world, &machine, &child).await;
    let record = world.ended(&started).await;
    assert_eq!(record.status, ExecutionStatus::Succeeded);
    assert_eq!(children(&world).await, [ExecutionStatus::Running]);
    let task = world.handle.get_activity_task(arn, None).await.unwrap().unwrap();
    world.handle.send_task_success(&task.token, Data::parse("1").unwrap()).await.unwrap();
}

fn without_waiting() -> Options {
    let time_scale = TimeScale::new(0.0).unwrap();
    Options { shard: engine::shard::Options { time_scale, ..Default::default() }, ..Options::default() }
}

#[tokio::test]
async fn timers_stay_as_they_were_set_when_the_time_scale_changes() {
    let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 86400, "End": true}}}"#;
    let world = World::new().await;
    let machine = world.create("wait", text).await;
    let slow = world.start(&machine, Some("slow"), "{}").await.unwrap();

    let world = world.restart_with(without_waiting()).await;
    let quick = world.start(&machine, Some("quick"), "{}").await.unwrap();
    assert_eq!(world.ended(&quick).await.status, ExecutionStatus::Succeeded);
    let record = world.store.execution(slow.id).await.unwrap().unwrap();
    assert_eq!(record.status, ExecutionStatus::Running);

    // Its timer is where the execution looks for it.
    let stop = StopExecution { arn: slow.arn.clone(), reason: ErrorOutput::default() };
    world.handle.stop_execution(stop).await.unwrap();
    assert_eq!(world.ended(&slow).await.status, ExecutionStatus::Aborted);
}

#[tokio::test]
async fn retries_do_not_wait_at_scale_0() {
    let text = r#"{"StartAt": "A", "States": {"A": {"Type": "Task", "End": true,
        "Resource": "arn:aws:lambda:us-east-1:123456789012:function:flaky",
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 86400}]}}}"#;
    let world = World::with(without_waiting(), MemoryStore::new(1), Arc::default()).await;
    let machine = world.create("retry", text).await;
    let started = world.start(&machine, None, "{}").await.unwrap();
    let record = world.ended(&started).await;
    assert_eq!(record.output.as_ref().map(Data::text), Some("\"done\""));
    assert_eq!(world.functions.calls.load(Ordering::SeqCst), 3);
}
