//! Modules that misbehave: each ends with a named error, and what else runs does not notice.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::hostile::{Deed, End, deeds};
use tests::process::{Client, Home, PATIENCE, guest, history, wait_for};

use crate::tasks::task;

const HOSTILE: &str = "arn:aws:lambda:us-east-1:123456789012:function:hostile";
const ECHO: &str = "arn:aws:lambda:us-east-1:123456789012:function:echo";
/// Executions of each deed at once.
const TIMES: usize = 3;
/// Clients whose executions must go on meanwhile.
const BYSTANDERS: usize = 2;

#[test]
fn hostile_modules_end_with_named_errors_and_disturb_nobody() {
    let home = Home::new();
    let mut server = home.start();
    let client = server.client();
    client.push("hostile", &guest("hostile"));
    client.push("echo", &guest("echo"));
    let task = |resource: &str| {
        let task = json!({"Type": "Task", "Resource": resource, "TimeoutSeconds": 40, "End": true});
        json!({"StartAt": "T", "States": {"T": task}})
    };
    let hostile = client.create("hostile", &task(HOSTILE));
    let echo = client.create("echo", &task(ECHO));
    let mut hasty = task(HOSTILE);
    hasty["States"]["T"]["TimeoutSeconds"] = json!(2);
    let hasty = client.create("hasty", &hasty);

    let (stop, count, slowest) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let problems = thread::scope(|scope| {
        for bystander in 0..BYSTANDERS {
            let (stop, count, slowest, echo) = (&stop, &count, &slowest, &echo);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let n = count.fetch_add(1, Ordering::Relaxed);
                    let took = run_echo(client, echo, &json!({"bystander": bystander, "n": n}));
                    slowest.fetch_max(usize::try_from(took.as_millis()).unwrap(), Ordering::Relaxed);
                }
            });
        }
        let start = |Deed { input, end }: Deed| {
            let machine = if input["do"] == "sleep" { &hasty } else { &hostile };
            let executions = [(); TIMES].map(|()| client.start(machine, &input));
            (input, end, executions)
        };
        let started: Vec<_> = deeds().into_iter().map(start).collect();
        let mut problems = Vec::new();
        for (input, end, executions) in started {
            for execution in executions {
                problems.extend(problem(client, &execution, &end).map(|what| format!("{input}: {what}")));
            }
        }
        stop.store(true, Ordering::Relaxed);
        problems
    });
    assert!(problems.is_empty(), "{}\n{}", problems.join("\n"), home.log_tail());
    let count = count.load(Ordering::Relaxed);
    assert!(count >= BYSTANDERS, "only {count} other executions ran");
    println!(
        "{} hostile executions; {count} others meanwhile, the slowest in {} ms",
        deeds().len() * TIMES,
        slowest.load(Ordering::Relaxed)
    );
    server.assert_alive();
    assert_eq!(client.get("/health").unwrap().status, 200);
}

/// A module may return what is as deep as can be read; what is made of it is deeper, and was once read by nobody again.
#[test]
fn what_is_too_deep_once_it_is_wrapped_fails_its_state() {
    let home = Home::new();
    let mut server = home.start();
    let client = server.client();
    client.push("hostile", &guest("hostile"));
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let deepest = json!({"do": "raw", "text": nested(127)});
    let map = |more: Value| {
        let processor = json!({
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "T", "States": {"T": {"Type": "Task", "Resource": HOSTILE, "End": true}},
        });
        let mut map = json!({"Type": "Map", "ItemProcessor": processor, "End": true});
        map.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"StartAt": "M", "States": {"M": map}})
    };
    let parameters = json!({"Parameters": {"FunctionName": "hostile", "Payload.$": "$"}});
    let batches = json!({"ItemBatcher": {"MaxItemsPerBatch": 1}});
    let deepest_item: Value = serde_json::from_str(&nested(127)).unwrap();
    for (name, definition, input, error) in [
        ("plain", task(HOSTILE, &json!({})), deepest.clone(), Value::Null),
        (
            "invoke",
            task("arn:aws:states:::lambda:invoke", &parameters),
            deepest.clone(),
            json!("States.Runtime"),
        ),
        ("joined", map(json!({})), json!([deepest]), json!("States.Runtime")),
        ("batched", map(batches), deepest_item, json!("States.Runtime")),
    ] {
        let ended = client.run(&client.create(name, &definition), &input);
        assert_eq!(ended["error"], error, "{name}: {ended}");
    }
    server.assert_alive();
}

/// Runs one harmless execution to its end.
fn run_echo(client: Client, machine: &str, input: &Value) -> Duration {
    let begun = Instant::now();
    let shown = ended(client, &client.start(machine, input));
    assert_eq!((&shown["status"], &shown["output"]), (&json!("SUCCEEDED"), &json!(input.to_string())));
    begun.elapsed()
}

fn ended(client: Client, execution: &str) -> Value {
    wait_for("the execution to end", PATIENCE, || {
        let shown = client.describe(execution);
        (shown["status"] != "RUNNING").then_some(shown)
    })
}

/// What is wrong with how a deed ended, if anything is.
fn problem(client: Client, execution: &str, end: &End) -> Option<String> {
    let shown = ended(client, execution);
    let events = client.history(execution);
    let broken = history::problems(&events);
    if !broken.is_empty() {
        return Some(broken.join("; "));
    }
    match end {
        End::Output(output) => (shown["output"].as_str() != Some(&output.to_string()))
            .then(|| format!("{} {}", shown["status"], shown["output"])),
        End::Error(error, cause) => {
            let failed = events.iter().rev().nth(1).unwrap();
            let details = match *error {
                "States.Timeout" => &failed["lambdaFunctionTimedOutEventDetails"],
                _other => &failed["lambdaFunctionFailedEventDetails"],
            };
            let is_same = shown["error"] == *error && details["error"] == *error;
            let has_cause =
                cause.is_empty() || details["cause"].as_str().is_some_and(|text| text.contains(cause));
            (shown["status"] != "FAILED" || !is_same || !has_cause).then(|| format!("{shown}\n{failed}"))
        }
    }
}
