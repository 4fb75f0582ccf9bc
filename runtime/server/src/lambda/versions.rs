//! Versions of a function.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Request, StatusCode};
use engine::ModuleChange;
use serde_json::Value;
use store::{ModuleHead, ModuleRecord, Store};

use super::answers::{code_sha256, latest, latest_configuration, latest_revision, version_configuration};
use super::error::LambdaError;
use super::functions::change;
use super::members::Members;
use super::names::{Function, LATEST_NUMBER, qualifier_of};
use super::pages::{List, Page};
use crate::app::App;

/// `PublishVersion`: the number of `$LATEST`, a new one unless it has one.
pub(super) async fn publish<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), LambdaError> {
    let function = Function::parse_unqualified(&app, &function)?;
    let mut members = Members::read(request.into_body()).await?;
    let description = members.description()?;
    let (sha256, revision) = (members.text("CodeSha256")?, members.revision()?);
    members.end()?;
    let (head, record) = latest(&app, &function).await?;
    let names_code = sha256.is_some() || revision.is_some();
    let current = code_sha256(&record);
    if let Some(told) = sha256.filter(|told| !told.is_empty() && *told != current) {
        return Err(LambdaError::invalid(format!(
            "CodeSHA256 ({told}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with the \
             CodeSHA256 in $LATEST."
        )));
    }
    if revision.is_some_and(|revision| revision != latest_revision(&function, &head, &record)) {
        return Err(LambdaError::precondition());
    }
    let seen = head.pointers.as_ref().map(|pointers| pointers.last_upload);
    let if_upload = seen.filter(|_| names_code);
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
    let from = page.marker.as_deref().map_or(Ok(LATEST_NUMBER), str::parse);
    let from = from.map_err(|_| Page::invalid_marker())?;
    let found = latest(&app, &function).await?;
    let mut versions = page.list()?;
    add(&app, &function, &found, from, &mut versions).await?;
    Ok(versions.answer("Versions"))
}

/// Adds the versions of a function to a list, from one of them on.
pub(super) async fn add<S: Store + Clone>(
    app: &App<S>,
    function: &Function,
    (head, record): &(ModuleHead, ModuleRecord),
    from: u32,
    list: &mut List,
) -> Result<(), LambdaError> {
    for number in from..=head.latest_version {
        if !list.has_room_for(&number) {
            break;
        }
        let arn = function.qualified(&qualifier_of(number));
        if number == LATEST_NUMBER {
            list.items.push(latest_configuration(function, head, record, arn));
        } else if let Some(record) = app.store().module(&function.name, number).await? {
            list.items.push(version_configuration(function, number, &record, arn));
        }
    }
    Ok(())
}
