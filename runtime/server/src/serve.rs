//! `stepwell serve`: puts the store, the module host, the engine and the HTTP side together, and takes them down
//! again in the other order.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use asl::interpreter::{LinkMaker, TimeScale};
use engine::{Engine, Express, Observed, Observer, Offline};
use executors::{Executor, LogKeeper};
use outbound::ClientError;
use store::{OpenError, RedbOptions, RedbStore};
use tokio::net::TcpListener;
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use uuid::Uuid;
use wasm_host::{Defaults, Host, HostError, Limits};

use crate::access::{Access, KeysError, has_keys};
use crate::api::{Kept, TaskCalls};
use crate::app::{Account, App, Parts};
use crate::cli::{ServeOptions, Terminal};
use crate::limits::{DRAIN_TIMEOUT, MODULE_BYTES_MAX};
use crate::module_rules::{ModuleRules, PolicyError};
use crate::observing::{KeptLimits, Observing, ObservingError};
use crate::registry;
use crate::task_logs::{TaskLogs, TaskLogsError};
use crate::vault::{Vault, VaultError};
use crate::{descriptors, listener, outside};

/// What is logged unless `STEPWELL_LOG` says otherwise.
const LOG_DEFAULT: &str = "info";
/// What the key of callback links is derived for.
const LINKS_PURPOSE: &str = "callback links";
/// The exit code of a process that Ctrl-C has killed.
const EXIT_INTERRUPTED: i32 = 130;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(
        "{address} can be reached from other machines, and there are no access keys: whoever reaches it can run code and \
         read all data. Make a key with `stepwell keys create --data {data}`, or listen on 127.0.0.1, or give \
         --allow-remote if something in front of it checks who may come in."
    )]
    Remote { address: SocketAddr, data: PathBuf },
    #[error("the data folder {path} cannot be made: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
    #[error(
        "the data in {path} is in use by another Stepwell server. Stop that one, or give this one its own --data \
         folder."
    )]
    InUse { path: PathBuf },
    #[error(transparent)]
    Observing(#[from] ObservingError),
    #[error(transparent)]
    TaskLogs(#[from] TaskLogsError),
    #[error("the store cannot be opened: {0}")]
    Store(OpenError),
    #[error("the module host cannot start: {0}")]
    Host(#[from] HostError),
    #[error("{address} cannot be listened on: {source}. Choose another with --listen.")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("signals cannot be received: {0}")]
    Signals(std::io::Error),
    #[error("secrets cannot be kept: {0}")]
    Vault(#[from] VaultError),
    #[error("the access keys cannot be used: {0}")]
    Keys(#[from] KeysError),
    #[error("the engine cannot start: {0}")]
    Engine(#[from] engine::StartError),
    #[error("the mock configuration cannot be used: {0}")]
    Mocks(String),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error("tasks cannot reach out over HTTP: {0}")]
    Outside(#[from] ClientError),
}

impl ServeError {
    /// Told apart so that a supervisor knows what a restart can cure.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            ServeError::Remote { .. } | ServeError::Mocks(_) | ServeError::Policy(_) => 2,
            ServeError::InUse { .. } => 3,
            ServeError::Listen { .. } => 4,
            ServeError::Folder { .. }
            | ServeError::Observing(_)
            | ServeError::TaskLogs(_)
            | ServeError::Store(_)
            | ServeError::Host(_)
            | ServeError::Signals(_)
            | ServeError::Vault(_)
            | ServeError::Keys(_)
            | ServeError::Engine(_)
            | ServeError::Outside(_) => 1,
        }
    }
}

/// Runs the server until it is told to stop.
pub(crate) async fn run(options: ServeOptions) -> Result<(), ServeError> {
    descriptors::take_all();
    let time_scale = options.wait_time_scale;
    let stopping = CancellationToken::new();
    stop_on_signals(&stopping)?;
    let mocks = outside::mocks(&options.outside)?;
    let store = open_store(&options)?;
    let is_remote = !options.listen.ip().is_loopback();
    if needs_keys(&options) {
        require_keys(&store, &options).await?;
    }
    let offline = Offline::new(store.clone());
    let vault = Vault::of_store(&options.data, options.secret_key.as_deref(), &offline).await?;
    let access = Access::load(&store, &vault, is_remote).await?;
    let host_options = host_options(&options)?;
    let rules =
        Arc::new(ModuleRules::read(options.module_policy.as_deref(), defaults(&options, &host_options))?);
    let host = Host::new(&host_options)?;
    let listener = bind(options.listen).await?;
    let address = listener.local_addr().unwrap_or(options.listen);
    let account = Account { id: options.account.clone(), region: options.region.clone() };
    let api = Arc::new(SetOnce::new());
    let task_logs = task_logs(&options)?;
    let modules = registry::functions(&host, &store, &account, &rules, &api)
        .with_endpoint(outside::function_endpoint(&options.outside)?)
        .with_logs(task_logs.clone().map(|logs| logs as Arc<dyn LogKeeper>));
    let modules = Arc::new(modules);
    let public_url = options.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let link_maker = LinkMaker::new(*vault.derive(LINKS_PURPOSE), &public_url);
    let http = outside::http_tasks(&options.outside, &account, Kept(Arc::downgrade(&api)))?;
    let executor = Arc::new(Executor::new(Arc::clone(&modules), TaskCalls(Arc::downgrade(&api)), http));
    let observing = observe(&options)?;
    warn_of_scaled_time(time_scale);
    let mut standard = engine_options(observing.standard(), Some(link_maker.clone()), time_scale);
    standard.shard.mocks = Arc::clone(&mocks);
    let (handle, engine) = Engine::start(standard, store.clone(), Arc::clone(&executor)).await?;
    let mut in_memory = engine_options(observing.express(), None, time_scale);
    in_memory.shard.mocks = mocks;
    let (express, express_engine) = Express::start(in_memory, store.clone(), executor).await?;
    warn_of_strangers(&access);
    let app = App::new(Parts {
        engine: handle,
        express,
        host: host.clone(),
        functions: modules,
        account,
        vault,
        link_maker,
        access,
        rules,
        time_scale,
        express_kept: observing.kept(),
        task_logs: task_logs.clone(),
        stopping: stopping.clone(),
    });
    api.set(app.clone()).expect("it is set nowhere else");
    // What a crash may have left behind.
    registry::collect_later(&app);

    Terminal.answer(&format!("Stepwell listens on http://{address}\nData is in {}", options.data.display()));
    listener::run(listener, app.router(), stopping).await;
    tracing::info!("no more requests; the engine stops");
    express_engine.stop().await;
    engine.stop().await;
    observing.stop(DRAIN_TIMEOUT).await;
    host.shutdown(DRAIN_TIMEOUT).await;
    if let Some(logs) = task_logs {
        logs.settle(DRAIN_TIMEOUT).await;
    }
    tracing::info!("stopped");
    Ok(())
}

fn warn_of_scaled_time(time_scale: TimeScale) {
    if !time_scale.is_real() {
        tracing::warn!(
            "time is scaled: Wait states and delays before retries last {time_scale} of their time; timers that were \
             set before this start stay as they were"
        );
    }
}

fn observe(options: &ServeOptions) -> Result<Observing, ObservingError> {
    let (executions, mebibytes) = (options.express_kept, options.express_kept_mib);
    let limits = KeptLimits { executions, bytes: mebibytes << 20 };
    let limits = (executions > 0 && mebibytes > 0).then_some(limits);
    Observing::start(&options.data, options.execution_logs, limits)
}

fn task_logs(options: &ServeOptions) -> Result<Option<Arc<TaskLogs>>, TaskLogsError> {
    let mebibytes = options.task_logs_mib;
    let logs = (mebibytes > 0).then(|| TaskLogs::start(&options.data, mebibytes)).transpose()?;
    Ok(logs.map(Arc::new))
}

fn engine_options(
    (observed, observer): (Observed, Arc<dyn Observer>),
    link_maker: Option<LinkMaker>,
    time_scale: TimeScale,
) -> engine::Options {
    let shard = engine::shard::Options { link_maker, observed, time_scale, ..Default::default() };
    engine::Options { shard, observer: Some(observer), ..engine::Options::default() }
}

/// Logs from here on.
pub(crate) fn log_to_stderr() {
    let filter = EnvFilter::builder()
        .with_env_var("STEPWELL_LOG")
        .with_default_directive(LOG_DEFAULT.parse().unwrap_or_else(|_| tracing::Level::INFO.into()));
    // A second subscriber, as in a test, is refused; the first one goes on.
    let _already_set = tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// The first signal stops gently, the second at once.
fn stop_on_signals(stopping: &CancellationToken) -> Result<(), ServeError> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signals)?;
    let stopping = stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; a second Ctrl-C stops at once");
        stopping.cancel();
        interrupt.recv().await;
        // Nothing is lost: what was answered is in the store.
        std::process::exit(EXIT_INTERRUPTED);
    });
    Ok(())
}

fn open_store(options: &ServeOptions) -> Result<RedbStore, ServeError> {
    std::fs::create_dir_all(&options.data)
        .map_err(|source| ServeError::Folder { path: options.data.clone(), source })?;
    RedbStore::open(&store_options(options)).map_err(|error| match error {
        OpenError::InUse { .. } => ServeError::InUse { path: options.data.clone() },
        other => ServeError::Store(other),
    })
}

fn store_options(options: &ServeOptions) -> RedbOptions {
    RedbOptions::new(&options.data, Uuid::new_v4().as_u128())
}

/// Refuses what a server with these options would refuse because others could reach it. Makes nothing.
pub(crate) async fn check_reach(options: &ServeOptions) -> Result<(), ServeError> {
    if !needs_keys(options) {
        return Ok(());
    }
    if !store_options(options).has_store() {
        return Err(remote(options));
    }
    require_keys(&open_store(options)?, options).await
}

/// Whether others reach this server and nothing else decides who comes in.
fn needs_keys(options: &ServeOptions) -> bool {
    !options.listen.ip().is_loopback() && !options.allow_remote
}

fn remote(options: &ServeOptions) -> ServeError {
    ServeError::Remote { address: options.listen, data: options.data.clone() }
}

async fn require_keys(store: &RedbStore, options: &ServeOptions) -> Result<(), ServeError> {
    if has_keys(store).await.map_err(KeysError::Read)? {
        return Ok(());
    }
    Err(remote(options))
}

fn warn_of_strangers(access: &Access) {
    if !access.keys.is_empty() {
        return;
    }
    if access.is_remote {
        tracing::warn!("there are no access keys: whoever reaches this server can do everything");
    } else {
        tracing::warn!(
            "there are no access keys: whoever is on this machine can do everything; `stepwell keys create` makes one"
        );
    }
}

fn host_options(options: &ServeOptions) -> Result<wasm_host::Options, ServeError> {
    let mut host = wasm_host::Options::new(&options.data);
    host.module_bytes_max = MODULE_BYTES_MAX;
    host.outgoing = Some(outside::module_requests(&options.outside)?);
    Ok(host)
}

/// What modules get where neither they nor the policy say anything.
fn defaults(options: &ServeOptions, host: &wasm_host::Options) -> Defaults {
    let limits = Limits { timeout: Duration::from_secs(options.module_timeout), ..Limits::default() };
    Defaults::new(limits, host.memory_bytes_max, host.slots)
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

#[cfg(test)]
mod tests {
    use crate::observing::LogsTo;

    use super::*;
    use crate::cli::OutsideOptions;

    fn options(data: &std::path::Path, listen: &str) -> ServeOptions {
        ServeOptions {
            data: data.to_owned(),
            listen: listen.parse().unwrap(),
            allow_remote: false,
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            public_url: None,
            execution_logs: LogsTo::Files,
            express_kept: 10,
            express_kept_mib: 1,
            task_logs_mib: 1,
            module_timeout: 60,
            module_policy: None,
            wait_time_scale: TimeScale::REAL,
            secret_key: None,
            outside: OutsideOptions::default(),
        }
    }

    #[tokio::test]
    async fn other_machines_are_kept_out() {
        let folder = tempfile::tempdir().unwrap();
        let error = run(options(folder.path(), "0.0.0.0:0")).await.unwrap_err();
        assert!(error.to_string().contains("`stepwell keys create --data "), "{error}");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_store_has_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(&folder.path().join("new"), "127.0.0.1:0");
        let _first = open_store(&options).unwrap();
        let error = open_store(&options).unwrap_err();
        assert!(error.to_string().contains("in use by another Stepwell server"), "{error}");
        assert_eq!(error.exit_code(), 3);
    }
}
