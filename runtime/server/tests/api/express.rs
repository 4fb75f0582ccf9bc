//! Express executions: StartSyncExecution, and StartExecution of an Express machine.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{PASS, PREFIX, ROLE, Server};

const FAIL: &str = r#"{"StartAt": "F", "States": {"F": {"Type": "Fail", "Error": "E", "Cause": "C"}}}"#;
const TASK: &str = r#"{"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
    "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}}}"#;
const SLOW: &str = r#"{"TimeoutSeconds": 1, "StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1000, "End": true}}}"#;

async fn create(server: &Server, name: &str, definition: &str) -> String {
    let machine =
        json!({"name": name, "definition": definition, "roleArn": ROLE, "type": "EXPRESS", "publish": true});
    let created = server.call("CreateStateMachine", machine).await;
    created["stateMachineArn"].as_str().unwrap().to_owned()
}

async fn run(server: &Server, request: Value) -> Value {
    server.call("StartSyncExecution", request).await
}

#[tokio::test]
async fn a_synchronous_execution_answers_with_its_end() {
    let server = Server::start().await;
    let machine = create(&server, "m", PASS).await;
    let request = json!({"stateMachineArn": machine, "name": "n", "input": "[1]", "traceHeader": "Root=1"});
    let ended = run(&server, request.clone()).await;
    assert_eq!(ended["status"], "SUCCEEDED");
    assert_eq!((&ended["input"], &ended["output"]), (&json!("[1]"), &json!(r#"{"a":1}"#)));
    assert_eq!((&ended["name"], &ended["traceHeader"]), (&json!("n"), &json!("Root=1")));
    assert_eq!(ended["stateMachineArn"], json!(machine));
    assert_eq!(
        (&ended["inputDetails"], &ended["outputDetails"]),
        (&json!({"included": true}), &json!({"included": true}))
    );
    assert_eq!(
        ended["billingDetails"],
        json!({"billedMemoryUsedInMB": 64, "billedDurationInMilliseconds": 100})
    );
    assert!(ended["startDate"].is_number() && ended["stopDate"].is_number());
    let arn = ended["executionArn"].as_str().unwrap();
    assert!(arn.starts_with(&format!("{PREFIX}:express:m:n:")), "{arn}");
    let again = run(&server, request).await;
    assert_ne!(again["executionArn"], ended["executionArn"], "a name may be used again");
    let unnamed =
        run(&server, json!({"stateMachineArn": format!("{machine}:1"), "includedData": "METADATA_ONLY"}))
            .await;
    assert_eq!(unnamed["name"].as_str().unwrap().len(), 36);
    assert_eq!((unnamed.get("input"), unnamed.get("output")), (None, None));
    assert_eq!(unnamed["outputDetails"], json!({"included": false}));
}

#[tokio::test]
async fn a_failed_execution_is_an_answer() {
    let server = Server::start().await;
    let machine = create(&server, "fail", FAIL).await;
    let ended = run(&server, json!({"stateMachineArn": machine})).await;
    assert_eq!(
        (&ended["status"], &ended["error"], &ended["cause"], ended.get("output")),
        (&json!("FAILED"), &json!("E"), &json!("C"), None)
    );
    assert_eq!(ended["outputDetails"], json!({"included": true}));
    let machine = create(&server, "task", TASK).await;
    let ended = run(&server, json!({"stateMachineArn": machine})).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("FAILED"), &json!("Failing")));
    let machine = create(&server, "slow", SLOW).await;
    let ended = run(&server, json!({"stateMachineArn": machine})).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("TIMED_OUT"), &json!("States.Timeout")));
}

#[tokio::test]
async fn an_execution_that_nobody_waits_for_is_not_to_be_asked_for() {
    let server = Server::start().await;
    let machine = create(&server, "m", PASS).await;
    let request = json!({"stateMachineArn": machine, "name": "n"});
    let started = server.call("StartExecution", request.clone()).await;
    let other = server.call("StartExecution", request).await;
    assert_ne!(started["executionArn"], other["executionArn"]);
    let arn = started["executionArn"].as_str().unwrap();
    assert!(arn.starts_with(&format!("{PREFIX}:express:m:n:")), "{arn}");
    let message = "Invalid Arn: 'Resource type not valid in this context: express'";
    for operation in
        ["DescribeExecution", "StopExecution", "GetExecutionHistory", "DescribeStateMachineForExecution"]
    {
        server.refused(operation, json!({"executionArn": arn}), "InvalidArn", message).await;
    }
    let message = "This operation is not supported by this type of state machine";
    let list = json!({"stateMachineArn": machine});
    server.refused("ListExecutions", list, "StateMachineTypeNotSupported", message).await;
}

#[tokio::test]
async fn what_cannot_run_synchronously_is_refused() {
    let server = Server::start().await;
    let standard = server.create("standard", PASS).await;
    let check = async |request: Value, code: &str, message: &str| {
        server.refused("StartSyncExecution", request, code, message).await;
    };
    check(
        json!({"stateMachineArn": standard}),
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    )
    .await;
    let missing = format!("{standard}:7");
    let message = format!("State Machine Does Not Exist: '{missing}'");
    check(json!({"stateMachineArn": missing}), "StateMachineDoesNotExist", &message).await;
    let express = create(&server, "express", PASS).await;
    check(json!({"stateMachineArn": express, "name": "a b"}), "InvalidName", "Invalid Name: 'a b'").await;
    check(
        json!({"stateMachineArn": express, "input": ""}),
        "InvalidExecutionInput",
        "Invalid State Machine Execution Input: 'Invalid execution input.'",
    )
    .await;
    check(json!({"stateMachineArn": "m"}), "InvalidArn", "Invalid Arn: 'Invalid ARN prefix: m'").await;
    server.call("DeleteStateMachine", json!({"stateMachineArn": express})).await;
    let message = format!("State Machine Does Not Exist: '{express}'");
    check(json!({"stateMachineArn": express}), "StateMachineDoesNotExist", &message).await;
}

impl Server {
    async fn kept(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(format!("/express/executions{path}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Waits until an execution that has ended can be looked at.
    async fn shown(&self, arn: &str) -> Value {
        loop {
            let (status, body) = self.kept(&format!("/{arn}")).await;
            if status == 200 {
                return body;
            }
            assert_eq!((status, &body["error"]), (StatusCode::NOT_FOUND, &json!("ExecutionDoesNotExist")));
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_finished_execution_can_be_looked_at() {
    let server = Server::start().await;
    let machine = create(&server, "m", PASS).await;
    let ended = run(&server, json!({"stateMachineArn": machine, "input": "[1]"})).await;
    let arn = ended["executionArn"].as_str().unwrap();
    assert_eq!(server.shown(arn).await, ended, "as StartSyncExecution answered");
    let (_, history) = server.kept(&format!("/{arn}/history")).await;
    let kinds: Vec<_> = history["events"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]);
    assert_eq!((&history["truncated"], &history["next"]), (&json!(false), &Value::Null));
    assert_eq!(history["events"][0]["executionStartedEventDetails"]["input"], "[1]");
    let (_, first) = server.kept(&format!("/{arn}/history?max=3&includeExecutionData=false")).await;
    assert_eq!((first["events"].as_array().unwrap().len(), &first["next"]), (3, &json!(3)));
    assert!(first["events"][0]["executionStartedEventDetails"].get("input").is_none());
    let (_, rest) = server.kept(&format!("/{arn}/history?next=3")).await;
    assert_eq!((&rest["events"][0]["id"], &rest["next"]), (&json!(4), &Value::Null));

    // One that nobody waited for leaves as much.
    let started = server.call("StartExecution", json!({"stateMachineArn": machine})).await;
    let shown = server.shown(started["executionArn"].as_str().unwrap()).await;
    assert_eq!((&shown["status"], &shown["startDate"]), (&json!("SUCCEEDED"), &started["startDate"]));
    // AWS's own operations still refuse.
    for operation in ["DescribeExecution", "GetExecutionHistory"] {
        let (status, body) = server.try_call(operation, json!({"executionArn": arn})).await;
        assert_eq!((status.as_u16(), &body["__type"]), (400, &json!("InvalidArn")), "{body}");
    }
}

#[tokio::test]
async fn the_newest_executions_are_kept_and_listed() {
    let server = Server::start().await;
    let (good, bad) = (create(&server, "good", PASS).await, create(&server, "bad", FAIL).await);
    let mut arns = Vec::new();
    for machine in [&good, &bad, &good, &bad, &good, &bad, &good] {
        let ended = run(&server, json!({"stateMachineArn": machine})).await;
        let arn = ended["executionArn"].as_str().unwrap().to_owned();
        server.shown(&arn).await;
        arns.insert(0, arn);
    }
    let list = async |query: &str| {
        let (status, page) = server.kept(query).await;
        assert_eq!(status, 200, "{page}");
        let arn = |execution: &Value| execution["executionArn"].as_str().unwrap().to_owned();
        let found: Vec<String> = page["executions"].as_array().unwrap().iter().map(arn).collect();
        (found, page)
    };
    let (all, page) = list("").await;
    assert_eq!(all, arns[..5], "as many as the server was told to keep");
    assert_eq!((&page["kept"], &page["lost"], &page["next"]), (&json!(5), &json!(0), &Value::Null));
    assert!(page["executions"][0].get("input").is_none());
    let (failed, _) = list("?status=FAILED").await;
    assert_eq!(failed, [&arns[1..2], &arns[3..4]].concat());
    let of_good = format!("?stateMachineArn={good}&max=2");
    let (first, page) = list(&of_good).await;
    assert_eq!(first, [&arns[0..1], &arns[2..3]].concat());
    let (second, page) = list(&format!("{of_good}&next={}", page["next"])).await;
    assert_eq!((second, &page["next"]), (vec![arns[4].clone()], &Value::Null));
    assert_eq!(server.kept(&format!("/{}", arns[6])).await.0, 404);

    for (query, message) in [
        ("?status=RUNNING", "'RUNNING' is no status of an Express execution that has ended"),
        ("?max=1001", "A page has at most 1000 results, not 1001."),
        ("?state=x", "Failed to deserialize query string: state: unknown field"),
    ] {
        let (status, body) = server.kept(query).await;
        assert_eq!((status.as_u16(), &body["error"]), (400, &json!("InvalidQuery")));
        assert!(body["message"].as_str().unwrap().starts_with(message), "{body}");
    }
}
