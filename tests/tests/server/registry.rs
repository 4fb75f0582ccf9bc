//! Versions, aliases and what is kept of modules: an execution stays with what it began with, and nothing is left that
//! nobody names, through kills.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tests::process::{Client, Home, PATIENCE, guest, pause, program, wait_for};

/// What `echo` gives back as it is, and of what `hostile` gives the value.
const INPUT: &str = r#"{"do":"echo","value":7}"#;
const KILLS: u64 = 8;
const UPLOADERS: u64 = 3;
/// Uploads of a round that are told before the kill; further ones are told after it.
const UPLOADS_TOLD_MAX: usize = 1_024;

/// A component that compiles in no time, and is another one for each text.
fn component(text: &str) -> Vec<u8> {
    let mut bytes = wat::parse_str(
        r#"(component
            (core module $m (func (export "f") (result i32) (i32.const 0)))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "f")))
            (instance $command (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $command)))"#,
    )
    .unwrap();
    // A custom section with the name `n`.
    let length = u8::try_from(text.len() + 2).unwrap();
    bytes.extend([0, length, 1, b'n']);
    bytes.extend(text.as_bytes());
    bytes
}

#[track_caller]
fn ask(client: Client, request: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = client.send(&format!("{request} HTTP/1.1\r\n"), body.as_bytes()).unwrap();
    assert_eq!(answer.status, 200, "{request}: {}", answer.body);
    answer.body
}

fn function(qualified: &str) -> Value {
    let arn = format!("arn:aws:lambda:us-east-1:123456789012:function:{qualified}");
    json!({"Type": "Task", "Resource": arn, "End": true})
}

/// Calls a module, waits for an activity, and calls the module by its name and by its alias.
fn twice(activity: &str) -> Value {
    let branch = |name: &str, qualified| json!({"StartAt": name, "States": {name: function(qualified)}});
    let first =
        json!({"Type": "Task", "Resource": function("m")["Resource"], "ResultPath": null, "Next": "Wait"});
    json!({"StartAt": "First", "States": {
        "First": first,
        "Wait": {"Type": "Task", "Resource": activity, "ResultPath": null, "Next": "Both"},
        "Both": {"Type": "Parallel", "Branches": [branch("ByName", "m"), branch("ByAlias", "m:live")], "End": true},
    }})
}

/// The token of an execution that has come to its activity.
fn token(client: Client, activity: &str) -> Value {
    client.call("GetActivityTask", &json!({"activityArn": activity}))["taskToken"].take()
}

fn output(ended: &Value) -> Value {
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    serde_json::from_str(ended["output"].as_str().unwrap()).unwrap()
}

#[test]
fn an_execution_keeps_the_versions_that_it_began_with() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    client.push("m", &guest("echo"));
    ask(client, "PUT /modules/m/aliases/live", &json!({"version": 1}));
    let activity = client.call("CreateActivity", &json!({"name": "a"}))["activityArn"].take();
    let activity = activity.as_str().unwrap();
    let machine = client.create("twice", &twice(activity));
    let input: Value = serde_json::from_str(INPUT).unwrap();

    let old = client.start(&machine, &input);
    let old_token = token(client, activity);
    let failed = client.start(&machine, &input);
    let failure = json!({"taskToken": token(client, activity), "error": "Not", "cause": "yet"});
    client.call("SendTaskFailure", &failure);
    assert_eq!(client.ended(&failed)["status"], "FAILED");

    client.push("m", &guest("hostile"));
    ask(client, "PUT /modules/m/aliases/live", &json!({"version": 2}));
    let new = client.start(&machine, &input);
    let new_token = token(client, activity);
    server.kill();

    let server = home.start();
    let client = server.client();
    for token in [&old_token, &new_token] {
        client.call("SendTaskSuccess", &json!({"taskToken": token, "output": "{}"}));
    }
    assert_eq!(output(&client.ended(&old)), json!([input, input]), "by version 1");
    assert_eq!(output(&client.ended(&new)), json!([7, 7]), "by version 2");
    client.call("RedriveExecution", &json!({"executionArn": failed}));
    let again = json!({"taskToken": token(client, activity), "output": "{}"});
    client.call("SendTaskSuccess", &again);
    assert_eq!(output(&client.ended(&failed)), json!([input, input]), "a redrive keeps version 1");
}

#[test]
fn an_alias_gives_each_execution_one_of_two_versions() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    client.push("m", &guest("echo"));
    client.push("m", &guest("hostile"));
    let routed = json!({"version": 1, "also": {"version": 2, "weight": 0.5}});
    let shown = ask(client, "PUT /modules/m/aliases/live", &routed);
    assert_eq!((&shown["version"], &shown["also"]), (&json!(1), &routed["also"]));
    let branch = |name: &str| json!({"StartAt": name, "States": {name: function("m:live")}});
    let both = json!({"Type": "Parallel", "Branches": [branch("One"), branch("Two")], "End": true});
    let machine = client.create("routed", &json!({"StartAt": "Both", "States": {"Both": both}}));
    let input: Value = serde_json::from_str(INPUT).unwrap();
    let outputs: Vec<Value> = (0..40).map(|_| output(&client.run(&machine, &input))).collect();
    let count = |expected: Value| outputs.iter().filter(|output| **output == expected).count();
    let (first, second) = (count(json!([input, input])), count(json!([7, 7])));
    assert_eq!(first + second, 40, "an execution has one version: {outputs:?}");
    // Fewer than one in a hundred million runs has none of one of them.
    assert!(first > 0 && second > 0, "{first} and {second}");

    let missing = json!({"version": 3}).to_string();
    let refused =
        client.send("PUT /modules/m/aliases/live HTTP/1.1\r\n", missing.as_bytes()).unwrap().refused();
    assert_eq!((refused.status, refused.code.as_str()), (404, "VersionNotFound"));
    let refused = client.send("DELETE /modules/m/versions/2 HTTP/1.1\r\n", b"").unwrap().refused();
    assert_eq!((refused.status, refused.code.as_str()), (409, "VersionInUse"));
    assert!(refused.message.contains("live"), "{}", refused.message);
    ask(client, "DELETE /modules/m/aliases/live", &Value::Null);
    ask(client, "DELETE /modules/m/versions/2", &Value::Null);
    let versions = ask(client, "GET /modules/m", &Value::Null)["versions"].take();
    assert_eq!(versions.as_array().unwrap().len(), 1, "{versions}");
}

/// The files of the components that some version has.
fn named(client: Client) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for module in ask(client, "GET /modules", &Value::Null)["modules"].as_array().unwrap() {
        let mut path = format!("GET /modules/{}", module["name"].as_str().unwrap());
        loop {
            let page = ask(client, &path, &Value::Null);
            let digests =
                page["versions"].as_array().unwrap().iter().map(|version| version["digest"].as_str());
            files.extend(digests.map(|digest| file_of(digest.unwrap())));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("GET /modules/{}?from={next}", module["name"].as_str().unwrap());
        }
    }
    files
}

fn file_of(digest: &str) -> String {
    format!("{}.wasm", digest.strip_prefix("sha256:").unwrap())
}

fn kept(home: &Home) -> BTreeSet<String> {
    home.files("data/modules").into_iter().collect()
}

#[test]
fn components_that_nothing_names_are_removed() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    client.push("a", &component("one"));
    client.push("a", &component("two"));
    client.push("b", &component("two"));
    assert_eq!(kept(&home).len(), 2);
    ask(client, "DELETE /modules/a", &Value::Null);
    let one_is_left = || (kept(&home) == named(client)).then_some(());
    wait_for("the component of one version to go", PATIENCE, one_is_left);
    assert_eq!(kept(&home).len(), 1, "the other module has the same component");
    client.push("a", &component("one"));
    assert_eq!(kept(&home).len(), 2, "it can come back");
    for name in ["a", "b"] {
        ask(client, &format!("DELETE /modules/{name}"), &Value::Null);
    }
    wait_for("all components to go", PATIENCE, || kept(&home).is_empty().then_some(()));
    // The component goes first and its compiled code after it.
    wait_for("all compiled code to go", PATIENCE, || home.files("data/cache").is_empty().then_some(()));
}

#[test]
fn uploads_through_kills_leave_what_was_acknowledged_and_nothing_else() {
    let home = Home::new();
    let mut acknowledged = BTreeSet::new();
    for round in 0..KILLS {
        let server = home.start();
        let client = server.client();
        let (tell, told) = mpsc::sync_channel(UPLOADS_TOLD_MAX);
        for uploader in 0..UPLOADERS {
            let tell = tell.clone();
            thread::spawn(move || upload_until_killed(client, round, uploader, &tell));
        }
        drop(tell);
        acknowledged.insert(told.recv_timeout(PATIENCE).expect("an upload is acknowledged"));
        pause(Duration::from_millis(round * 17));
        server.kill();
        acknowledged.extend(told);
        let half = home.data().join("modules").join(format!("{}.wasm", "0".repeat(64)));
        fs::write(half, "as a crash between component and record leaves it").unwrap();
    }
    let server = home.start();
    let client = server.client();
    wait_for("what nothing names to go", PATIENCE, || (kept(&home) == named(client)).then_some(()));
    let named = named(client);
    let lost: Vec<_> = acknowledged.difference(&named).collect();
    assert!(lost.is_empty(), "{lost:?} of {}", acknowledged.len());
}

/// Tells the files of the components that were taken.
fn upload_until_killed(client: Client, round: u64, uploader: u64, taken: &mpsc::SyncSender<String>) {
    for number in 0.. {
        let component = component(&format!("{round}.{uploader}.{number}"));
        let Ok(answer) = client.put_module(&format!("m{uploader}"), &component) else { break };
        match answer.body["digest"].as_str() {
            Some(digest) => taken.send(file_of(digest)).unwrap(),
            None => break,
        }
    }
}

#[test]
fn an_upload_can_say_what_it_replaces() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let put = |condition: &str, text: &str| {
        let head = format!("PUT /modules/m HTTP/1.1\r\n{condition}\r\n");
        client.send(&head, &component(text)).unwrap()
    };
    let first = put("if-none-match: *", "one");
    assert_eq!((first.status, &first.body["version"]), (200, &json!(1)), "{}", first.body);
    let refused = put("if-none-match: *", "two").refused();
    assert_eq!((refused.status, refused.code.as_str()), (412, "ModuleExists"));
    let condition = format!("if-match: \"{}\"", first.body["digest"].as_str().unwrap());
    for sent in ["once", "again"] {
        assert_eq!(put(&condition, "two").body["version"], 2, "{sent}");
    }
    let refused = put(&condition, "three").refused();
    assert_eq!((refused.status, refused.code.as_str()), (412, "ModuleChanged"));
    let refused = put("if-match: abc", "three").refused();
    assert_eq!((refused.status, refused.code.as_str()), (400, "InvalidCondition"));
    wait_for("the refused components to go", PATIENCE, || (kept(&home) == named(client)).then_some(()));
}

#[test]
fn the_command_line_pushes_manifests_and_moves_aliases() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let (wasm, toml) = (home.path("m.wasm"), home.path("m.toml"));
    fs::write(&wasm, component("one")).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(program());
        let output = command.args(arguments).args(["--endpoint", &client.endpoint()]).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let done = |arguments: &[&str]| {
        let (success, answer, problem) = run(arguments);
        assert!(success, "{arguments:?}: {problem}");
        answer
    };
    let file = wasm.to_str().unwrap();
    assert!(done(&["module", "push", "m", file]).starts_with("m version 1 ("));
    fs::write(&toml, "# of the second version\n").unwrap();
    assert!(done(&["module", "push", "m", file]).starts_with("m version 2 ("));
    let shown = ask(client, "GET /modules/m", &Value::Null);
    assert_eq!(shown["versions"][0]["manifest"], "# of the second version\n");
    assert_eq!(shown["versions"][1]["manifest"], Value::Null);
    assert_eq!(done(&["module", "alias", "set", "m", "live", "1"]), "live -> 1\n");
    let also = done(&["module", "alias", "set", "m", "live", "1", "--also", "2=0.1"]);
    assert_eq!(also, "live -> 1, and 2 for 0.1 of the executions\n");
    assert_eq!(done(&["module", "alias", "list", "m"]), also);
    let (success, _, problem) = run(&["module", "remove", "m", "--version", "2"]);
    assert!(!success && problem.contains("VersionInUse"), "{problem}");
    done(&["module", "alias", "remove", "m", "live"]);
    done(&["module", "remove", "m", "--version", "2"]);
    assert_eq!(done(&["module", "publish", "m"]), "m version 3\n");
    done(&["module", "remove", "m"]);
    assert_eq!(ask(client, "GET /modules", &Value::Null)["modules"], json!([]));
}
