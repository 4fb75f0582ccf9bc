//! Modules and workflows that call themselves without end.

use std::net::TcpListener;

use serde_json::{Value, json};
use tests::process::{Client, Home, PATIENCE, guest, wait_for};

use crate::tasks::task;

const HANDLER: &str = "arn:aws:lambda:us-east-1:123456789012:function:handler";
const ECHO: &str = "arn:aws:lambda:us-east-1:123456789012:function:echo";
/// Executions that must go on meanwhile.
const OTHERS: usize = 30;
/// Executions after which a chain of them is one that would not end.
const LONG: usize = 50;

/// Other executions are run as if nothing were.
fn others_go_on(client: Client, echo: &str) {
    for n in 0..OTHERS {
        let ended = client.run(echo, &json!({"n": n}));
        assert_eq!(ended["output"], json!({"n": n}).to_string(), "{ended}");
    }
}

#[test]
fn a_module_that_calls_itself_ends_at_its_limits() {
    // Its own address is in the server's settings, so the port is chosen here.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let home = Home::new();
    let policy = format!(
        "[modules.handler.limits]\ntimeout = \"3 s\"\nconcurrency = 20\n[modules.handler.grants]\nhttp = [{{ scheme = \
         \"http\", host = \"127.0.0.1\", port = {port}, methods = [\"POST\"] }}]\n"
    );
    std::fs::write(home.path("policy.toml"), policy).unwrap();
    let file = home.path("policy.toml").display().to_string();
    let home = home.with("--module-policy", file).with("--http-allow", format!("http://{address}"));
    let mut server = home.start_on(&address);
    let client = server.client();
    client.push("handler", &guest("http-handler"));
    client.push("echo", &guest("echo"));
    let machine = client.create("handler", &task(HANDLER, &json!({})));
    let echo = client.create("echo", &task(ECHO, &json!({})));
    let again = json!({
        "do": "again", "authority": address, "path": "/2015-03-31/functions/handler/invocations",
    });
    let executions = [(); 3].map(|()| client.start(&machine, &again));
    others_go_on(client, &echo);
    for execution in executions {
        let ended = client.ended(&execution);
        let error = ended["error"].as_str().unwrap_or_default();
        let is_named = matches!(error, "Sandbox.Timedout" | "Lambda.TooManyRequestsException");
        assert!(ended["status"] == "FAILED" && is_named, "{ended}");
    }
    // Nothing of it is left: there is room for a call again.
    let plain = json!({"do": "answer", "status": 200, "text": "1"});
    wait_for("its calls to end", PATIENCE, || {
        (client.run(&machine, &plain)["status"] == "SUCCEEDED").then_some(())
    });
    server.assert_alive();
}

#[test]
fn workflows_that_start_themselves_leave_room_for_others_and_end_with_their_machine() {
    let home = Home::new();
    let mut server = home.start();
    let client = server.client();
    client.push("echo", &guest("echo"));
    let echo = client.create("echo", &task(ECHO, &json!({})));
    for (name, resource) in [
        ("chain", "arn:aws:states:::states:startExecution"),
        ("tower", "arn:aws:states:::states:startExecution.sync:2"),
    ] {
        let arn = format!("arn:aws:states:us-east-1:123456789012:stateMachine:{name}");
        let parameters = json!({"Parameters": {"StateMachineArn": arn, "Input": {}}});
        let machine = client.create(name, &task(resource, &parameters));
        assert_eq!(machine, arn);
        client.start(&machine, &json!({}));
        let list = |status: &str| {
            let request = json!({"stateMachineArn": arn, "statusFilter": status, "maxResults": 1000});
            client.all_pages("ListExecutions", request, "executions")
        };
        let status = if name == "chain" { "SUCCEEDED" } else { "RUNNING" };
        wait_for("it to go on", PATIENCE, || (list(status).len() >= LONG).then_some(()));
        others_go_on(client, &echo);
        client.call("DeleteStateMachine", &json!({"stateMachineArn": arn}));
        wait_for("nothing to be left of it", PATIENCE, || gone(client, &arn).then_some(()));
    }
    server.assert_alive();
}

/// Whether the machine is gone, with all of its executions.
fn gone(client: Client, arn: &str) -> bool {
    let described = client.try_call("DescribeStateMachine", &json!({"stateMachineArn": arn}));
    let running: Vec<Value> = match client
        .try_call("ListExecutions", &json!({"stateMachineArn": arn, "statusFilter": "RUNNING"}))
    {
        Ok(mut list) => list["executions"].as_array_mut().map(std::mem::take).unwrap_or_default(),
        Err(_gone) => Vec::new(),
    };
    described.is_err() && running.is_empty()
}
