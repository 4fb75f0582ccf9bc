//! A connection as it is kept: what may be seen in the clear, and the rest sealed in the vault.

use std::sync::Weak;

use asl::Timestamp;
use engine::{PutMode, PutSecret};
use executors::{Connection, ConnectionError, Connections};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::{SecretKey, SecretKind, SecretRecord, Store};
use tokio::sync::SetOnce;
use uuid::Uuid;

use super::parameters::{AuthParameters, Kind};
use crate::api::error::ApiError;
use crate::api::fields::{Fields, TextRule};
use crate::app::App;

/// AWS service model.
const NAME: TextRule = TextRule::of(1, 64);
const NAME_PATTERN: &str = "[\\.\\-_A-Za-z0-9]+";
pub(super) const DESCRIPTION: TextRule = TextRule::of(0, 512);
/// The bytes at the start of a sealed secret that differ each time: version and nonce.
const NONCE_END: usize = 25;

/// What may be seen of a connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Public {
    /// The end of its ARN, so that one that was made anew under the same name is another one.
    pub(super) uuid: String,
    pub(super) kind: Kind,
    pub(super) description: Option<String>,
    /// `AuthParameters` without what is secret.
    pub(super) shown: Value,
}

pub(super) fn read_name(fields: &mut Fields) -> Result<String, ApiError> {
    let is_plain =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    fields.required_pattern("Name", NAME, NAME_PATTERN, is_plain)
}

pub(super) fn key(name: &str) -> SecretKey {
    SecretKey { kind: SecretKind::Connection, name: name.into() }
}

pub(super) fn public(record: &SecretRecord) -> Result<Public, ApiError> {
    let public = record.public.as_ref().map(|public| Public::deserialize(public.value()));
    match public {
        Some(Ok(public)) => Ok(public),
        Some(Err(_)) | None => Err(ApiError::internal()),
    }
}

/// The connection, or EventBridge's error.
pub(super) async fn find<S: Store + Clone>(
    app: &App<S>,
    name: &str,
) -> Result<(SecretRecord, Public), ApiError> {
    let record = app.store().secret(&key(name)).await?.ok_or_else(|| does_not_exist(name))?;
    let public = public(&record)?;
    Ok((record, public))
}

pub(super) fn does_not_exist(name: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", format!("Connection '{name}' does not exist."))
}

pub(super) fn exists_already(name: &str) -> ApiError {
    ApiError::new("ResourceAlreadyExistsException", format!("Connection {name} already exists."))
}

/// Keeps a connection, and gives it as it is then.
pub(super) async fn put<S: Store + Clone>(
    app: &App<S>,
    name: &str,
    mode: PutMode,
    public: &Public,
    parameters: &AuthParameters,
) -> Result<SecretRecord, ApiError> {
    let key = key(name);
    let text = serde_json::to_vec(parameters).map_err(|_| ApiError::internal())?;
    let sealed = app.vault().seal(&key, &zeroize::Zeroizing::new(text)).map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a connection could not be sealed");
        ApiError::internal()
    })?;
    let shown = serde_json::to_value(public).map_err(|_| ApiError::internal())?;
    let request = PutSecret { key: key.clone(), mode, public: Some(shown.into()), sealed };
    app.engine().put_secret(request).await.map_err(|refusal| match refusal {
        engine::Refusal::SecretAlreadyExists { .. } => exists_already(name),
        engine::Refusal::SecretDoesNotExist { .. } => does_not_exist(name),
        other => other.into(),
    })?;
    app.store().secret(&key).await?.ok_or_else(|| does_not_exist(name))
}

pub(super) fn open<S: Store + Clone>(
    app: &App<S>,
    name: &str,
    record: &SecretRecord,
) -> Result<AuthParameters, ApiError> {
    let text = app.vault().unseal(&key(name), record).map_err(|_| ApiError::internal())?;
    serde_json::from_slice(&text).map_err(|_| ApiError::internal())
}

pub(super) fn arn<S: Store + Clone>(app: &App<S>, name: &str, public: &Public) -> String {
    let (region, account) = app.place();
    format!("arn:aws:events:{region}:{account}:connection/{name}/{}", public.uuid)
}

/// What all operations tell of a connection.
pub(super) fn summary<S: Store + Clone>(
    app: &App<S>,
    name: &str,
    record: &SecretRecord,
    public: &Public,
) -> Map<String, Value> {
    let seconds = |at: Timestamp| json!(at.as_epoch_seconds());
    let members = [
        ("ConnectionArn", arn(app, name, public).into()),
        ("ConnectionState", "AUTHORIZED".into()),
        ("CreationTime", seconds(record.created_at)),
        ("LastModifiedTime", seconds(record.updated_at)),
        ("LastAuthorizedTime", seconds(record.updated_at)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The connections of tasks, once the API is there; see [`crate::api::TaskCalls`].
#[derive(Debug)]
pub(crate) struct Kept<S>(pub(crate) Weak<SetOnce<App<S>>>);

impl<S: Store + Clone> Connections for Kept<S> {
    async fn find(&self, arn: &str) -> Result<Connection, ConnectionError> {
        let (name, uuid) = parse(arn).ok_or(ConnectionError::InvalidArn)?;
        let unreadable = |why: &str| ConnectionError::Unreadable(why.to_owned());
        let api = self.0.upgrade().ok_or_else(|| unreadable("the server is stopping"))?;
        let app = api.wait().await.clone();
        let record = app.store().secret(&key(name)).await.map_err(|error| unreadable(&error.to_string()))?;
        let record = record.ok_or(ConnectionError::NotFound)?;
        let damaged = |_| unreadable("it is damaged");
        let public = public(&record).map_err(damaged)?;
        if uuid.is_some_and(|uuid| uuid.to_string() != public.uuid) {
            return Err(ConnectionError::NotFound);
        }
        let parameters = open(&app, name, &record).map_err(damaged)?;
        let revision = record.sealed.get(..NONCE_END).map(hex::encode).unwrap_or_default();
        parameters.connection(revision).ok_or_else(|| unreadable("it is not whole"))
    }
}

/// Name and UUID of `arn:aws:events:REGION:ACCOUNT:connection/NAME[/UUID]`.
fn parse(arn: &str) -> Option<(&str, Option<Uuid>)> {
    let mut parts = arn.splitn(6, ':');
    let (scheme, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, _account, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let rest = rest.strip_prefix("connection/").filter(|_| scheme == "arn" && service == "events")?;
    match rest.split_once('/') {
        None => (!rest.is_empty()).then_some((rest, None)),
        Some((name, uuid)) => Some((name, Some(uuid.parse().ok()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_a_connection_with_or_without_its_uuid() {
        let uuid = Uuid::from_u128(7);
        assert_eq!(parse("arn:aws:events:us-east-1:123456789012:connection/a.b"), Some(("a.b", None)));
        let full = format!("arn:aws:events:us-east-1:123456789012:connection/a/{uuid}");
        assert_eq!(parse(&full), Some(("a", Some(uuid))));
        for text in [
            "",
            "a",
            "arn:aws:events:r:1:connection/",
            "arn:aws:events:r:1:rule/a",
            "arn:aws:lambda:r:1:connection/a",
            "arn:aws:events:r:1:connection/a/no-uuid",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
