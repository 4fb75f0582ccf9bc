//! The module API: components go in by name, each new content is a new version, and aliases lead to versions.

mod aliases;
mod upload;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use engine::ModuleChange;
use engine::arn::{FUNCTION_NAME_CHARACTERS_MAX, is_valid_function_name};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{ModulePlace, ModuleRecord, Position, ReadError, Store};

pub(crate) use aliases::{alias_list, alias_put, alias_remove};
pub(crate) use upload::{put, read_body};

use crate::app::App;
use crate::limits::PAGE_RESULTS_DEFAULT;
use crate::module_rules::Told;
use crate::problem::Problem;
use crate::registry::{self, Change};

type Answer = Result<Json<Value>, Problem>;

/// Where a list goes on: the `next` of the page before.
#[derive(Debug, Deserialize)]
pub(crate) struct From {
    from: Option<String>,
}

impl From {
    pub(crate) fn position(&self) -> Result<Option<Position>, Problem> {
        let invalid = |_| {
            let message = "The value of 'from' must be the 'next' of the page before.";
            Problem::new(StatusCode::BAD_REQUEST, "InvalidPosition", message)
        };
        self.from.as_deref().map(str::parse).transpose().map_err(invalid)
    }
}

/// `GET /modules`: the newest upload of each, by name.
pub(crate) async fn list<S: Store + Clone>(State(app): State<App<S>>, Query(from): Query<From>) -> Answer {
    let page = app.store().list_modules(from.position()?.as_ref(), PAGE_RESULTS_DEFAULT).await?;
    let mut modules = Vec::with_capacity(page.items.len());
    for (name, head) in page.items {
        // A module that was removed between the two reads is left out.
        if let Some(record) = record(app.store(), &name, head.latest()).await? {
            modules.push(describe(&name, head.published(), &record));
        }
    }
    Ok(Json(json!({"modules": modules, "next": page.next.map(|next| next.to_string())})))
}

/// `GET /modules/{name}`: its versions, the newest first, before them an upload that is no version, and what the newest
/// upload may use and reach.
pub(crate) async fn show<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(name): Path<String>,
    Query(from): Query<From>,
) -> Answer {
    let head = app.store().module_head(&name).await?.ok_or_else(|| Problem::no_module(&name))?;
    let page =
        app.store().list_module_versions(&name, from.position()?.as_ref(), PAGE_RESULTS_DEFAULT).await?;
    let latest = record(app.store(), &name, head.latest()).await?;
    let manifest = latest.as_ref().and_then(|latest| latest.manifest.as_deref());
    let told = Told::of(latest.as_ref().and_then(|latest| latest.configuration.as_ref()));
    let rules = app.rules().shown(&name, manifest, &told);
    let versions: Vec<_> =
        page.items.iter().map(|(version, record)| describe(&name, Some(*version), record)).collect();
    let unpublished = match head.published() {
        Some(_) => None,
        None => latest,
    };
    Ok(Json(json!({
        "name": name,
        "latestVersion": head.latest_version,
        "unpublished": unpublished.map(|record| describe(&name, None, &record)),
        "rules": rules,
        "versions": versions,
        "aliases": head.aliases().iter().map(aliases::describe).collect::<Vec<_>>(),
        "next": page.next.map(|next| next.to_string()),
    })))
}

/// `DELETE /modules/{name}`: forgets the name, its versions and aliases.
pub(crate) async fn remove<S: Store + Clone>(State(app): State<App<S>>, Path(name): Path<String>) -> Answer {
    change(&app, &name, ModuleChange::Delete).await?;
    tracing::info!(module = %name, "module removed");
    Ok(Json(json!({"name": name})))
}

/// `POST /modules/{name}/versions`: numbers the newest upload, unless it has a number.
pub(crate) async fn publish<S: Store + Clone>(State(app): State<App<S>>, Path(name): Path<String>) -> Answer {
    let version = change(&app, &name, ModuleChange::Publish { description: None }).await?.version;
    tracing::info!(module = %name, version, "module published");
    Ok(Json(json!({"name": name, "version": version})))
}

/// `DELETE /modules/{name}/versions/{version}`.
pub(crate) async fn remove_version<S: Store + Clone>(
    State(app): State<App<S>>,
    Path((name, version)): Path<(String, String)>,
) -> Answer {
    let version = version.parse().map_err(|_| Problem::no_version(&name, &version))?;
    change(&app, &name, ModuleChange::DeleteVersion(version)).await?;
    tracing::info!(module = %name, version, "module version removed");
    Ok(Json(json!({"name": name, "version": version})))
}

async fn change<S: Store + Clone>(
    app: &App<S>,
    name: &str,
    change: ModuleChange,
) -> Result<engine::ModuleChanged, Problem> {
    let change = Change { name: name.to_owned(), change, if_upload: None };
    Ok(registry::change(app, change).await?)
}

async fn record<S: Store>(
    store: &S,
    name: &str,
    place: ModulePlace,
) -> Result<Option<ModuleRecord>, ReadError> {
    match place {
        ModulePlace::Version(version) => store.module(name, version).await,
        ModulePlace::Upload(upload) => store.module_upload(name, upload).await,
    }
}

fn describe(name: &str, version: Option<u32>, record: &ModuleRecord) -> Value {
    json!({
        "name": name,
        "version": version,
        "digest": &*record.digest,
        "sizeBytes": record.size_bytes,
        "exports": record.exports,
        "manifest": record.manifest.as_deref(),
        "description": record.description,
        "createdAt": record.created_at.to_string(),
    })
}

fn check_name(name: &str) -> Result<(), Problem> {
    if is_valid_function_name(name) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::BAD_REQUEST,
        "InvalidModuleName",
        format!(
            "'{name}' cannot be the name of a module: use 1 to {FUNCTION_NAME_CHARACTERS_MAX} letters, digits, \
             hyphens and underscores, as for an AWS Lambda function."
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_functions() {
        assert!(check_name("charge_card-2").is_ok());
        for name in ["", "a b", "a.b", "a/b", &"a".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
