//! Machines of one task, run to their end.

use serde_json::{Value, json};
use tests::process::Client;

/// A machine whose one state is a task.
pub(crate) fn task(resource: &str, more: &Value) -> Value {
    let mut task = json!({"Type": "Task", "Resource": resource, "End": true});
    if let (Value::Object(task), Value::Object(more)) = (&mut task, more) {
        task.extend(more.clone());
    }
    json!({"StartAt": "T", "States": {"T": task}})
}

/// The output of an execution that succeeds.
#[track_caller]
pub(crate) fn output(client: Client, name: &str, definition: &Value, input: &Value) -> Value {
    let ended = client.run(&client.create(name, definition), input);
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    serde_json::from_str(ended["output"].as_str().unwrap()).unwrap()
}

/// The error and the cause of an execution that fails.
#[track_caller]
pub(crate) fn failure(client: Client, name: &str, definition: &Value) -> (String, String) {
    let ended = client.run(&client.create(name, definition), &json!({}));
    assert_eq!(ended["status"], "FAILED", "{ended}");
    let text = |member: &str| ended[member].as_str().unwrap_or_default().to_owned();
    (text("error"), text("cause"))
}
