//! What AWS has around a function and this server has not: policies, reserved concurrency, addresses, triggers. Tools that
//! ask hear, as AWS says it, that there is none; who would make one hears why there cannot be one.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Store;

use super::answers::latest;
use super::error::LambdaError;
use super::names::Function;
use crate::app::App;

/// What is told of a function that is there.
type Told = fn(&Function) -> Result<Value, LambdaError>;

const CONCURRENCY: &str = "ReservedConcurrentExecutions is not supported here: 'concurrency' under [limits] in module.toml, or in \
                           the operator's policy, bounds how many calls of a function run at once.";
const PROVISIONED: &str = "Provisioned concurrency is not supported here: a function's code is compiled once, and a call needs \
                           nothing that could be kept ready.";
const POLICY: &str = "Policies of functions are not supported here: whoever has an access key of this server may call them. \
                      A state machine needs no permission.";
const EVENTS: &str = "Configurations of events are not supported here: an event runs once, at once. Let a state machine call \
                      the function if it must be tried again.";
const ADDRESS: &str = "Addresses of functions are not supported here: call the function with Invoke.";
const SIGNING: &str = "Code signing is not supported here. Leave CodeSigningConfigArn out.";

pub(super) fn routes<S: Store + Clone>() -> Router<App<S>> {
    let path = |date: &str, rest: &str| format!("/{date}/functions/{{function}}/{rest}");
    let (put, any) = (MethodFilter::PUT, MethodFilter::PUT.or(MethodFilter::POST));
    Router::new()
        .route("/2015-03-31/event-source-mappings", get(no_mappings))
        .route("/2015-03-31/event-source-mappings/", get(no_mappings))
        .route(&path("2015-03-31", "policy"), tell(no_resource).merge(refuse(MethodFilter::POST, POLICY)))
        .route(&path("2015-03-31", "policy/{statement}"), delete_nothing(Some(no_policy)))
        .route(&path("2017-10-31", "concurrency"), refuse(put, CONCURRENCY).merge(delete_nothing(None)))
        .route(&path("2019-09-30", "concurrency"), tell(|_| Ok(json!({}))))
        .route(
            &path("2019-09-30", "provisioned-concurrency"),
            get(provisioned::<S>).merge(refuse(put, PROVISIONED)),
        )
        .route(&path("2019-09-25", "event-invoke-config"), tell(no_events).merge(refuse(any, EVENTS)))
        .route(
            &path("2019-09-25", "event-invoke-config/list"),
            tell(|_| Ok(json!({"FunctionEventInvokeConfigs": []}))),
        )
        .route(&path("2021-10-31", "url"), tell(no_resource).merge(refuse(any, ADDRESS)))
        .route(&path("2021-10-31", "urls"), tell(|_| Ok(json!({"FunctionUrlConfigs": []}))))
        .route(&path("2021-07-20", "runtime-management-config"), tell(runtime_management))
        .route(
            &path("2020-06-30", "code-signing-config"),
            tell(no_signing).merge(refuse(put, SIGNING)).merge(delete_nothing(None)),
        )
}

/// `GET`, of a function that is there.
fn tell<S: Store + Clone>(told: Told) -> MethodRouter<App<S>> {
    get(async move |State(app): State<App<S>>, Path(path): Path<HashMap<String, String>>| {
        let function = found(&app, &path).await?;
        told(&function).map(Json)
    })
}

/// What makes something, of a function that is there.
fn refuse<S: Store + Clone>(method: MethodFilter, why: &'static str) -> MethodRouter<App<S>> {
    on(method, async move |State(app): State<App<S>>, Path(path): Path<HashMap<String, String>>| {
        found(&app, &path).await?;
        Err::<StatusCode, _>(LambdaError::invalid(why))
    })
}

/// `DELETE` of what is not there.
fn delete_nothing<S: Store + Clone>(refusal: Option<Told>) -> MethodRouter<App<S>> {
    on(
        MethodFilter::DELETE,
        async move |State(app): State<App<S>>, Path(path): Path<HashMap<String, String>>| {
            let function = found(&app, &path).await?;
            if let Some(refusal) = refusal {
                refusal(&function)?;
            }
            Ok::<_, LambdaError>(StatusCode::NO_CONTENT)
        },
    )
}

/// `?List=ALL`, for all of a function's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    list: Option<String>,
}

/// `GetProvisionedConcurrencyConfig` and `ListProvisionedConcurrencyConfigs`.
async fn provisioned<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(path): Path<HashMap<String, String>>,
    Query(list): Query<List>,
) -> Result<Json<Value>, LambdaError> {
    found(&app, &path).await?;
    match list.list {
        Some(_all) => Ok(Json(json!({"ProvisionedConcurrencyConfigs": []}))),
        None => Err(LambdaError::new(
            StatusCode::NOT_FOUND,
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )),
    }
}

async fn found<S: Store + Clone>(
    app: &App<S>,
    path: &HashMap<String, String>,
) -> Result<Function, LambdaError> {
    let name = path.get("function").map(String::as_str).unwrap_or_default();
    let function = Function::parse(app, name, None)?;
    latest(app, &function).await?;
    Ok(function)
}

async fn no_mappings() -> Response {
    Json(json!({"EventSourceMappings": []})).into_response()
}

fn no_resource(_: &Function) -> Result<Value, LambdaError> {
    Err(LambdaError::not_found("The resource you requested does not exist."))
}

fn no_policy(_: &Function) -> Result<Value, LambdaError> {
    Err(LambdaError::not_found("No policy is associated with the given resource."))
}

fn no_events(function: &Function) -> Result<Value, LambdaError> {
    Err(LambdaError::not_found(format!(
        "The function {} doesn't have an EventInvokeConfig",
        function.asked()
    )))
}

fn no_signing(function: &Function) -> Result<Value, LambdaError> {
    Ok(json!({"CodeSigningConfigArn": "", "FunctionName": function.name}))
}

fn runtime_management(function: &Function) -> Result<Value, LambdaError> {
    Ok(json!({"UpdateRuntimeOn": "Auto", "FunctionArn": function.asked()}))
}
