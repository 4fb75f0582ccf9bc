//! Callback links: people answer tasks over HTTP. Ours; AWS has no such thing.
//!
//! `POST /callback-links` makes links for a task token. What they lead to is at `/callbacks/{link}` and open to
//! whoever has the link: the link is the proof. A GET shows what is asked and changes nothing, so that a mail scanner
//! which follows links answers no question; a POST answers.

mod making;
mod page;
mod said;
mod status;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::{AnswerCallback, Refusal};
use serde_json::{Value, json};
use store::{CallbackAnswered, Store};

use crate::app::{App, now};
use crate::problem::Problem;

use said::Said;
use status::{Open, Status};

pub(crate) use making::make;

/// `GET /callbacks/{link}`: what is asked.
pub(crate) async fn show<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Response {
    let style = Style::wanted(&headers);
    match status::look(&app, &link, now()).await {
        Ok(status) => style.shown(&status),
        Err(problem) => style.problem(problem),
    }
}

/// `POST /callbacks/{link}`: the answer.
pub(crate) async fn answer<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(link): Path<String>,
    request: Request<Body>,
) -> Response {
    let style = Style::wanted(request.headers());
    match take(&app, &link, request).await {
        Ok(status) => style.answered(&status),
        Err(problem) => style.problem(problem),
    }
}

/// Takes an answer if it is still wanted; otherwise says how the request stands.
async fn take<S: Store + Clone>(
    app: &App<S>,
    link: &str,
    request: Request<Body>,
) -> Result<Result<CallbackAnswered, Status>, Problem> {
    // Before the body, which nobody needs to send to a link that is not one.
    let open = match status::look(app, link, now()).await? {
        Status::Open(open) => *open,
        closed => return Ok(Err(closed)),
    };
    let Open { task, request: asked, uses, .. } = open;
    let answer = Said::read(request).await?.answer(uses, &asked)?;
    let decision = answer.decision;
    match app.engine().answer_callback(AnswerCallback { task, request: asked, answer }).await {
        Ok(at) => {
            tracing::info!(execution = %uuid::Uuid::from_u128(task.execution.0), decision = decision.word(),
                "a task was answered by a link");
            Ok(Ok(CallbackAnswered { decision, at }))
        }
        // Somebody or something was faster.
        Err(Refusal::TaskTimedOut) => match status::look(app, link, now()).await? {
            Status::Open(_) => Ok(Err(Status::Closed)),
            closed => Ok(Err(closed)),
        },
        Err(refusal) => Err(refusal.into()),
    }
}

/// Whether a person or a program asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Page,
    Json,
}

impl Style {
    /// Pages unless JSON is asked for: browsers name `text/html`, and mail programs name nothing.
    fn wanted(headers: &HeaderMap) -> Style {
        let of = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let sends_json = of(header::CONTENT_TYPE).starts_with("application/json");
        let accepted = of(header::ACCEPT);
        let wants_json = accepted.contains("application/json") && !accepted.contains("text/html");
        let takes_page = accepted.contains("text/html");
        if wants_json || (sends_json && !takes_page) { Style::Json } else { Style::Page }
    }

    fn shown(self, status: &Status) -> Response {
        let code = match status {
            Status::Open(_) | Status::Answered(_) => StatusCode::OK,
            Status::Expired | Status::Closed => StatusCode::GONE,
        };
        match self {
            Style::Page => page(code, page::of_status(status)),
            Style::Json => guarded((code, Json(described(status)))),
        }
    }

    fn answered(self, outcome: &Result<CallbackAnswered, Status>) -> Response {
        let (code, status) = match outcome {
            Ok(answered) if self == Style::Page => return page(StatusCode::OK, page::of_thanks(answered)),
            Ok(answered) => return guarded(Json(described(&Status::Answered(*answered)))),
            Err(status @ Status::Answered(_)) => (StatusCode::CONFLICT, status),
            Err(status) => (StatusCode::GONE, status),
        };
        match self {
            Style::Page => page(code, page::of_status(status)),
            Style::Json => {
                let (error, message) = status::refusal(status);
                let mut body = described(status);
                body["error"] = json!(error);
                body["message"] = json!(message);
                guarded((code, Json(body)))
            }
        }
    }

    fn problem(self, problem: Problem) -> Response {
        match self {
            Style::Page => page(problem.status(), page::of_problem(problem.message())),
            Style::Json => guarded(problem),
        }
    }
}

fn page(code: StatusCode, html: String) -> Response {
    guarded((code, [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], html))
}

/// Keeps the answer out of caches, frames and search engines, its address out of other sites' logs, and everything but
/// our own style out of the page.
fn guarded(answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, page::POLICY.as_str()),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::VARY, "accept"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// How a request stands, for programs.
fn described(status: &Status) -> Value {
    match status {
        Status::Open(open) => json!({
            "status": "OPEN",
            "title": open.request.title,
            "message": open.request.message,
            "payload": open.request.payload.as_ref().map(asl::Data::value),
            "decisions": open.decisions().iter().map(|decision| decision.word()).collect::<Vec<_>>(),
            "acceptsOutput": open.request.accepts_output,
            "openUntil": open.until.to_string(),
        }),
        Status::Answered(answered) => json!({
            "status": "ANSWERED", "decision": answered.decision.word(), "at": answered.at.to_string(),
        }),
        Status::Expired => json!({"status": "EXPIRED"}),
        Status::Closed => json!({"status": "CLOSED"}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_pages_and_programs_json() {
        let check = |accept: &str, content: &str, expected: Style| {
            let mut headers = HeaderMap::new();
            for (name, value) in [(header::ACCEPT, accept), (header::CONTENT_TYPE, content)] {
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(Style::wanted(&headers), expected, "{accept} {content}");
        };
        assert_eq!(Style::wanted(&HeaderMap::new()), Style::Page);
        check("text/html,application/xhtml+xml,*/*;q=0.8", "application/x-www-form-urlencoded", Style::Page);
        check("*/*", "", Style::Page);
        check("application/json", "", Style::Json);
        check("*/*", "application/json", Style::Json);
        check("application/json, text/html", "application/json", Style::Page);
    }
}
