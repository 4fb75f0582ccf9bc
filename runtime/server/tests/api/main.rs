//! Every operation through the router, over the engine on a store in memory.
#![allow(clippy::unwrap_used, clippy::needless_pass_by_value, reason = "helpers of tests are tests too")]

mod access;
mod callbacks;
mod execution_logs;
mod express;
mod lambda;
mod map_run_redrive;
mod redrive;
mod secrets;
mod tags;
mod tokens;
mod uploads;
mod versions;

use std::sync::Arc;

use asl::interpreter::{ErrorOutput, LinkMaker, TimeScale};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use engine::{Engine, Express, Observed, Observer, TaskDispatch, TaskExecutor, TaskOutcome};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use server::{Access, Account, App, KeptLimits, LogsTo, ModuleRules, Observing, Parts, Vault};
use store::MemoryStore;
use tempfile::TempDir;
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use wasm_host::{Defaults, Limits, Policy};

const PREFIX: &str = "arn:aws:states:us-east-1:123456789012";
const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const PASS: &str = r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": {"a": 1}, "End": true}}}"#;
const WAIT: &str = r#"{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": true}}}"#;

/// Few, so that tests see them go.
const KEPT: KeptLimits = KeptLimits { executions: 5, bytes: 1 << 20 };

/// Every task fails but those that only await their answer, and later attempts of one function; these tests are about the
/// API.
struct Failing;

impl TaskExecutor for Failing {
    async fn run(&self, task: TaskDispatch, _cancel: CancellationToken) -> TaskOutcome {
        let is_later = task.request.resource.ends_with(":later") && task.request.attempt.0 > 1;
        if is_later || task.request.resource.contains(":awaitCallback.") {
            return TaskOutcome { result: Ok(task.request.input), usage: None };
        }
        TaskOutcome { result: Err(ErrorOutput::new("Failing", "always")), usage: None }
    }
}

fn engine_options(
    (observed, observer): (Observed, Arc<dyn Observer>),
    link_maker: Option<LinkMaker>,
) -> engine::Options {
    let shard = engine::shard::Options { observed, link_maker, ..Default::default() };
    engine::Options { shard, observer: Some(observer), ..engine::Options::default() }
}

/// Modules get what they get by default.
fn rules() -> Arc<ModuleRules> {
    let defaults = Defaults::new(Limits::default(), 256 << 20, 1_000);
    Arc::new(ModuleRules::new(Policy::default(), defaults))
}

struct Server {
    router: Router,
    stopping: CancellationToken,
    engines: [Engine; 2],
    observing: Observing,
    data: TempDir,
}

impl Server {
    async fn start() -> Server {
        Server::start_listening(false).await
    }

    /// `is_remote` is what a server is told that listens elsewhere than on loopback.
    async fn start_listening(is_remote: bool) -> Server {
        let data = tempfile::tempdir().unwrap();
        let mut options = wasm_host::Options::new(data.path());
        (options.slots, options.guest_threads) = (1, 1);
        let host = wasm_host::Host::new(&options).unwrap();
        let store = MemoryStore::new(1);
        let link_maker = LinkMaker::new([7; 32], "https://flows.example");
        let observing = Observing::start(data.path(), LogsTo::Files, Some(KEPT)).unwrap();
        let standard = engine_options(observing.standard(), Some(link_maker.clone()));
        let in_memory = engine_options(observing.express(), None);
        let (handle, engine) = Engine::start(standard, store.clone(), Arc::new(Failing)).await.unwrap();
        let (express, express_engine) =
            Express::start(in_memory, store.clone(), Arc::new(Failing)).await.unwrap();
        let account = Account { id: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        let stopping = CancellationToken::new();
        let vault = Vault::open(data.path(), None).unwrap();
        let access = Access::load(&store, &vault, is_remote).await.unwrap();
        let parts = Parts {
            engine: handle,
            express,
            functions: Arc::new(server::functions(
                &host,
                &store,
                &account,
                &rules(),
                &Arc::new(SetOnce::new()),
            )),
            host,
            account,
            vault,
            link_maker,
            access,
            rules: Arc::new(server::ModuleRules::default()),
            time_scale: TimeScale::REAL,
            express_kept: observing.kept(),
            task_logs: None,
            stopping: stopping.clone(),
        };
        let router = App::new(parts).router();
        Server { router, stopping, engines: [engine, express_engine], observing, data }
    }

    /// Stops the engines, and gives what was written to an execution log.
    async fn log(self, file: &str) -> Vec<Value> {
        for engine in self.engines {
            engine.stop().await;
        }
        self.observing.stop(std::time::Duration::from_secs(60)).await;
        let path = self.data.path().join("logs").join(file);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn call(&self, operation: &str, members: Value) -> Value {
        let (status, body) = self.try_call(operation, members).await;
        assert_eq!(status, 200, "{operation}: {body}");
        body
    }

    async fn try_call(&self, operation: &str, members: Value) -> (StatusCode, Value) {
        let request = Request::post("/")
            .header("host", "sync-localhost")
            .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
            .body(Body::from(members.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// The code and the message of a refusal, and its status, which is 400 for all that the caller did wrong.
    async fn refused(&self, operation: &str, members: Value, code: &str, message: &str) {
        let (status, body) = self.try_call(operation, members).await;
        let found = (status.as_u16(), body["__type"].as_str().unwrap(), body["message"].as_str().unwrap());
        assert_eq!(found, (400, code, message), "{operation}");
    }

    /// A test that is refused as a ValidationException.
    async fn refused_test(&self, members: Value, message: &str) {
        self.refused("TestState", members, "ValidationException", message).await;
    }

    async fn create(&self, name: &str, definition: &str) -> String {
        let machine = json!({"name": name, "definition": definition, "roleArn": ROLE});
        let created = self.call("CreateStateMachine", machine).await;
        created["stateMachineArn"].as_str().unwrap().to_owned()
    }

    async fn run(&self, machine: &str) -> String {
        let started = self.call("StartExecution", json!({"stateMachineArn": machine})).await;
        let arn = started["executionArn"].as_str().unwrap().to_owned();
        while self.call("DescribeExecution", json!({"executionArn": arn})).await["status"] == "RUNNING" {
            tokio::task::yield_now().await;
        }
        arn
    }
}

#[tokio::test]
async fn machines_are_created_described_updated_and_deleted() {
    let server = Server::start().await;
    let arn = server.create("m", PASS).await;
    assert_eq!(arn, format!("{PREFIX}:stateMachine:m"));
    assert_eq!(server.create("m", PASS).await, arn);
    let other = json!({"name": "m", "definition": WAIT, "roleArn": ROLE});
    server
        .refused(
            "CreateStateMachine",
            other,
            "StateMachineAlreadyExists",
            &format!("State Machine Already Exists: '{arn}'"),
        )
        .await;
    let shown = server.call("DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    assert_eq!(
        (&shown["definition"], &shown["status"], &shown["type"]),
        (&json!(PASS), &json!("ACTIVE"), &json!("STANDARD"))
    );
    assert_eq!(shown["loggingConfiguration"], json!({"level": "OFF", "includeExecutionData": false}));
    assert_eq!(shown["tracingConfiguration"], json!({"enabled": false}));
    assert_eq!(shown["encryptionConfiguration"], json!({"type": "AWS_OWNED_KEY"}));
    assert!(shown.get("revisionId").is_none());
    let hidden = json!({"stateMachineArn": arn, "includedData": "METADATA_ONLY"});
    assert_eq!(server.call("DescribeStateMachine", hidden).await["definition"], "{}");

    let updated =
        server.call("UpdateStateMachine", json!({"stateMachineArn": arn, "definition": WAIT})).await;
    let shown = server.call("DescribeStateMachine", json!({"stateMachineArn": arn})).await;
    assert_eq!((&shown["definition"], &shown["revisionId"]), (&json!(WAIT), &updated["revisionId"]));
    server
        .refused(
            "UpdateStateMachine",
            json!({"stateMachineArn": arn}),
            "MissingRequiredParameter",
            "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
        )
        .await;
    server.call("DeleteStateMachine", json!({"stateMachineArn": arn})).await;
    server
        .call("DeleteStateMachine", json!({"stateMachineArn": format!("{PREFIX}:stateMachine:none")}))
        .await;
}

#[tokio::test]
async fn a_machine_shows_which_variables_its_states_read() {
    let server = Server::start().await;
    let definition = r#"{"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Assign": {"x.$": "$.n", "y": 1}, "Next": "B"},
        "B": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% [$y, $x] %}", "End": true}}}"#;
    let machine = json!({"stateMachineArn": server.create("m", definition).await});
    let shown = server.call("DescribeStateMachine", machine.clone()).await;
    assert_eq!(shown["variableReferences"], json!({"B": ["x", "y"]}));
    let started = server.call("StartExecution", machine.clone()).await;
    let execution = json!({"executionArn": started["executionArn"]});
    let shown = server.call("DescribeStateMachineForExecution", execution).await;
    assert_eq!(shown["variableReferences"], json!({"B": ["x", "y"]}));

    let hidden = json!({"stateMachineArn": machine["stateMachineArn"], "includedData": "METADATA_ONLY"});
    assert!(server.call("DescribeStateMachine", hidden).await.get("variableReferences").is_none());
    let plain = json!({"stateMachineArn": server.create("plain", PASS).await});
    assert!(server.call("DescribeStateMachine", plain).await.get("variableReferences").is_none());
}

#[tokio::test]
async fn a_definition_that_is_not_valid_is_refused() {
    let server = Server::start().await;
    let machine = json!({"name": "m", "definition": r#"{"StartAt": "A"}"#, "roleArn": ROLE});
    let message = "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [States] at /'";
    server.refused("CreateStateMachine", machine, "InvalidDefinition", message).await;
    let machine = json!({"name": "a b", "definition": PASS, "roleArn": ROLE});
    server.refused("CreateStateMachine", machine, "InvalidName", "Invalid Name: 'a b'").await;
}

#[tokio::test]
async fn a_definition_is_validated_without_being_created() {
    let server = Server::start().await;
    let validate = |members: Value| server.call("ValidateStateMachineDefinition", members);
    let valid = json!({"result": "OK", "diagnostics": [], "truncated": false});
    assert_eq!(validate(json!({"definition": PASS})).await, valid);
    assert_eq!(validate(json!({"definition": PASS, "type": "EXPRESS", "maxResults": 0})).await, valid);
    let found = |code: &str, message: &str, location: &str| json!({"severity": "ERROR", "code": code, "message": message, "location": location});
    let text = r#"{"StartAt": "B", "States": {"A": {"Type": "Pass", "Ent": true}}}"#;
    let expected = [
        found(
            "SCHEMA_VALIDATION_FAILED",
            "The field 'Ent' is not supported in a Pass state",
            "/States/A/Ent",
        ),
        found("SCHEMA_VALIDATION_FAILED", "One of these fields is required: [Next, End]", "/States/A"),
    ];
    let all = validate(json!({"definition": text, "severity": "WARNING", "maxResults": 100})).await;
    assert_eq!((&all["result"], &all["truncated"]), (&json!("FAIL"), &json!(false)));
    for diagnostic in &expected {
        assert!(all["diagnostics"].as_array().unwrap().contains(diagnostic), "{all}");
    }
    let first = validate(json!({"definition": text, "maxResults": 1})).await;
    assert_eq!((&first["result"], &first["truncated"]), (&json!("FAIL"), &json!(true)));
    assert_eq!(first["diagnostics"], json!([all["diagnostics"][0]]));
    assert_eq!(server.call("ListStateMachines", json!({})).await["stateMachines"], json!([]));
    let message = "1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: Member must \
                   have value less than or equal to 100";
    let members = json!({"definition": PASS, "maxResults": 101});
    server.refused("ValidateStateMachineDefinition", members, "ValidationException", message).await;
}

#[tokio::test]
async fn a_state_is_tested_on_its_own() {
    let server = Server::start().await;
    let test = |members: Value| server.call("TestState", members);
    let definition = json!({"Type": "Pass", "Parameters": {"b.$": "$.a"}, "Next": "Anywhere"}).to_string();
    let told = json!({"status": "SUCCEEDED", "output": r#"{"b":1}"#, "nextState": "Anywhere"});
    assert_eq!(test(json!({"definition": definition, "input": r#"{"a": 1}"#})).await, told);
    let detailed = json!({
        "definition": definition, "input": r#"{"a": 1}"#, "inspectionLevel": "DEBUG", "variables": r#"{"v": [1, 2]}"#,
    });
    let detailed = test(detailed).await;
    let expected = json!({
        "input": r#"{"a": 1}"#, "afterInputPath": r#"{"a": 1}"#, "afterParameters": r#"{"b":1}"#,
        "afterResultSelector": r#"{"b":1}"#, "afterResultPath": r#"{"b":1}"#, "variables": r#"{"v":[1,2]}"#,
    });
    assert_eq!(detailed["inspectionData"], expected);
    let named = json!({"definition": PASS, "stateName": "A"});
    assert_eq!(test(named).await, json!({"status": "SUCCEEDED", "output": r#"{"a":1}"#}));
    let wait = json!({"definition": r#"{"Type": "Wait", "Seconds": 1, "End": true}"#, "input": "[5]"});
    assert_eq!(test(wait).await, json!({"status": "SUCCEEDED", "output": "[5]"}));
    assert_eq!(server.call("ListStateMachines", json!({})).await["stateMachines"], json!([]));
}

#[tokio::test]
async fn a_tested_task_is_run_or_mocked() {
    let server = Server::start().await;
    let test = |members: Value| server.call("TestState", members);
    let task = json!({
        "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "ResultPath": "$.r", "End": true,
        "Retry": [{"ErrorEquals": ["Failing"], "MaxAttempts": 2, "IntervalSeconds": 3}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.e", "Next": "Handler"}],
    });
    let task = task.to_string();
    let run = |retries: u32| {
        test(json!({
            "definition": task, "roleArn": ROLE, "inspectionLevel": "TRACE",
            "stateConfiguration": {"retrierRetryCount": retries},
        }))
    };
    let shown = run(1).await;
    assert_eq!(
        (&shown["status"], &shown["error"], &shown["cause"]),
        (&json!("RETRIABLE"), &json!("Failing"), &json!("always"))
    );
    assert_eq!(
        shown["inspectionData"]["errorDetails"],
        json!({"retryIndex": 0, "retryBackoffIntervalSeconds": 6})
    );
    let shown = run(2).await;
    assert_eq!((&shown["status"], &shown["nextState"]), (&json!("CAUGHT_ERROR"), &json!("Handler")));
    assert_eq!(shown["output"], r#"{"e":{"Error":"Failing","Cause":"always"}}"#);
    assert_eq!(shown["inspectionData"]["errorDetails"], json!({"catchIndex": 0, "retryIndex": 0}));

    let mocked = |mock: Value| test(json!({"definition": task, "mock": mock}));
    let shown = mocked(json!({"result": r#"{"MessageId": "m"}"#})).await;
    assert_eq!(shown, json!({"status": "SUCCEEDED", "output": r#"{"r":{"MessageId":"m"}}"#}));
    let shown = mocked(json!({"errorOutput": {"error": "E", "cause": "C"}})).await;
    assert_eq!(
        (&shown["status"], &shown["error"], &shown["output"]),
        (&json!("CAUGHT_ERROR"), &json!("E"), &json!(r#"{"e":{"Error":"E","Cause":"C"}}"#))
    );
    let mocked = |mock: Value, message: &'static str| {
        server.refused_test(json!({"definition": task, "mock": mock}), message)
    };
    mocked(
        json!({"result": r#"{"MessageId": 1}"#}),
        "Mock result schema validation error: Field 'MessageId' must be a string",
    )
    .await;
    mocked(json!({}), "A test mock should have only one of the following fields: [result, errorOutput].")
        .await;
}

#[tokio::test]
async fn what_cannot_be_tested_is_refused_in_the_recorded_words() {
    let server = Server::start().await;
    let refused = |members: Value, message: &'static str| server.refused_test(members, message);
    let task = r#"{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true}"#;
    refused(json!({"definition": task}), "RoleArn must be specified when testing a Task state").await;
    refused(json!({"definition": PASS, "stateName": "B"}), "State not found in definition").await;
    let mock = json!({"result": "{}"});
    refused(
        json!({"definition": task, "mock": mock, "revealSecrets": true}),
        "TestState does not support RevealSecrets when a mock is specified.",
    )
    .await;
    refused(
        json!({"definition": r#"{"Type": "Succeed"}"#, "mock": mock}),
        "State type 'Succeed' is not supported when a mock is specified",
    )
    .await;
    refused(
        json!({"definition": task, "mock": mock, "context": r#"{"Map": {}}"#}),
        "Invalid Context object provided: 'Map' field is not supported when mocking a Context object",
    )
    .await;
    let map = r#"{"Type": "Map", "End": true,
        "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}}}"#;
    refused(
        json!({"definition": map, "stateConfiguration": {"mapIterationFailureCount": 0}}),
        "TestState does not support MapIterationFailureCount when a mock is not specified.",
    )
    .await;
    let text = "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, \
                Pass, Succeed, Fail, Choice]";
    server.refused("TestState", json!({"definition": map}), "InvalidDefinition", text).await;
    let activity = task.replace("arn:aws:states:::lambda:invoke", &format!("{PREFIX}:activity:a"));
    refused(
        json!({"definition": activity, "roleArn": ROLE}),
        "TestState does not support Activity tasks when a mock is not specified.",
    )
    .await;
    refused(json!({"definition": task, "mock": {"fieldValidationMode": "LAX"}, "variables": "[]"}), 
            "1 validation error detected: Value 'LAX' at 'mock.fieldValidationMode' failed to satisfy constraint: \
             Member must satisfy enum value set: [STRICT, PRESENT, NONE]").await;
    refused(
        json!({"definition": r#"{"Type": "Succeed"}"#, "variables": "[]"}),
        "Variables must be a valid JSON object",
    )
    .await;
}

#[tokio::test]
async fn machines_are_listed_in_pages() {
    let server = Server::start().await;
    for name in ["a", "b", "c"] {
        server.create(name, PASS).await;
    }
    let first = server.call("ListStateMachines", json!({"maxResults": 2})).await;
    assert_eq!(first["stateMachines"].as_array().unwrap().len(), 2);
    let rest = json!({"maxResults": 2, "nextToken": first["nextToken"]});
    let last = server.call("ListStateMachines", rest).await;
    assert_eq!(last["stateMachines"][0]["name"], "c");
    assert!(last.get("nextToken").is_none());
    let foreign = json!({"nextToken": first["nextToken"]});
    server.refused("ListActivities", foreign, "InvalidToken", "Invalid Token: 'Invalid token'").await;
}

#[tokio::test]
async fn an_execution_is_started_described_listed_and_told() {
    let server = Server::start().await;
    let machine = server.create("m", PASS).await;
    let arn = server.run(&machine).await;
    let shown = server.call("DescribeExecution", json!({"executionArn": arn})).await;
    assert_eq!(
        (&shown["status"], &shown["input"], &shown["output"]),
        (&json!("SUCCEEDED"), &json!("{}"), &json!(r#"{"a":1}"#))
    );
    let listed =
        server.call("ListExecutions", json!({"stateMachineArn": machine, "statusFilter": "SUCCEEDED"})).await;
    assert_eq!(listed["executions"][0]["executionArn"], json!(arn));
    let told = server.call("GetExecutionHistory", json!({"executionArn": arn})).await;
    let types: Vec<_> =
        told["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]);
    let back =
        json!({"executionArn": arn, "reverseOrder": true, "maxResults": 1, "includeExecutionData": false});
    let back = server.call("GetExecutionHistory", back).await;
    assert_eq!(
        back["events"][0]["executionSucceededEventDetails"],
        json!({"outputDetails": {"truncated": false}})
    );
    assert!(back["nextToken"].is_string());
    let shown = server.call("DescribeStateMachineForExecution", json!({"executionArn": arn})).await;
    assert_eq!((&shown["stateMachineArn"], &shown["definition"]), (&json!(machine), &json!(PASS)));
    let (status, tasks) =
        server.send(Request::get(format!("/executions/{arn}/tasks")).body(Body::empty()).unwrap()).await;
    let nothing = json!({"calls": 0, "fuel": 0, "cpuMicroseconds": 0, "wallMicroseconds": 0, "modules": []});
    assert_eq!((status.as_u16(), tasks), (200, json!({"tasks": [], "total": nothing, "truncated": false})));
}

#[tokio::test]
async fn an_execution_has_its_name_once() {
    let server = Server::start().await;
    let machine = server.create("m", WAIT).await;
    let request = |input: &str| json!({"stateMachineArn": machine, "name": "once", "input": input});
    let first = server.call("StartExecution", request("1")).await;
    assert_eq!(server.call("StartExecution", request("1")).await, first);
    let message = format!("Execution Already Exists: '{PREFIX}:execution:m:once'");
    server.refused("StartExecution", request("2"), "ExecutionAlreadyExists", &message).await;
    let arn = first["executionArn"].clone();
    let stop = json!({"executionArn": arn, "error": "E", "cause": "C"});
    assert!(server.call("StopExecution", stop).await["stopDate"].is_number());
    let shown = server.call("DescribeExecution", json!({"executionArn": arn})).await;
    assert_eq!(
        (&shown["status"], &shown["error"], &shown["cause"]),
        (&json!("ABORTED"), &json!("E"), &json!("C"))
    );
}

#[tokio::test]
async fn what_does_not_exist_is_told_in_the_recorded_words() {
    let server = Server::start().await;
    let machine = format!("{PREFIX}:stateMachine:none");
    let message = format!("State Machine Does Not Exist: '{machine}'");
    for operation in ["DescribeStateMachine", "StartExecution", "ListExecutions"] {
        server
            .refused(operation, json!({"stateMachineArn": machine}), "StateMachineDoesNotExist", &message)
            .await;
    }
    let execution = format!("{PREFIX}:execution:none:e");
    let message = format!("Execution Does Not Exist: '{execution}'");
    for operation in
        ["DescribeExecution", "StopExecution", "GetExecutionHistory", "DescribeStateMachineForExecution"]
    {
        server
            .refused(operation, json!({"executionArn": execution}), "ExecutionDoesNotExist", &message)
            .await;
        let express = json!({"executionArn": format!("{PREFIX}:express:m:e:id")});
        let text = "Invalid Arn: 'Resource type not valid in this context: express'";
        server.refused(operation, express, "InvalidArn", text).await;
    }
    let activity = format!("{PREFIX}:activity:none");
    let message = format!("Activity Does Not Exist: '{activity}'");
    for operation in ["DescribeActivity", "GetActivityTask"] {
        server.refused(operation, json!({"activityArn": activity}), "ActivityDoesNotExist", &message).await;
    }
    for operation in ["SendTaskHeartbeat", "SendTaskFailure"] {
        let token = json!({"taskToken": "no token"});
        server.refused(operation, token, "InvalidToken", "Invalid Token: 'Invalid token'").await;
    }
    let success = json!({"taskToken": "no token", "output": "{}"});
    server.refused("SendTaskSuccess", success, "InvalidToken", "Invalid Token: 'Invalid token'").await;
}

#[tokio::test]
async fn activities_are_created_once_and_worked_off() {
    let server = Server::start().await;
    let created = server.call("CreateActivity", json!({"name": "a"})).await;
    assert_eq!(server.call("CreateActivity", json!({"name": "a"})).await, created);
    let arn = created["activityArn"].as_str().unwrap();
    let shown = server.call("DescribeActivity", json!({"activityArn": arn})).await;
    assert_eq!(shown["encryptionConfiguration"], json!({"type": "AWS_OWNED_KEY"}));
    assert_eq!(server.call("ListActivities", json!({})).await["activities"][0]["name"], "a");

    let definition = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": arn, "End": true}}});
    let machine = server.create("m", &definition.to_string()).await;
    let started = server.call("StartExecution", json!({"stateMachineArn": machine, "input": "[7]"})).await;
    let task = server.call("GetActivityTask", json!({"activityArn": arn, "workerName": "w"})).await;
    assert_eq!(task["input"], "[7]");
    server.call("SendTaskHeartbeat", json!({"taskToken": task["taskToken"]})).await;
    server.call("SendTaskSuccess", json!({"taskToken": task["taskToken"], "output": "8"})).await;
    let shown = server.call("DescribeExecution", json!({"executionArn": started["executionArn"]})).await;
    assert_eq!((&shown["status"], &shown["output"]), (&json!("SUCCEEDED"), &json!("8")));
    server.call("DeleteActivity", json!({"activityArn": arn})).await;
    server.call("DeleteActivity", json!({"activityArn": arn})).await;
}

#[tokio::test]
async fn a_task_whose_activity_is_gone_takes_no_answer() {
    let server = Server::start().await;
    let activity = server.call("CreateActivity", json!({"name": "a"})).await["activityArn"].clone();
    let work = json!({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": true}}});
    let machine = server.create("m", &work.to_string()).await;
    let started = server.call("StartExecution", json!({"stateMachineArn": machine})).await;
    let job = server.call("GetActivityTask", json!({"activityArn": activity})).await;
    server.call("DeleteActivity", json!({"activityArn": activity})).await;
    let answer = json!({"taskToken": job["taskToken"], "output": "1"});
    let message = "Task does not exist: 'Provided task does not exist'";
    server.refused("SendTaskSuccess", answer.clone(), "TaskDoesNotExist", message).await;
    // One of the same name takes its place.
    server.call("CreateActivity", json!({"name": "a"})).await;
    server.call("SendTaskSuccess", answer).await;
    let shown = server.call("DescribeExecution", json!({"executionArn": started["executionArn"]})).await;
    assert_eq!(shown["status"], "SUCCEEDED");
}

#[tokio::test]
async fn activities_are_listed_page_by_page_the_oldest_first() {
    let server = Server::start().await;
    for name in ["b", "a", "d", "c"] {
        server.call("CreateActivity", json!({"name": name})).await;
    }
    let mut listed = Vec::new();
    let mut request = json!({"maxResults": 3});
    for expected in [3, 1] {
        let page = server.call("ListActivities", request).await;
        let activities = page["activities"].as_array().unwrap();
        assert_eq!(activities.len(), expected);
        listed.extend(activities.iter().map(|activity| {
            (activity["creationDate"].as_f64().unwrap(), activity["name"].as_str().unwrap().to_owned())
        }));
        request = json!({"maxResults": 3, "nextToken": page["nextToken"]});
    }
    assert!(request["nextToken"].is_null() && listed.is_sorted(), "{listed:?}");
    let mut names: Vec<_> = listed.iter().map(|(_, name)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_stop_answers_long_polls_with_no_task() {
    let server = Server::start().await;
    let created = server.call("CreateActivity", json!({"name": "a"})).await;
    server.stopping.cancel();
    let task = server.call("GetActivityTask", json!({"activityArn": created["activityArn"]})).await;
    assert_eq!(task, json!({"taskToken": null, "input": null}));
}

#[tokio::test]
async fn modules_that_are_no_components_are_refused_with_the_fix() {
    let server = Server::start().await;
    let put = |bytes: &'static [u8]| Request::put("/modules/m").body(Body::from(bytes)).unwrap();
    // A core module that imports `log` of `env`, which nothing here can adapt.
    let core = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x0b\x01\x03env\x03log\0\0";
    let (status, body) = server.send(put(core)).await;
    assert_eq!((status.as_u16(), &body["error"]), (400, &json!("CoreModule")));
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("env") && message.contains("`wasm-tools component new"), "{message}");
    // An empty one can be adapted, and then there is nothing to call.
    assert_eq!(server.send(put(b"\0asm\x01\0\0\0")).await.1["error"], "MissingExport");
    assert_eq!(server.send(put(b"hello")).await.1["error"], "NotWebAssembly");
    let get = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(server.send(get("/modules")).await.1, json!({"modules": [], "next": null}));
    assert_eq!(server.send(get("/modules/m")).await.0, 404);
    assert_eq!(server.send(Request::delete("/modules/m").body(Body::empty()).unwrap()).await.0, 404);
    assert_eq!(server.send(get("/health")).await.1["status"], "ok");
    assert_eq!(server.send(get("/other")).await.0, 404);
    assert_eq!(server.send(Request::delete("/health").body(Body::empty()).unwrap()).await.0, 405);
}
