//! What is uploaded as a module: an archive, a component, a core module, a manifest.
//!
//! The first line may say what the rest stands for, so that pieces of the corpus can be read: `wat` and WebAssembly
//! text; `archive` and files, each after a line with `= ` and its name; `manifest` and TOML. Numbers behind `wat` and
//! `archive` damage what comes of it: a place, and what is put there, and so on. Anything else is uploaded as it is.

use std::io::{Cursor, Write};
use std::sync::{Arc, OnceLock};

use asl::interpreter::{LinkMaker, TimeScale};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use engine::{Engine, Express, TaskDispatch, TaskExecutor, TaskOutcome};
use http_body_util::BodyExt;
use serde_json::Value;
use server::{Access, Account, App, LogsTo, ModuleRules, Observing, Parts, Vault};
use store::MemoryStore;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use wasm_host::{Defaults, Host, Limits, Manifest, Options, Policy, effective};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The smallest task, which returns what it is given.
const TASK: &str = r#"(component
    (type $error (record (field "error" string) (field "cause" string)))
    (export $task-error "task-error" (type $error))
    (core module $main
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
        (func (export "handle") (param i32 i32) (result i32)
            (i32.store (i32.const 20) (local.get 0))
            (i32.store (i32.const 24) (local.get 1))
            (i32.const 16)))
    (core instance $guest (instantiate $main))
    (alias core export $guest "memory" (core memory $memory))
    (alias core export $guest "realloc" (core func $realloc))
    (func (export "handle") (param "input" string) (result (result string (error $task-error)))
        (canon lift (core func $guest "handle") (memory $memory) (realloc $realloc))))"#;
const FILE: &str = "= ";
static SERVER: OnceLock<Server> = OnceLock::new();
/// For what is to be found and is not: the target's own mistake, not a finding.
const SETUP: &str = "the server for uploads starts";

/// An upload ends in a module or in a refusal that has a name and says what to do, and never in a failure of the
/// server's own. What a module gets is no wider than what it asks for.
pub(super) fn upload(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).ok().and_then(|text| text.split_once('\n'));
    match text {
        Some(("manifest", text)) => manifest(text),
        Some((first, text)) if first.starts_with("wat") => {
            if let Some(wasm) = wasm(text) {
                put(damaged(wasm, first));
            }
        }
        Some((first, text)) if first.starts_with("archive") => put(damaged(archive(text), first)),
        _ => put(bytes.to_vec()),
    }
}

fn manifest(text: &str) {
    let Ok(manifest) = Manifest::parse(text) else { return };
    // Values of the environment are not shown, so it is what is shown that stays the same.
    let shown = manifest.to_string();
    let again = Manifest::parse(&shown).map(|manifest| manifest.to_string());
    assert_eq!(again.as_ref(), Ok(&shown));
    let defaults = Defaults::new(Limits::default(), 256 << 20, 1_000);
    let got = effective(Some(&manifest), &Policy::default().for_module("m"), &defaults);
    assert!(got.limits.fuel <= defaults.limits_max.fuel && got.limits.timeout <= defaults.limits_max.timeout);
    assert!(got.grants.directories.is_empty(), "no folder is granted by nobody");
}

/// WebAssembly of its text; `task` stands for a small task, so that changes hit more than its text.
fn wasm(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    wat::parse_str(if text == "task" { TASK } else { text }).ok().filter(|_| !text.is_empty())
}

/// The bytes with those at some places replaced.
fn damaged(mut bytes: Vec<u8>, places: &str) -> Vec<u8> {
    let numbers: Vec<usize> = places.split(' ').filter_map(|number| number.parse().ok()).collect();
    for damage in numbers.chunks_exact(2) {
        if let Some(byte) = bytes.get_mut(damage[0]) {
            *byte = damage[1].to_le_bytes()[0];
        }
    }
    bytes
}

fn archive(text: &str) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for file in text.split(&format!("\n{FILE}")) {
        let (name, contents) = file.trim_start_matches(FILE).split_once('\n').unwrap_or((file, ""));
        let contents = wasm(contents).unwrap_or_else(|| contents.as_bytes().to_vec());
        // A name that stands there twice is refused by the library.
        if archive.start_file(name, SimpleFileOptions::default()).is_ok() {
            archive.write_all(&contents).expect("it is written to memory");
        }
    }
    archive.finish().expect("it is written to memory").into_inner()
}

fn put(body: Vec<u8>) {
    let server = SERVER.get_or_init(Server::start);
    let (status, answer) = server.send("PUT", body);
    if status.is_success() {
        assert_eq!(answer["version"], 1, "{answer}");
        assert!(server.send("DELETE", Vec::new()).0.is_success());
        return;
    }
    assert!(status.is_client_error(), "{status}: {answer}");
    let has = |member: &str| answer[member].as_str().is_some_and(|text| !text.is_empty());
    assert!(has("error") && has("message"), "{answer}");
}

/// Modules are uploaded, and nobody calls them.
struct Nobody;

impl TaskExecutor for Nobody {
    async fn run(&self, task: TaskDispatch, _: CancellationToken) -> TaskOutcome {
        panic!("nobody runs {}", task.request.resource)
    }
}

/// The server's own routes, in this process.
struct Server {
    runtime: Runtime,
    router: Router,
    _folder: TempDir,
}

impl Server {
    fn start() -> Server {
        let runtime = Runtime::new().expect(SETUP);
        let folder = tempfile::tempdir().expect(SETUP);
        let options = Options { slots: 1, guest_threads: 1, ..Options::new(folder.path()) };
        let host = Host::new(&options).expect(SETUP);
        let router = runtime.block_on(Server::router(host, &folder));
        Server { runtime, router, _folder: folder }
    }

    async fn router(host: Host, folder: &TempDir) -> Router {
        let store = MemoryStore::new(1);
        let account = Account { id: "123456789012".to_owned(), region: "us-east-1".to_owned() };
        let rules = Arc::new(ModuleRules::default());
        let api = Arc::new(SetOnce::new());
        let options = engine::Options::default();
        let started = Engine::start(options.clone(), store.clone(), Arc::new(Nobody)).await;
        let (engine, _driver) = started.expect(SETUP);
        let started = Express::start(options, store.clone(), Arc::new(Nobody)).await;
        let (express, _driver) = started.expect(SETUP);
        let vault = Vault::open(folder.path(), None).expect(SETUP);
        let observing = Observing::start(folder.path(), LogsTo::Off, None).expect(SETUP);
        App::new(Parts {
            engine,
            express,
            functions: Arc::new(server::functions(&host, &store, &account, &rules, &api)),
            host,
            account,
            access: Access::load(&store, &vault, false).await.expect(SETUP),
            vault,
            link_maker: LinkMaker::new([7; 32], "https://flows.example"),
            rules,
            time_scale: TimeScale::REAL,
            express_kept: observing.kept(),
            task_logs: None,
            stopping: CancellationToken::new(),
        })
        .router()
    }

    fn send(&self, method: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri("/modules/m").body(Body::from(body));
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request.expect("it is a request")).await;
            let response = response.unwrap_or_else(|never| match never {});
            let status = response.status();
            let body = response.into_body().collect().await.expect("the answer is in memory").to_bytes();
            (status, serde_json::from_slice(&body).unwrap_or_default())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_task_is_accepted() {
        let server = SERVER.get_or_init(Server::start);
        for upload in [wasm("task"), Some(archive("= a.wasm\ntask\n= module.toml\n[limits]\nfuel = 5"))] {
            let (status, answer) = server.send("PUT", upload.expect("it is WebAssembly"));
            assert!(status.is_success(), "{answer}");
            assert!(server.send("DELETE", Vec::new()).0.is_success());
        }
    }
}
