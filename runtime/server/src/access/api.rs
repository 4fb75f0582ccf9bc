//! `/keys`: access keys are made, listed and removed.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use store::Store;

use super::{CreatedKey, KeysError, ListedKey};
use crate::api::{self, ApiError};
use crate::app::App;
use crate::problem::Problem;

type Answer = Result<Json<Value>, Problem>;

/// What a new key is for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    #[serde(default)]
    description: String,
}

/// `POST /keys` with `{"description": …}` or nothing: makes a key and shows its secret this once.
pub(crate) async fn create<S: Store + Clone>(State(app): State<App<S>>, request: Request<Body>) -> Answer {
    let body = api::read_body(request.into_body()).await?;
    let new = if body.is_empty() { NewKey::default() } else { parse(&body)? };
    let CreatedKey { key, secret } = finish(async move {
        let created = app.access().keys.create(app.engine(), app.vault(), &new.description).await?;
        tracing::info!(key = %created.key.id, "access key created");
        Ok::<_, KeysError>(created)
    })
    .await?;
    let mut answer = shown(&key);
    answer["secret"] = json!(*secret);
    Ok(Json(answer))
}

/// `GET /keys`: all of them, without their secrets.
pub(crate) async fn list<S: Store + Clone>(State(app): State<App<S>>) -> Json<Value> {
    let keys: Vec<_> = app.access().keys.list().iter().map(shown).collect();
    Json(json!({"keys": keys}))
}

/// `DELETE /keys/{id}`: from now on the key is not known.
pub(crate) async fn remove<S: Store + Clone>(State(app): State<App<S>>, Path(id): Path<String>) -> Answer {
    finish(async move {
        let access = app.access();
        access.keys.remove(app.engine(), &id, access.is_remote).await?;
        tracing::info!(key = %id, "access key removed");
        Ok::<_, KeysError>(())
    })
    .await?;
    Ok(Json(json!({})))
}

/// Makes a change in a task of its own, so that it is finished although its client hangs up: else the store would have
/// it, and the keys in memory would not.
async fn finish<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(change).await.expect("a change of keys does not panic and nobody cancels it")
}

fn parse(body: &[u8]) -> Result<NewKey, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("The body must be like {{\"description\": \"for the build\"}}: {error}.");
        Problem::new(StatusCode::BAD_REQUEST, "InvalidKey", message)
    })
}

fn shown(key: &ListedKey) -> Value {
    json!({"id": key.id, "description": key.description, "createdAt": key.created_at.to_string()})
}

impl From<KeysError> for Problem {
    fn from(error: KeysError) -> Problem {
        let (status, name) = match error {
            KeysError::TooMany => (StatusCode::CONFLICT, "TooManyKeys"),
            KeysError::Description => (StatusCode::BAD_REQUEST, "InvalidKey"),
            KeysError::Absent { .. } => (StatusCode::NOT_FOUND, "KeyNotFound"),
            KeysError::Last => (StatusCode::CONFLICT, "LastKey"),
            KeysError::Read(error) => return error.into(),
            KeysError::Write(refusal) => return refusal.into(),
            KeysError::Damaged { .. } | KeysError::Vault(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "access keys cannot be used");
                return ApiError::internal().into();
            }
        };
        Problem::new(status, name, format!("{error}."))
    }
}
