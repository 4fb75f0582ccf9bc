//! `GET /executions/{arn}/logs` and `GET /modules/{name}/logs`: what tasks have logged.

use std::io;
use std::sync::Arc;

use asl::interpreter::ExecutionId;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::arn::ExecutionArn;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Store;
use uuid::Uuid;

use super::TaskLogs;
use super::entry::Key;
use super::follow::Follower;
use super::page::Wanted;
use super::shelf::Position;
use crate::api::{ApiError, Listing, find_execution};
use crate::app::{App, now};
use crate::express::is_express;
use crate::problem::Problem;
use crate::query::{invalid, invalid_query, page_size};

/// Which lines of an execution.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OfExecution {
    state: Option<String>,
    attempt: Option<u32>,
    max_results: Option<u32>,
    next_token: Option<String>,
    follow: Option<bool>,
}

/// Which lines of calls of a module that no execution made.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OfModule {
    request_id: Option<String>,
    max_results: Option<u32>,
    next_token: Option<String>,
}

/// `GET /executions/{arn}/logs`: a page, or with `follow=true` a line of JSON for each line until the execution has ended.
pub(crate) async fn of_execution<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(arn): Path<String>,
    query: Result<Query<OfExecution>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| invalid_query(&rejection))?;
    let logs = kept(&app)?;
    let follows = query.follow.unwrap_or(false);
    let id = find(&app, &arn, follows).await?;
    let attempt = query.attempt.map_or_else(String::new, |attempt| attempt.to_string());
    let listing = ["TaskLogs", &arn, query.state.as_deref().unwrap_or_default(), &attempt];
    let wanted = Wanted {
        key: Key::execution(id),
        state: query.state.clone(),
        attempt: query.attempt,
        request_id: None,
    };
    let from = position(query.next_token.as_deref(), &Listing(&listing))?;
    if follows {
        if query.max_results.is_some() {
            return Err(invalid("maxResults: with follow=true there are no pages; leave it out.".to_owned()));
        }
        return Follower::start(&app, logs, id, wanted, from);
    }
    let max = page_size(query.max_results)?;
    Ok(page(logs, &wanted, from, max, &Listing(&listing)).await?.into_response())
}

/// `GET /modules/{name}/logs`: calls of the Lambda API, also of a module that is gone.
pub(crate) async fn of_module<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(name): Path<String>,
    query: Result<Query<OfModule>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(|rejection| invalid_query(&rejection))?;
    let logs = kept(&app)?;
    let listing = ["ModuleLogs", &name, query.request_id.as_deref().unwrap_or_default()];
    let from = position(query.next_token.as_deref(), &Listing(&listing))?;
    let max = page_size(query.max_results)?;
    let wanted =
        Wanted { key: Key::module(&name), state: None, attempt: None, request_id: query.request_id.clone() };
    page(logs, &wanted, from, max, &Listing(&listing)).await
}

async fn page(
    logs: &Arc<TaskLogs>,
    wanted: &Wanted,
    from: Position,
    max: usize,
    listing: &Listing<'_>,
) -> Result<Json<Value>, Problem> {
    let page = logs.page(wanted, from, max).await.map_err(|error| unreadable(&error))?;
    let next = page.has_more.then(|| listing.token(page.next.to_string().as_bytes(), now()));
    Ok(Json(json!({"lines": page.lines, "nextToken": next, "lost": logs.lost()})))
}

fn kept<S: Store + Clone>(app: &App<S>) -> Result<&Arc<TaskLogs>, Problem> {
    app.task_logs().ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "TaskLogsNotKept",
            "This server keeps no logs of tasks: it was started with --task-logs-mib 0.",
        )
    })
}

/// The id of an execution. Of Express executions nothing else is asked: the store does not have them.
async fn find<S: Store + Clone>(app: &App<S>, arn: &str, follows: bool) -> Result<ExecutionId, Problem> {
    if !is_express(arn) {
        let arn = ExecutionArn::parse(arn).map_err(ApiError::from)?;
        return Ok(find_execution(app, &arn).await?.0);
    }
    if follows {
        let why = "follow: the end of an Express execution cannot be followed; ask for its lines without it.";
        return Err(invalid(why.to_owned()));
    }
    let id = arn.rsplit(':').next().and_then(|id| Uuid::parse_str(id).ok());
    id.map(|id| ExecutionId(id.as_u128())).ok_or_else(|| ApiError::execution_does_not_exist(arn).into())
}

fn position(token: Option<&str>, listing: &Listing<'_>) -> Result<Position, Problem> {
    let Some(token) = token else { return Ok(Position::default()) };
    let place = listing.open(token, now()).and_then(|place| String::from_utf8(place).ok());
    place.and_then(|place| place.parse().ok()).ok_or_else(|| {
        invalid(
            "nextToken: it is not the one of the page before, for the same lines, or it is a day old."
                .to_owned(),
        )
    })
}

fn unreadable(error: &io::Error) -> Problem {
    tracing::error!(%error, "the logs of tasks cannot be read");
    ApiError::internal().into()
}
