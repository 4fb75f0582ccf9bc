//! Functions: made, described, listed, configured and deleted.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Request, StatusCode};
use engine::{Expected, ModuleChange};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{Position, Store};

use super::answers::{asked, latest, latest_configuration, latest_revision};
use super::code::{read_within, take};
use super::configuration;
use super::error::LambdaError;
use super::members::Members;
use super::names::{Function, Qualifier};
use crate::app::App;
use crate::limits::LAMBDA_UPLOAD_BYTES_MAX;
use crate::registry::{self, Change, LATEST, Upload, Uploaded};

/// AWS: functions in one answer.
const PAGE_MAX: usize = 50;
/// AWS: the largest `MaxItems`; an answer has no more than 50 all the same.
const MAX_ITEMS_MAX: usize = 10_000;

type Answer = Result<Json<Value>, LambdaError>;

/// Where a list goes on, and how much of it is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    pub(super) marker: Option<String>,
    max_items: Option<String>,
    function_version: Option<String>,
}

impl Page {
    pub(super) fn version(&self) -> Option<&str> {
        self.function_version.as_deref()
    }

    pub(super) fn max(&self) -> Result<usize, LambdaError> {
        let Some(text) = self.max_items.as_deref() else { return Ok(PAGE_MAX) };
        match text.parse::<usize>() {
            Ok(max @ 1..=MAX_ITEMS_MAX) => Ok(max.min(PAGE_MAX)),
            Ok(_) | Err(_) => Err(LambdaError::validation(
                text,
                "maxItems",
                &format!("value between 1 and {MAX_ITEMS_MAX}"),
            )),
        }
    }

    pub(super) fn invalid_marker() -> LambdaError {
        LambdaError::invalid("Marker must be the NextMarker of the page before.")
    }
}

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
    let configuration = configuration::read_tags(&mut members, &configuration)?;
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

/// `ListFunctions`: `$LATEST` of each, by name.
pub(super) async fn list<S: Store + Clone>(State(app): State<App<S>>, Query(page): Query<Page>) -> Answer {
    if page.function_version.is_some() {
        return Err(LambdaError::invalid(
            "FunctionVersion is not supported here: list the versions of one function with ListVersionsByFunction.",
        ));
    }
    let from = page.marker.as_deref().map(str::parse::<Position>).transpose();
    let from = from.map_err(|_| Page::invalid_marker())?;
    let found = app.store().list_modules(from.as_ref(), page.max()?).await?;
    let mut functions = Vec::with_capacity(found.items.len());
    for (name, _) in found.items {
        let function = Function::parse_unqualified(&app, &name)?;
        // A function that was deleted between the two reads is left out.
        if let Ok((head, record)) = latest(&app, &function).await {
            functions.push(latest_configuration(&function, &head, &record, function.arn.clone()));
        }
    }
    Ok(Json(json!({"Functions": functions, "NextMarker": found.next.map(|next| next.to_string())})))
}

/// `GetFunction`. There is no place from which code could be fetched.
pub(super) async fn get<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    Query(query): Query<Qualifier>,
) -> Answer {
    let function = Function::parse(&app, &function, query.qualifier.as_deref())?;
    let configuration = asked(&app, &function).await?;
    let (_, record) = latest(&app, &function).await?;
    let tags = record.configuration.map(|told| told.value()["Tags"].clone()).filter(Value::is_object);
    let mut answer = json!({"Configuration": configuration, "Code": {"RepositoryType": "Stepwell"}});
    if let Some(tags) = tags {
        answer["Tags"] = tags;
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
    let revision = members.text("RevisionId")?;
    members.end()?;
    if revision.is_some_and(|revision| revision != latest_revision(&function, &head, &record)) {
        return Err(LambdaError::precondition());
    }
    let if_upload = head.pointers.as_ref().map(|pointers| pointers.last_upload);
    change(&app, &function, ModuleChange::Configure(told), if_upload).await?;
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

/// `GetFunctionCodeSigningConfig`: there is none, which tools ask for.
pub(super) async fn get_code_signing<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
) -> Answer {
    let function = Function::parse_unqualified(&app, &function)?;
    latest(&app, &function).await?;
    Ok(Json(json!({"CodeSigningConfigArn": "", "FunctionName": function.name})))
}

/// `ListTags`: those that the function was made with.
pub(super) async fn list_tags<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(arn): Path<String>,
) -> Answer {
    let function = Function::parse_unqualified(&app, &arn)?;
    let (_, record) = latest(&app, &function).await?;
    let tags = record.configuration.map(|told| told.value()["Tags"].clone()).filter(Value::is_object);
    Ok(Json(json!({"Tags": tags.unwrap_or_else(|| json!({}))})))
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
