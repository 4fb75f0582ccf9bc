//! Tasks in Python, JavaScript, Go and C, and the projects that `stepwell new` makes, as far as what builds them is
//! installed: `cargo xtask guests --polyglot` does that.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;
use tests::process::{Client, Home, Outside, Reply, guest, program, root, target};

use crate::grants::{Module, home};
use crate::module_requests::{KEY, nowhere, put_secret};

const HOW: &str = "see `cargo xtask guests --polyglot`";

/// A component of an example, if it could be built here.
fn module(name: &str) -> Option<Vec<u8>> {
    let is_there = target().join("guests").join(name).with_extension("wasm").exists();
    if !is_there {
        println!("polyglot: not run: there is no module {name}; {HOW} (1 skipped)");
    }
    is_there.then(|| guest(name))
}

/// What builds tasks in a language, if it could be installed here.
fn toolchain(language: &str) -> Option<PathBuf> {
    let folder = target().join("toolchains").join(language);
    let is_there = folder.join("installed.txt").exists();
    if !is_there {
        println!("polyglot: not run: what builds {language} is not installed; {HOW} (1 skipped)");
    }
    is_there.then_some(folder)
}

fn workflow(file: &str) -> Value {
    let path = root().join("guest-examples/workflows/polyglot-order").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn an_order_goes_through_rust_python_and_javascript() {
    let (Some(python), Some(javascript)) = (module("loyalty-points"), module("shipping-label")) else {
        return;
    };
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    for (name, component) in [("loyalty-points", python), ("shipping-label", javascript)] {
        push(client, name, &component);
    }
    for name in ["validate-order", "reserve-stock", "ship-item"] {
        client.push(name, &guest(name));
    }
    let machine = client.create("polyglot-order", &workflow("definition.asl.json"));
    let input = workflow("input.json");
    let execution = client.run(&machine, &input);
    assert_eq!(execution["status"], "SUCCEEDED", "{execution}");
    let output: Value = serde_json::from_str(execution["output"].as_str().unwrap()).unwrap();
    let shipments = output["shipments"].as_array().unwrap();
    let labels: Vec<_> =
        shipments.iter().filter_map(|shipment| shipment["labels"].as_array()).flatten().collect();
    assert_eq!(labels.len(), 4);
    assert!(labels.iter().all(|label| label["svg"].as_str().unwrap().ends_with("</svg>")));
    assert_eq!(output["points"]["tier"], "silver", "{}", output["points"]);

    // Errors of both languages arrive under their names, and those of inputs name the place.
    let changed = |pointer: &str, value: Value| {
        let mut input = input.clone();
        *input.pointer_mut(pointer).unwrap() = value;
        let execution = client.run(&machine, &input);
        let cause: Value = serde_json::from_str(execution["cause"].as_str().unwrap()).unwrap();
        (execution["error"].clone(), cause["errorMessage"].as_str().unwrap().to_owned())
    };
    let (error, cause) = changed("/recipient/postalCode", json!("1011"));
    assert_eq!(error, "InvalidAddress");
    assert_eq!(cause, "postalCode \"1011\" is none of GERMANY");
    let (error, cause) = changed("/campaigns/0/factor", json!(2.5));
    assert_eq!(error, "InvalidInput");
    assert_eq!(cause, "campaigns[0].factor: expected a string, found a number");
    let (error, _) = changed("/placedOn", json!("someday"));
    assert_eq!(error, "InvalidPurchase");
}

/// Uploads by the command line, which is more patient than the client of the tests.
#[track_caller]
fn push(client: Client, name: &str, component: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(name), component).unwrap();
    good(stepwell(folder.path(), &["module", "push", name, name, "--endpoint", &client.endpoint()]));
}

/// The grants of a module in a policy, with its secret and with requests to a place.
fn section(module: &str, environment: &str, secret: &str, port: u16) -> String {
    format!(
        "[modules.{module}.grants]\nenvironment = {{ {environment} }}\nsecrets = [\"{secret}\"]\n\
         http = [{{ scheme = \"http\", host = \"127.0.0.1\", port = {port}, methods = [\"POST\"] }}]\n"
    )
}

#[test]
fn a_module_in_python_makes_requests_with_a_secret() {
    let Some(component) = module("notify-warehouse") else { return };
    let api = Outside::start(|asked| match asked.body.contains("mug-crab") {
        _ if asked.header("authorization") != Some(&format!("Bearer {KEY}")) => {
            Reply::json("401 Unauthorized", &Value::Null)
        }
        true => Reply::json("201 Created", &json!({"ticket": "T-7"})),
        false => Reply::json("422 Unprocessable Content", &json!("no such article")),
    });
    let port = api.address().port();
    let nowhere = nowhere();
    let policy = [
        section("nowhere", &format!("WAREHOUSE_URL = \"http://{nowhere}\""), "warehouse-key", 80)
            .replace("host = \"127.0.0.1\"", &format!("host = \"{nowhere}\"")),
        section("notify", &format!("WAREHOUSE_URL = \"{}\"", api.url("/v1")), "warehouse-key", port),
        section("closed", "WAREHOUSE_URL = \"http://127.0.0.1:1\"", "warehouse-key", 1),
        section("poor", "WAREHOUSE_URL = \"http://127.0.0.2\"", "warehouse-key", 80),
        section("curious", "WAREHOUSE_URL = \"http://127.0.0.1\"", "other", 80),
    ];
    let home = home(&policy.concat())
        .with("--http-allow", api.url(""))
        .with("--http-allow", "http://127.0.0.1:1")
        .with("--http-allow", format!("http://{nowhere}"))
        .with_env("STEPWELL_LOG", "debug");
    let server = home.start();
    let client = server.client();
    put_secret(client, "warehouse-key", &["notify", "closed", "nowhere", "poor"]);
    for name in ["notify", "closed", "nowhere", "poor", "curious"] {
        push(client, name, &component);
    }
    let order =
        |sku: &str| json!({"orderId": "ord-1", "warehouse": "BER-1", "lines": [{"sku": sku, "quantity": 2}]});

    let notify = Module::pushed(client, "notify");
    let ticket = json!({"orderId": "ord-1", "ticket": "T-7", "knownBefore": false});
    assert_eq!(notify.output(&order("mug-crab")), ticket);
    let asked = api.asked();
    assert_eq!(
        (asked[0].target.as_str(), asked[0].header("content-type")),
        ("/v1/orders", Some("application/json"))
    );
    assert!(asked[0].header("idempotency-key").unwrap().ends_with("/T"), "{asked:?}");
    notify.denied_nothing(&order("unicorn"), "OrderRejected");
    Module::pushed(client, "closed").denied_nothing(&order("mug-crab"), "Http.Unreachable");
    Module::pushed(client, "nowhere").denied_nothing(&order("mug-crab"), "Http.NameNotFound");
    let poor = Module::pushed(client, "poor");
    poor.denied(&order("mug-crab"), "Http.Denied", r#"{ scheme = "http", host = "127.0.0.2""#);
    let curious = Module::pushed(client, "curious");
    curious.denied(&order("mug-crab"), "SecretNotGranted", r#"it needs grants.secrets = ["warehouse-key"]"#);
    drop(server);
    assert!(!home.logged().contains(KEY), "a key is in the log");
}

#[test]
fn a_module_in_javascript_fetches_with_a_secret() {
    let Some(component) = module("send-webhook") else { return };
    let shop = Outside::start(|asked| match asked.target.as_str() {
        "/gone" => Reply::Answer("410 Gone", Vec::new(), Vec::new()),
        _ => Reply::Answer("202 Accepted", Vec::new(), b"thanks".to_vec()),
    });
    let home = home(&section("hook", "", "webhook-key", shop.address().port()))
        .with("--http-allow", shop.url(""))
        .with_env("STEPWELL_LOG", "debug");
    let server = home.start();
    let client = server.client();
    put_secret(client, "webhook-key", &["hook"]);
    push(client, "hook", &component);
    let hook = Module::pushed(client, "hook");
    let event = |url: String| json!({"url": url, "event": "order.shipped", "data": {"orderId": "ord-1"}});

    assert_eq!(hook.output(&event(shop.url("/hooks")))["status"], 202);
    let asked = &shop.asked()[0];
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/hooks"));
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(asked.body.as_bytes());
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(asked.header("x-signature"), Some(signature.as_str()));
    hook.denied_nothing(&event(shop.url("/gone")), "Unsubscribed");
    let elsewhere = event("https://elsewhere.example.com/hooks".to_owned());
    hook.denied(
        &elsewhere,
        "NotDelivered",
        r#"host = "elsewhere.example.com", port = 443, methods = ["POST"] }"#,
    );
    drop(server);
    assert!(!home.logged().contains(KEY), "a key is in the log");
}

/// A task in JavaScript that sends as much as its input says.
const SENDS: &str = r#"
import { TaskError, task } from "stepwell-sdk";

export default task(async ({ url, bytes, piece }) => {
  const text = "x".repeat(piece ?? bytes);
  let left = bytes;
  const pull = (pieces) => {
    if (left <= 0) return pieces.close();
    left -= text.length;
    pieces.enqueue(new TextEncoder().encode(text));
  };
  const body = piece ? new ReadableStream({ pull }) : text;
  try {
    const answer = await fetch(url, { method: "POST", body, duplex: "half" });
    return { status: answer.status, received: await answer.json() };
  } catch (error) {
    throw new TaskError("NotSent", error.message);
  }
});
"#;

#[test]
fn a_module_in_javascript_sends_as_much_as_a_request_may_have() {
    let Some(toolchain) = toolchain("javascript") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (source, component) = (folder.path().join("task.js"), folder.path().join("task.wasm"));
    fs::write(&source, SENDS).unwrap();
    let mut build = Command::new("node");
    build.arg(root().join("sdk/javascript/src/build.js")).arg(&source).arg("--http");
    good({
        build.arg("-o").arg(&component).arg("--toolchain").arg(toolchain);
        build
    });
    let api = Outside::start(|asked| Reply::json("200 OK", &json!(asked.body.len())));
    let http = format!(
        "http = [{{ scheme = \"http\", host = \"127.0.0.1\", port = {}, methods = [\"POST\"] }}]",
        api.address().port()
    );
    let home = home(&format!("[modules.sends.grants]\n{http}\n")).with("--http-allow", api.url(""));
    let server = home.start();
    let client = server.client();
    push(client, "sends", &fs::read(component).unwrap());
    let sends = Module::pushed(client, "sends");
    let most = 8 << 20;
    let send =
        |bytes: usize, piece: Option<usize>| json!({"url": api.url("/"), "bytes": bytes, "piece": piece});
    for input in [send(100_000, None), send(most, None), send(most, Some(1 << 20))] {
        let sent = json!({"status": 200, "received": input["bytes"]});
        assert_eq!(sends.output(&input), sent, "{input}");
    }
    for input in [send(most + 1, None), send(3 * most, Some(1 << 20))] {
        sends.denied_nothing(&input, "NotSent");
    }
    assert_eq!(api.asked().len(), 3, "what is too large does not leave");
}

#[test]
fn a_program_in_go_is_a_task_without_an_sdk() {
    let Some(component) = module("tax-report") else { return };
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    push(client, "tax-report", &component);
    let report = Module::pushed(client, "tax-report");
    let input = |rate: &str| {
        let line = json!({"net": 1_000, "rate": rate});
        let invoice = json!({"number": "1", "date": "2026-03-31", "country": "fr", "lines": [line]});
        json!({"from": "2026-01-01", "to": "2026-03-31", "invoices": [invoice]})
    };
    let told = report.output(&input("5.5"));
    assert_eq!(told["entries"], json!([{"country": "FR", "rate": "5.5", "net": 1_000, "tax": 55}]), "{told}");
    let ended = client.run(report.machine(), &input("much"));
    assert_eq!(ended["error"], "Runtime.ExitError", "{ended}");
    let cause = ended["cause"].as_str().unwrap();
    assert!(cause.contains("invoice 1:") && cause.contains("is no rate such as"), "{cause}");
}

#[test]
fn a_program_in_c_is_a_task_without_an_sdk() {
    if module("check-iban").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let check = |input: &str| {
        let mut command = stepwell(folder.path(), &["invoke", "--input", input]);
        command.arg(target().join("guests/check-iban.wasm")).output().unwrap()
    };
    let good = check(r#"{"iban": "GB82 West 1234 5698 7654 32"}"#);
    let told: Value = serde_json::from_slice(&good.stdout).unwrap();
    assert_eq!(told, json!({"iban": "GB82WEST12345698765432", "country": "GB", "valid": true}));
    let wrong = check(r#"{"iban": "GB82 WEST 1234 5698 7654 33"}"#);
    assert_eq!(serde_json::from_slice::<Value>(&wrong.stdout).unwrap()["valid"], false);
    let refused = check("{}");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{told}");
    assert!(told.contains("Failed as Runtime.ExitError: ") && told.contains("no member \"iban\""), "{told}");
}

/// The program, with what it keeps in a folder of the test.
fn stepwell(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.env_remove("STEPWELL_ENDPOINT").env("STEPWELL_CACHE", folder.join("cache"));
    command.args(arguments).current_dir(folder);
    command
}

#[track_caller]
fn good(mut command: Command) -> Output {
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}\n{}", String::from_utf8_lossy(&output.stdout));
    output
}

#[track_caller]
fn new(language: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    good(stepwell(folder.path(), &["new", "--lang", language, "first-order"]));
    let project = folder.path().join("first-order");
    (folder, project)
}

/// Builds the project and runs the input that it comes with.
#[track_caller]
fn built_and_run(folder: &TempDir, environment: &[(&str, &Path)]) {
    let mut dev = stepwell(folder.path(), &["dev", "first-order", "--local", "--once"]);
    dev.envs(environment.iter().copied());
    let output = good(dev);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "{\n  \"total\": 3998\n}\n");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("info   priced 2 x book in attempt 0"), "{told}");
}

#[test]
fn a_new_project_in_python_is_tested_and_built() {
    let Some(toolchain) = toolchain("python") else { return };
    let (folder, project) = new("python");
    symlink(toolchain, project.join(".venv")).unwrap();
    let mut tests = Command::new("python3");
    tests.args(["-m", "unittest"]).env("PYTHONPATH", "stepwell/sdk/python/src").current_dir(&project);
    good(tests);
    built_and_run(&folder, &[]);
}

#[test]
fn a_new_project_in_javascript_is_tested_and_built() {
    let Some(toolchain) = toolchain("javascript") else { return };
    let (folder, project) = new("js");
    let modules = project.join("node_modules");
    fs::create_dir(&modules).unwrap();
    for name in ["rolldown", "@bytecodealliance"] {
        symlink(toolchain.join("node_modules").join(name), modules.join(name)).unwrap();
    }
    symlink("../stepwell/sdk/javascript", modules.join("stepwell-sdk")).unwrap();
    let mut tests = Command::new("node");
    tests.arg("--test").current_dir(&project);
    good(tests);
    built_and_run(&folder, &[]);
}

#[test]
fn a_new_project_in_rust_is_tested_and_built() {
    let (folder, project) = new("rust");
    // The versions of the examples, so that nothing has to be fetched and little to be compiled.
    fs::copy(root().join("guest-examples/Cargo.lock"), project.join("Cargo.lock")).unwrap();
    let target = target().join("projects");
    let mut tests = Command::new("cargo");
    tests.args(["test", "--quiet", "--offline"]).env("CARGO_TARGET_DIR", &target).current_dir(&project);
    good(tests);
    built_and_run(&folder, &[("CARGO_TARGET_DIR", &target)]);
}
