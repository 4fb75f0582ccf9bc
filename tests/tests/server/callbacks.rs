//! Callbacks on a server that is killed meanwhile and logs all it can.

use serde_json::{Value, json};
use tests::process::{Answer, Client, Home, PATIENCE, Server, root, wait_for};

/// A text that stands for whatever must not leave a workflow.
const SECRET: &str = "amaranth-7391";

/// What a link answers to a program; `answer` is posted if there is one.
fn follow(client: Client, url: &str, answer: Option<&Value>) -> Answer {
    let path = url.split_once("/callbacks/").expect("it is a link").1;
    let (method, body) = match answer {
        Some(answer) => ("POST", answer.to_string()),
        None => ("GET", String::new()),
    };
    let head = format!(
        "{method} /callbacks/{path} HTTP/1.1\r\naccept: application/json\r\ncontent-type: application/json\r\n"
    );
    client.send(&head, body.as_bytes()).expect("the server answers")
}

fn submitted(client: Client, execution: &str) -> Value {
    wait_for("the task to be submitted", PATIENCE, || {
        let history = client.history(execution);
        let event = history.iter().find(|event| event["type"] == "TaskSubmitted")?;
        serde_json::from_str(event["taskSubmittedEventDetails"]["output"].as_str()?).ok()
    })
}

fn ended(client: Client, execution: &str) -> Value {
    wait_for("the execution to end", PATIENCE, || {
        let shown = client.describe(execution);
        (shown["status"] != "RUNNING").then_some(shown)
    })
}

fn machine(client: Client) -> String {
    let ask = json!({
        "Type": "Task", "Resource": "arn:aws:states:::stepwell:awaitCallback.waitForTaskToken", "End": true,
        "Parameters": {"task.$": "$$.Task", "about": SECRET},
        "CallbackLinks": {"Title": SECRET, "Message": SECRET, "Payload": SECRET},
        "HeartbeatSeconds": 600, "Retry": [{"ErrorEquals": ["Again"], "IntervalSeconds": 1}],
    });
    client.create("m", &json!({"StartAt": "Ask", "States": {"Ask": ask}}))
}

#[test]
fn links_survive_a_kill_and_so_does_their_answer() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let execution = client.start(&machine(client), &json!({}));
    let links = submitted(client, &execution)["task"]["CallbackLinks"].take();
    let url = |name: &str| links[name].as_str().expect("a link").to_owned();
    // Without --public-url a link begins with the address on which the server listens.
    assert!(url("ApproveUrl").starts_with(&format!("{}/callbacks/", client.endpoint())));
    server.kill();

    let server = home.start();
    let client = server.client();
    assert_eq!(follow(client, &url("AnswerUrl"), None).body["title"], SECRET);
    let answer = json!({"comment": "fine"});
    assert_eq!(follow(client, &url("ApproveUrl"), Some(&answer)).status, 200);
    server.kill();

    let server = home.start();
    let client = server.client();
    let again = follow(client, &url("RejectUrl"), Some(&answer));
    assert_eq!((again.status, &again.body["decision"]), (409, &json!("approved")));
    let output: Value = serde_json::from_str(ended(client, &execution)["output"].as_str().unwrap()).unwrap();
    assert_eq!((&output["decision"], &output["comment"]), (&json!("approved"), &json!("fine")));
}

/// The first JSON after a heading of the page about callbacks.
fn documented(heading: &str) -> Value {
    let page = std::fs::read_to_string(root().join("docs/activities-and-callbacks.md")).unwrap();
    let (_, part) = page.split_once(heading).expect("the page has the heading");
    let (_, block) = part.split_once("```json\n").expect("the part has JSON");
    serde_json::from_str(block.split_once("```").expect("the block ends").0).expect("it is JSON")
}

#[test]
fn the_workflow_of_the_page_works() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let machine = client.create("refund", &documented("### In a definition"));
    let input = json!({"order": "7", "amount": 12});
    let run = |link: &str, comment: &str| {
        let execution = client.start(&machine, &input);
        let links = submitted(client, &execution)["links"].take();
        let shown = follow(client, links["AnswerUrl"].as_str().unwrap(), None).body;
        assert_eq!((&shown["title"], &shown["payload"]), (&json!("Refund order 7?"), &input));
        let answered = follow(client, links[link].as_str().unwrap(), Some(&json!({"comment": comment})));
        assert_eq!(answered.status, 200, "{}", answered.body);
        ended(client, &execution)
    };
    assert_eq!(run("ApproveUrl", "fine")["output"], "\"refunded\"");
    let refused = run("RejectUrl", "too late");
    assert_eq!((&refused["error"], &refused["cause"]), (&json!("NotApproved"), &json!("too late")));
}

/// Starts an execution that asks: its ARN, its token and its link to approve.
fn ask(client: Client, machine: &str, secrets: &mut Vec<String>) -> (String, String, String) {
    let execution = client.start(machine, &json!({"secret": SECRET}));
    let task = submitted(client, &execution)["task"].take();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (token, approve) = (text(&task["Token"]), text(&task["CallbackLinks"]["ApproveUrl"]));
    secrets.push(token.clone());
    secrets.push(approve.rsplit('/').next().expect("the last part").to_owned());
    (execution, token, approve)
}

/// Tokens, links and payloads of a whole life of a callback.
fn live(server: &Server, secrets: &mut Vec<String>) {
    let client = server.client();
    let machine = machine(client);
    let comment = json!({"comment": SECRET});

    let (execution, token, approve) = ask(client, &machine, secrets);
    let beat = json!({"taskToken": token});
    client.call("SendTaskHeartbeat", &beat);
    follow(client, &approve, None);
    assert_eq!(follow(client, &approve, Some(&comment)).status, 200);
    assert_eq!(follow(client, &approve, Some(&comment)).status, 409);
    assert!(client.try_call("SendTaskHeartbeat", &beat).is_err());
    ended(client, &execution);

    let (execution, token, _) = ask(client, &machine, secrets);
    let wanted = json!({"taskToken": token, "title": SECRET, "payload": {"a": SECRET}}).to_string();
    let made = client.send("POST /callback-links HTTP/1.1\r\n", wanted.as_bytes()).unwrap();
    assert_eq!(made.status, 200, "{}", made.body);
    secrets.push(made.body["rejectUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned());
    let unknown = json!({"taskToken": token, "titel": SECRET}).to_string();
    assert_eq!(client.send("POST /callback-links HTTP/1.1\r\n", unknown.as_bytes()).unwrap().status, 400);
    client.call("SendTaskSuccess", &json!({"taskToken": token, "output": json!(SECRET).to_string()}));
    assert!(client.try_call("SendTaskSuccess", &json!({"taskToken": token, "output": "no JSON"})).is_err());
    ended(client, &execution);

    let (execution, token, approve) = ask(client, &machine, secrets);
    client.call("SendTaskFailure", &json!({"taskToken": token, "error": "Again", "cause": SECRET}));
    follow(client, &approve, Some(&json!({"decision": SECRET})));
    client.call("StopExecution", &json!({"executionArn": execution, "cause": SECRET}));
    follow(client, &approve, Some(&comment));

    let activity = client.call("CreateActivity", &json!({"name": "a"}))["activityArn"].take();
    let work = json!({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": activity, "End": true}}});
    let work = client.create("work", &work);
    let execution = client.start(&work, &json!({"secret": SECRET}));
    let task = client.call("GetActivityTask", &json!({"activityArn": activity}));
    secrets.push(task["taskToken"].as_str().unwrap().to_owned());
    client.call("SendTaskSuccess", &json!({"taskToken": task["taskToken"], "output": task["input"]}));
    ended(client, &execution);
}

#[test]
fn no_log_has_a_token_a_link_or_a_payload() {
    let home = Home::logging("trace");
    let server = home.start();
    let mut secrets = vec![SECRET.to_owned()];
    live(&server, &mut secrets);
    server.kill();
    let log = home.logged();
    // The log has the callbacks, so that what is not found is not there.
    assert!(
        log.contains("a task was answered by a link") && log.contains("callback links were made"),
        "{log}"
    );
    assert!(log.contains("SendTaskHeartbeat") && log.contains("TaskTimedOut"), "{log}");
    for secret in &secrets {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
