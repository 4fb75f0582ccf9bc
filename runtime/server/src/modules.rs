//! The module API: components go in by name, each new content is a new version.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use engine::PutModule;
use engine::arn::{FUNCTION_NAME_CHARACTERS_MAX, is_valid_function_name};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{ModuleRecord, Position, Store};

use crate::app::App;
use crate::limits::{MODULE_BODY_TIMEOUT, MODULE_BYTES_MAX, PAGE_RESULTS_DEFAULT};
use crate::package::{self, Package};
use crate::problem::Problem;

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

/// `PUT /modules/{name}`: checks and compiles the component, then makes it the newest version.
pub(crate) async fn put<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Answer {
    check_name(&name)?;
    let Package { component, manifest } = package::read(read_body(request.into_body()).await?).await?;
    let info = app.host().add(component).await?;
    let module = PutModule {
        name: name.clone(),
        digest: info.digest.to_string(),
        size_bytes: info.size_bytes,
        exports: info.exports.clone(),
        manifest: manifest.map(asl::Text::from),
    };
    let version = app.engine().put_module(module).await?;
    tracing::info!(module = %name, version, digest = %info.digest, "module put");
    Ok(Json(json!({
        "name": name,
        "version": version,
        "digest": info.digest.to_string(),
        "sizeBytes": info.size_bytes,
        "exports": info.exports,
        "imports": info.imports,
    })))
}

/// `GET /modules`: the newest version of each, by name.
pub(crate) async fn list<S: Store + Clone>(State(app): State<App<S>>, Query(from): Query<From>) -> Answer {
    let page = app.store().list_modules(from.position()?.as_ref(), PAGE_RESULTS_DEFAULT).await?;
    let mut modules = Vec::with_capacity(page.items.len());
    for (name, head) in page.items {
        // A module that was removed between the two reads is left out.
        if let Some(record) = app.store().module(&name, head.latest_version).await? {
            modules.push(describe(&name, head.latest_version, &record));
        }
    }
    Ok(Json(json!({"modules": modules, "next": page.next.map(|next| next.to_string())})))
}

/// `GET /modules/{name}`: its versions, the newest first.
pub(crate) async fn show<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(name): Path<String>,
    Query(from): Query<From>,
) -> Answer {
    let head = app.store().module_head(&name).await?.ok_or_else(|| Problem::no_module(&name))?;
    let page =
        app.store().list_module_versions(&name, from.position()?.as_ref(), PAGE_RESULTS_DEFAULT).await?;
    let versions: Vec<_> =
        page.items.iter().map(|(version, record)| describe(&name, *version, record)).collect();
    Ok(Json(json!({
        "name": name,
        "latestVersion": head.latest_version,
        "versions": versions,
        "next": page.next.map(|next| next.to_string()),
    })))
}

/// `DELETE /modules/{name}`: forgets the name and its versions.
pub(crate) async fn remove<S: Store + Clone>(State(app): State<App<S>>, Path(name): Path<String>) -> Answer {
    if app.store().module_head(&name).await?.is_none() {
        return Err(Problem::no_module(&name));
    }
    app.engine().delete_module(&name).await?;
    tracing::info!(module = %name, "module removed");
    Ok(Json(json!({"name": name})))
}

fn describe(name: &str, version: u32, record: &ModuleRecord) -> Value {
    json!({
        "name": name,
        "version": version,
        "digest": &*record.digest,
        "sizeBytes": record.size_bytes,
        "exports": record.exports,
        "manifest": record.manifest.as_deref(),
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

pub(crate) async fn read_body(body: Body) -> Result<Bytes, Problem> {
    let body = Limited::new(body, MODULE_BYTES_MAX);
    match tokio::time::timeout(MODULE_BODY_TIMEOUT, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "ModuleTooLarge",
            format!(
                "The component is larger than {} MiB; build it for release and strip it.",
                MODULE_BYTES_MAX >> 20
            ),
        )),
        Ok(Err(_cut_off)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "IncompleteBody",
            "The component was cut off on its way.",
        )),
        Err(_too_slow) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "IncompleteBody",
            format!("The component did not arrive within {} s.", MODULE_BODY_TIMEOUT.as_secs()),
        )),
    }
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
