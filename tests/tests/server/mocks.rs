//! Test cases of a mock configuration file, on the real server.

use std::fs;

use serde_json::{Value, json};
use tests::process::{Client, Home, history};

use crate::tasks::task;

const ROLE: &str = "arn:aws:iam::123456789012:role/tests";

/// The machine of Step Functions Local's own example, and a file with its test cases.
fn configuration() -> Value {
    json!({
        "StateMachines": {"orders": {"TestCases": {
            "Happy": {"Charge": "Charged", "Ship": "Shipped"},
            "Retried": {"Charge": "ChargedLate", "Ship": "Shipped"},
            "Refused": {"Charge": "Refused"},
            "Short": {"Charge": "OnlyLater"},
            "Waits": {"Charge": "ChargedAfterOne"},
            "Typo": {"Chrage": "Charged"},
        }}, "items": {"TestCases": {"Each": {"Work": "Numbered"}}},
            "express": {"TestCases": {"Happy": {"T": "Charged"}}}},
        "MockedResponses": {
            "Charged": {"0": {"Return": {"paid": 1.0}}},
            "ChargedLate": {"0-1": {"Throw": {"Error": "Busy", "Cause": "later"}}, "2": {"Return": {"paid": 2}}},
            "ChargedAfterOne": {"0": {"Throw": {"Error": "Busy"}}, "1": {"Return": {"paid": 3}}},
            "Refused": {"0": {"Throw": {"Error": "NoMoney", "Cause": "broke"}}},
            "OnlyLater": {"1": {"Return": {}}},
            "Shipped": {"0": {"Return": "on its way"}},
            "Numbered": {"0": {"Return": "first"}, "1-2": {"Return": "later"}},
        },
    })
}

fn orders(interval: u32) -> Value {
    let activity = "arn:aws:states:us-east-1:123456789012:activity:never-made";
    json!({"StartAt": "Charge", "States": {
        "Charge": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Next": "Ship",
            "Parameters": {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}, "TimeoutSeconds": 60,
            "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": interval, "MaxAttempts": 3}]},
        "Ship": {"Type": "Task", "Resource": activity, "End": true},
    }})
}

fn home() -> Home {
    let home = Home::new();
    let file = home.path("mocks.json");
    fs::write(&file, configuration().to_string()).unwrap();
    let file = file.display().to_string();
    home.with_env("SFN_MOCK_CONFIG", file)
}

fn start(client: Client, machine: &str, case: &str) -> String {
    client.start(&format!("{machine}#{case}"), &json!({}))
}

#[test]
fn a_test_case_answers_in_the_place_of_tasks() {
    let home = home();
    let server = home.start();
    let client = server.client();
    let machine = client.create("orders", &orders(1));
    let happy = start(client, &machine, "Happy");
    assert_eq!(client.ended(&happy)["output"], "\"on its way\"");
    assert_eq!(client.describe(&happy)["stateMachineArn"], machine.as_str());
    let events = client.history(&happy);
    assert_eq!(
        history::kinds(&events),
        [
            "ExecutionStarted",
            "TaskStateEntered",
            "TaskScheduled",
            "TaskStarted",
            "TaskSucceeded",
            "TaskStateExited",
            "TaskStateEntered",
            "ActivityScheduled",
            "ActivityStarted",
            "ActivitySucceeded",
            "TaskStateExited",
            "ExecutionSucceeded"
        ]
    );
    assert_eq!(events[4]["taskSucceededEventDetails"]["output"], "{\"paid\":1.0}");
    assert_eq!(history::problems(&events), [""; 0]);
    let refused = client.ended(&start(client, &machine, "Refused"));
    assert_eq!((&refused["error"], &refused["cause"]), (&json!("NoMoney"), &json!("broke")));
    let short = client.ended(&start(client, &machine, "Short"));
    assert_eq!(short["error"], "States.Runtime");
    assert!(
        short["cause"].as_str().unwrap().contains("no answer to call 0 of the state 'Charge'"),
        "{short}"
    );
    let retried = start(client, &machine, "Retried");
    assert_eq!(client.ended(&retried)["status"], "SUCCEEDED");
    let events = client.history(&retried);
    assert_eq!(history::count(&events, "TaskFailed"), 2);
    assert!(events.iter().any(|event| event["taskSucceededEventDetails"]["output"] == "{\"paid\":2}"));

    let items = json!({"StartAt": "M", "States": {"M": {"Type": "Map", "MaxConcurrency": 1, "End": true,
        "ItemProcessor": {"StartAt": "Work", "States": {"Work": {"Type": "Task", "End": true,
            "Resource": "arn:aws:lambda:us-east-1:123456789012:function:none"}}}}}});
    let items = client.create("items", &items);
    let execution = client.start(&format!("{items}#Each"), &json!([1, 2, 3]));
    assert_eq!(client.ended(&execution)["output"], r#"["first","later","later"]"#);

    let express = json!({"name": "express", "type": "EXPRESS", "roleArn": ROLE,
        "definition": task("arn:aws:states:::http:invoke", &json!({})).to_string()});
    let express = client.call("CreateStateMachine", &express)["stateMachineArn"].as_str().unwrap().to_owned();
    let run = |arn: String| client.call("StartSyncExecution", &json!({"stateMachineArn": arn}));
    assert_eq!(run(format!("{express}#Happy"))["output"], "{\"paid\":1.0}");
    assert_eq!(run(express)["status"], "FAILED", "without a case the task does its work");
}

#[test]
fn a_test_case_survives_a_restart_and_is_never_left_out() {
    let home = home();
    let server = home.start();
    let client = server.client();
    let machine = client.create("orders", &orders(2));
    let (waits, lost) = (start(client, &machine, "Waits"), start(client, &machine, "Retried"));
    for execution in [&waits, &lost] {
        assert_eq!(history::count(&client.history(execution), "TaskFailed"), 1);
    }
    server.kill();
    let mut changed = configuration();
    changed["StateMachines"]["orders"]["TestCases"].as_object_mut().unwrap().remove("Retried");
    fs::write(home.path("mocks.json"), changed.to_string()).unwrap();

    let server = home.start();
    let client = server.client();
    let ended = client.ended(&lost);
    assert_eq!(ended["error"], "States.Runtime");
    assert!(
        ended["cause"].as_str().unwrap().contains("'Retried' is no longer in the mock configuration"),
        "{ended}"
    );
    // The second call gets the second answer; the activity was not mocked and is not there.
    let ended = client.ended(&waits);
    assert!(ended["cause"].as_str().unwrap().contains("never-made does not exist"), "{ended}");
    let events = client.history(&waits);
    assert!(events.iter().any(|event| event["taskSucceededEventDetails"]["output"] == "{\"paid\":3}"));
}

#[test]
fn what_does_not_fit_is_refused_before_anything_runs() {
    let home = home();
    let server = home.start();
    let client = server.client();
    let machine = client.create("orders", &orders(1));
    let refused = |case: &str, code: &str, message: &str| {
        let request = json!({"stateMachineArn": format!("{machine}#{case}")}).to_string();
        let refused = client.post("StartExecution", &request).unwrap().refused();
        assert_eq!((refused.status, refused.code.as_str()), (400, code), "{}", refused.message);
        assert!(refused.message.contains(message), "{}", refused.message);
    };
    refused("None", "InvalidArn", "There is no test case None for the state machine orders");
    refused("Typo", "ValidationException", "names the state 'Chrage'");
    refused("", "InvalidArn", "");
    assert_eq!(
        client.all_pages("ListExecutions", json!({"stateMachineArn": machine}), "executions").len(),
        0
    );

    let broken = Home::new();
    fs::write(broken.path("mocks.json"), r#"{"StateMachines": {}, "MockedResponses": {"A": {"x": {}}}}"#)
        .unwrap();
    let file = broken.path("mocks.json").display().to_string();
    let output = broken.with("--mock-config", file).run();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        message.contains("mocks.json: at /MockedResponses/A/x: must be the number of a call"),
        "{message}"
    );
}
