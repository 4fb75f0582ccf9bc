//! RedriveExecution, and what describes a redriven execution.

use super::*;

const TASK: &str = r#"{"StartAt": "T", "States": {"T": {"Type": "Task", "End": true,
    "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}}}"#;

/// A machine that succeeds when it is redriven.
const ONCE: &str = r#"{"StartAt": "C", "QueryLanguage": "JSONata", "States": {
    "C": {"Type": "Choice", "Default": "F", "Choices": [
        {"Condition": "{% $states.context.Execution.RedriveCount > 0 %}", "Next": "F"}]},
    "F": {"Type": "Pass", "End": true, "Output":
        "{% $states.context.Execution.RedriveCount = 0 ? $error('not yet') : $states.context.Execution %}"}}}"#;

async fn describe(server: &Server, arn: &str) -> Value {
    server.call("DescribeExecution", json!({"executionArn": arn})).await
}

async fn ended(server: &Server, arn: &str) -> Value {
    loop {
        let shown = describe(server, arn).await;
        if shown["status"] != "RUNNING" {
            return shown;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_unsuccessful_execution_is_redriven() {
    let server = Server::start().await;
    let machine = server.create("m", ONCE).await;
    let execution = server.run(&machine).await;
    let failed = describe(&server, &execution).await;
    assert_eq!(
        (&failed["status"], &failed["redriveStatus"], &failed["redriveCount"]),
        (&json!("FAILED"), &json!("REDRIVABLE"), &json!(0))
    );
    assert!(failed.get("redriveStatusReason").is_none() && failed.get("redriveDate").is_none(), "{failed}");

    let answer = server.call("RedriveExecution", json!({"executionArn": execution})).await;
    let shown = ended(&server, &execution).await;
    assert_eq!(shown["redriveDate"], answer["redriveDate"]);
    assert_eq!((&shown["status"], &shown["redriveCount"]), (&json!("SUCCEEDED"), &json!(1)));
    assert_eq!(shown["startDate"], failed["startDate"]);
    assert!(shown.get("error").is_none() && shown.get("cause").is_none(), "{shown}");
    assert_eq!(shown["redriveStatus"], "NOT_REDRIVABLE");
    assert_eq!(shown["redriveStatusReason"], "Execution is SUCCEEDED and cannot be redriven");
    let output: Value = serde_json::from_str(shown["output"].as_str().unwrap()).unwrap();
    assert_eq!((&output["RedriveCount"], &output["Id"]), (&json!(1), &json!(execution)));
    assert!(output["RedriveTime"].as_str().unwrap().ends_with('Z'), "{output}");

    let history = server.call("GetExecutionHistory", json!({"executionArn": execution})).await;
    let events = history["events"].as_array().unwrap();
    let redriven = events.iter().find(|event| event["type"] == "ExecutionRedriven").unwrap();
    assert_eq!(redriven["executionRedrivenEventDetails"], json!({"redriveCount": 1}));
    let ids: Vec<u64> = events.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert!((1..).zip(&ids).all(|(expected, id)| expected == *id), "{ids:?}");

    let listed = server.call("ListExecutions", json!({"stateMachineArn": machine})).await;
    let listed = &listed["executions"][0];
    assert_eq!((&listed["redriveCount"], &listed["redriveDate"]), (&json!(1), &answer["redriveDate"]));
}

#[tokio::test]
async fn running_executions_are_listed_by_their_redrive() {
    let server = Server::start().await;
    let machine = server.create("m", WAIT).await;
    let start = json!({"stateMachineArn": machine});
    let mut executions = Vec::new();
    for _ in 0..3 {
        let started = server.call("StartExecution", start.clone()).await;
        executions.push(started["executionArn"].as_str().unwrap().to_owned());
    }
    let first = json!({"executionArn": executions[0]});
    server.call("StopExecution", first.clone()).await;
    // Later than the others have started, as the clock of the engine tells it.
    let latest = describe(&server, &executions[2]).await["startDate"].as_f64().unwrap();
    while server.call("RedriveExecution", first.clone()).await["redriveDate"].as_f64().unwrap() <= latest {
        server.call("StopExecution", first.clone()).await;
    }
    let running = json!({"stateMachineArn": machine, "statusFilter": "RUNNING"});
    let listed = server.call("ListExecutions", running).await;
    let arns: Vec<&str> = listed["executions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["executionArn"].as_str().unwrap())
        .collect();
    assert_eq!(arns[0], executions[0], "it was redriven last");
    assert_eq!(arns.len(), 3);
    let aborted = json!({"stateMachineArn": machine, "statusFilter": "ABORTED"});
    assert_eq!(server.call("ListExecutions", aborted).await["executions"], json!([]));
}

#[tokio::test]
async fn a_repeated_token_is_the_same_request() {
    let server = Server::start().await;
    let machine = server.create("m", TASK).await;
    let execution = server.run(&machine).await;
    let redrive = |token: &str| json!({"executionArn": execution, "clientToken": token});
    let first = server.call("RedriveExecution", redrive("a")).await;
    assert_eq!(ended(&server, &execution).await["redriveCount"], 1);
    assert_eq!(server.call("RedriveExecution", redrive("a")).await, first);
    assert_eq!(describe(&server, &execution).await["redriveCount"], 1);
    server.call("RedriveExecution", redrive("b")).await;
    assert_eq!(ended(&server, &execution).await["redriveCount"], 2);
}

#[tokio::test]
async fn what_cannot_be_redriven_is_refused() {
    let server = Server::start().await;
    let machine = server.create("m", PASS).await;
    let execution = server.run(&machine).await;
    let redrive = |arn: &str| json!({"executionArn": arn});
    server
        .refused(
            "RedriveExecution",
            redrive(&execution),
            "ExecutionNotRedrivable",
            "Execution is SUCCEEDED and cannot be redriven",
        )
        .await;
    let missing = format!("{PREFIX}:execution:m:none");
    let message = format!("Execution Does Not Exist: '{missing}'");
    server.refused("RedriveExecution", redrive(&missing), "ExecutionDoesNotExist", &message).await;
    server
        .refused(
            "RedriveExecution",
            redrive("nothing"),
            "InvalidArn",
            "Invalid Arn: 'Invalid ARN prefix: nothing'",
        )
        .await;
    let express = format!("{PREFIX}:express:m:e:1");
    server
        .refused(
            "RedriveExecution",
            redrive(&express),
            "InvalidArn",
            "Invalid Arn: 'Resource type not valid in this context: express'",
        )
        .await;
    for (token, message) in [
        (
            "",
            "Value '' at 'clientToken' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            &"x".repeat(65),
            &format!(
                "Value '{}' at 'clientToken' failed to satisfy constraint: Member must have length less than or equal to 64",
                "x".repeat(65)
            ),
        ),
    ] {
        let members = json!({"executionArn": execution, "clientToken": token});
        let message = format!("1 validation error detected: {message}");
        server.refused("RedriveExecution", members, "ValidationException", &message).await;
    }

    let failing = server.create("failing", TASK).await;
    let failed = server.run(&failing).await;
    server.call("DeleteStateMachine", json!({"stateMachineArn": failing})).await;
    let message = "State machine is in DELETING status";
    server.refused("RedriveExecution", redrive(&failed), "ExecutionNotRedrivable", message).await;
    let shown = describe(&server, &failed).await;
    assert_eq!(
        (&shown["redriveStatus"], &shown["redriveStatusReason"]),
        (&json!("NOT_REDRIVABLE"), &json!(message))
    );
}
