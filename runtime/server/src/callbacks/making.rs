//! `POST /callback-links`: makes links for the task of a token.

use asl::interpreter::{CallbackLink, InvalidRequest, LinkUse, NewCallbackRequest, TaskToken};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use engine::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};
use store::Store;

use crate::app::{App, now};
use crate::problem::Problem;

/// The body of a request, which holds a token and is never printed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wanted {
    task_token: String,
    title: Option<String>,
    message: Option<String>,
    payload: Option<Value>,
    expires_in_seconds: Option<u64>,
    reject_error: Option<String>,
    #[serde(default)]
    accepts_output: bool,
}

pub(crate) async fn make<S: Store + Clone>(
    State(app): State<App<S>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Problem> {
    let body =
        body.map_err(|rejection| Problem::new(rejection.status(), "InvalidRequest", rejection.body_text()))?;
    let wanted: Wanted = serde_json::from_slice(&body)
        .map_err(|error| invalid(format!("The body is not a request for links: {error}.")))?;
    let token = TaskToken::parse(&wanted.task_token).ok_or(Refusal::InvalidToken)?;
    let new = NewCallbackRequest {
        title: wanted.title,
        message: wanted.message,
        payload: wanted.payload.filter(|payload| !payload.is_null()).map(Into::into),
        expires_in_seconds: wanted.expires_in_seconds,
        reject_error: wanted.reject_error,
        accepts_output: wanted.accepts_output,
    };
    let request = new.checked(now()).map_err(|InvalidRequest { field, rule }| {
        invalid(format!("The member '{}' {rule}.", uncapitalised(field)))
    })?;
    let expires_at = request.expires_at;
    let number = app.engine().ask_callback(&wanted.task_token, request).await?;
    let (execution, row, attempt) = (token.execution, token.row, token.attempt);
    let uses = LinkUse::Answer;
    let urls = app.link_maker().urls(CallbackLink { execution, row, attempt, number, uses, expires_at });
    tracing::info!(execution = %uuid::Uuid::from_u128(execution.0), "callback links were made");
    Ok(Json(json!({
        "approveUrl": urls.approve, "rejectUrl": urls.reject, "answerUrl": urls.answer,
        "expiresAt": urls.expires_at.to_string(),
    })))
}

/// The fields of a definition begin with a capital.
fn uncapitalised(field: &str) -> String {
    let mut characters = field.chars();
    let first = characters.next();
    first.iter().map(char::to_ascii_lowercase).chain(characters).collect()
}

fn invalid(message: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
}
