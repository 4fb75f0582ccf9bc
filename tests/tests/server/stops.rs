//! SIGTERM, and a second server on the same store.

use std::thread;

use serde_json::json;
use tests::process::{Home, PATIENCE, guest, history, wait_for};

#[test]
fn sigterm_answers_polls_and_loses_nothing() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    client.push("hostile", &guest("hostile"));
    let activity = client.call("CreateActivity", &json!({"name": "idle"}))["activityArn"].clone();
    let function = "arn:aws:lambda:us-east-1:123456789012:function:hostile";
    let machine = client.create(
        "m",
        &json!({"StartAt": "W", "States": {
            "W": {"Type": "Wait", "Seconds": 1, "Next": "T"},
            "T": {"Type": "Task", "Resource": function, "End": true},
        }}),
    );
    let sleeper = client.create(
        "s",
        &json!({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": function, "End": true}}}),
    );
    let waiting = client.start(&machine, &json!({"do": "count"}));
    let sleeping = client.start(&sleeper, &json!({"do": "sleep", "milliseconds": 700}));
    wait_for("the task to run", PATIENCE, || {
        (history::count(&client.history(&sleeping), "LambdaFunctionStarted") == 1).then_some(())
    });

    let poll = json!({"activityArn": activity});
    let (answer, status) = thread::scope(|scope| {
        let poll = scope.spawn(|| client.call("GetActivityTask", &poll));
        // The poll has no trace outside the server; a request sent after it is answered after it was taken.
        for _ in 0..20 {
            client.get("/health").unwrap();
        }
        server.terminate();
        (poll.join().unwrap(), server.wait())
    });
    assert_eq!(status.code(), Some(0), "{}", home.log_tail());
    assert_eq!(answer, json!({"taskToken": null, "input": null}));
    assert!(client.get("/health").is_err());

    let server = home.start();
    let client = server.client();
    for (execution, output) in [(waiting, json!({"calls": 1})), (sleeping, json!({"slept": 700}))] {
        let shown = wait_for("the execution to end", PATIENCE, || {
            let shown = client.describe(&execution);
            (shown["status"] != "RUNNING").then_some(shown)
        });
        let events = client.history(&execution);
        assert_eq!(shown["output"], output.to_string(), "{:?}", history::kinds(&events));
        assert_eq!(history::problems(&events), [""; 0]);
        assert_eq!(history::count(&events, "LambdaFunctionScheduled"), 1);
    }
    server.terminate();
    assert_eq!(server.wait().code(), Some(0), "{}", home.log_tail());
}

#[test]
fn a_second_server_on_the_same_store_is_refused() {
    let home = Home::new();
    let mut server = home.start();
    let second = home.run();
    assert_eq!(second.status.code(), Some(3));
    let message = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(message.contains("in use by another Stepwell server"), "{message}");
    assert!(second.stdout.is_empty());
    server.assert_alive();
    assert_eq!(server.client().get("/health").unwrap().body["status"], "ok");
}
