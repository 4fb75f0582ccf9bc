//! The worker that answers for a person: it takes an activity task and keeps its token until it is told to answer.

use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use anyhow::bail;
use serde_json::{Value, json};

use crate::command;
use crate::http::Client;

const TAKE_TIMEOUT: Duration = Duration::from_secs(90);

/// A task that the worker has taken.
pub(super) struct Taken {
    token: String,
    pub(super) input: Value,
}

pub(super) struct Worker {
    client: Client,
    taken: Receiver<anyhow::Result<Taken>>,
}

impl Worker {
    /// Polls on a thread of its own, as a worker elsewhere would.
    pub(super) fn start(client: Client, activity: &str) -> Worker {
        let (sender, taken) = sync_channel(1);
        let request = json!({"activityArn": activity, "workerName": "demo-approver"});
        std::thread::spawn(move || {
            let _nobody_waits = sender.send(take(client, &request));
        });
        Worker { client, taken }
    }

    pub(super) fn wait(&self) -> anyhow::Result<Taken> {
        command::wait_for("the worker to get the approval", TAKE_TIMEOUT, || match self.taken.try_recv() {
            Ok(taken) => taken.map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => bail!("the worker is gone"),
        })
    }

    pub(super) fn approve(&self, task: &Taken) -> anyhow::Result<()> {
        let output = json!({"approved": true, "by": "demo-approver"}).to_string();
        self.client.call("SendTaskSuccess", &json!({"taskToken": task.token, "output": output}))?;
        Ok(())
    }
}

/// One long poll, which lasts a minute at most; an answer without a token means that there was no task.
fn take(client: Client, request: &Value) -> anyhow::Result<Taken> {
    let task = client.call("GetActivityTask", request)?;
    let Some(token) = task["taskToken"].as_str() else { bail!("there was nothing to approve for a minute") };
    let input = serde_json::from_str(task["input"].as_str().unwrap_or("null"))?;
    Ok(Taken { token: token.to_owned(), input })
}
