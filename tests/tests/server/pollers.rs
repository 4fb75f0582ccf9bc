//! A thousand workers at one activity: served once each, refused beyond, forgotten when they go, and answered by a stop.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tests::process::{Client, Home, PATIENCE, Server, history, take_descriptors, wait_for};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// AWS quota.
const POLLERS_MAX: usize = 1_000;
/// What some shells grant; the server must ask for more by itself.
const DESCRIPTORS: u32 = 256;
/// Connections that start executions and answer tasks.
const CONNECTIONS: usize = 8;
const DROPPED: usize = 100;
/// A poll that is not refused within this time is probably taken.
const REFUSAL_TIME: Duration = Duration::from_millis(200);

/// Sends a request over a connection of its own or over one that is kept.
async fn ask(stream: &mut TcpStream, operation: &str, members: &Value) -> std::io::Result<(u16, Value)> {
    let body = members.to_string();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\nx-amz-target: AWSStepFunctions.{operation}\r\ncontent-length: \
         {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        if let Some(parsed) = parse(&answer) {
            return Ok(parsed);
        }
        if stream.read_buf(&mut answer).await? == 0 {
            let told = String::from_utf8_lossy(&answer).into_owned();
            return Err(std::io::Error::other(format!("the server hung up after '{told}'")));
        }
    }
}

/// An answer, once all of it is there.
fn parse(answer: &[u8]) -> Option<(u16, Value)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let body = body.get(..length?)?;
    Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).ok()?))
}

/// Workers that poll, each over a connection of its own. Dropping one closes its connection.
struct Workers {
    address: SocketAddr,
    activity: String,
    polls: JoinSet<(u16, Value)>,
}

impl Workers {
    fn new(client: Client, activity: &str) -> Workers {
        Workers { address: client.address(), activity: activity.to_owned(), polls: JoinSet::new() }
    }

    /// Opens a connection and polls; what becomes of it is among the answers.
    async fn poll(&mut self) -> tokio::task::AbortHandle {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let members = json!({"activityArn": self.activity, "workerName": "one of many"});
        self.polls.spawn(async move { ask(&mut stream, "GetActivityTask", &members).await.unwrap() })
    }

    /// Polls until there is room for no more. One poll too many proves that the others are taken.
    async fn fill(&mut self) {
        for _ in 0..=POLLERS_MAX {
            self.poll().await;
        }
        assert_refused(&self.next().await);
    }

    async fn next(&mut self) -> (u16, Value) {
        let next = tokio::time::timeout(PATIENCE, self.polls.join_next()).await;
        next.expect("a poll is answered in time").expect("somebody polls").unwrap()
    }
}

fn assert_refused(answer: &(u16, Value)) {
    assert_eq!((answer.0, &answer.1["__type"]), (400, &json!("ActivityWorkerLimitExceeded")), "{}", answer.1);
}

/// Calls an operation once for each of the requests, over a few connections, and gives the answers.
async fn call_all(client: Client, operation: &'static str, requests: Vec<Value>) -> Vec<(u16, Value)> {
    let mut calls = JoinSet::new();
    for part in requests.chunks(requests.len().div_ceil(CONNECTIONS)) {
        let part = part.to_vec();
        calls.spawn(async move {
            let mut stream = TcpStream::connect(client.address()).await.unwrap();
            let mut answers = Vec::new();
            for members in part {
                answers.push(ask(&mut stream, operation, &members).await.unwrap());
            }
            answers
        });
    }
    calls.join_all().await.concat()
}

/// A server with an activity and a machine whose task it is.
fn start(home: &Home, fields: &Value) -> (Server, String, String) {
    take_descriptors();
    let server = home.start();
    let activity = server.client().call("CreateActivity", &json!({"name": "work"}))["activityArn"].clone();
    let mut task = json!({"Type": "Task", "Resource": activity, "End": true});
    for (name, value) in fields.as_object().unwrap() {
        task[name] = value.clone();
    }
    let machine = server.client().create("m", &json!({"StartAt": "T", "States": {"T": task}}));
    (server, activity.as_str().unwrap().to_owned(), machine)
}

/// Starts so many executions with their numbers as inputs, and holds the tasks that the workers get against them: each
/// task once, to one worker. Then answers them.
async fn serve(client: Client, workers: &mut Workers, machine: &str, count: usize) {
    let start =
        |n| json!({"stateMachineArn": machine, "name": format!("e{n}"), "input": json!(n).to_string()});
    let started = call_all(client, "StartExecution", (0..count).map(start).collect()).await;
    assert!(started.iter().all(|(status, _)| *status == 200), "{started:?}");
    let (mut inputs, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    let mut answers = Vec::new();
    while inputs.len() < count {
        let (status, task) = workers.next().await;
        assert_eq!(status, 200, "{task}");
        let (token, input) = (task["taskToken"].as_str().unwrap(), task["input"].as_str().unwrap());
        assert!(tokens.insert(token.to_owned()), "a token was given twice");
        assert!(inputs.insert(input.parse::<usize>().unwrap()), "the task of {input} was handed out twice");
        answers.push(json!({"taskToken": token, "output": input}));
    }
    assert_eq!(inputs, (0..count).collect());
    let twice = answers[0].clone();
    let taken = call_all(client, "SendTaskSuccess", answers).await;
    assert!(taken.iter().all(|(status, _)| *status == 200), "{taken:?}");
    let (_, again) = call_all(client, "SendTaskSuccess", vec![twice]).await.remove(0);
    assert_eq!(again["__type"], "TaskTimedOut", "{again}");
}

fn count(client: Client, machine: &str, status: &str) -> usize {
    let request = json!({"stateMachineArn": machine, "statusFilter": status, "maxResults": 1_000});
    client.all_pages("ListExecutions", request, "executions").len()
}

#[tokio::test]
async fn a_thousand_workers_are_served_and_one_more_is_refused() {
    let home = Home::with_descriptors(DESCRIPTORS);
    let (mut server, activity, machine) = start(&home, &json!({}));
    let client = server.client();
    let mut workers = Workers::new(client, &activity);
    workers.fill().await;
    serve(client, &mut workers, &machine, POLLERS_MAX).await;
    assert!(workers.polls.is_empty());
    assert_eq!(count(client, &machine, "SUCCEEDED"), POLLERS_MAX);
    server.assert_alive();
}

#[tokio::test]
async fn a_worker_that_goes_makes_room_and_takes_no_task_with_it() {
    let home = Home::with_descriptors(DESCRIPTORS);
    let (_server, activity, machine) = start(&home, &json!({}));
    let client = _server.client();
    let mut workers = Workers::new(client, &activity);
    let mut leaving = Vec::new();
    for _ in 0..DROPPED {
        leaving.push(workers.poll().await);
    }
    for _ in DROPPED..=POLLERS_MAX {
        workers.poll().await;
    }
    assert_refused(&workers.next().await);
    for worker in leaving {
        worker.abort();
        assert!(workers.polls.join_next().await.unwrap().unwrap_err().is_cancelled());
    }
    // The server learns of it in its own time, and until then there is no room.
    for _ in 0..DROPPED {
        workers.poll().await;
    }
    while let Ok(answer) = tokio::time::timeout(REFUSAL_TIME, workers.next()).await {
        assert_refused(&answer);
        workers.poll().await;
    }
    assert_eq!(workers.polls.len(), POLLERS_MAX);
    workers.poll().await;
    assert_refused(&workers.next().await);
    serve(client, &mut workers, &machine, POLLERS_MAX).await;
    assert_eq!(count(client, &machine, "SUCCEEDED"), POLLERS_MAX);
}

#[tokio::test]
async fn the_task_of_a_dead_worker_is_handed_out_again_under_another_token() {
    let home = Home::new();
    let retry = json!([{"ErrorEquals": ["States.HeartbeatTimeout"], "IntervalSeconds": 1, "MaxAttempts": 1}]);
    let (server, activity, machine) = start(&home, &json!({"HeartbeatSeconds": 1, "Retry": retry}));
    let client = server.client();
    let mut workers = Workers::new(client, &activity);
    workers.poll().await;
    let execution = client.start(&machine, &json!({"n": 1}));
    // It gets the task, and is never heard of again.
    let (_, lost) = workers.next().await;
    workers.poll().await;
    let (_, found) = workers.next().await;
    assert_eq!(found["input"], lost["input"]);
    assert_ne!(found["taskToken"], lost["taskToken"]);
    let answer = |task: &Value, output: &str| json!({"taskToken": task["taskToken"], "output": output});
    let late = client.try_call("SendTaskSuccess", &answer(&lost, "1")).unwrap_err().to_string();
    assert!(late.contains("TaskTimedOut"), "{late}");
    client.call("SendTaskSuccess", &answer(&found, "2"));
    let shown = wait_for("the execution to end", PATIENCE, || {
        let shown = client.describe(&execution);
        (shown["status"] != "RUNNING").then_some(shown)
    });
    assert_eq!((&shown["status"], &shown["output"]), (&json!("SUCCEEDED"), &json!("2")));
    let events = client.history(&execution);
    assert_eq!(history::problems(&events), [""; 0]);
    assert_eq!(
        (history::count(&events, "ActivityStarted"), history::count(&events, "ActivityTimedOut")),
        (2, 1)
    );
}

#[tokio::test]
async fn a_stop_answers_a_thousand_workers() {
    let home = Home::with_descriptors(DESCRIPTORS);
    let (server, activity, _) = start(&home, &json!({}));
    let mut workers = Workers::new(server.client(), &activity);
    workers.fill().await;
    server.terminate();
    for _ in 0..POLLERS_MAX {
        assert_eq!(workers.next().await, (200, json!({"taskToken": null, "input": null})));
    }
    let status = tokio::task::spawn_blocking(move || server.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0), "{}", home.log_tail());
}
