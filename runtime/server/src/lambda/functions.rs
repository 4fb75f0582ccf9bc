//! Functions: made, described, listed, configured and deleted.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Request, StatusCode};
use engine::{Expected, ModuleChange};
use serde_json::{Value, json};
use store::{Position, Store};

use super::answers::{asked, find, latest, latest_configuration, latest_revision};
use super::code::{read_within, take};
use super::error::LambdaError;
use super::members::Members;
use super::names::{Function, LATEST_NUMBER, Qualifier};
use super::pages::{List, Page};
use super::{configuration, tags, versions};
use crate::app::App;
use crate::limits::LAMBDA_UPLOAD_BYTES_MAX;
use crate::registry::{self, Change, LATEST, Upload, Uploaded};

type Answer = Result<Json<Value>, LambdaError>;

/// `CreateFunction`.
pub(super) async fn create<S: Store + Clone>(
    State(app): State<App<S>>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), LambdaError> {
    let mut members = Members::parse(&read_within(request.into_body(), LAMBDA_UPLOAD_BYTES_MAX).await?)?;
    let name = members.text("FunctionName")?;
    let name = name.ok_or_else(|| LambdaError::invalid("FunctionName must be given."))?;
    let function = Function::parse_unqualified(&app, &name)?;
    let package_type = members.text("PackageType")?;
    if package_type.is_some_and(|package_type| package_type != "Zip") {
        return Err(LambdaError::invalid("PackageType: only Zip is supported here."));
    }
    let mut code = match members.take("Code") {
        Some(code) => Members::parse(code.to_string().as_bytes())?,
        None => Members::default(),
    };
    let bytes = take(&mut code)?;
    code.end()?;
    let configuration = configuration::read(&mut members, None)?;
    let tags = tags::read(&mut members)?;
    let publish = members.flag("Publish")?;
    members.end()?;
    let upload = Upload {
        name: function.name.clone(),
        bytes,
        expected: Expected::Nothing,
        configuration: Some(configuration),
        keeps_package_digest: true,
        publish,
        description: None,
        tags: tags.unwrap_or_default(),
        if_upload: None,
    };
    let Uploaded { info, changed, .. } =
        registry::upload(&app, upload).await.map_err(|error| LambdaError::of_change(error, &function))?;
    tracing::info!(function = %function.name, digest = %info.digest, "function created");
    let (head, record) = latest(&app, &function).await?;
    let mut made = latest_configuration(&function, &head, &record, function.arn.clone());
    if let Some(version) = changed.version.filter(|_| publish) {
        made["Version"] = json!(version.to_string());
    }
    Ok((StatusCode::CREATED, Json(made)))
}

/// `ListFunctions`: `$LATEST` of each, by name, or all their versions.
pub(super) async fn list<S: Store + Clone>(State(app): State<App<S>>, Query(page): Query<Page>) -> Answer {
    let all = match page.function_version.as_deref() {
        None => false,
        Some("ALL") => true,
        Some(other) => {
            return Err(LambdaError::validation(other, "functionVersion", "enum value set: [ALL]"));
        }
    };
    let mut functions = page.list()?;
    match page.master_region.as_deref() {
        Some(_) if !all => {
            return Err(LambdaError::invalid("FunctionVersion must be ALL if MasterRegion is specified."));
        }
        // Functions that were replicated from elsewhere: none is.
        Some(region) if region != "ALL" => {}
        Some(_) | None if all => add_versions(&app, page.marker.as_deref(), &mut functions).await?,
        Some(_) | None => add_latest(&app, page.marker.as_deref(), &mut functions).await?,
    }
    Ok(functions.answer("Functions"))
}

async fn add_latest<S: Store + Clone>(
    app: &App<S>,
    marker: Option<&str>,
    functions: &mut List,
) -> Result<(), LambdaError> {
    let from = marker.map(position).transpose()?;
    let found = app.store().list_modules(from.as_ref(), functions.max).await?;
    functions.next = found.next.map(|next| next.to_string());
    for (name, _) in found.items {
        let function = Function::parse_unqualified(app, &name)?;
        // A function that was deleted between the two reads is left out.
        if let Some((head, record)) = find(app, &function).await? {
            let arn = function.arn.clone();
            functions.items.push(latest_configuration(&function, &head, &record, arn));
        }
    }
    Ok(())
}

/// The marker has the place of a function, nothing for the first, and the number of a version.
async fn add_versions<S: Store + Clone>(
    app: &App<S>,
    marker: Option<&str>,
    functions: &mut List,
) -> Result<(), LambdaError> {
    let (place, number) = marker.unwrap_or(".0").split_once('.').ok_or_else(Page::invalid_marker)?;
    let mut from = if place.is_empty() { None } else { Some(position(place)?) };
    let mut number: u32 = number.parse().map_err(|_| Page::invalid_marker())?;
    loop {
        let found = app.store().list_modules(from.as_ref(), 1).await?;
        for (name, _) in found.items {
            let function = Function::parse_unqualified(app, &name)?;
            if let Some(found) = find(app, &function).await? {
                versions::add(app, &function, &found, number, functions).await?;
            }
        }
        if let Some(number) = &functions.next {
            let place = from.map(|from| from.to_string()).unwrap_or_default();
            functions.next = Some(format!("{place}.{number}"));
            return Ok(());
        }
        let Some(next) = found.next else { return Ok(()) };
        (from, number) = (Some(next), LATEST_NUMBER);
    }
}

fn position(marker: &str) -> Result<Position, LambdaError> {
    marker.parse().map_err(|_| Page::invalid_marker())
}

/// `GetFunction`. There is no place from which code could be fetched.
pub(super) async fn get<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    Query(query): Query<Qualifier>,
) -> Answer {
    let function = Function::parse(&app, &function, query.qualifier.as_deref())?;
    let configuration = asked(&app, &function).await?;
    let (head, record) = latest(&app, &function).await?;
    let tags = tags::of(&head, &record);
    let mut answer = json!({"Configuration": configuration, "Code": {"RepositoryType": "Stepwell"}});
    if !tags.is_empty() {
        answer["Tags"] = tags::answer(tags);
    }
    Ok(Json(answer))
}

/// `GetFunctionConfiguration`.
pub(super) async fn get_configuration<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    Query(query): Query<Qualifier>,
) -> Answer {
    let function = Function::parse(&app, &function, query.qualifier.as_deref())?;
    Ok(Json(asked(&app, &function).await?))
}

/// `UpdateFunctionConfiguration`: what is told changes, of `$LATEST`.
pub(super) async fn update_configuration<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    request: Request<Body>,
) -> Answer {
    let function = Function::parse_unqualified(&app, &function)?;
    let mut members = Members::read(request.into_body()).await?;
    let (head, record) = latest(&app, &function).await?;
    let told = configuration::read(&mut members, record.configuration.as_ref())?;
    let revision = members.revision()?;
    members.end()?;
    let names_revision = revision.is_some();
    if revision.is_some_and(|revision| revision != latest_revision(&function, &head, &record)) {
        return Err(LambdaError::precondition());
    }
    let if_upload = head.pointers.as_ref().map(|pointers| pointers.last_upload);
    let configured = change(&app, &function, ModuleChange::Configure(told), if_upload).await;
    configured.map_err(|error| error.or_conflict(&function, names_revision))?;
    let (head, record) = latest(&app, &function).await?;
    Ok(Json(latest_configuration(&function, &head, &record, function.arn.clone())))
}

/// `DeleteFunction`: all of it, or one version.
pub(super) async fn delete<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    Query(query): Query<Qualifier>,
) -> Result<StatusCode, LambdaError> {
    let function = Function::parse(&app, &function, query.qualifier.as_deref())?;
    let removed = match function.qualifier.as_deref() {
        None => ModuleChange::Delete,
        Some(LATEST) => {
            return Err(LambdaError::invalid(
                "$LATEST version cannot be deleted without deleting the function.",
            ));
        }
        Some(qualifier) => match qualifier.parse() {
            Ok(version) => ModuleChange::DeleteVersion(version),
            Err(_) => return Err(LambdaError::invalid("Deletion of aliases is not currently supported.")),
        },
    };
    change(&app, &function, removed, None).await?;
    tracing::info!(function = %function.asked(), "function deleted");
    Ok(StatusCode::NO_CONTENT)
}

/// A change, with Lambda's errors.
pub(super) async fn change<S: Store + Clone>(
    app: &App<S>,
    function: &Function,
    change: ModuleChange,
    if_upload: Option<u32>,
) -> Result<engine::ModuleChanged, LambdaError> {
    let change = Change { name: function.name.clone(), change, if_upload };
    registry::change(app, change).await.map_err(|error| LambdaError::of_change(error, function))
}
