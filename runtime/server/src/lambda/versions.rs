//! Versions of a function.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Request, StatusCode};
use engine::ModuleChange;
use serde_json::{Value, json};
use store::Store;

use super::answers::{code_sha256, latest, latest_configuration, latest_revision, version_configuration};
use super::error::LambdaError;
use super::functions::{Page, change};
use super::members::Members;
use super::names::Function;
use crate::app::App;
use crate::registry::LATEST;

/// Numbers without a version that are passed over in one answer.
const GAPS_MAX: u32 = 10_000;

/// `PublishVersion`: the number of `$LATEST`, a new one unless it has one.
pub(super) async fn publish<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), LambdaError> {
    let function = Function::parse_unqualified(&app, &function)?;
    let mut members = Members::read(request.into_body()).await?;
    let description = members.description()?;
    let (sha256, revision) = (members.text("CodeSha256")?, members.text("RevisionId")?);
    members.end()?;
    let (head, record) = latest(&app, &function).await?;
    let current = code_sha256(&record);
    if let Some(told) = sha256.filter(|told| !told.is_empty() && *told != current) {
        return Err(LambdaError::invalid(format!(
            "CodeSHA256 ({told}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the \
             CodeSHA256 in $LATEST."
        )));
    }
    let revision = revision.filter(|revision| !revision.is_empty());
    if revision.is_some_and(|revision| revision != latest_revision(&function, &head, &record)) {
        return Err(LambdaError::precondition());
    }
    let if_upload = head.pointers.as_ref().map(|pointers| pointers.last_upload);
    let description = description.filter(|text| !text.is_empty());
    let made = change(&app, &function, ModuleChange::Publish { description }, if_upload).await?;
    let version = made.version.unwrap_or_default();
    let missing = || LambdaError::no_function(&function.qualified(&version.to_string()));
    let record = app.store().module(&function.name, version).await?.ok_or_else(missing)?;
    let arn = function.qualified(&version.to_string());
    Ok((StatusCode::CREATED, Json(version_configuration(&function, version, &record, arn))))
}

/// `ListVersionsByFunction`: `$LATEST`, then the versions from the first on.
pub(super) async fn list<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, LambdaError> {
    let function = Function::parse_unqualified(&app, &function)?;
    let (head, record) = latest(&app, &function).await?;
    let max = page.max()?;
    let mut versions = Vec::new();
    let mut number: u32 = match page.marker.as_deref() {
        None => {
            versions.push(latest_configuration(&function, &head, &record, function.qualified(LATEST)));
            1
        }
        Some(marker) => marker.parse().map_err(|_| Page::invalid_marker())?,
    };
    let end = head.latest_version.min(number.saturating_add(GAPS_MAX));
    while number <= end && versions.len() < max {
        if let Some(record) = app.store().module(&function.name, number).await? {
            let arn = function.qualified(&number.to_string());
            versions.push(version_configuration(&function, number, &record, arn));
        }
        number += 1;
    }
    let next = (number <= head.latest_version).then(|| number.to_string());
    Ok(Json(json!({"Versions": versions, "NextMarker": next})))
}
