//! Runs the state under test to its end: attempts go to the executor, times are waited for.

use std::sync::Arc;
use std::time::Duration;

use asl::Timestamp;
use asl::interpreter::{ErrorOutput, Event, Progress, Status, TaskRequest, Timer, Trial, Verdict};
use engine::{TaskDispatch, TaskOutcome, Watch};
use store::Store;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::context::Names;
use crate::api::ApiError;
use crate::app::{App, now};
use crate::limits::TEST_STATE_TIMEOUT;

/// Goes on until the state has ended, or for as long as AWS lets a test last.
pub(crate) async fn to_the_end<S: Store + Clone>(
    app: &App<S>,
    trial: &mut Trial<'_>,
    progress: Progress,
    names: &Names,
    watch: Option<&Watch>,
) -> Result<Verdict, ApiError> {
    tokio::select! {
        verdict = finish(app, trial, progress, names, watch) => Ok(verdict),
        () = tokio::time::sleep(TEST_STATE_TIMEOUT) => Ok(Verdict {
            status: Status::Failed,
            output: None,
            error: Some(ErrorOutput::bare("States.Timeout")),
            next: None,
        }),
        () = app.stopping().cancelled() => Err(engine::Refusal::Stopping.into()),
    }
}

async fn finish<S: Store + Clone>(
    app: &App<S>,
    trial: &mut Trial<'_>,
    mut progress: Progress,
    names: &Names,
    watch: Option<&Watch>,
) -> Verdict {
    loop {
        progress = match progress {
            Progress::Done(verdict) => return verdict,
            Progress::Task(request) => attempt(app, trial, *request, names, watch).await,
            Progress::Waiting => {
                let event = due(trial.timer()).await;
                trial.take(event, now())
            }
        };
    }
}

/// Runs one attempt until it returns or its time is over; dropped, it is cancelled.
async fn attempt<S: Store + Clone>(
    app: &App<S>,
    trial: &mut Trial<'_>,
    request: TaskRequest,
    names: &Names,
    watch: Option<&Watch>,
) -> Progress {
    let (row, attempt) = (request.row, request.attempt);
    let cancel = CancellationToken::new();
    let _cancel_when_dropped = cancel.clone().drop_guard();
    let beat = Arc::new(Notify::new());
    let notified = Arc::clone(&beat);
    let dispatch = TaskDispatch {
        execution: names.id,
        execution_arn: names.execution_arn.as_str().into(),
        execution_name: names.execution.as_str().into(),
        state_machine_arn: names.machine_arn.as_str().into(),
        started_at: now(),
        request,
        heartbeat: Arc::new(move || notified.notify_one()),
        watch: watch.cloned(),
    };
    let outcome = app.engine().perform(dispatch, cancel);
    tokio::pin!(outcome);
    loop {
        let timer = trial.timer();
        let event = tokio::select! {
            TaskOutcome { result, usage } = &mut outcome => Event::TaskReturned { row, attempt, outcome: result, usage },
            () = beat.notified() => Event::Heartbeat { row, attempt },
            event = due(timer) => event,
        };
        match trial.take(event, now()) {
            // A heartbeat, or a timer that was a little early: the attempt goes on.
            Progress::Task(_) => {}
            progress @ (Progress::Waiting | Progress::Done(_)) => return progress,
        }
    }
}

/// Waits until a timer is due; for ever, if there is none.
async fn due(timer: Option<(Timer, Timestamp)>) -> Event {
    let Some((timer, due)) = timer else { return std::future::pending().await };
    let milliseconds = due.as_milliseconds().saturating_sub(now().as_milliseconds());
    tokio::time::sleep(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))).await;
    Event::Timer(timer)
}
