//! Workflows that start workflows, on a server that is killed meanwhile.

use serde_json::{Value, json};
use tests::process::{Home, PATIENCE, wait_for};

/// A machine whose one state is a task.
fn task(resource: &str, parameters: Option<Value>) -> Value {
    let mut task = json!({"Type": "Task", "Resource": resource, "End": true});
    if let Some(parameters) = parameters {
        task["Parameters"] = parameters;
    }
    json!({"StartAt": "T", "States": {"T": task}})
}

#[test]
fn a_parent_hears_of_its_child_after_a_kill() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let activity = client.call("CreateActivity", &json!({"name": "approve"}))["activityArn"].take();
    let child = client.create("child", &task(activity.as_str().unwrap(), None));
    let parameters = json!({"StateMachineArn": child, "Input": {"from": "parent"}});
    let parent =
        client.create("parent", &task("arn:aws:states:::states:startExecution.sync:2", Some(parameters)));
    let execution = client.start(&parent, &json!({}));
    let work = client.call("GetActivityTask", &json!({"activityArn": activity}));
    assert_eq!(work["input"], "{\"from\":\"parent\"}");
    server.kill();

    let server = home.start();
    let client = server.client();
    let success = json!({"taskToken": work["taskToken"], "output": "[true]"});
    client.call("SendTaskSuccess", &success);
    server.kill();

    let server = home.start();
    let client = server.client();
    let ended = wait_for("the parent to end", PATIENCE, || {
        let shown = client.describe(&execution);
        (shown["status"] != "RUNNING").then_some(shown)
    });
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    let output: Value = serde_json::from_str(ended["output"].as_str().unwrap()).unwrap();
    assert_eq!((&output["Output"], &output["Status"]), (&json!([true]), &json!("SUCCEEDED")));
    let listed = client.all_pages("ListExecutions", json!({"stateMachineArn": child}), "executions");
    assert_eq!(listed.len(), 1, "{listed:?}");
}

#[test]
fn tasks_call_step_functions_as_the_sdk_does() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let run = |name: &str, action: &str, parameters: Value| {
        let resource = format!("arn:aws:states:::aws-sdk:sfn:{action}");
        let machine = client.create(name, &task(&resource, Some(parameters)));
        let execution = client.start(&machine, &json!({}));
        wait_for("the execution to end", PATIENCE, || {
            let shown = client.describe(&execution);
            (shown["status"] != "RUNNING").then_some(shown)
        })
    };
    let made = run("make", "createActivity", json!({"Name": "made"}));
    let output: Value = serde_json::from_str(made["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["ActivityArn"], "arn:aws:states:us-east-1:123456789012:activity:made");
    assert!(output["CreationDate"].as_str().unwrap().ends_with('Z'), "{output}");
    let failed = run("fail", "sendTaskSuccess", json!({"TaskToken": "none", "Output": "no JSON"}));
    assert_eq!(failed["error"], "Sfn.InvalidTokenException");
    let failed = run("nothing", "startExecution", json!({"StateMachineArn": "arn:nothing"}));
    assert_eq!(failed["error"], "Sfn.InvalidArnException");
}
