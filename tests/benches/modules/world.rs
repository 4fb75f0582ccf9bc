//! A module with its host, its record in a store, and the engine around them, as the server sets them up.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use asl::definition::{MachineType, parse};
use asl::interpreter::{AttemptId, ExecutionId, RowId, TaskRequest};
use asl::{Data, Timestamp};
use engine::arn::{StateMachineArn, StateMachineReference};
use engine::{
    ChangeModule, CreateStateMachine, Engine, Expected, Express, ExpressStart, MachineKind, ModuleChange,
    Options, PutModule, TaskDispatch, TaskExecutor,
};
use executors::ModuleExecutor;
use server::{Account, ModuleRules, Registry};
use store::{ExecutionStatus, Store};
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;
use wasm_host::{Call, Host, ModuleInfo};

pub(crate) const INPUT: &str = r#"{"order":{"id":"A1","lines":[1,2,3]},"n":5}"#;
const RESOURCE: &str = "arn:aws:lambda:us-east-1:123456789012:function:echo";
/// A move of a name begins a little after it is made.
const UNTIL_IT_BEGAN: Duration = Duration::from_millis(100);

pub(crate) struct World<S> {
    executor: Arc<ModuleExecutor<Registry<S>>>,
    express: Express<S>,
    machine: StateMachineArn,
    task: TaskDispatch,
    _engines: [Engine; 2],
}

impl<S: Store + Clone> World<S> {
    pub(crate) async fn new(host: &Host, module: &ModuleInfo, store: S) -> World<S> {
        let account = Account { id: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        let rules = Arc::new(ModuleRules::default());
        let executor = server::functions(host, &store, &account, &rules, &Arc::new(SetOnce::new()));
        let executor = Arc::new(executor);
        let (handle, engine) =
            Engine::start(Options::default(), store.clone(), Arc::clone(&executor)).await.unwrap();
        let (express, in_memory) =
            Express::start(Options::default(), store, Arc::clone(&executor)).await.unwrap();
        handle.change_module(put(module)).await.unwrap();
        let machine = StateMachineArn::new("us-east-1", "123456789012", "echo").unwrap();
        handle.create_state_machine(create(&machine)).await.unwrap();
        tokio::time::sleep(UNTIL_IT_BEGAN).await;
        let task = dispatch(&machine);
        World { executor, express, machine, task, _engines: [engine, in_memory] }
    }

    /// One attempt, as the engine would hand it to the executor.
    pub(crate) async fn attempt(&self) {
        let ended = self.executor.run(self.task.clone(), CancellationToken::new()).await;
        assert_eq!(ended.result.unwrap().text(), INPUT);
    }

    /// One execution of one Task, from its start to its output.
    pub(crate) async fn execution(&self) {
        let start = ExpressStart {
            state_machine: StateMachineReference::Machine(self.machine.clone()),
            name: None,
            input: Data::parse(INPUT).unwrap(),
            trace_header: None,
            test_case: None,
        };
        let ended = self.express.run_execution(start).await.unwrap();
        assert_eq!(ended.status, ExecutionStatus::Succeeded, "{:?}", ended.error);
    }
}

/// One call, as the executor would make it.
pub(crate) async fn call(host: &Host, module: &ModuleInfo) {
    let ended = host.call(Call::new(module.digest, INPUT)).await;
    assert_eq!(ended.result.unwrap(), INPUT);
}

fn put(module: &ModuleInfo) -> ChangeModule {
    let put = PutModule {
        expected: Expected::Nothing,
        digest: module.digest.to_string(),
        size_bytes: module.size_bytes,
        exports: module.exports.clone(),
        manifest: Some("[limits]\nmemory = \"64MiB\"\n".into()),
        configuration: None,
        package_digest: None,
        publish: true,
        description: None,
        tags: Vec::new(),
    };
    let change = ModuleChange::Put(put);
    ChangeModule { name: "echo".to_owned(), change, if_upload: None, needed_since: now() }
}

fn create(arn: &StateMachineArn) -> CreateStateMachine {
    let text = format!(
        r#"{{"StartAt": "A", "States": {{"A": {{"Type": "Task", "Resource": "{RESOURCE}", "End": true}}}}}}"#
    );
    CreateStateMachine {
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
    }
}

fn dispatch(machine: &StateMachineArn) -> TaskDispatch {
    TaskDispatch {
        execution: ExecutionId(7),
        execution_arn: "arn:aws:states:us-east-1:123456789012:execution:echo:e".into(),
        execution_name: "e".into(),
        state_machine_arn: machine.as_str().into(),
        started_at: now(),
        request: TaskRequest {
            row: RowId(1),
            attempt: AttemptId(1),
            resource: RESOURCE.into(),
            input: Data::parse(INPUT).unwrap(),
            state_name: "A".into(),
            retry_count: 0,
            token: None,
            deadline: None,
            role_arn: None,
        },
        heartbeat: Arc::new(|| ()),
        watch: None,
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_milliseconds(i64::try_from(since.as_millis()).unwrap())
}
