//! What a link leads to now.

use asl::Timestamp;
use asl::interpreter::{CallbackRequest, Decision, LinkUse, Row, TaskStage, Thread};
use axum::http::StatusCode;
use engine::shard::TaskKey;
use store::{CallbackAnswered, CallbackKey, CallbackRequestKey, RowKey, Store};

use crate::app::App;
use crate::problem::Problem;

/// How the request behind a link stands.
#[derive(Debug)]
pub(super) enum Status {
    Open(Box<Open>),
    Answered(CallbackAnswered),
    Expired,
    /// The attempt ended otherwise: it was answered with its token, timed out, was stopped or was tried again.
    Closed,
}

/// A request that awaits its answer.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) task: TaskKey,
    pub(super) request: CallbackRequest,
    pub(super) uses: LinkUse,
    /// Until when it can be answered: the link's end, or that of the task if it is sooner.
    pub(super) until: Timestamp,
}

impl Open {
    /// What the holder of the link may say.
    pub(super) fn decisions(&self) -> &'static [Decision] {
        decisions(self.uses)
    }
}

pub(super) fn decisions(uses: LinkUse) -> &'static [Decision] {
    match uses {
        LinkUse::Approve => &[Decision::Approved],
        LinkUse::Reject => &[Decision::Rejected],
        LinkUse::Answer => &[Decision::Approved, Decision::Rejected],
    }
}

/// Reads a link and looks up how its request stands.
pub(super) async fn look<S: Store + Clone>(
    app: &App<S>,
    link: &str,
    now: Timestamp,
) -> Result<Status, Problem> {
    let link = app.link_maker().read(link).ok_or_else(no_link)?;
    let row = RowKey { execution: link.execution, row: link.row };
    let callback = CallbackKey { row, attempt: link.attempt };
    // The state first: an answer is written with it, so that one of the two shows it.
    let thread = match app.store().state_row(row).await? {
        Some(Row::Thread(thread)) => Some(thread),
        Some(Row::Fork(_) | Row::Items(_) | Row::MapRun(_) | Row::MapRunChild(_)) | None => None,
    };
    let awaited = thread.as_deref().and_then(|thread: &Thread| thread.awaited(link.attempt));
    let Some(awaited) = awaited.filter(|task| task.stage != TaskStage::Scheduled) else {
        let answered = app.store().callback_answer(callback).await?;
        return Ok(answered.map_or(Status::Closed, Status::Answered));
    };
    if now >= link.expires_at {
        return Ok(Status::Expired);
    }
    let request = app.store().callback_request(CallbackRequestKey { callback, number: link.number }).await?;
    // The store may be a copy of before the link was made.
    let request = request.ok_or_else(no_link)?;
    let task = TaskKey { execution: link.execution, row: link.row, attempt: link.attempt };
    let until = awaited.deadline.map_or(link.expires_at, |deadline| deadline.min(link.expires_at));
    Ok(Status::Open(Box::new(Open { task, request, uses: link.uses, until })))
}

fn no_link() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "InvalidLink",
        "This is not a link of this server, or a part of it is missing. Open it as it was sent to you.",
    )
}

/// Why an answer was not taken: a name for programs, and a sentence for people.
pub(super) fn refusal(status: &Status) -> (&'static str, &'static str) {
    match status {
        Status::Answered(_) => ("AlreadyAnswered", "This request has already been answered."),
        Status::Expired => ("LinkExpired", "This link has expired."),
        Status::Open(_) | Status::Closed => (
            "RequestClosed",
            "This request is no longer open: the task has ended, or was started again with a request of its own.",
        ),
    }
}
