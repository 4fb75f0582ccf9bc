//! Tasks that wait for their token, in each of the integrations that hand one over: a module, a function elsewhere, and
//! another workflow. `stepwell:awaitCallback`, which hands it to nobody, has tests of its own at the API.

use serde_json::{Value, json};
use tests::process::{Client, Home, Outside, PATIENCE, Reply, guest, wait_for};

use crate::tasks::task;

const INVOKE: &str = "arn:aws:states:::lambda:invoke.waitForTaskToken";
const START: &str = "arn:aws:states:::states:startExecution.waitForTaskToken";

/// One integration: its Resource, its parameters, and all tokens that its workers got so far.
struct Integration<'a> {
    name: &'static str,
    resource: &'static str,
    parameters: Value,
    tokens: &'a dyn Fn() -> Vec<String>,
}

impl Integration<'_> {
    /// The token that comes after so many others.
    #[track_caller]
    fn token(&self, known: &[String]) -> String {
        wait_for(&format!("a token of {}", self.name), PATIENCE, || {
            let mut tokens = (self.tokens)();
            tokens.retain(|token| !known.contains(token));
            assert!(tokens.len() <= 1, "{}: {} new tokens", self.name, tokens.len());
            tokens.pop()
        })
    }

    fn definition(&self, more: &Value) -> Value {
        let mut fields = json!({"Parameters": self.parameters});
        if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
            fields.extend(more.clone());
        }
        task(self.resource, &fields)
    }
}

fn answer(client: Client, operation: &str, token: &str, more: Value) -> (u16, Value) {
    let mut members = json!({"taskToken": token});
    if let (Value::Object(members), Value::Object(more)) = (&mut members, more) {
        members.extend(more);
    }
    let answer = client.post(operation, &members.to_string()).unwrap();
    (answer.status, answer.body["__type"].clone())
}

/// Fails unless a token can do nothing any more.
#[track_caller]
fn is_dead(client: Client, token: &str) {
    for (operation, more) in [
        ("SendTaskHeartbeat", json!({})),
        ("SendTaskSuccess", json!({"output": "1"})),
        ("SendTaskFailure", json!({"error": "E"})),
    ] {
        assert_eq!(answer(client, operation, token, more), (400, json!("TaskTimedOut")), "{operation}");
    }
}

fn check(client: Client, integration: &Integration<'_>) {
    let name = integration.name;
    let mut known = Vec::new();
    let again = json!({"Retry": [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}]});
    let machine = client.create(name, &integration.definition(&again));
    let execution = client.start(&machine, &json!({"a": 1}));
    let first = integration.token(&known);
    known.push(first.clone());
    assert_eq!(answer(client, "SendTaskHeartbeat", &first, json!({})).0, 200, "{name}");
    assert_eq!(answer(client, "SendTaskFailure", &first, json!({"error": "Again"})).0, 200, "{name}");
    is_dead(client, &first);

    // The retry is another attempt, with a token of its own.
    let second = integration.token(&known);
    known.push(second.clone());
    assert_eq!(answer(client, "SendTaskSuccess", &second, json!({"output": "{\"b\":2}"})).0, 200, "{name}");
    is_dead(client, &first);
    is_dead(client, &second);
    let ended = client.ended(&execution);
    assert_eq!((&ended["status"], &ended["output"]), (&json!("SUCCEEDED"), &json!("{\"b\":2}")), "{name}");

    let execution = client.start(&machine, &json!({}));
    let stopped = integration.token(&known);
    known.push(stopped.clone());
    client.call("StopExecution", &json!({"executionArn": execution}));
    is_dead(client, &stopped);

    let timeout = integration.definition(&json!({"TimeoutSeconds": 1}));
    let machine = client.create(&format!("{name}-timeout"), &timeout);
    let execution = client.start(&machine, &json!({}));
    let late = integration.token(&known);
    assert_eq!(client.ended(&execution)["error"], "States.Timeout", "{name}");
    is_dead(client, &late);
}

/// The tokens in values that have them as `token`.
fn tokens(values: impl Iterator<Item = Value>) -> Vec<String> {
    values.filter_map(|value| value["token"].as_str().map(str::to_owned)).collect()
}

fn parsed(text: &Value) -> Value {
    serde_json::from_str(text.as_str().unwrap_or("null")).unwrap()
}

#[test]
fn every_integration_hands_over_a_token_that_is_good_for_one_answer() {
    let lambda = Outside::start(|_| Reply::json("200 OK", &json!({})));
    let home = Home::new().with("--lambda-endpoint", lambda.url("/")).with("--wait-time-scale", "0");
    let server = home.start();
    let client = server.client();
    client.push("echo", &guest("echo"));
    let child = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let child = client.create("child", &child);
    let payload = json!({"token.$": "$$.Task.Token"});

    // The module gives back what it is given, and the history has it.
    let of_module = || {
        let submitted = ["module", "module-timeout"].iter().flat_map(|machine| {
            let machine = format!("arn:aws:states:us-east-1:123456789012:stateMachine:{machine}");
            let list = json!({"stateMachineArn": machine});
            // The second machine is made later.
            let Ok(listed) = client.try_call("ListExecutions", &list) else { return Vec::new() };
            let executions = listed["executions"].as_array().unwrap().clone();
            let histories = executions
                .iter()
                .flat_map(|execution| client.history(execution["executionArn"].as_str().unwrap()));
            let outputs = histories.map(|event| parsed(&event["taskSubmittedEventDetails"]["output"]));
            outputs.map(|output| output["Payload"].clone()).collect::<Vec<_>>()
        });
        tokens(submitted)
    };
    check(
        client,
        &Integration {
            name: "module",
            resource: INVOKE,
            parameters: json!({"FunctionName": "echo", "Payload": payload}),
            tokens: &of_module,
        },
    );

    let of_function = || {
        let asked = lambda.asked().into_iter();
        tokens(asked.map(|asked| serde_json::from_str(&asked.body).unwrap()))
    };
    check(
        client,
        &Integration {
            name: "function",
            resource: INVOKE,
            parameters: json!({"FunctionName": "elsewhere", "Payload": payload}),
            tokens: &of_function,
        },
    );

    let of_child = || {
        let children = client.all_pages("ListExecutions", json!({"stateMachineArn": child}), "executions");
        let children = children.into_iter();
        tokens(
            children.map(|child| parsed(&client.describe(child["executionArn"].as_str().unwrap())["input"])),
        )
    };
    check(
        client,
        &Integration {
            name: "workflow",
            resource: START,
            parameters: json!({"StateMachineArn": child, "Input": payload}),
            tokens: &of_child,
        },
    );
}
