//! What modules reach with grants and without: files, scratch space, HTTP and secrets, on the real program.

use serde_json::{Value, json};
use tests::process::{Client, Home, Outside, PATIENCE, Reply, guest, wait_for};

use crate::tasks::task;

const PREFIX: &str = "arn:aws:lambda:us-east-1:123456789012:function:";
/// What must not be found anywhere but in the guest.
const SECRET: &str = "hunter2-hunter2-hunter2";

/// A server with a policy for modules.
pub(crate) fn home(policy: &str) -> Home {
    let home = Home::new();
    let file = home.path("policy.toml");
    std::fs::write(&file, policy).unwrap();
    home.with("--module-policy", file.display().to_string())
}

/// A module, and a machine that calls it.
pub(crate) struct Module<'a> {
    client: Client,
    machine: String,
    name: &'a str,
}

impl<'a> Module<'a> {
    pub(crate) fn push(client: Client, name: &'a str, component: &str) -> Module<'a> {
        client.push(name, &guest(component));
        Module::pushed(client, name)
    }

    /// One that is there already.
    pub(crate) fn pushed(client: Client, name: &'a str) -> Module<'a> {
        let machine = client.create(name, &task(&format!("{PREFIX}{name}"), &json!({})));
        Module { client, machine, name }
    }

    pub(crate) fn machine(&self) -> &str {
        &self.machine
    }

    #[track_caller]
    pub(crate) fn output(&self, input: &Value) -> Value {
        let ended = self.client.run(&self.machine, input);
        assert_eq!(ended["status"], "SUCCEEDED", "{}: {ended}", self.name);
        serde_json::from_str(ended["output"].as_str().unwrap()).unwrap()
    }

    /// Runs a task that fails for want of a grant, which its cause must name.
    #[track_caller]
    pub(crate) fn denied(&self, input: &Value, error: &str, needs: &str) {
        let ended = self.client.run(&self.machine, input);
        assert_eq!(
            (&ended["status"], &ended["error"]),
            (&json!("FAILED"), &json!(error)),
            "{input}: {ended}"
        );
        let cause: Value = serde_json::from_str(ended["cause"].as_str().unwrap()).unwrap();
        let denied = cause["deniedAccess"].to_string().replace("\\\"", "\"");
        assert!(denied.contains(needs), "{input}: {cause}");
    }
}

#[test]
fn files_are_reached_as_far_as_they_are_granted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("outside"), "text").unwrap();
    let granted = folder.path().join("granted");
    std::fs::create_dir(&granted).unwrap();
    std::fs::write(granted.join("a"), "1234567").unwrap();
    std::os::unix::fs::symlink("../outside", granted.join("link")).unwrap();
    let home = home(&format!(
        "[modules.reader.grants]\ndirectory = [{{ host = {granted:?}, guest = \"/data\", access = \"read\" }}]\n\
         scratch = \"64 MiB\"\n"
    ));
    let server = home.start();
    let reader = Module::push(server.client(), "reader", "hostile");
    let open = |path: &str| json!({"do": "open-file", "path": path});
    let write = |path: &str| json!({"do": "write-file", "path": path});
    assert_eq!(reader.output(&open("/data/a")), json!({"bytes": 7}));
    reader.denied(&write("/data/b"), "WriteFailed", r#"guest = "/data" and access = "read-write""#);
    reader.denied(&open("/data/../outside"), "OpenFailed", "");
    reader.denied(&open("/data/link"), "OpenFailed", "link in /data: it leads out of the granted folder");
    reader.denied(
        &open("/etc/passwd"),
        "OpenFailed",
        r#"reading /etc/passwd: it needs [[grants.directory]] with guest = "/etc""#,
    );
    assert!(!granted.join("b").exists());

    // Nothing of one call is there in the next.
    assert_eq!(reader.output(&write("/scratch/file")), json!({"written": "/scratch/file"}));
    reader.denied_nothing(&open("/scratch/file"), "OpenFailed");
    let flood = |remove: bool| json!({"do": "flood", "path": "/scratch", "files": 3, "mebibytes": 30, "remove": remove});
    reader.denied(
        &flood(false),
        "FloodEnded",
        r#"more room in /scratch: it needs a grants.scratch above "64 MiB""#,
    );
    assert_eq!(reader.output(&flood(true)), json!({"files": 3}));
    assert_eq!(home.files("data/scratch"), ["nothing"]);

    // No policy gives sockets.
    let instead = "it cannot be granted; requests over wasi:http can, with [[grants.http]]";
    reader.denied(&json!({"do": "connect"}), "ConnectFailed", &format!("a TCP socket: {instead}"));
    let resolve = json!({"do": "resolve", "host": "api.example.com"});
    reader.denied(&resolve, "ResolveFailed", &format!("the address of api.example.com: {instead}"));

    // Without a section of its own a module has nothing.
    let other = Module::push(server.client(), "other", "hostile");
    other.denied(&open("/data/a"), "OpenFailed", "reading /data/a: it needs [[grants.directory]]");
    other.denied(&write("/scratch/a"), "WriteFailed", "grants.scratch for files under /scratch");
}

impl Module<'_> {
    /// Runs a task that fails for another reason than a grant.
    #[track_caller]
    pub(crate) fn denied_nothing(&self, input: &Value, error: &str) {
        let ended = self.client.run(&self.machine, input);
        assert_eq!(ended["error"], error, "{input}: {ended}");
        assert!(!ended["cause"].as_str().unwrap().contains("deniedAccess"), "{ended}");
    }
}

#[test]
fn an_http_server_is_a_task_and_reaches_what_it_is_granted() {
    let api = Outside::start(|asked| match asked.target.as_str() {
        "/silent" => Reply::Silence,
        "/moved" => Reply::Answer("302 Found", vec![("location", "/echo".to_owned())], Vec::new()),
        _ => Reply::Answer("201 Created", Vec::new(), asked.body.to_uppercase().into_bytes()),
    });
    let authority = api.address().to_string();
    let home = home(&format!(
        "[modules.handler.limits]\ntimeout = \"2 s\"\n[modules.handler.grants]\nhttp = [\n\
         {{ scheme = \"http\", host = \"127.0.0.1\", port = {}, methods = [\"POST\"] }},\n\
         {{ scheme = \"http\", host = \"localhost\", port = {0}, methods = [\"POST\"] }},\n]\n",
        api.address().port()
    ))
    .with("--http-allow", api.url(""));
    let server = home.start();
    let handler = Module::push(server.client(), "handler", "http-handler");
    let answer = |status: u16, text: &str| json!({"do": "answer", "status": status, "text": text});
    assert_eq!(handler.output(&answer(200, "{\"a\": 1}")), json!({"a": 1}));
    assert_eq!(handler.output(&answer(204, "")), Value::Null);
    handler.denied_nothing(&answer(404, "no such order"), "Http.StatusCode.404");
    handler.denied_nothing(&answer(200, "no JSON"), "Runtime.InvalidOutput");
    handler.denied_nothing(&json!({"do": "nothing"}), "Runtime.InvalidOutput");
    let shown = handler.output(&json!({"do": "headers"}));
    assert_eq!((&shown["path"], &shown["headers"]["x-stepwell-state-name"]), (&json!("/"), &json!("T")));

    let post = |authority: &str, path: &str| json!({"do": "post", "scheme": "http", "authority": authority, "path": path, "text": "hello"});
    assert_eq!(handler.output(&post(&authority, "/echo?a=b")), json!({"status": 201, "text": "HELLO"}));
    let moved = handler.output(&post(&authority, "/moved"));
    assert_eq!(moved["status"], 302, "redirects are the guest's affair");
    let refused = "Http.StatusCode.502";
    handler.denied(
        &post("api.example.com", "/"),
        refused,
        r#"host = "api.example.com", port = 80, methods = ["POST"]"#,
    );
    handler.denied(&post("127.0.0.1:1", "/"), refused, "port = 1,");
    handler.denied(&post(&format!("a@{authority}"), "/"), refused, "");
    // It is granted, but a name that leads inside is for the operator to open.
    handler.denied(&post(&authority.replace("127.0.0.1", "localhost"), "/"), refused, "--http-allow");
    let asked = api.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(
        (asked[0].header("host"), asked[0].header("content-length")),
        (Some(authority.as_str()), Some("5"))
    );

    // Time in a host call counts, and the connection is given up.
    handler.denied_nothing(&post(&authority, "/silent"), "Sandbox.Timedout");
    wait_for("the client to hang up", PATIENCE, || (api.gone() == 1).then_some(()));
}

#[test]
fn a_secret_reaches_its_module_and_nobody_else() {
    let home = home(
        "[default.grants]\nsecrets = [\"payment-key\"]\n[modules.charge.grants]\nsecrets = [\"payment-key\", \"other\"]\n[modules.thief.grants]\nsecrets = [\"payment-key\"]\n",
    );
    let home = home.with_env("STEPWELL_LOG", "trace");
    let server = home.start();
    let client = server.client();
    let put = json!({"value": SECRET, "modules": ["charge"]}).to_string();
    let answer = client.send("PUT /secrets/payment-key HTTP/1.1\r\n", put.as_bytes()).unwrap();
    assert_eq!((answer.status, answer.body.to_string().contains(SECRET)), (200, false));
    let charge = Module::push(client, "charge", "hostile");
    let read = |name: &str| json!({"do": "secret", "name": name});
    assert_eq!(charge.output(&read("payment-key")), json!({"characters": SECRET.len()}));
    charge.denied(&read("other"), "NoSecret", "`stepwell secret put other` makes it");
    charge.denied(&read("mine"), "NoSecret", r#"it needs grants.secrets = ["mine"]"#);
    let thief = Module::push(client, "thief", "hostile");
    thief.denied(&read("payment-key"), "NoSecret", "it is not for the module thief");
    let innocent = Module::push(client, "innocent", "hostile");
    innocent.denied(&read("payment-key"), "NoSecret", "it needs grants.secrets");
    drop(server);
    assert!(!home.logged().contains(SECRET));
    assert!(!holds(&home.data(), SECRET.as_bytes()), "it is sealed");
}

/// Whether a file of a folder has these bytes.
fn holds(folder: &std::path::Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds(&path, wanted);
        }
        std::fs::read(path).unwrap().windows(wanted.len()).any(|window| window == wanted)
    })
}

#[test]
fn a_policy_that_cannot_be_used_keeps_the_server_from_starting() {
    let output = home("[default.limits]\nfuel = 1\nmemory = \"much\"\n").run();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("policy.toml, line 3: default.limits.memory: it must be a size"), "{message}");
}
