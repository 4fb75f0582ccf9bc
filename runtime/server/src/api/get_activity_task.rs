//! GetActivityTask: waits for a task, at most for the 60 seconds of the engine's long poll.

use engine::arn::ActivityArn;
use serde_json::json;
use store::Store;

use super::dispatch::Answer;
use super::fields::{Fields, TextRule};
use crate::app::App;

pub(super) async fn answer<S: Store + Clone>(app: &App<S>, mut fields: Fields) -> Answer {
    let arn = fields.required_text("activityArn", TextRule::ARN)?;
    let worker_name = fields.text("workerName", TextRule::NAME)?;
    fields.finish()?;

    let arn = ActivityArn::parse(&arn)?;
    let task = tokio::select! {
        // A task that is there already goes out, even while the server stops.
        biased;
        task = app.engine().get_activity_task(arn, worker_name) => task?,
        () = app.stopping().cancelled() => None,
    };
    Ok(match task {
        Some(task) => json!({"taskToken": task.token, "input": task.input.text()}),
        None => json!({"taskToken": null, "input": null}),
    })
}
