//! Map Runs through the API, and with a SIGKILL in their middle.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use tests::process::{Client, Home, PATIENCE, program, wait_for};

const ROLE: &str = "arn:aws:iam::123456789012:role/role";

/// Starts an execution of a new machine that is one distributed Map; gives its ARN and that of its Map Run.
fn start(client: Client, map: &Value, processor: &Value, input: &Value) -> (String, String) {
    let mut processor = processor.clone();
    processor["ProcessorConfig"] = json!({ "Mode": "DISTRIBUTED", "ExecutionType": "STANDARD" });
    let mut state = map.clone();
    state["Type"] = json!("Map");
    state["Label"] = json!("Items");
    state["ItemProcessor"] = processor;
    state["End"] = json!(true);
    let definition = json!({ "StartAt": "Map", "States": { "Map": state } }).to_string();
    let machine = json!({ "name": "machine", "definition": definition, "roleArn": ROLE });
    let machine = client.call("CreateStateMachine", &machine);
    let request = json!({ "stateMachineArn": machine["stateMachineArn"], "input": input.to_string() });
    let execution = client.call("StartExecution", &request);
    let execution = execution["executionArn"].as_str().unwrap().to_owned();
    let run = wait_for("the Map Run to start", PATIENCE, || {
        let runs = client.call("ListMapRuns", &json!({ "executionArn": execution }));
        runs["mapRuns"][0]["mapRunArn"].as_str().map(str::to_owned)
    });
    (execution, run)
}

fn describe_run(client: Client, run: &str) -> Value {
    client.call("DescribeMapRun", &json!({ "mapRunArn": run }))
}

fn end_of(client: Client, execution: &str) -> Value {
    wait_for("the execution to end", PATIENCE, || {
        let found = client.call("DescribeExecution", &json!({ "executionArn": execution }));
        (found["status"] != "RUNNING").then_some(found)
    })
}

/// All children of a Map Run, page by page.
fn children(client: Client, run: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut request = json!({ "mapRunArn": run, "maxResults": 7 });
    loop {
        let page = client.call("ListExecutions", &request);
        found.extend(page["executions"].as_array().unwrap().iter().cloned());
        if page["nextToken"].is_null() {
            return found;
        }
        request["nextToken"] = page["nextToken"].clone();
    }
}

#[test]
fn a_killed_server_goes_on_with_its_map_runs() {
    const COUNT: u64 = 60;
    let home = Home::new();
    let server = home.start();
    let wait = json!({ "Type": "Wait", "Seconds": 1, "End": true });
    let processor = json!({ "StartAt": "Wait", "States": { "Wait": wait } });
    let items: Vec<u64> = (0..COUNT).collect();
    let map = json!({ "MaxConcurrency": 10 });
    let (execution, run) = start(server.client(), &map, &processor, &json!(items));
    wait_for("some children to end", PATIENCE, || {
        let run = describe_run(server.client(), &run);
        (run["executionCounts"]["succeeded"].as_u64() >= Some(10)).then_some(())
    });
    server.kill();
    let server = home.start();
    let client = server.client();
    assert_eq!(describe_run(client, &run)["status"], "RUNNING");
    client.call("UpdateMapRun", &json!({ "mapRunArn": run, "maxConcurrency": 30 }));
    let ended = end_of(client, &execution);
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    assert_eq!(ended["output"], json!(items).to_string(), "each item once, in order");
    let found = describe_run(client, &run);
    let counts = json!({
        "pending": 0, "running": 0, "succeeded": COUNT, "failed": 0, "timedOut": 0, "aborted": 0,
        "total": COUNT, "resultsWritten": COUNT,
    });
    assert_eq!((&found["status"], &found["maxConcurrency"]), (&json!("SUCCEEDED"), &json!(30)));
    assert_eq!((&found["executionCounts"], &found["itemCounts"]), (&counts, &counts));
    let children = children(client, &run);
    let names: BTreeSet<&str> = children.iter().map(|child| child["name"].as_str().unwrap()).collect();
    assert_eq!((children.len() as u64, names.len() as u64), (COUNT, COUNT), "each child is started once");
    let child = &children[0];
    assert_eq!((&child["status"], &child["itemCount"]), (&json!("SUCCEEDED"), &json!(1)));
    let shown = client.call("DescribeExecution", &json!({ "executionArn": child["executionArn"] }));
    assert_eq!(shown["mapRunArn"], run);
    assert!(shown["stateMachineArn"].as_str().unwrap().ends_with(":stateMachine:machine/Items"), "{shown}");
    let history = client.call("GetExecutionHistory", &json!({ "executionArn": child["executionArn"] }));
    assert_eq!(history["events"].as_array().unwrap().len(), 4);
    let update = client.try_call("UpdateMapRun", &json!({ "mapRunArn": run, "maxConcurrency": 1 }));
    let refused = update.unwrap_err().to_string();
    assert!(refused.contains("Map Run has already completed"), "{refused}");
}

#[test]
fn a_killed_server_goes_on_with_a_redrive() {
    const COUNT: u64 = 40;
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    // Half of the children fail until they are redriven; the last failure is one too many.
    let fails = "{% $states.input % 2 = 1 and $states.context.Execution.RedriveCount = 0 ? $error('odd') : $states.input %}";
    let states = json!({
        "Check": { "Type": "Pass", "QueryLanguage": "JSONata", "Output": fails, "Next": "Wait" },
        "Wait": { "Type": "Wait", "Seconds": 1, "End": true },
    });
    let items: Vec<u64> = (0..COUNT).collect();
    let map = json!({ "MaxConcurrency": 5, "ToleratedFailureCount": COUNT / 2 - 1 });
    let (execution, run) =
        start(client, &map, &json!({ "StartAt": "Check", "States": states }), &json!(items));
    assert_eq!(end_of(client, &execution)["status"], "FAILED");
    let succeeded =
        |client: Client| describe_run(client, &run)["executionCounts"]["succeeded"].as_u64().unwrap();
    let before = succeeded(client);
    client.call("RedriveExecution", &json!({ "executionArn": execution }));
    wait_for("some children to be redriven", PATIENCE, || (succeeded(client) >= before + 5).then_some(()));
    server.kill();
    let server = home.start();
    let client = server.client();
    let found = describe_run(client, &run);
    assert_eq!((&found["status"], &found["redriveCount"]), (&json!("RUNNING"), &json!(1)));
    let ended = end_of(client, &execution);
    assert_eq!(
        (&ended["status"], &ended["output"]),
        (&json!("SUCCEEDED"), &json!(json!(items).to_string())),
        "{ended}"
    );
    let counts = &describe_run(client, &run)["executionCounts"];
    assert_eq!((&counts["succeeded"], &counts["pendingRedrive"]), (&json!(COUNT), &json!(0)));
    let children = children(client, &run);
    let names: BTreeSet<&str> = children.iter().map(|child| child["name"].as_str().unwrap()).collect();
    assert_eq!((children.len() as u64, names.len() as u64), (COUNT, COUNT), "no child is started twice");
    for child in &children {
        let history = client.call("GetExecutionHistory", &json!({ "executionArn": child["executionArn"] }));
        let kinds: Vec<&str> = history["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["type"].as_str().unwrap())
            .collect();
        let count = |wanted: &str| kinds.iter().filter(|kind| **kind == wanted).count();
        assert_eq!((count("ExecutionSucceeded"), count("ExecutionStarted")), (1, 1), "{kinds:?}");
        assert_eq!(Some(count("ExecutionRedriven") as u64), child["redriveCount"].as_u64(), "{kinds:?}");
    }
}

#[test]
fn a_redrive_is_watched_from_the_command_line() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let fails = "{% $states.input = 1 and $states.context.Execution.RedriveCount = 0 ? $error('one') : $states.input %}";
    let check = json!({ "Type": "Pass", "QueryLanguage": "JSONata", "Output": fails, "End": true });
    let processor = json!({ "StartAt": "Check", "States": { "Check": check } });
    let (execution, run) = start(client, &json!({}), &processor, &json!([0, 1]));
    assert_eq!(end_of(client, &execution)["status"], "FAILED");
    let redrive = || {
        let mut command = Command::new(program());
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "STEPWELL_ENDPOINT"] {
            command.env_remove(name);
        }
        let output =
            command.args(["--endpoint", &client.endpoint(), "redrive", &execution]).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, output, told) = redrive();
    assert_eq!(
        (code, output.split_whitespace().collect::<String>()),
        (Some(0), "[0,1]".to_owned()),
        "{told}"
    );
    let lines: Vec<&str> = told.lines().map(|line| line.trim_start()).collect();
    assert_eq!(lines[..2], [execution.as_str(), "0.000s  redrive 1 of the execution"], "{told}");
    assert!(lines[2].ends_with(&format!("  Map: redrive 1 of {run}")), "{told}");
    assert!(lines.last().unwrap().ends_with("  execution succeeded"), "{told}");
    let (code, output, told) = redrive();
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(told.contains("Execution is SUCCEEDED and cannot be redriven"), "{told}");
}

#[test]
fn a_stopped_execution_stops_its_children() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let wait = json!({ "Type": "Wait", "Seconds": 3_600, "End": true });
    let processor = json!({ "StartAt": "Wait", "States": { "Wait": wait } });
    let batches = json!({ "MaxItemsPerBatch": 2, "BatchInput": { "a": 1 } });
    let map = json!({ "ItemBatcher": batches, "MaxConcurrency": 2 });
    let (execution, run) = start(client, &map, &processor, &json!([1, 2, 3, 4, 5]));
    let found = wait_for("two children to run", PATIENCE, || {
        let run = describe_run(client, &run);
        (run["executionCounts"]["running"] == 2).then_some(run)
    });
    let (items, executions) = (&found["itemCounts"], &found["executionCounts"]);
    assert_eq!((&items["running"], &items["pending"]), (&json!(4), &json!(1)));
    assert_eq!((&executions["pending"], &executions["total"]), (&json!(1), &json!(3)));
    client.call("StopExecution", &json!({ "executionArn": execution }));
    wait_for("the children to end", PATIENCE, || {
        children(client, &run).iter().all(|child| child["status"] == "ABORTED").then_some(())
    });
    let found = describe_run(client, &run);
    assert_eq!((&found["status"], &found["executionCounts"]["aborted"]), (&json!("ABORTED"), &json!(2)));
    let request = json!({ "executionArn": children(client, &run)[0]["executionArn"] });
    let child = client.call("DescribeExecution", &request);
    let input: Value = serde_json::from_str(child["input"].as_str().unwrap()).unwrap();
    assert_eq!(input["BatchInput"], json!({ "a": 1 }));
    assert_eq!(input["Items"].as_array().unwrap().len(), 2);
}
