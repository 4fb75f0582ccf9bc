//! What every request handler can reach, and the routes.

use std::sync::Arc;

use asl::Timestamp;
use asl::interpreter::{LinkMaker, TimeScale};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use engine::arn::{ActivityArn, StateMachineArn};
use engine::{Express, Handle};
use executors::ModuleExecutor;
use serde_json::{Value, json};
use store::Store;
use tokio_util::sync::CancellationToken;
use wasm_host::Host;

use crate::access::{self, Access};
use crate::api::ApiError;
use crate::limits::CALLBACK_LINKS_BODY_BYTES_MAX;
use crate::module_rules::ModuleRules;
use crate::observing::Kept;
use crate::problem::Problem;
use crate::registry::{Components, Registry};
use crate::task_logs::{self, TaskLogs};
use crate::vault::Vault;
use crate::{api, callbacks, express, lambda, module_secrets, modules, tasks};

/// The account and region for which the server answers; they are in every ARN that it makes.
#[derive(Debug, Clone)]
pub struct Account {
    pub id: String,
    pub region: String,
}

/// The shared parts of the server. Cheap to clone.
#[derive(Debug)]
pub struct App<S>(Arc<Shared<S>>);

/// The parts, and what the server makes for itself.
#[derive(Debug)]
struct Shared<S> {
    parts: Parts<S>,
    components: Components,
}

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct Parts<S> {
    pub engine: Handle<S>,
    pub express: Express<S>,
    pub host: Host,
    /// The modules as functions of the Lambda API.
    pub functions: Arc<ModuleExecutor<Registry<S>>>,
    pub account: Account,
    pub vault: Vault,
    pub link_maker: LinkMaker,
    pub access: Access,
    /// What modules may use and reach.
    pub rules: Arc<ModuleRules>,
    /// How long a Wait lasts in TestState.
    pub time_scale: TimeScale,
    /// Express executions to look at, if any are kept.
    pub express_kept: Option<Arc<Kept>>,
    /// What tasks have logged, if it is kept.
    pub task_logs: Option<Arc<TaskLogs>>,
    /// When it is cancelled, long polls are answered at once.
    pub stopping: CancellationToken,
}

impl<S> Clone for App<S> {
    fn clone(&self) -> App<S> {
        App(Arc::clone(&self.0))
    }
}

impl<S: Store + Clone> App<S> {
    pub fn new(parts: Parts<S>) -> App<S> {
        App(Arc::new(Shared { parts, components: Components::default() }))
    }

    pub(crate) fn engine(&self) -> &Handle<S> {
        &self.0.parts.engine
    }

    pub(crate) fn express(&self) -> &Express<S> {
        &self.0.parts.express
    }

    pub(crate) fn store(&self) -> &S {
        self.0.parts.engine.store()
    }

    pub(crate) fn host(&self) -> &Host {
        &self.0.parts.host
    }

    pub(crate) fn functions(&self) -> &Arc<ModuleExecutor<Registry<S>>> {
        &self.0.parts.functions
    }

    pub(crate) fn components(&self) -> &Components {
        &self.0.components
    }

    pub(crate) fn express_kept(&self) -> Option<&Kept> {
        self.0.parts.express_kept.as_deref()
    }

    pub(crate) fn task_logs(&self) -> Option<&Arc<TaskLogs>> {
        self.0.parts.task_logs.as_ref()
    }

    pub(crate) fn link_maker(&self) -> &LinkMaker {
        &self.0.parts.link_maker
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.0.parts.vault
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.parts.access
    }

    pub(crate) fn rules(&self) -> &ModuleRules {
        &self.0.parts.rules
    }

    pub(crate) fn time_scale(&self) -> TimeScale {
        self.0.parts.time_scale
    }

    pub(crate) fn stopping(&self) -> &CancellationToken {
        &self.0.parts.stopping
    }

    /// Region and account.
    pub(crate) fn place(&self) -> (&str, &str) {
        (&self.0.parts.account.region, &self.0.parts.account.id)
    }

    pub(crate) fn state_machine_arn(&self, name: &str) -> Result<StateMachineArn, ApiError> {
        Ok(StateMachineArn::new(&self.0.parts.account.region, &self.0.parts.account.id, name)?)
    }

    pub(crate) fn activity_arn(&self, name: &str) -> Result<ActivityArn, ApiError> {
        Ok(ActivityArn::new(&self.0.parts.account.region, &self.0.parts.account.id, name)?)
    }

    /// All that the server answers to, under any host name: SDKs put `sync-` before it.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", post(api::handle::<S>))
            .route("/health", get(health::<S>))
            .route("/modules", get(modules::list::<S>))
            .route(
                "/modules/{name}",
                get(modules::show::<S>).put(modules::put::<S>).delete(modules::remove::<S>),
            )
            .route("/secrets", get(module_secrets::list::<S>))
            .route("/secrets/{name}", put(module_secrets::put::<S>).delete(module_secrets::remove::<S>))
            .route("/modules/{name}/versions", post(modules::publish::<S>))
            .route("/modules/{name}/versions/{version}", delete(modules::remove_version::<S>))
            .route("/modules/{name}/aliases", get(modules::alias_list::<S>))
            .route(
                "/modules/{name}/aliases/{alias}",
                put(modules::alias_put::<S>).delete(modules::alias_remove::<S>),
            )
            .route("/keys", get(access::api::list::<S>).post(access::api::create::<S>))
            .route("/keys/{id}", delete(access::api::remove::<S>))
            .route("/modules/{name}/logs", get(task_logs::api::of_module::<S>))
            .route("/executions/{arn}/tasks", get(tasks::list::<S>))
            .route("/executions/{arn}/logs", get(task_logs::api::of_execution::<S>))
            .route("/express/executions", get(express::list::<S>))
            .route("/express/executions/{arn}", get(express::show::<S>))
            .route("/express/executions/{arn}/history", get(express::history::<S>))
            .route(
                "/callback-links",
                post(callbacks::make::<S>).layer(DefaultBodyLimit::max(CALLBACK_LINKS_BODY_BYTES_MAX)),
            )
            .route("/callbacks/{link}", get(callbacks::show::<S>).post(callbacks::answer::<S>))
            .merge(lambda::routes::<S>())
            .fallback(not_found)
            .method_not_allowed_fallback(wrong_method)
            .layer(middleware::from_fn_with_state(self.clone(), access::guard::<S>))
            .with_state(self)
    }
}

/// The current time. The rest of the crate takes it as an argument.
pub(crate) fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_milliseconds(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Tells that the server runs, and for whom, so that a client can make ARNs of names.
async fn health<S: Store + Clone>(State(app): State<App<S>>) -> Json<Value> {
    let Account { id, region } = &app.0.parts.account;
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "account": id, "region": region}))
}

async fn not_found(method: Method, uri: Uri) -> Response {
    if lambda::is_lambda(uri.path()) {
        return lambda::unknown(&method, &uri);
    }
    Problem::not_found(format!(
        "There is nothing at {}. The AWS API is at POST /, modules are at /modules, their secrets at /secrets, access keys at /keys, and /health tells whether the \
         server runs.",
        uri.path()
    ))
    .into_response()
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    if lambda::is_lambda(uri.path()) {
        return lambda::unknown(&method, &uri);
    }
    let message = format!("{} does not take {method}.", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).into_response()
}
