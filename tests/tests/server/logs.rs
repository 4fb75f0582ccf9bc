//! What tasks log: by execution, state and attempt, through kills and floods, and as it comes.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use tests::process::{Client, Home, PATIENCE, guest, wait_for};

use crate::command_line::{Running, check, stepwell};
use crate::tasks::task;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:hostile";
const FOLLOWERS_MAX: usize = 64;

/// A machine whose first state fails twice with what it wrote to standard error, and whose second logs three lines.
fn retried(client: Client) -> String {
    client.push("hostile", &guest("hostile"));
    let definition = json!({"StartAt": "Fails", "States": {
        "Fails": {
            "Type": "Task", "Resource": FUNCTION, "Parameters": {"do": "panic", "message": "ouch"}, "Next": "Logs",
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 1, "BackoffRate": 1}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Logs"}],
        },
        "Logs": {
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
            "Parameters": {"FunctionName": "hostile", "Payload": {"do": "log", "lines": 3, "text": "hello"}},
        },
    }});
    client.create("m", &definition)
}

#[track_caller]
fn get(client: Client, path: &str) -> Value {
    let answer = client.get(path).unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

/// All lines of an execution, in pages of two.
#[track_caller]
fn lines(client: Client, execution: &str, query: &str) -> Vec<Value> {
    let first = format!("/executions/{execution}/logs?maxResults=2{query}");
    let mut path = first.clone();
    let mut lines = Vec::new();
    loop {
        let mut page = get(client, &path);
        let Value::Array(list) = page["lines"].take() else { panic!("{page}") };
        assert!(list.len() <= 2);
        lines.extend(list);
        match page["nextToken"].as_str() {
            Some(token) => path = format!("{first}&nextToken={token}"),
            None => return lines,
        }
    }
}

fn places(lines: &[Value]) -> Vec<String> {
    let place = |line: &Value| {
        format!(
            "{}#{} {}",
            line["state"].as_str().unwrap(),
            line["attempt"],
            line["source"].as_str().unwrap()
        )
    };
    let mut places: Vec<_> = lines.iter().map(place).collect();
    // A panic takes more than one line.
    places.dedup();
    places
}

#[track_caller]
fn refused(client: Client, path: &str, status: u16, code: &str, told: &str) {
    let refused = client.get(path).unwrap().refused();
    assert_eq!((refused.status, refused.code.as_str()), (status, code), "{path}: {}", refused.message);
    assert!(refused.message.contains(told), "{path}: {}", refused.message);
}

#[test]
fn each_attempt_has_its_lines_and_its_cost() {
    let home = Home::new().with("--wait-time-scale", "0");
    let server = home.start();
    let client = server.client();
    let machine = retried(client);
    let execution = client.start(&machine, &json!({}));
    assert_eq!(client.ended(&execution)["status"], "SUCCEEDED");

    let all = lines(client, &execution, "");
    assert_eq!(places(&all), ["Fails#0 stderr", "Fails#1 stderr", "Logs#0 info"]);
    let texts: Vec<_> =
        all.iter().filter(|line| line["state"] == "Logs").map(|line| &line["message"]).collect();
    assert_eq!(texts, ["0 hello", "1 hello", "2 hello"]);
    let ids: Vec<_> = all.iter().map(|line| line["attemptId"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted() && ids[0] != ids[ids.len() - 1], "{ids:?}");
    assert_eq!(places(&lines(client, &execution, "&state=Fails&attempt=1")), ["Fails#1 stderr"]);
    assert_eq!(places(&lines(client, &execution, "&attempt=0")), ["Fails#0 stderr", "Logs#0 info"]);
    assert!(lines(client, &execution, "&state=None").is_empty());

    let tasks = get(client, &format!("/executions/{execution}/tasks"));
    let counted: Vec<_> = tasks["tasks"].as_array().unwrap().iter().map(|task| &task["logLines"]).collect();
    let count = |place: &str| {
        all.iter()
            .filter(|line| format!("{}#{}", line["state"].as_str().unwrap(), line["attempt"]) == place)
            .count()
    };
    assert_eq!(counted, [count("Fails#0"), count("Fails#1"), count("Logs#0")]);
    let sum = |field: &str| {
        tasks["tasks"].as_array().unwrap().iter().map(|task| task[field].as_u64().unwrap()).sum::<u64>()
    };
    let total = &tasks["total"];
    assert_eq!((&total["calls"], &total["fuel"]), (&json!(3), &json!(sum("fuel"))));
    assert_eq!(total["cpuMicroseconds"], sum("cpuMicroseconds"));
    assert!(sum("cpuMicroseconds") > 0, "{tasks}");
    assert_eq!(
        (&total["modules"][0]["module"], &total["modules"][0]["calls"]),
        (&json!("hostile"), &json!(3))
    );

    let path = format!("/executions/{execution}/logs");
    refused(client, &format!("{path}?attempt=first"), 400, "InvalidQuery", "attempt");
    refused(client, &format!("{path}?states=A"), 400, "InvalidQuery", "states");
    refused(client, &format!("{path}?maxResults=1001"), 400, "InvalidQuery", "1000");
    refused(client, &format!("{path}?nextToken=x"), 400, "InvalidQuery", "nextToken: ");
    refused(client, &format!("{path}?follow=true&maxResults=1"), 400, "InvalidQuery", "maxResults: ");
    refused(client, &format!("{path}x/logs"), 404, "NotFound", "");
    refused(client, &path.replace(":m:", ":n:"), 404, "ExecutionDoesNotExist", "");
    let token = get(client, &format!("{path}?maxResults=1"))["nextToken"].take();
    let other = format!("{path}?state=Fails&nextToken={}", token.as_str().unwrap());
    refused(client, &other, 400, "InvalidQuery", "nextToken: ");
}

#[test]
fn calls_of_the_lambda_api_and_events_are_kept() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    client.push("hostile", &guest("hostile"));
    let call = |text: &str| {
        let body = json!({"do": "log", "lines": 1, "text": text}).to_string();
        let head = "POST /2015-03-31/functions/hostile/invocations HTTP/1.1\r\n";
        assert_eq!(client.send(head, body.as_bytes()).unwrap().status, 200);
    };
    call("one");
    call("two");
    let page = get(client, "/modules/hostile/logs");
    let texts: Vec<_> = page["lines"].as_array().unwrap().iter().map(|line| &line["message"]).collect();
    assert_eq!(texts, ["0 one", "0 two"]);
    let request = page["lines"][1]["requestId"].as_str().unwrap();
    let page = get(client, &format!("/modules/hostile/logs?requestId={request}"));
    assert_eq!((page["lines"].as_array().unwrap().len(), &page["lines"][0]["message"]), (1, &json!("0 two")));
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["module", "logs", "hostile", "--request", request, "--endpoint", &client.endpoint()];
    let output = stepwell(folder.path(), &arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains(&format!("{request}  info    0 two\n")) && told.lines().count() == 1, "{told}");

    // An event runs on its own, and its log is its execution's all the same.
    let event = json!({"Parameters": {
        "FunctionName": "hostile", "InvocationType": "Event", "Payload": {"do": "log", "lines": 1, "text": "event"},
    }});
    let execution =
        client.start(&client.create("m", &task("arn:aws:states:::lambda:invoke", &event)), &json!({}));
    let lines = wait_for("the log of the event", PATIENCE, || {
        let lines = lines(client, &execution, "");
        (!lines.is_empty()).then_some(lines)
    });
    assert_eq!(lines[0]["message"], "0 event");
}

#[test]
fn express_executions_have_their_lines_when_they_have_ended() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    client.push("hostile", &guest("hostile"));
    let definition = task(FUNCTION, &json!({"Parameters": {"do": "log", "lines": 2, "text": "quick"}}));
    let machine = json!({
        "name": "express", "type": "EXPRESS", "definition": definition.to_string(),
        "roleArn": "arn:aws:iam::123456789012:role/tests",
    });
    let machine = client.call("CreateStateMachine", &machine)["stateMachineArn"].take();
    let ended = client.call("StartSyncExecution", &json!({"stateMachineArn": machine}));
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    let execution = ended["executionArn"].as_str().unwrap();
    let found = lines(client, execution, "&state=T");
    let texts: Vec<_> = found.iter().map(|line| &line["message"]).collect();
    assert_eq!(texts, ["0 quick", "1 quick"]);
    refused(client, &format!("/executions/{execution}/logs?follow=true"), 400, "InvalidQuery", "follow: ");
    let folder = tempfile::tempdir().unwrap();
    let start = ["start", "express", "--logs", "--endpoint", &client.endpoint()];
    check(&stepwell(folder.path(), &start).output().unwrap(), 0, &["T#0  info    1 quick", "succeeded"]);
}

#[test]
fn a_kill_keeps_what_was_logged() {
    let home = Home::new().with("--wait-time-scale", "0");
    let server = home.start();
    let machine = retried(server.client());
    let execution = server.client().start(&machine, &json!({}));
    server.client().ended(&execution);
    let before = lines(server.client(), &execution, "");
    server.kill();
    let server = home.start();
    assert_eq!(lines(server.client(), &execution, ""), before);
    server.kill();
    let server = home.with("--task-logs-mib", "0").start();
    let path = format!("/executions/{execution}/logs");
    refused(server.client(), &path, 404, "TaskLogsNotKept", "--task-logs-mib 0");
}

#[test]
fn a_flood_stays_within_its_room_and_holds_nobody_up() {
    let home = Home::new().with("--task-logs-mib", "1");
    let server = home.start();
    let client = server.client();
    client.push("hostile", &guest("hostile"));
    let flood = json!({"StartAt": "Each", "States": {"Each": {
        "Type": "Map", "End": true, "ResultPath": null, "ItemProcessor": {"StartAt": "T", "States": {"T": {
            "Type": "Task", "Resource": FUNCTION, "End": true, "Parameters": {"do": "print", "lines": 2_000},
        }}},
    }}});
    let flood = client.start(&client.create("flood", &flood), &json!(vec![0; 30]));
    let other = client.run(&client.create("other", &task(FUNCTION, &json!({}))), &json!({"do": "count"}));
    assert_eq!(other["status"], "SUCCEEDED");
    assert_eq!(client.ended(&flood)["status"], "SUCCEEDED");
    let kept = get(client, &format!("/executions/{flood}/logs?maxResults=1"));
    assert_eq!(kept["lines"].as_array().unwrap().len(), 1);
    let folder = home.data().join("task-logs");
    let sizes = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    let bytes: u64 = sizes.sum();
    assert!((1 << 19..=1 << 20).contains(&bytes), "30 logs of 64 KiB leave {bytes} bytes");
}

/// A log that is followed, as it is on the wire.
struct Follow(BufReader<TcpStream>);

impl Follow {
    fn start(client: Client, execution: &str) -> Follow {
        let mut stream = TcpStream::connect(client.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let path = format!("/executions/{execution}/logs?follow=true");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", client.address()).unwrap();
        Follow(BufReader::new(stream))
    }

    /// The status of the answer, which comes before anything is followed.
    fn status(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(self.0.read_line(&mut head).unwrap() > 0, "{head}");
        }
        head.split(' ').nth(1).unwrap().to_owned()
    }

    /// The rest of the answer, until its end; an error if it is cut off.
    fn rest(mut self) -> io::Result<Vec<Value>> {
        let mut text = String::new();
        loop {
            let mut size = String::new();
            self.0.read_line(&mut size)?;
            let size = u64::from_str_radix(size.trim(), 16).map_err(io::Error::other)?;
            (&mut self.0).take(size).read_to_string(&mut text)?;
            self.0.read_line(&mut String::new())?;
            if size == 0 {
                return Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect());
            }
        }
    }
}

/// An execution that waits for `open` before its task logs.
struct Gate {
    client: Client,
    activity: Value,
    execution: String,
}

impl Gate {
    fn new(client: Client) -> Gate {
        client.push("hostile", &guest("hostile"));
        let activity = client.call("CreateActivity", &json!({"name": "gate"}))["activityArn"].clone();
        let definition = json!({"StartAt": "Gate", "States": {
            "Gate": {"Type": "Task", "Resource": activity, "Next": "Logs"},
            "Logs": {"Type": "Task", "Resource": FUNCTION, "Parameters": {"do": "log", "lines": 3}, "End": true},
        }});
        let execution = client.start(&client.create("gated", &definition), &json!({}));
        Gate { client, activity, execution }
    }

    fn open(&self) {
        let task = self.client.call("GetActivityTask", &json!({"activityArn": self.activity}));
        self.client.call("SendTaskSuccess", &json!({"taskToken": task["taskToken"], "output": "{}"}));
    }
}

#[test]
fn a_log_is_followed_from_before_the_task_to_the_end() {
    let home = Home::new();
    let server = home.start();
    let gate = Gate::new(server.client());
    let mut follow = Follow::start(server.client(), &gate.execution);
    assert_eq!(follow.status(), "200");
    let folder = tempfile::tempdir().unwrap();
    let endpoint = server.client().endpoint();
    let arguments = ["logs", &gate.execution, "--follow", "--json", "--endpoint", &endpoint];
    let mut command = Running::start(stepwell(folder.path(), &arguments));
    gate.open();
    let lines = follow.rest().unwrap();
    assert_eq!(places(&lines[..lines.len() - 1]), ["Logs#0 info"]);
    assert_eq!((lines.len(), &lines[3]), (4, &json!({"executionStatus": "SUCCEEDED"})));
    command.wait("\"message\":\"2 the quick");
    assert_eq!(command.ended().code(), Some(0));
    // Afterwards it is there at once, and ends at once.
    let mut follow = Follow::start(server.client(), &gate.execution);
    assert_eq!((follow.status().as_str(), follow.rest().unwrap()), ("200", lines));
}

#[test]
fn followers_are_bounded_and_leave_nothing_behind() {
    let home = Home::new();
    let server = home.start();
    let gate = Gate::new(server.client());
    let mut followers: Vec<_> =
        (0..FOLLOWERS_MAX).map(|_| Follow::start(server.client(), &gate.execution)).collect();
    for follower in &mut followers {
        assert_eq!(follower.status(), "200");
    }
    assert_eq!(Follow::start(server.client(), &gate.execution).status(), "429");
    followers.truncate(FOLLOWERS_MAX - 1);
    let mut last = wait_for("a place for a follower", PATIENCE, || {
        let mut follow = Follow::start(server.client(), &gate.execution);
        (follow.status() == "200").then_some(follow)
    });
    // A stop ends all of them, without the line that tells the end of the execution.
    server.terminate();
    assert_eq!(last.0.fill_buf().map(<[u8]>::to_vec).unwrap(), b"0\r\n\r\n");
    assert_eq!(server.wait().code(), Some(0), "{}", home.log_tail());
}

/// Says that it has begun, and sleeps for as long as it may.
const SLEEPER: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\40\00\00\00\06\00\00\00")
    (data (i32.const 64) "begun\n")
    (func (export "_start")
        (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
        ;; A subscription to the monotonic clock, an hour from now.
        (i32.store (i32.const 144) (i32.const 1))
        (i64.store (i32.const 152) (i64.const 3600000000000))
        (drop (call $poll (i32.const 128) (i32.const 256) (i32.const 1) (i32.const 8)))))"#;

#[test]
fn lines_of_a_task_that_goes_on_are_seen_once() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    client.push("sleeper", &wat::parse_str(SLEEPER).unwrap());
    let resource = FUNCTION.replace("hostile", "sleeper");
    let execution = client.start(&client.create("m", &task(&resource, &json!({}))), &json!({}));
    let mut follow = Follow::start(client, &execution);
    assert_eq!(follow.status(), "200");
    let seen = wait_for("a line", PATIENCE, || {
        let lines = lines(client, &execution, "");
        (!lines.is_empty()).then_some(lines)
    });
    assert_eq!((seen.len(), &seen[0]["message"]), (1, &json!("begun")));
    assert_eq!(client.describe(&execution)["status"], "RUNNING");
    client.call("StopExecution", &json!({"executionArn": execution}));
    let followed = follow.rest().unwrap();
    assert_eq!(
        (followed.len(), &followed[0], &followed[1]["executionStatus"]),
        (2, &seen[0], &json!("ABORTED"))
    );
    assert_eq!(lines(client, &execution, ""), seen);
}

#[test]
fn whoever_has_seen_enough_ends_the_command_and_not_the_execution() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    client.push("hostile", &guest("hostile"));
    let definition = json!({"StartAt": "Logs", "States": {
        "Logs": {"Type": "Task", "Resource": FUNCTION, "Parameters": {"do": "log", "lines": 1}, "Next": "Wait"},
        "Wait": {"Type": "Wait", "Seconds": 3_600, "End": true},
    }});
    let execution = client.start(&client.create("m", &definition), &json!({}));
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["logs", &execution, "-f", "--endpoint", &client.endpoint()];
    let mut command = Running::start(stepwell(folder.path(), &arguments));
    command.wait("Logs#0  info    0 the quick");
    assert_eq!(command.interrupt().code(), Some(0));
    assert_eq!(client.describe(&execution)["status"], "RUNNING");
}

#[test]
fn a_person_reads_logs_on_the_command_line() {
    let home = Home::new().with("--wait-time-scale", "0");
    let server = home.start();
    let client = server.client();
    retried(client);
    let folder = tempfile::tempdir().unwrap();
    let endpoint = client.endpoint();
    let run = |arguments: &[&str]| {
        let arguments = [arguments, &["--endpoint", &endpoint]].concat();
        stepwell(folder.path(), &arguments).output().unwrap()
    };
    let started = run(&["start", "m", "--name", "e", "--logs"]);
    check(
        &started,
        0,
        &["> Fails (Task)", "Fails#0  stderr  ", "ouch", "Fails#1  stderr  ", "Logs#0  info    2 hello"],
    );
    let shown = run(&["logs", "m:e", "--state", "Logs"]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("Z  Logs#0  info    0 hello\n") && !text.contains('\u{1b}'), "{text}");
    let shown = run(&["logs", "m:e", "--attempt", "1", "--json"]);
    let first = String::from_utf8_lossy(&shown.stdout).lines().next().map(str::to_owned).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&first["state"], &first["attempt"]), (&json!("Fails"), &json!(1)));
    check(&run(&["logs", "m:e", "--state", "None"]), 0, &["There are no lines like that"]);

    // A redrive shows what is logged from then on.
    let log = |text: &str| json!({"do": "log", "lines": 1, "text": text});
    let first = json!({"Type": "Task", "Resource": FUNCTION, "Parameters": log("early"), "ResultPath": null, "Next": "Last"});
    let last = json!({"Type": "Task", "QueryLanguage": "JSONata", "Resource": FUNCTION, "End": true, "Arguments": format!(
        "{{% $states.context.Execution.RedriveCount = 0 ? {} : {} %}}", json!({"do": "panic", "message": "ouch"}), log("late"),
    )});
    client.create("r", &json!({"StartAt": "First", "States": {"First": first, "Last": last}}));
    check(&run(&["start", "r", "--name", "e", "--logs"]), 1, &["First#0  info    0 early", "ouch"]);
    let redriven = run(&["redrive", "r:e", "--logs"]);
    check(&redriven, 0, &["redrive 1 of the execution", "info    0 late", "execution succeeded"]);
    let told = String::from_utf8_lossy(&redriven.stderr);
    assert!(!told.contains("early") && !told.contains("ouch"), "{told}");
    check(&run(&["redrive", "r:e", "--logs", "--detach"]), 2, &["--detach"]);
    check(&run(&["logs", "m:x"]), 1, &["ExecutionDoesNotExist"]);
    check(&run(&["logs", "m:e", "--attempt", "x"]), 2, &["--attempt"]);
}
