//! The logs of executions, by level, with and without their data.

use serde_json::{Value, json};

use super::{ROLE, Server};

const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/vendedlogs/states/orders:*";
const FILE: &str = "+aws+vendedlogs+states+orders.log";
/// Passes, then fails.
const FAILS: &str = r#"{"StartAt": "P", "States": {
    "P": {"Type": "Pass", "Result": {"secret": 7}, "Next": "F"},
    "F": {"Type": "Fail", "Error": "E", "Cause": "C"}}}"#;

/// The types and ids of what an execution logs.
async fn check(kind: &str, level: &str, expected: &[&str]) {
    let (arn, log) = logged(kind, level, false).await;
    let found: Vec<_> = log
        .iter()
        .map(|line| format!("{} {}", line["id"].as_str().unwrap(), line["type"].as_str().unwrap()))
        .collect();
    assert_eq!(found, expected, "{kind} {level}");
    for line in &log {
        assert_eq!(line["execution_arn"], arn);
    }
}

async fn logged(kind: &str, level: &str, include: bool) -> (Value, Vec<Value>) {
    let server = Server::start().await;
    let machine = json!({
        "name": "m", "definition": FAILS, "roleArn": ROLE, "type": kind,
        "loggingConfiguration": {
            "level": level, "includeExecutionData": include,
            "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}],
        },
    });
    let machine = server.call("CreateStateMachine", machine).await["stateMachineArn"].take();
    let request = json!({"stateMachineArn": machine, "input": "{\"secret\": 1}"});
    let arn = if kind == "EXPRESS" {
        server.call("StartSyncExecution", request).await["executionArn"].take()
    } else {
        json!(server.run_with(request).await)
    };
    (arn, server.log(FILE).await)
}

impl Server {
    /// Starts an execution and waits for its end; gives its ARN.
    async fn run_with(&self, request: Value) -> String {
        let started = self.call("StartExecution", request).await;
        let arn = started["executionArn"].as_str().unwrap().to_owned();
        while self.call("DescribeExecution", json!({"executionArn": arn})).await["status"] == "RUNNING" {
            tokio::task::yield_now().await;
        }
        arn
    }
}

#[tokio::test]
async fn each_level_logs_its_events() {
    for kind in ["STANDARD", "EXPRESS"] {
        let all = [
            "1 ExecutionStarted",
            "2 PassStateEntered",
            "3 PassStateExited",
            "4 FailStateEntered",
            "5 ExecutionFailed",
        ];
        check(kind, "ALL", &all).await;
        check(kind, "ERROR", &all[3..]).await;
        check(kind, "FATAL", &all[4..]).await;
        check(kind, "OFF", &[]).await;
    }
}

#[tokio::test]
async fn lines_are_those_that_aws_writes() {
    let (arn, log) = logged("STANDARD", "ALL", true).await;
    let at = |line: &Value| line["event_timestamp"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(log.windows(2).all(|pair| at(&pair[0]) <= at(&pair[1])));
    let expected = json!({
        "id": "3", "type": "PassStateExited",
        "details": {"name": "P", "output": "{\"secret\":7}", "outputDetails": {"truncated": false}},
        "previous_event_id": "2", "event_timestamp": log[2]["event_timestamp"], "execution_arn": arn,
        "redrive_count": "0",
    });
    assert_eq!(log[2].to_string(), expected.to_string(), "in AWS's order");
    assert_eq!(log[0]["details"]["input"], "{\"secret\": 1}");
    assert_eq!(log[4]["details"], json!({"error": "E", "cause": "C"}));

    let (_, log) = logged("EXPRESS", "ALL", false).await;
    let text = json!(log).to_string();
    assert!(!text.contains("secret") && !text.contains("inputDetails"), "{text}");
    assert_eq!(log[0]["details"], json!({"roleArn": ROLE}));
    assert_eq!(log[1]["details"], json!({"name": "P"}));
    assert_eq!(log[4]["details"], json!({"error": "E", "cause": "C"}));
}

#[tokio::test]
async fn an_update_of_the_configuration_is_for_executions_to_come() {
    let server = Server::start().await;
    let machine = server.create("m", FAILS).await;
    server.run(&machine).await;
    let logging = json!({
        "level": "FATAL", "includeExecutionData": false,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": GROUP}}],
    });
    let update = json!({"stateMachineArn": machine, "loggingConfiguration": logging});
    server.call("UpdateStateMachine", update).await;
    let logged = server.run(&machine).await;
    let off = json!({"level": "OFF", "includeExecutionData": false});
    server.call("UpdateStateMachine", json!({"stateMachineArn": machine, "loggingConfiguration": off})).await;
    server.run(&machine).await;
    let log = server.log(FILE).await;
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!(log[0]["execution_arn"], logged);
}
