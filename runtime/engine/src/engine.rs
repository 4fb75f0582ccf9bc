//! Starting and stopping the engine.

use std::sync::Arc;

use store::{MachineStatus, ReadError, Store};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::arn::StateMachineArn;
use crate::dispatch::Dispatch;
use crate::driver::{Driver, Ended, Incoming};
use crate::handle::Handle;
use crate::options::Options;
use crate::port::{AnyExecutor, TaskExecutor};

/// Inputs of executors that may wait for the driver. A result waits for its place, a heartbeat does not.
const INPUTS_MAX: usize = 4_096;
/// State machines looked at at once for deletions that a stop interrupted.
const MACHINES_PAGE: usize = 500;

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store could not be read")]
    Store(#[from] ReadError),
}

/// The running engine, for whoever must stop it.
#[derive(Debug)]
pub struct Engine {
    stop: CancellationToken,
    driver: JoinHandle<Ended>,
}

impl Engine {
    /// Takes up what the store says was going on, and accepts requests.
    pub async fn start<S, E>(
        options: Options,
        store: S,
        executor: Arc<E>,
    ) -> Result<(Handle<S>, Engine), StartError>
    where
        S: Store + Clone,
        E: TaskExecutor,
    {
        let stop = CancellationToken::new();
        let (requests, requests_in) = mpsc::channel(options.requests_max);
        let (inputs, inputs_in) = mpsc::channel(INPUTS_MAX);
        let any_executor = AnyExecutor::new(Arc::clone(&executor));
        let dispatch = Dispatch::new(executor, inputs, options.tasks_running_max);
        let incoming = Incoming { requests: requests_in, inputs: inputs_in };
        let (shard, observer) = (options.shard, options.observer);
        let driver = Driver::start(store.clone(), shard, observer, incoming, dispatch, stop.clone()).await?;
        let driver = tokio::spawn(driver.run());
        let handle = Handle::new(store, requests, stop.clone(), options.activity_poll, any_executor);
        resume_deletions(&handle).await?;
        Ok((handle, Engine { stop, driver }))
    }

    /// Commits what is under way and ends. Polls are answered with no task.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.driver.await {
            tracing::error!(%error, "the driver failed");
        }
    }

    /// Waits until the engine ends by itself, which it does when another owner takes its store.
    pub async fn ended(&mut self) {
        let _ = (&mut self.driver).await;
    }
}

/// Goes on deleting machines whose deletion was interrupted.
async fn resume_deletions<S: Store + Clone>(handle: &Handle<S>) -> Result<(), ReadError> {
    let mut position = None;
    loop {
        let page = handle.store().list_machines(position.as_ref(), MACHINES_PAGE).await?;
        for machine in page.items {
            if machine.status == MachineStatus::Deleting
                && let Ok(arn) = StateMachineArn::parse(&machine.arn)
            {
                handle.finish_deletion(arn);
            }
        }
        position = page.next;
        if position.is_none() {
            return Ok(());
        }
    }
}
