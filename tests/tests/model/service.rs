//! A server in this process: the router over the engine, without a socket.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use asl::interpreter::{ErrorOutput, LinkMaker, TimeScale};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use engine::{Engine, Express, TaskDispatch, TaskExecutor, TaskOutcome};
use http_body_util::BodyExt;
use serde_json::Value;
use server::{Access, Account, App, ModuleRules, Parts, Vault};
use store::Store;
use tempfile::TempDir;
use tests::model::{Answer, Port};
use tokio::runtime::Runtime;
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Few executions are kept in memory, so that most are read from the store.
const RESIDENT_MAX: usize = 16;
/// An idle poll is answered soon, so that clients can afford it.
const IDLE_POLL: Duration = Duration::from_millis(5);

/// Every function fails at once.
struct Broken;

impl TaskExecutor for Broken {
    async fn run(&self, _task: TaskDispatch, _cancel: CancellationToken) -> TaskOutcome {
        TaskOutcome { result: Err(ErrorOutput::new("Broken", "always")), usage: None }
    }
}

/// A server in this process.
pub(crate) struct Service {
    runtime: Runtime,
    router: Router,
    engines: Vec<Engine>,
    _modules: TempDir,
}

impl Service {
    pub(crate) fn start(store: impl Store + Clone) -> Service {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let modules = tempfile::tempdir().unwrap();
        let host = {
            let _inside = runtime.enter();
            host(modules.path())
        };
        let (router, engines) = runtime.block_on(async {
            let mut options = engine::Options::default();
            options.shard.executions_resident_max = RESIDENT_MAX;
            options.activity_poll = IDLE_POLL;
            let (handle, engine) =
                Engine::start(options.clone(), store.clone(), Arc::new(Broken)).await.unwrap();
            let vault = Vault::open(modules.path(), None).unwrap();
            let access = Access::load(&store, &vault, false).await.unwrap();
            let account = Account { id: "123456789012".to_owned(), region: "us-east-1".to_owned() };
            let defaults = wasm_host::Defaults::new(wasm_host::Limits::default(), 256 << 20, 1_000);
            let rules = Arc::new(ModuleRules::new(wasm_host::Policy::default(), defaults));
            let functions = server::functions(&host, &store, &account, &rules, &Arc::new(SetOnce::new()));
            let (express, express_engine) = Express::start(options, store, Arc::new(Broken)).await.unwrap();
            let parts = Parts {
                engine: handle,
                express,
                host,
                functions: Arc::new(functions),
                account,
                access,
                rules: Arc::new(server::ModuleRules::default()),
                vault,
                link_maker: LinkMaker::new([7; 32], "https://flows.example"),
                time_scale: TimeScale::REAL,
                express_kept: None,
                task_logs: None,
                stopping: CancellationToken::new(),
            };
            let router = App::new(parts).router();
            (router, vec![engine, express_engine])
        });
        Service { runtime, router, engines, _modules: modules }
    }

    pub(crate) fn stop(self) {
        for engine in self.engines {
            self.runtime.block_on(engine.stop());
        }
    }
}

fn host(folder: &Path) -> wasm_host::Host {
    let mut options = wasm_host::Options::new(folder);
    (options.slots, options.guest_threads) = (1, 1);
    wasm_host::Host::new(&options).unwrap()
}

impl Port for Service {
    fn call(&self, operation: &str, members: &Value) -> Result<Answer, String> {
        let request = Request::post("/")
            .header("x-amz-target", format!("AWSStepFunctions.{operation}"))
            .body(Body::from(members.to_string()))
            .unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            Ok(Answer { status, body: serde_json::from_slice(&body).unwrap() })
        })
    }
}
