//! Task tokens: what they are, and until when they are good.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::Server;

const TOKEN_BYTES: usize = 64;
/// The part of a token that proves it: an HMAC-SHA-256.
const PROOF_BYTES: usize = 32;

/// A machine with one task that waits for its token, with more fields of that state.
fn waiting(more: &Value) -> String {
    let mut task = json!({
        "Type": "Task", "Resource": "arn:aws:states:::stepwell:awaitCallback.waitForTaskToken", "End": true,
        "Parameters": {"token.$": "$$.Task.Token"},
    });
    for (name, value) in more.as_object().unwrap() {
        task[name] = value.clone();
    }
    json!({"StartAt": "T", "States": {"T": task}}).to_string()
}

impl Server {
    async fn start_of(&self, machine: &str) -> String {
        let started = self.call("StartExecution", json!({"stateMachineArn": machine})).await;
        started["executionArn"].as_str().unwrap().to_owned()
    }

    /// The tokens that an execution has handed out, once there are so many.
    async fn tokens(&self, execution: &str, count: usize) -> Vec<String> {
        loop {
            let history = self.call("GetExecutionHistory", json!({"executionArn": execution})).await;
            let events = history["events"].as_array().unwrap().iter();
            let outputs = events.filter_map(|event| event["taskSubmittedEventDetails"]["output"].as_str());
            let token = |output: &str| {
                let output: Value = serde_json::from_str(output).unwrap();
                output["token"].as_str().unwrap().to_owned()
            };
            let tokens: Vec<String> = outputs.map(token).collect();
            if tokens.len() >= count {
                return tokens;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Starts a machine with a task of these fields; gives the execution and the task's token.
    async fn token_of(&self, name: &str, more: Value) -> (String, String) {
        let execution = self.start_of(&self.create(name, &waiting(&more)).await).await;
        let token = self.tokens(&execution, 1).await.swap_remove(0);
        (execution, token)
    }

    async fn has_ended(&self, execution: &str) {
        while self.call("DescribeExecution", json!({"executionArn": execution})).await["status"] == "RUNNING"
        {
            tokio::task::yield_now().await;
        }
    }

    /// Fails unless a token can neither answer nor beat, and answers of both kinds are refused alike.
    async fn is_dead(&self, token: &str) {
        for (operation, members) in [
            ("SendTaskSuccess", json!({"taskToken": token, "output": "1"})),
            ("SendTaskFailure", json!({"taskToken": token, "error": "E"})),
            ("SendTaskHeartbeat", json!({"taskToken": token})),
        ] {
            let (status, body) = self.try_call(operation, members).await;
            assert_eq!(
                (status.as_u16(), &body["__type"]),
                (400, &json!("TaskTimedOut")),
                "{operation}: {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_is_answered_once() {
    let server = Server::start().await;
    let (execution, token) = server.token_of("m", json!({})).await;
    for _ in 0..3 {
        server.call("SendTaskHeartbeat", json!({"taskToken": token})).await;
    }
    let answers = (0..16)
        .map(|n| server.try_call("SendTaskSuccess", json!({"taskToken": token, "output": n.to_string()})));
    let answers = futures::future::join_all(answers).await;
    let taken: Vec<_> = (0..16).filter(|n| answers[*n].0 == 200).collect();
    assert_eq!(taken.len(), 1, "{answers:?}");
    server.has_ended(&execution).await;
    let ended = server.call("DescribeExecution", json!({"executionArn": execution})).await;
    assert_eq!(ended["output"], taken[0].to_string());
    server.is_dead(&token).await;
}

#[tokio::test]
async fn a_token_dies_with_its_attempt() {
    let server = Server::start().await;
    let (execution, token) = server.token_of("timeout", json!({"TimeoutSeconds": 1})).await;
    server.has_ended(&execution).await;
    server.is_dead(&token).await;

    let (execution, token) = server.token_of("heartbeat", json!({"HeartbeatSeconds": 1})).await;
    server.has_ended(&execution).await;
    server.is_dead(&token).await;

    let (execution, token) = server.token_of("abort", json!({})).await;
    server.call("StopExecution", json!({"executionArn": execution})).await;
    server.is_dead(&token).await;

    let retry = json!({"Retry": [{"ErrorEquals": ["Again"], "IntervalSeconds": 1, "MaxAttempts": 1}]});
    let (execution, first) = server.token_of("retry", retry).await;
    server.call("SendTaskFailure", json!({"taskToken": first, "error": "Again"})).await;
    server.is_dead(&first).await;
    let second = server.tokens(&execution, 2).await.swap_remove(1);
    server.is_dead(&first).await;
    server.call("SendTaskHeartbeat", json!({"taskToken": second})).await;
    server.call("SendTaskSuccess", json!({"taskToken": second, "output": "2"})).await;
    server.has_ended(&execution).await;
    server.is_dead(&first).await;
    server.is_dead(&second).await;
}

#[tokio::test]
async fn a_token_dies_with_the_branch_that_a_sibling_brings_down() {
    let server = Server::start().await;
    let branch = |name: &str| {
        let branch = waiting(&json!({})).replace("\"T\"", &json!(name).to_string());
        serde_json::from_str::<Value>(&branch).unwrap()
    };
    let definition = json!({"StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Branches": [branch("A"), branch("B")], "Next": "W",
              "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "W"}]},
        "W": {"Type": "Wait", "Seconds": 1000, "End": true},
    }});
    let execution = server.start_of(&server.create("m", &definition.to_string()).await).await;
    let tokens = server.tokens(&execution, 2).await;
    server.call("SendTaskFailure", json!({"taskToken": tokens[0], "error": "E"})).await;
    // The execution goes on, and the token of the other branch does not.
    server.is_dead(&tokens[1]).await;
    let running = server.call("DescribeExecution", json!({"executionArn": execution})).await;
    assert_eq!(running["status"], "RUNNING");
}

#[tokio::test]
async fn a_redriven_task_has_a_token_of_its_own() {
    let server = Server::start().await;
    let (execution, failed) = server.token_of("m", json!({})).await;
    server.call("SendTaskFailure", json!({"taskToken": failed, "error": "E"})).await;
    server.has_ended(&execution).await;
    server.call("RedriveExecution", json!({"executionArn": execution})).await;
    let stopped = server.tokens(&execution, 2).await.swap_remove(1);
    assert_ne!(stopped, failed);
    server.is_dead(&failed).await;
    server.call("SendTaskHeartbeat", json!({"taskToken": stopped})).await;
    server.call("StopExecution", json!({"executionArn": execution})).await;
    server.is_dead(&stopped).await;
    server.call("RedriveExecution", json!({"executionArn": execution})).await;
    let last = server.tokens(&execution, 3).await.swap_remove(2);
    for old in [&failed, &stopped] {
        assert_ne!(*old, last);
        server.is_dead(old).await;
    }
    server.call("SendTaskSuccess", json!({"taskToken": last, "output": "3"})).await;
    server.has_ended(&execution).await;
    let ended = server.call("DescribeExecution", json!({"executionArn": execution})).await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("SUCCEEDED"), &json!("3")));
}

#[tokio::test]
async fn tokens_cannot_be_guessed_from_one_another() {
    let server = Server::start().await;
    let machine = server.create("m", &waiting(&json!({}))).await;
    let mut proofs = BTreeSet::new();
    let mut tokens = Vec::new();
    for _ in 0..20 {
        let token = server.tokens(&server.start_of(&machine).await, 1).await.swap_remove(0);
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        assert_eq!((token.len(), bytes.len()), (86, TOKEN_BYTES));
        proofs.insert(bytes[TOKEN_BYTES - PROOF_BYTES..].to_vec());
        tokens.push(bytes);
    }
    assert_eq!(proofs.len(), 20);
    let refused = async |bytes: &[u8]| {
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let (_, body) = server.try_call("SendTaskHeartbeat", json!({"taskToken": token})).await;
        assert_eq!(body["__type"], "InvalidToken", "{body}");
    };
    // One bit anywhere makes it worthless, and so does the proof of another execution.
    for at in 0..TOKEN_BYTES {
        let mut changed = tokens[0].clone();
        changed[at] ^= 1;
        refused(&changed).await;
    }
    let mixed = [&tokens[0][..TOKEN_BYTES - PROOF_BYTES], &tokens[1][TOKEN_BYTES - PROOF_BYTES..]].concat();
    refused(&mixed).await;
    for token in &tokens {
        let token = URL_SAFE_NO_PAD.encode(token);
        server.call("SendTaskHeartbeat", json!({"taskToken": token})).await;
    }
}
