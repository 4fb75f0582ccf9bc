//! What is wrong with a request is told by code, field and place, over a real connection.

use serde_json::{Value, json};
use tests::process::{Client, Home, Refused};

const ROLE: &str = "arn:aws:iam::123456789012:role/tests";
const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:m";
const PAYLOAD_BYTES_MAX: usize = 262_144;
const DEFINITION_BYTES_MAX: usize = 1 << 20;

/// Refused by the text itself, with this code and this part of the message.
#[track_caller]
fn check(client: Client, operation: &str, body: &str, status: u16, code: &str, message: &str) {
    let refused = client.post(operation, body).unwrap().refused();
    let shown = &body[..body.len().min(100)];
    assert_eq!((refused.status, refused.code.as_str()), (status, code), "{shown}: {}", refused.message);
    assert!(refused.message.contains(message), "{shown}: {}", refused.message);
}

#[track_caller]
fn check_definition(client: Client, definition: &str, code: &str, message: &str) {
    let machine = json!({"name": "m", "definition": definition, "roleArn": ROLE}).to_string();
    check(client, "CreateStateMachine", &machine, 400, code, message);
}

#[track_caller]
fn check_input(client: Client, input: &str, code: &str, message: &str) {
    let request = json!({"stateMachineArn": MACHINE, "input": input}).to_string();
    check(client, "StartExecution", &request, 400, code, message);
}

fn states(states: &Value) -> String {
    json!({"StartAt": "A", "States": states}).to_string()
}

fn pass() -> Value {
    json!({"Type": "Pass", "End": true})
}

/// Lists in lists.
fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[test]
fn a_bad_definition_is_refused_with_the_place() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let invalid = "InvalidDefinition";
    check_definition(client, "nonsense", invalid, "INVALID_JSON_DESCRIPTION: Unrecognized token 'nonsense'");
    check_definition(client, r#"{"StartAt": "A", "#, invalid, "line: 1, column: 17]");
    check_definition(client, "[]", invalid, "Definition must be a valid JSON object");
    check_definition(client, "{}", invalid, "These fields are required: [States, StartAt] at /");
    check_definition(client, "", "ValidationException", "at 'definition' failed");
    let dance = states(&json!({"A": {"Type": "Dance", "End": true}}));
    check_definition(client, &dance, invalid, "at /States/A/Type");
    let lost = states(&json!({"A": {"Type": "Pass", "Next": "B"}, "C": {"Type": "Succeed"}}));
    check_definition(client, &lost, invalid, "Missing 'Next' target: B at /States/A/Next");
    let nowhere = r#"{"StartAt": "X", "States": {"A": {"Type": "Pass", "End": true}}}"#;
    check_definition(client, nowhere, invalid, "Missing 'StartAt' target: X at /StartAt");
    let unreachable = states(&json!({"A": pass(), "B": pass()}));
    check_definition(client, &unreachable, invalid, r#"State "B" is not reachable. at /States/B"#);
    let resource = states(&json!({"A": {"Type": "Task", "Resource": "nowhere", "End": true}}));
    check_definition(client, &resource, invalid, "at /States/A/Resource");
    let deep =
        states(&json!({"A": pass()})).replace(r#""Type""#, &format!(r#""Result":{},"Type""#, nested(5_000)));
    check_definition(client, &deep, invalid, "nests too deeply");

    let comment = |character: &str, times| {
        json!({"StartAt": "A", "States": {"A": pass()}, "Comment": character.repeat(times)}).to_string()
    };
    let long =
        "at 'definition' failed to satisfy constraint: Member must have length less than or equal to 1048576";
    check_definition(client, &comment("x", DEFINITION_BYTES_MAX), "ValidationException", long);
    check_definition(client, &comment("ä", 600_000), invalid, "the maximum is 1048576");

    let listed = client.call("ListStateMachines", &json!({}));
    assert_eq!(listed["stateMachines"], json!([]));
    let most = comment("x", DEFINITION_BYTES_MAX - comment("", 0).len());
    client.create("m", &serde_json::from_str(&most).unwrap());
}

#[test]
fn a_bad_input_is_refused_and_nothing_starts() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    client.create("m", &json!({"StartAt": "A", "States": {"A": pass()}}));
    let invalid = "InvalidExecutionInput";
    check_input(client, "nope", invalid, "Unrecognized token 'nope'");
    check_input(client, r#"{"a": "#, invalid, "Unexpected end-of-input");
    check_input(client, "", invalid, "Invalid execution input.");
    check_input(client, &nested(5_000), invalid, "nests too deeply");
    check_input(client, r#""\ud800""#, invalid, "hex escape at line 1 column 8");
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let long =
        "at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144";
    check_input(client, &text(PAYLOAD_BYTES_MAX + 1), "ValidationException", long);
    let listed = client.call("ListExecutions", &json!({"stateMachineArn": MACHINE}));
    assert_eq!(listed["executions"], json!([]));
    client.start(MACHINE, &serde_json::from_str(&text(PAYLOAD_BYTES_MAX)).unwrap());
}

#[test]
fn a_bad_request_is_refused_as_a_whole() {
    let home = Home::new();
    let mut server = home.start();
    let client = server.client();
    let start = "StartExecution";
    let serialization = "SerializationException";
    check(client, start, "nope", 400, serialization, "The request body is not valid JSON");
    check(client, start, "[]", 400, serialization, "must be a JSON object");
    check(client, start, &nested(50_000), 400, serialization, "");
    check(
        client,
        start,
        r#"{"stateMachineArn": 7}"#,
        400,
        serialization,
        "NUMBER_VALUE can not be converted",
    );
    check(client, start, "{}", 400, "ValidationException", "at 'stateMachineArn' failed");
    check(client, "Dance", "{}", 400, "UnknownOperationException", "There is no operation 'Dance'.");
    let large = " ".repeat(3 << 20);
    check(client, start, &large, 413, "RequestEntityTooLargeException", "2162688 bytes");

    let body = json!({"stateMachineArn": MACHINE}).to_string();
    let head = "POST / HTTP/1.1\r\nx-amz-target: AWSStepFunctions.StartExecution\r\n";
    let cut_off = client.send_cut_off(head, body.len() + 1, body.as_bytes()).unwrap().refused();
    let message = "The request body is cut off.".to_owned();
    assert_eq!(cut_off, Refused { status: 400, code: serialization.to_owned(), message });
    let no_target = client.send("POST / HTTP/1.1\r\n", b"{}").unwrap().refused();
    assert_eq!((no_target.status, no_target.code.as_str()), (400, "UnknownOperationException"));
    assert!(no_target.message.contains("X-Amz-Target"), "{}", no_target.message);
    server.assert_alive();
}
