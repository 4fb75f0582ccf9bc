//! The engine as the rest of the program sees it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use asl::interpreter::{CallbackRequest, ErrorOutput, ExecutionId, TaskToken};
use asl::{Data, Timestamp};
use store::{ExecutionRecord, ExecutionStatus, ReadError, SecretKey, Store};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::arn::{ActivityArn, ExecutionArn, StateMachineArn};
use crate::driver::Message;
use crate::module_change::{ChangeModule, ModuleChanged};
use crate::port::{AnyExecutor, TaskDispatch, TaskOutcome};
use crate::request::{
    ActivityTask, AnswerCallback, CreateActivity, CreateAlias, CreateStateMachine, Created, PublishVersion,
    PublishedVersion, PutSecret, RedriveExecution, Refusal, StartExecution, StartExpress, StartForTask,
    Started, StopExecution, Tagged, UpdateAlias, UpdateMapRun, UpdateStateMachine, Updated,
};
use crate::shard::{Fresh, Reply, ReplyTo, Request, TaskAnswer};

/// Executions stopped at once while their machine is being deleted.
const DELETION_PAGE: usize = 100;

/// The pause of a deletion that finds the engine overloaded.
const OVERLOAD_PAUSE: Duration = Duration::from_millis(50);

/// A cheap handle on the running engine. Writes go through the shard and answer after their commit; reads go
/// to the store.
#[derive(Debug, Clone)]
pub struct Handle<S> {
    store: S,
    requests: mpsc::Sender<Message>,
    replies: Arc<AtomicU64>,
    stop: CancellationToken,
    activity_poll: Duration,
    executor: AnyExecutor,
}

impl<S: Store + Clone> Handle<S> {
    pub(crate) fn new(
        store: S,
        requests: mpsc::Sender<Message>,
        stop: CancellationToken,
        activity_poll: Duration,
        executor: AnyExecutor,
    ) -> Handle<S> {
        Handle { store, requests, replies: Arc::new(AtomicU64::new(1)), stop, activity_poll, executor }
    }

    pub fn store(&self) -> &S {
        &self.store
    }

    /// Gives the creation date; a second request with the same content gives the first one's.
    pub async fn create_state_machine(&self, request: CreateStateMachine) -> Result<Created, Refusal> {
        let Reply::Created(created) = self.ask(Request::CreateStateMachine(Box::new(request))).await? else {
            panic!("{MISMATCH}")
        };
        Ok(created)
    }

    pub async fn update_state_machine(&self, request: UpdateStateMachine) -> Result<Updated, Refusal> {
        let revision_id = Uuid::new_v4().to_string();
        let Reply::Updated(updated) =
            self.ask(Request::UpdateStateMachine(Box::new(request), revision_id)).await?
        else {
            panic!("{MISMATCH}")
        };
        Ok(updated)
    }

    /// Gives the version of the machine's current revision, which is made unless it exists.
    pub async fn publish_version(&self, request: PublishVersion) -> Result<PublishedVersion, Refusal> {
        let Reply::Published(published) = self.ask(Request::PublishVersion(request)).await? else {
            panic!("{MISMATCH}")
        };
        Ok(published)
    }

    /// Deleting a version that does not exist succeeds.
    pub async fn delete_version(&self, machine: StateMachineArn, version: u32) -> Result<(), Refusal> {
        self.ask(Request::DeleteVersion(machine, version)).await.map(|_| ())
    }

    /// Gives the creation date; a second request with the same content gives the first one's.
    pub async fn create_alias(&self, request: CreateAlias) -> Result<Timestamp, Refusal> {
        self.ask(Request::CreateAlias(request)).await.map(|reply| at(&reply))
    }

    pub async fn update_alias(&self, request: UpdateAlias) -> Result<Timestamp, Refusal> {
        self.ask(Request::UpdateAlias(request)).await.map(|reply| at(&reply))
    }

    /// Deleting an alias that does not exist succeeds.
    pub async fn delete_alias(&self, machine: StateMachineArn, name: String) -> Result<(), Refusal> {
        self.ask(Request::DeleteAlias(machine, name)).await.map(|_| ())
    }

    /// Running executions are aborted; deleting a missing machine succeeds. Where executions run, the deletion
    /// goes on in the background.
    pub async fn delete_state_machine(&self, arn: StateMachineArn) -> Result<(), Refusal> {
        self.ask(Request::DeleteStateMachine(arn.clone())).await?;
        if self.stop_some(&arn).await? {
            self.finish_deletion(arn);
            return Ok(());
        }
        self.ask(Request::ForgetStateMachine(arn)).await.map(|_| ())
    }

    /// Stops the executions of a machine that is being deleted, then forgets it.
    pub(crate) fn finish_deletion(&self, arn: StateMachineArn) {
        let handle = self.clone();
        tokio::spawn(async move {
            loop {
                match handle.stop_some(&arn).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    // What is left is taken up at the next start.
                    Err(error) => return tracing::error!(%arn, %error, "a deletion was interrupted"),
                }
            }
            let _ = handle.ask(Request::ForgetStateMachine(arn)).await;
        });
    }

    /// Stops one page of a machine's running executions; says whether there were any.
    async fn stop_some(&self, arn: &StateMachineArn) -> Result<bool, Refusal> {
        let unreadable = |error: ReadError| {
            tracing::error!(%arn, %error, "the executions of a machine could not be read");
            Refusal::Unavailable
        };
        let Some(machine) = self.store.machine(arn.name()).await.map_err(unreadable)? else {
            return Ok(false);
        };
        let running = Some(ExecutionStatus::Running);
        let page = self.store.list_executions(machine.machine_id, running, None, DELETION_PAGE).await;
        let page = page.map_err(unreadable)?;
        for (_, execution) in &page.items {
            let Ok(arn) = ExecutionArn::parse(&execution.arn) else { continue };
            match self.stop_execution(StopExecution { arn, reason: ErrorOutput::default() }).await {
                Ok(_) | Err(Refusal::ExecutionDoesNotExist { .. }) => {}
                // The page is read again, with what is left of it.
                Err(Refusal::Overloaded) => tokio::time::sleep(OVERLOAD_PAUSE).await,
                Err(refusal) => return Err(refusal),
            }
        }
        Ok(!page.items.is_empty())
    }

    pub async fn start_execution(&self, request: StartExecution) -> Result<Started, Refusal> {
        self.started(Request::StartExecution(Box::new(request), fresh()?)).await
    }

    /// Starts an execution and tells the task for which it is, both or neither. Refused as timed out if the task
    /// is no longer awaited, or if its execution has been started by an earlier run of the attempt.
    pub async fn start_for_task(&self, request: StartForTask) -> Result<Started, Refusal> {
        self.started(Request::StartForTask(Box::new(request), fresh()?)).await
    }

    async fn started(&self, request: Request) -> Result<Started, Refusal> {
        let Reply::Started(started) = self.ask(request).await? else { panic!("{MISMATCH}") };
        Ok(started)
    }

    pub(crate) async fn start_express(
        &self,
        request: StartExpress,
        id: ExecutionId,
    ) -> Result<ExecutionRecord, Refusal> {
        let fresh = Fresh { id, seed: seed()? };
        let Reply::Express(record) = self.ask(Request::StartExpress(Box::new(request), fresh)).await? else {
            panic!("{MISMATCH}")
        };
        Ok(*record)
    }

    pub async fn tag(&self, resource: Tagged, tags: Vec<(String, String)>) -> Result<(), Refusal> {
        self.ask(Request::Tag(resource, tags)).await.map(|_| ())
    }

    pub async fn untag(&self, resource: Tagged, keys: Vec<String>) -> Result<(), Refusal> {
        self.ask(Request::Untag(resource, keys)).await.map(|_| ())
    }

    /// Gives the stop date; that of an execution that has ended already is its own.
    pub async fn stop_execution(&self, request: StopExecution) -> Result<Timestamp, Refusal> {
        self.ask(Request::StopExecution(request)).await.map(|reply| at(&reply))
    }

    /// Gives the redrive date; a repeated token gives that of the first time.
    pub async fn redrive_execution(&self, request: RedriveExecution) -> Result<Timestamp, Refusal> {
        self.ask(Request::RedriveExecution(request)).await.map(|reply| at(&reply))
    }

    pub async fn update_map_run(&self, request: UpdateMapRun) -> Result<(), Refusal> {
        self.ask(Request::UpdateMapRun(request)).await.map(|_| ())
    }

    pub async fn create_activity(&self, request: CreateActivity) -> Result<Timestamp, Refusal> {
        self.ask(Request::CreateActivity(request)).await.map(|reply| at(&reply))
    }

    pub async fn delete_activity(&self, arn: ActivityArn) -> Result<(), Refusal> {
        self.ask(Request::DeleteActivity(arn)).await.map(|_| ())
    }

    /// Waits for a task, at most for the long poll's 60 seconds. Dropping the future withdraws the poll.
    pub async fn get_activity_task(
        &self,
        arn: ActivityArn,
        worker_name: Option<String>,
    ) -> Result<Option<ActivityTask>, Refusal> {
        let (reply, answer) = self.send(Request::GetActivityTask(arn, worker_name))?;
        let mut poll = Poll { requests: self.requests.clone(), reply, answer };
        let answered = tokio::select! {
            answered = &mut poll.answer => answered.ok(),
            () = tokio::time::sleep(self.activity_poll) => {
                // A task may be on its way: the shard says whether the poll was taken back in time.
                let _ = self.requests.send(Message::Withdraw(reply)).await;
                (&mut poll.answer).await.ok()
            }
            () = self.stop.cancelled() => poll.give_up(),
        };
        let reply = match answered {
            Some(reply) => reply,
            None if self.stop.is_cancelled() => return Ok(None),
            None => return Err(Refusal::Unavailable),
        };
        if let Reply::Refused(refusal) = reply {
            return Err(refusal);
        }
        let Reply::ActivityTask(task) = reply else { panic!("{MISMATCH}") };
        Ok(task)
    }

    pub async fn send_task_success(&self, token: &str, output: Data) -> Result<(), Refusal> {
        self.send_task(token, TaskAnswer::Success(output)).await
    }

    pub async fn send_task_failure(&self, token: &str, reason: ErrorOutput) -> Result<(), Refusal> {
        self.send_task(token, TaskAnswer::Failure(reason)).await
    }

    pub async fn send_task_heartbeat(&self, token: &str) -> Result<(), Refusal> {
        self.send_task(token, TaskAnswer::Heartbeat).await
    }

    async fn send_task(&self, token: &str, answer: TaskAnswer) -> Result<(), Refusal> {
        let token = TaskToken::parse(token).ok_or(Refusal::InvalidToken)?;
        self.ask(Request::SendTask(token, answer)).await.map(|_| ())
    }

    /// Asks somebody for the answer to the attempt of a token, which must be awaited; gives the request's number.
    pub async fn ask_callback(&self, token: &str, request: CallbackRequest) -> Result<u64, Refusal> {
        let token = TaskToken::parse(token).ok_or(Refusal::InvalidToken)?;
        let Reply::Asked(number) = self.ask(Request::AskCallback(token, Box::new(request))).await? else {
            panic!("{MISMATCH}")
        };
        Ok(number)
    }

    /// Gives when the answer was taken. Refused as timed out if the attempt is no longer awaited.
    pub async fn answer_callback(&self, request: AnswerCallback) -> Result<Timestamp, Refusal> {
        self.ask(Request::AnswerCallback(Box::new(request))).await.map(|reply| at(&reply))
    }

    /// Changes a module: an upload, a version, an alias, or all of it.
    pub async fn change_module(&self, request: ChangeModule) -> Result<ModuleChanged, Refusal> {
        let Reply::ModuleChanged(changed) = self.ask(Request::ChangeModule(Box::new(request))).await? else {
            panic!("{MISMATCH}")
        };
        Ok(changed)
    }

    /// Creates or replaces a secret that was encrypted already.
    pub async fn put_secret(&self, request: PutSecret) -> Result<(), Refusal> {
        self.ask(Request::PutSecret(request)).await.map(|_| ())
    }

    pub async fn delete_secret(&self, key: SecretKey) -> Result<(), Refusal> {
        self.ask(Request::DeleteSecret(key)).await.map(|_| ())
    }

    /// Runs an attempt that belongs to no execution, as a test of one state does. Nothing of it is kept.
    pub async fn perform(&self, task: TaskDispatch, cancel: CancellationToken) -> TaskOutcome {
        self.executor.run(task, cancel).await
    }

    async fn ask(&self, request: Request) -> Result<Reply, Refusal> {
        let (_, answer) = self.send(request)?;
        match answer.await {
            Ok(Reply::Refused(refusal)) => Err(refusal),
            Ok(reply) => Ok(reply),
            Err(_) if self.stop.is_cancelled() => Err(Refusal::Stopping),
            Err(_) => Err(Refusal::Unavailable),
        }
    }

    fn send(&self, request: Request) -> Result<(ReplyTo, oneshot::Receiver<Reply>), Refusal> {
        let reply = ReplyTo(self.replies.fetch_add(1, Ordering::Relaxed));
        let (sender, answer) = oneshot::channel();
        match self.requests.try_send(Message::Request { reply, request, sender }) {
            Ok(()) => Ok((reply, answer)),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Refusal::Overloaded),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Refusal::Stopping),
        }
    }
}

/// A poll, which is taken back when its client goes away, and so is a task that was sent and not received. A poll that was
/// answered is gone already.
struct Poll {
    requests: mpsc::Sender<Message>,
    reply: ReplyTo,
    answer: oneshot::Receiver<Reply>,
}

impl Poll {
    /// What has been sent already. From now on nothing can be.
    fn give_up(&mut self) -> Option<Reply> {
        self.answer.close();
        self.answer.try_recv().ok()
    }
}

impl Drop for Poll {
    fn drop(&mut self) {
        let message = match self.give_up() {
            Some(Reply::ActivityTask(Some(task))) => Message::TakeBack(task),
            Some(_) | None => Message::Withdraw(self.reply),
        };
        if let Err(mpsc::error::TrySendError::Full(message)) = self.requests.try_send(message) {
            let requests = self.requests.clone();
            // Without a runtime the program is ending, and the poll with it.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move { requests.send(message).await });
            }
        }
    }
}

/// Identity and secrets of a new execution.
fn fresh() -> Result<Fresh, Refusal> {
    Ok(Fresh { id: ExecutionId(Uuid::now_v7().as_u128()), seed: seed()? })
}

/// Ours: seeds that are asked of the system at once. One call costs about as much as a state.
const SEEDS_AT_ONCE: usize = 64;

/// Seeds that the system's generator has given and nobody has got yet.
static SEEDS: Mutex<Vec<[u8; 32]>> = Mutex::new(Vec::new());

/// What an execution's secrets and chance come from.
fn seed() -> Result<[u8; 32], Refusal> {
    // A panic while the lock is held leaves whole seeds behind.
    let mut seeds = SEEDS.lock().unwrap_or_else(PoisonError::into_inner);
    if seeds.is_empty() {
        let mut fresh = [0; 32 * SEEDS_AT_ONCE];
        getrandom::fill(&mut fresh).map_err(|_| Refusal::Unavailable)?;
        seeds.extend(fresh.as_chunks::<32>().0);
    }
    seeds.pop().ok_or(Refusal::Unavailable)
}

fn at(reply: &Reply) -> Timestamp {
    let Reply::At(at) = reply else { panic!("{MISMATCH}") };
    *at
}

/// Each request has one kind of reply; the shard's `request` is the place where they meet.
const MISMATCH: &str = "the shard answered another request";
