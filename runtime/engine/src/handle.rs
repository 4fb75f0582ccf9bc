//! The engine as the rest of the program sees it.

use asl::Data;
use asl::Timestamp;
use asl::interpreter::ErrorOutput;

use crate::arn::{ActivityArn, StateMachineArn};
use crate::request::{
    ActivityTask, CreateActivity, CreateStateMachine, PutModule, Refusal, StartExecution, Started, StopExecution,
    UpdateStateMachine, Updated,
};

/// A cheap handle on the running engine. Writes go through the shard and answer after their commit; reads go
/// to the store.
#[derive(Debug, Clone)]
pub struct Handle<S> {
    store: S,
}

#[allow(clippy::unused_async, unused_variables, reason = "the driver is not there yet")]
impl<S: Clone + Send + Sync + 'static> Handle<S> {
    pub fn store(&self) -> &S {
        &self.store
    }

    /// Gives the creation date; a second request with the same content gives the first one's.
    pub async fn create_state_machine(&self, request: CreateStateMachine) -> Result<Timestamp, Refusal> {
        Err(Refusal::Stopping)
    }

    pub async fn update_state_machine(&self, request: UpdateStateMachine) -> Result<Updated, Refusal> {
        Err(Refusal::Stopping)
    }

    /// Running executions are aborted; deleting a missing machine succeeds.
    pub async fn delete_state_machine(&self, arn: StateMachineArn) -> Result<(), Refusal> {
        Err(Refusal::Stopping)
    }

    pub async fn start_execution(&self, request: StartExecution) -> Result<Started, Refusal> {
        Err(Refusal::Stopping)
    }

    /// Gives the stop date; that of an execution that has ended already is its own.
    pub async fn stop_execution(&self, request: StopExecution) -> Result<Timestamp, Refusal> {
        Err(Refusal::Stopping)
    }

    pub async fn create_activity(&self, request: CreateActivity) -> Result<Timestamp, Refusal> {
        Err(Refusal::Stopping)
    }

    pub async fn delete_activity(&self, arn: ActivityArn) -> Result<(), Refusal> {
        Err(Refusal::Stopping)
    }

    /// Waits for a task, at most for the long poll's 60 seconds. Dropping the future withdraws the poll.
    pub async fn get_activity_task(
        &self,
        arn: ActivityArn,
        worker_name: Option<String>,
    ) -> Result<Option<ActivityTask>, Refusal> {
        Err(Refusal::Stopping)
    }

    pub async fn send_task_success(&self, token: &str, output: Data) -> Result<(), Refusal> {
        Err(Refusal::Stopping)
    }

    pub async fn send_task_failure(&self, token: &str, reason: ErrorOutput) -> Result<(), Refusal> {
        Err(Refusal::Stopping)
    }

    pub async fn send_task_heartbeat(&self, token: &str) -> Result<(), Refusal> {
        Err(Refusal::Stopping)
    }

    /// Makes the digest the module's newest version; gives the version's number. Putting the newest digest
    /// again gives its number.
    pub async fn put_module(&self, request: PutModule) -> Result<u32, Refusal> {
        Err(Refusal::Stopping)
    }

    pub async fn delete_module(&self, name: &str) -> Result<(), Refusal> {
        Err(Refusal::Stopping)
    }
}
