//! What the author of a task has on the command line: `stepwell invoke` and `stepwell dev`.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::process::{Home, guest, target};

use crate::command_line::{Running, check, stepwell};

fn invoke(folder: &Path, module: &str, arguments: &[&str]) -> Output {
    let file = target().join("guests").join(module).with_extension("wasm");
    let mut command = stepwell(folder, &["invoke"]);
    command.arg(file).args(arguments).output().unwrap()
}

#[test]
fn a_module_is_called_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let logs =
        invoke(folder.path(), "hostile", &["--input", r#"{"do": "log", "lines": 2, "text": "hello"}"#]);
    check(
        &logs,
        0,
        &[
            "info   1 hello",
            "Cost: ",
            " of 10,000,000,000 fuel, ",
            " of 128 MiB, ",
            "The module was ready after",
        ],
    );
    let context =
        ["--input", r#"{"do": "context"}"#, "--attempt", "2", "--state", "Charge", "--execution", "order-7"];
    let context = invoke(folder.path(), "hostile", &context);
    check(&context, 0, &[]);
    let context: Value = serde_json::from_slice(&context.stdout).unwrap();
    assert_eq!(
        [&context["attempt"], &context["stateName"], &context["executionName"]],
        [&json!(2), &json!("Charge"), &json!("order-7")],
        "{context}"
    );
    // Both calls were of one module, which was compiled once.
    let kept =
        fs::read_dir(folder.path().join("cache")).unwrap().flatten().filter(|entry| entry.path().is_dir());
    assert_eq!(kept.count(), 1);
}

#[test]
fn input_comes_from_a_file_or_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("order.json"), r#"{"order": 7}"#).unwrap();
    let file = invoke(folder.path(), "echo", &["--input", "order.json"]);
    check(&file, 0, &[]);
    let mut command = stepwell(folder.path(), &["invoke", "--input", "-"]);
    command.arg(target().join("guests/echo.wasm")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(br#"{"order": 7}"#).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\n  \"order\": 7\n}\n");
    assert_eq!(output.stdout, file.stdout);
}

#[test]
fn the_exit_code_tells_how_a_call_ended() {
    let folder = tempfile::tempdir().unwrap();
    let deed = |deed: &str, more: &[&str]| {
        invoke(folder.path(), "hostile", &[&["--input", &format!("{{\"do\": {deed}}}")], more].concat())
    };
    check(
        &deed(r#""fail", "error": "Declined", "cause": "no money""#, &[]),
        3,
        &["Failed as Declined: no money"],
    );
    check(&deed(r#""panic", "message": "ouch""#, &[]), 4, &["Failed as Runtime.Trap: ", "stderr", "ouch"]);
    check(&deed(r#""loop""#, &["--fuel", "1000000"]), 4, &["Failed as Runtime.OutOfFuel: ", "1000000 units"]);
    check(&deed(r#""allocate""#, &["--memory", "16"]), 4, &["Failed as Runtime.OutOfMemory: ", "of 16 MiB"]);
    check(
        &deed(r#""sleep", "milliseconds": 60000"#, &["--timeout", "1"]),
        4,
        &["Failed as Sandbox.Timedout: "],
    );
    check(&deed(r#""raw", "text": "{half: ""#, &[]), 4, &["Failed as Runtime.InvalidOutput: "]);
    check(&deed(r#""echo""#, &["--memory", "0"]), 2, &["--memory", "0"]);
    fs::write(folder.path().join("text.wasm"), "text").unwrap();
    let no_module = stepwell(folder.path(), &["invoke", "text.wasm"]).output().unwrap();
    check(&no_module, 1, &["text.wasm cannot be called: this is not WebAssembly"]);
    let no_input = stepwell(folder.path(), &["invoke", "text.wasm", "--input", "{"]).output().unwrap();
    check(&no_input, 1, &["--input is not valid JSON"]);
}

/// A project of Python whose build is a script: it gives `echo`, unless the task has a mistake.
fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let programs = folder.path().join("order/.venv/bin");
    fs::create_dir_all(&programs).unwrap();
    fs::write(folder.path().join("echo.wasm"), guest("echo")).unwrap();
    let script = "#!/bin/sh\n\
        if grep -q mistake task.py; then echo 'SyntaxError: a mistake' >&2; exit 1; fi\n\
        mkdir -p build && echo built >> build/builds && cp ../echo.wasm build/order.wasm\n";
    for name in ["python", "componentize-py"] {
        fs::write(programs.join(name), script).unwrap();
        fs::set_permissions(programs.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    write(&folder, "task.py", "");
    write(&folder, "input.json", r#"{"order": 1}"#);
    folder
}

/// Writes a file of the project whole, as editors do.
fn write(folder: &TempDir, name: &str, text: &str) {
    let (partial, file) = (folder.path().join("partial"), folder.path().join("order").join(name));
    fs::write(&partial, text).unwrap();
    fs::rename(partial, file).unwrap();
}

#[test]
fn a_project_is_built_and_run_again_when_a_file_changes() {
    let folder = project();
    let mut dev = Running::start(stepwell(folder.path(), &["dev", "order", "--local"]));
    dev.wait("Building order (Python)");
    dev.wait("Waiting for changes");
    write(&folder, "input.json", r#"{"order": 2}"#);
    dev.wait("\"order\": 2");
    // An input needs no build.
    let builds = || fs::read_to_string(folder.path().join("order/build/builds")).unwrap().lines().count();
    assert_eq!(builds(), 1);
    write(&folder, "task.py", "mistake");
    dev.wait("error: the build failed");
    // The code first: an input needs no build, whenever it comes.
    write(&folder, "task.py", "better");
    write(&folder, "input.json", r#"{"order": "#);
    dev.wait("input.json is not valid JSON");
    write(&folder, "input.json", r#"{"order": 3}"#);
    dev.wait("\"order\": 3");
    assert_eq!(builds(), 2);
    assert_eq!(dev.interrupt().code(), Some(0));
}

#[test]
fn a_project_is_uploaded_to_a_server_and_run_there() {
    let (home, folder) = (Home::new(), project());
    let server = home.start();
    let endpoint = server.client().endpoint();
    let once = ["dev", "order", "--once", "--endpoint", &endpoint];
    let output = stepwell(folder.path(), &once).output().unwrap();
    check(&output, 0, &["Uploaded as order version 1.", "Duration: "]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\n  \"order\": 1\n}\n");
    // Workflows have it as well.
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:order";
    let machine = json!({"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": arn, "End": true}}});
    let execution = server.client().run(&server.client().create("orders", &machine), &json!({"a": 1}));
    assert_eq!(execution["output"], r#"{"a":1}"#);
    // A module that fails is told of under the name of its error.
    fs::write(folder.path().join("echo.wasm"), guest("hostile")).unwrap();
    write(&folder, "input.json", r#"{"do": "fail", "error": "Declined", "cause": "no money"}"#);
    let output = stepwell(folder.path(), &once).output().unwrap();
    check(&output, 3, &["Uploaded as order version 2.", "Failed as Declined: no money", "Fuel: "]);
    // So is what it logged, all of it.
    write(&folder, "input.json", r#"{"do": "panic", "message": "ouch"}"#);
    let output = stepwell(folder.path(), &once).output().unwrap();
    check(&output, 3, &["stderr ", "ouch", "Failed as Runtime.Trap: ", "Billed Duration: "]);
    write(&folder, "input.json", r#"{"do": "log", "lines": 300}"#);
    let output = stepwell(folder.path(), &once).output().unwrap();
    check(&output, 0, &["info   0 the quick", "info   299 the quick"]);
}

#[test]
fn without_a_server_a_project_is_called_here() {
    let folder = project();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let once = ["dev", "order", "--once", "--endpoint", &format!("http://{closed}")];
    let output = stepwell(folder.path(), &once).output().unwrap();
    check(&output, 0, &["No server answers: the module is called on this machine.", "Cost: "]);
    let nowhere = stepwell(folder.path(), &["dev", "cache-of-nothing", "--once"]).output().unwrap();
    check(&nowhere, 1, &["the folder cache-of-nothing cannot be read"]);
}
