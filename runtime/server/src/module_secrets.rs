//! `/secrets`: what the operator keeps for modules. A value goes in and comes out in the module's sandbox alone.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Request, StatusCode};
use engine::arn::is_valid_function_name;
use engine::{PutMode, PutSecret, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{SecretKey, SecretKind, SecretRecord, Store};
use tokio::sync::SetOnce;
use wasm_host::limits::SECRET_BYTES_MAX;
use wasm_host::{SECRET_NAME_RULE, Secret, SecretDenial, SecretFuture, SecretSource, is_valid_secret_name};
use zeroize::{Zeroize, Zeroizing};

use crate::api::{self, ApiError};
use crate::app::App;
use crate::limits::{PAGE_RESULTS_DEFAULT, SECRET_MODULES_MAX};
use crate::modules::From as Start;
use crate::problem::Problem;

type Answer = Result<Json<Value>, Problem>;

/// What may be seen of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Public {
    /// The modules that may have it.
    modules: BTreeSet<String>,
}

/// The body of `PUT /secrets/{name}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    value: String,
    /// Left out for a secret that there is already: its modules stay.
    modules: Option<BTreeSet<String>>,
}

/// `PUT /secrets/{name}` with `{"value": …, "modules": […]}`: makes a secret, or gives it another value.
pub(crate) async fn put<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Answer {
    let body = Zeroizing::new(api::read_body(request.into_body()).await?.to_vec());
    let mut new = parse(&body)?;
    check(&name, &new)?;
    let key = key(&name);
    let found = app.store().secret(&key).await?;
    let kept = found.as_ref().map(public).transpose()?;
    let mode = if found.is_some() { PutMode::Update } else { PutMode::Create };
    let Some(modules) = new.modules.take().or_else(|| kept.map(|kept| kept.modules)) else {
        return Err(invalid(
            "A new secret needs the modules that may have it, as {\"modules\": [\"charge\"]}.",
        ));
    };
    let sealed = app.vault().seal(&key, new.value.as_bytes()).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a secret could not be sealed");
        ApiError::internal()
    })?;
    let public = json!(Public { modules });
    let put = PutSecret { key: key.clone(), mode, public: Some(public.into()), sealed };
    app.engine().put_secret(put).await.map_err(|refusal| refused(&name, refusal))?;
    tracing::info!(secret = %name, "secret put");
    let record = app.store().secret(&key).await?.ok_or_else(|| no_secret(&name))?;
    Ok(Json(describe(&name, &record)?))
}

/// `GET /secrets`: their names and modules, without their values.
pub(crate) async fn list<S: Store + Clone>(State(app): State<App<S>>, Query(from): Query<Start>) -> Answer {
    let position = from.position()?;
    let page =
        app.store().list_secrets(SecretKind::ModuleSecret, position.as_ref(), PAGE_RESULTS_DEFAULT).await?;
    let secrets: Result<Vec<_>, _> = page.items.iter().map(|(name, record)| describe(name, record)).collect();
    Ok(Json(json!({"secrets": secrets?, "next": page.next.map(|next| next.to_string())})))
}

/// `DELETE /secrets/{name}`: no module has it from now on.
pub(crate) async fn remove<S: Store + Clone>(State(app): State<App<S>>, Path(name): Path<String>) -> Answer {
    app.engine().delete_secret(key(&name)).await.map_err(|refusal| refused(&name, refusal))?;
    tracing::info!(secret = %name, "secret removed");
    Ok(Json(json!({"name": name})))
}

/// The value is wiped from memory after its use.
impl Drop for NewSecret {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

/// The error of serde would quote what it read.
fn parse(body: &[u8]) -> Result<NewSecret, Problem> {
    serde_json::from_slice(body).map_err(|_| {
        invalid("The body must be like {\"value\": \"s3cret\", \"modules\": [\"charge\"]}, with nothing else in it.")
    })
}

fn check(name: &str, new: &NewSecret) -> Result<(), Problem> {
    if !is_valid_secret_name(name) {
        return Err(invalid(format!("'{name}' is no name of a secret: {SECRET_NAME_RULE}.")));
    }
    if new.value.is_empty() || new.value.len() > SECRET_BYTES_MAX {
        return Err(invalid(format!(
            "The value has {} bytes; a secret has 1 to {SECRET_BYTES_MAX}.",
            new.value.len()
        )));
    }
    let modules = new.modules.iter().flatten();
    if modules.clone().count() > SECRET_MODULES_MAX {
        return Err(invalid(format!("A secret is for {SECRET_MODULES_MAX} modules at most.")));
    }
    match modules.into_iter().find(|module| !is_valid_function_name(module)) {
        Some(module) => Err(invalid(format!("'{module}' cannot be the name of a module."))),
        None => Ok(()),
    }
}

fn key(name: &str) -> SecretKey {
    SecretKey { kind: SecretKind::ModuleSecret, name: name.into() }
}

fn public(record: &SecretRecord) -> Result<Public, ApiError> {
    let public = record.public.as_ref().and_then(|public| Public::deserialize(public.value()).ok());
    public.ok_or_else(ApiError::internal)
}

fn describe(name: &str, record: &SecretRecord) -> Result<Value, ApiError> {
    Ok(json!({
        "name": name,
        "modules": public(record)?.modules,
        "createdAt": record.created_at.to_string(),
        "updatedAt": record.updated_at.to_string(),
    }))
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "InvalidSecret", message)
}

fn no_secret(name: &str) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "SecretNotFound",
        format!("There is no secret '{name}'. `stepwell secret list` shows those that there are."),
    )
}

fn refused(name: &str, refusal: Refusal) -> Problem {
    match refusal {
        Refusal::SecretDoesNotExist { .. } => no_secret(name),
        Refusal::SecretAlreadyExists { .. } => Problem::new(
            StatusCode::CONFLICT,
            "SecretChanged",
            "The secret was made by somebody else just now; put it again.",
        ),
        other => other.into(),
    }
}

/// The secrets of one module, once the API is there; see [`crate::api::TaskCalls`].
pub(crate) struct ModuleSecrets<S> {
    api: Weak<SetOnce<App<S>>>,
    module: Arc<str>,
}

impl<S> ModuleSecrets<S> {
    pub(crate) fn new(api: Weak<SetOnce<App<S>>>, module: &str) -> ModuleSecrets<S> {
        ModuleSecrets { api, module: module.into() }
    }
}

impl<S: Store + Clone> ModuleSecrets<S> {
    async fn read(&self, name: &str) -> Result<Option<Secret>, SecretDenial> {
        let api = self.api.upgrade().ok_or(SecretDenial::Unavailable)?;
        let app = api.wait().await;
        let key = key(name);
        let unavailable = |error: &(dyn std::error::Error + 'static)| {
            tracing::error!(error, secret = name, "a secret cannot be read");
            SecretDenial::Unavailable
        };
        let Some(record) = app.store().secret(&key).await.map_err(|error| unavailable(&error))? else {
            return Ok(None);
        };
        let public = public(&record).map_err(|_| SecretDenial::Unavailable)?;
        if !public.modules.contains(&*self.module) {
            return Err(SecretDenial::NotForModule(format!(
                "it is not for the module {}; `stepwell secret put {name} --module {0}` names the modules that may have it",
                self.module
            )));
        }
        let value = app.vault().unseal(&key, &record).map_err(|error| unavailable(&error))?;
        let value = std::str::from_utf8(&value).map_err(|error| unavailable(&error))?;
        Ok(Some(Zeroizing::new(value.to_owned())))
    }
}

impl<S: Store + Clone> SecretSource for ModuleSecrets<S> {
    fn get<'a>(&'a self, name: &'a str) -> SecretFuture<'a> {
        Box::pin(self.read(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_body_is_not_quoted() {
        for body in [r#"{"value": 12345}"#, r#"{"value": "hunter2", "modules": "charge"}"#, r#"["hunter2"]"#]
        {
            let problem = parse(body.as_bytes()).err().expect("it is refused");
            assert!(!problem.message().contains("hunter2") && !problem.message().contains("12345"));
        }
    }

    #[test]
    fn name_value_and_modules_are_checked() {
        let new = |value: &str, modules: &[&str]| NewSecret {
            value: value.to_owned(),
            modules: Some(modules.iter().map(|module| (*module).to_owned()).collect()),
        };
        assert!(check("payment-key", &new("v", &["charge"])).is_ok());
        for (name, new) in [
            ("a b", new("v", &[])),
            ("a", new("", &[])),
            ("a", new(&"v".repeat(SECRET_BYTES_MAX + 1), &[])),
            ("a", new("v", &["no module"])),
        ] {
            assert!(check(name, &new).is_err(), "{name}");
        }
    }
}
