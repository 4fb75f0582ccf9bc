//! Finished Express executions that are kept to look at: `/express/executions` and below. Ours; AWS shows none.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use store::{ExecutionStatus, Store};

use crate::api::{Included, Payloads, STATUSES, render_event, render_express};
use crate::app::App;
use crate::observing::{Kept, Wanted};
use crate::problem::Problem;
use crate::query::{invalid, invalid_query, page_size};

type Answer = Result<Json<Value>, Problem>;

/// What a listing is asked for. Names are those of ListExecutions.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Listing {
    state_machine_arn: Option<String>,
    status: Option<String>,
    max: Option<u32>,
    next: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct HistoryPage {
    max: Option<u32>,
    next: Option<u32>,
    include_execution_data: Option<bool>,
}

/// `GET /express/executions`: the newest first, without payloads.
pub(crate) async fn list<S: Store + Clone>(
    State(app): State<App<S>>,
    query: Result<Query<Listing>, QueryRejection>,
) -> Answer {
    let Query(listing) = query.map_err(|rejection| invalid_query(&rejection))?;
    let kept = kept(&app)?;
    let status = listing.status.as_deref().map(status).transpose()?;
    let wanted = Wanted {
        machine_arn: listing.state_machine_arn,
        status,
        before: listing.next,
        max: page_size(listing.max)?,
    };
    let page = kept.list(&wanted);
    let executions: Vec<Value> =
        page.executions.iter().map(|execution| render_express(execution, Included::Metadata)).collect();
    let (count, lost) = kept.count();
    Ok(Json(json!({"executions": executions, "next": page.next, "kept": count, "lost": lost})))
}

/// `GET /express/executions/{arn}`: as StartSyncExecution answers.
pub(crate) async fn show<S: Store + Clone>(State(app): State<App<S>>, Path(arn): Path<String>) -> Answer {
    let execution = kept(&app)?.find(&arn).ok_or_else(|| gone(&arn))?;
    Ok(Json(render_express(&execution, Included::All)))
}

/// `GET /express/executions/{arn}/history`: events as GetExecutionHistory has them.
pub(crate) async fn history<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(arn): Path<String>,
    query: Result<Query<HistoryPage>, QueryRejection>,
) -> Answer {
    let Query(page) = query.map_err(|rejection| invalid_query(&rejection))?;
    let max = page_size(page.max)?;
    let found = kept(&app)?.events(&arn, page.next.unwrap_or(0), max).ok_or_else(|| gone(&arn))?;
    let payloads =
        if page.include_execution_data.unwrap_or(true) { Payloads::Included } else { Payloads::Left };
    let events: Vec<Value> = found.events.iter().map(|event| render_event(event, payloads)).collect();
    Ok(Json(json!({"events": events, "next": found.next, "truncated": found.is_cut})))
}

/// Whether an ARN is one of an Express execution, by the kind of resource in its middle.
pub(crate) fn is_express(arn: &str) -> bool {
    arn.split(':').nth(5) == Some("express")
}

fn kept<S: Store + Clone>(app: &App<S>) -> Result<&Kept, Problem> {
    app.express_kept().ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "ExpressExecutionsNotKept",
            "This server keeps no finished Express executions: it was started with --express-kept 0.",
        )
    })
}

fn gone(arn: &str) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "ExecutionDoesNotExist",
        format!(
            "There is no finished Express execution {arn} among those that are kept. One that runs is not shown, and the \
             oldest ones go when others end."
        ),
    )
}

fn status(word: &str) -> Result<ExecutionStatus, Problem> {
    let found = STATUSES.iter().find(|(known, status)| *known == word && is_end(*status));
    found.map(|(_, status)| *status).ok_or_else(|| {
        invalid(format!(
            "'{word}' is no status of an Express execution that has ended: SUCCEEDED, FAILED, TIMED_OUT."
        ))
    })
}

/// Express executions cannot be stopped or redriven.
fn is_end(status: ExecutionStatus) -> bool {
    matches!(status, ExecutionStatus::Succeeded | ExecutionStatus::Failed | ExecutionStatus::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::is_express;

    #[test]
    fn an_express_execution_is_told_by_its_arn() {
        assert!(is_express(
            "arn:aws:states:us-east-1:123456789012:express:m:e:0197b0a0-0000-7000-8000-000000000000"
        ));
        assert!(!is_express("arn:aws:states:us-east-1:123456789012:execution:express:e"));
        assert!(!is_express("m:e"));
    }
}
