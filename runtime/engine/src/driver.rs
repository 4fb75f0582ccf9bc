//! The only asynchronous loop: receive, load what is missing, handle, commit, release the effects.
//!
//! While one batch is being committed the next one gathers. When a commit fails nothing in memory is believed
//! any more: every waiting client is refused and the shard is built anew from the store.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use asl::Timestamp;
use asl::interpreter::TaskToken;
use store::{CommitError, ReadError, Store};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::dispatch::{Dispatch, Inward};
use crate::hash::OwnNumbers;
use crate::load;
use crate::observer::Observer;
use crate::port::{Line, TaskExecutor};
use crate::request::ActivityTask;
use crate::shard::{self, Effect, Input, Reply, ReplyTo, Request, Shard, TaskKey};

/// Ours: executions and effects in one batch; measured on redb, larger batches only lengthen the tail.
const BATCH_MAX: usize = 1_024;
/// Inputs that the shard owes itself, handled in one turn.
const OWED_MAX: usize = 4 * BATCH_MAX;
/// How long one turn gathers before what it has is committed. One input may take longer, by what its step may
/// compute; the next turn then begins with a commit and not with more of the same.
const TURN_TIME_MAX: Duration = Duration::from_millis(20);
/// Timers fired in one turn.
const TIMERS_MAX: usize = 1_000;
/// Attempts to run again that are read at once after a restart.
const RECOVERY_PAGE: usize = 1_000;
/// The pause before the store is tried again after it failed.
const STORE_RETRY: Duration = Duration::from_millis(200);
/// The longest sleep before the timers are looked at again, for clocks that jump.
const TIMER_SLEEP_MAX: Duration = Duration::from_secs(60);

/// What clients send, in the order in which they send it.
#[derive(Debug)]
pub(crate) enum Message {
    Request {
        reply: ReplyTo,
        request: Request,
        sender: oneshot::Sender<Reply>,
    },
    /// Takes a poll back. It must not overtake the poll, which then would wait for ever and take a task with it.
    Withdraw(ReplyTo),
    /// A task that was on its way to a worker who went away.
    TakeBack(ActivityTask),
}

/// Where the driver's work comes from.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) requests: mpsc::Receiver<Message>,
    pub(crate) inputs: mpsc::Receiver<Inward>,
}

type Commit = Pin<Box<dyn Future<Output = Result<(), CommitError>> + Send>>;

/// A batch that is being committed, and what waits for it.
struct InFlight {
    commit: Commit,
    effects: Vec<Effect>,
    generation: u64,
    touches_timers: bool,
}

pub(crate) struct Driver<S, E> {
    store: S,
    options: shard::Options,
    shard: Shard,
    observer: Option<Arc<dyn Observer>>,
    requests: mpsc::Receiver<Message>,
    inputs: mpsc::Receiver<Inward>,
    replies: HashMap<ReplyTo, oneshot::Sender<Reply>, OwnNumbers>,
    dispatch: Dispatch<E>,
    in_flight: Option<InFlight>,
    /// Activities' tasks that were handed out to nobody.
    undelivered: Vec<TaskKey>,
    timers: Timers,
    stop: CancellationToken,
}

/// When the store's earliest timer is due. Timers that fired stay in the store until their batch is durable, so
/// it is not asked again before.
#[derive(Debug, Default)]
struct Timers {
    next: Option<Timestamp>,
    fired_gathering: bool,
    fired_in_flight: bool,
}

/// The stopwatch of the steps.
fn stopwatch() -> Duration {
    static STARTED: OnceLock<Instant> = OnceLock::new();
    STARTED.get_or_init(Instant::now).elapsed()
}

/// Why the driver ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Stopped,
    /// Another owner has taken the shard.
    Fenced,
}

impl<S: Store + Clone, E: TaskExecutor> Driver<S, E> {
    pub(crate) async fn start(
        store: S,
        options: shard::Options,
        observer: Option<Arc<dyn Observer>>,
        incoming: Incoming,
        dispatch: Dispatch<E>,
        stop: CancellationToken,
    ) -> Result<Driver<S, E>, ReadError> {
        let options = shard::Options { stopwatch, ..options };
        let Incoming { requests, inputs } = incoming;
        let shard = Shard::new(options.clone(), load::snapshot(&store).await?);
        let mut driver = Driver {
            store,
            options,
            shard,
            observer,
            requests,
            inputs,
            replies: HashMap::default(),
            dispatch,
            in_flight: None,
            undelivered: Vec::new(),
            timers: Timers::default(),
            stop,
        };
        driver.recover().await?;
        Ok(driver)
    }

    pub(crate) async fn run(mut self) -> Ended {
        loop {
            self.take_back().await;
            self.settle_owed().await;
            self.fill_places().await;
            self.commit();
            match self.wait().await {
                Wake::GoOn => self.take_waiting().await,
                Wake::Stop => return self.drain().await,
                Wake::Fenced => return Ended::Fenced,
            }
        }
    }

    /// Waits for the first thing to do and does it.
    async fn wait(&mut self) -> Wake {
        if self.in_flight.is_none() && (self.shard.owes() || self.dispatch.has_newcomers()) {
            tokio::task::yield_now().await;
            return if self.stop.is_cancelled() { Wake::Stop } else { Wake::GoOn };
        }
        let has_room = self.shard.gathered() < BATCH_MAX;
        let timers_due = self.until_timers();
        let is_committing = self.in_flight.is_some();
        tokio::select! {
            result = committed(&mut self.in_flight), if is_committing => return self.committed(result).await,
            Some(inward) = self.inputs.recv(), if has_room => self.inward(inward).await,
            Some(message) = self.requests.recv(), if has_room => self.message(message).await,
            () = tokio::time::sleep(timers_due.unwrap_or(TIMER_SLEEP_MAX)), if has_room && timers_due.is_some() => {
                self.fire_timers().await;
            }
            () = self.stop.cancelled() => return Wake::Stop,
        }
        Wake::GoOn
    }

    /// Takes what else has come in, without waiting.
    async fn take_waiting(&mut self) {
        let started = Instant::now();
        while self.shard.gathered() < BATCH_MAX && started.elapsed() < TURN_TIME_MAX {
            if let Ok(inward) = self.inputs.try_recv() {
                self.inward(inward).await;
            } else if let Ok(message) = self.requests.try_recv() {
                self.message(message).await;
            } else {
                return;
            }
        }
    }

    async fn message(&mut self, message: Message) {
        match message {
            Message::Request { reply, request, sender } => {
                self.replies.insert(reply, sender);
                self.input(Input::Request { reply, request }).await;
            }
            Message::Withdraw(reply) => self.input(Input::Withdraw(reply)).await,
            Message::TakeBack(task) => self.undelivered.extend(key_of(&task)),
        }
    }

    async fn inward(&mut self, inward: Inward) {
        match inward {
            Inward::Shard(input) => self.input(input).await,
            Inward::Returned { run, returned, was_cancelled } => {
                self.dispatch.finished(returned.task, run);
                if !was_cancelled {
                    self.input(Input::TaskReturned(returned)).await;
                }
            }
        }
    }

    async fn input(&mut self, input: Input) {
        match self.supply(&input).await {
            Ok(()) => self.shard.handle(input, now()),
            Err(error) => {
                tracing::error!(%error, "the store could not be read");
                // A request is refused. Anything else would be lost, so the store is asked for it anew.
                if let Input::Request { reply, .. } = input {
                    self.replies.remove(&reply);
                } else {
                    self.rebuild().await;
                }
            }
        }
    }

    /// Loads what an input needs.
    async fn supply(&mut self, input: &Input) -> Result<(), ReadError> {
        while let Some(missing) = self.shard.missing(input) {
            let loaded = load::load(&self.store, missing).await?;
            self.shard.supply(loaded);
        }
        Ok(())
    }

    /// Handles what the shard owes itself, as far as the batch has room. What that leads to is handled too, but
    /// no execution has more than one turn to go on, or to wait until its end is in a batch.
    async fn settle_owed(&mut self) {
        let mut continued = HashSet::new();
        let mut later = Vec::new();
        let started = Instant::now();
        for _ in 0..OWED_MAX {
            if self.shard.gathered() >= BATCH_MAX || started.elapsed() >= TURN_TIME_MAX {
                break;
            }
            let Some(input) = self.shard.next_owed() else { break };
            if matches!(input, Input::Continue(id) | Input::SettleChild(id) if !continued.insert(id)) {
                later.push(input);
            } else {
                self.input(input).await;
            }
        }
        for input in later {
            self.shard.owe(input);
        }
    }

    /// Queues the tasks again whose workers went away before they had them.
    async fn take_back(&mut self) {
        for task in std::mem::take(&mut self.undelivered) {
            self.input(Input::TakeBack(task)).await;
        }
    }

    /// Starts attempts that are durable, as far as there are places.
    async fn fill_places(&mut self) {
        if let Err(error) = self.try_to_fill_places().await {
            tracing::error!(%error, "the store could not be read");
            self.rebuild().await;
        }
    }

    async fn try_to_fill_places(&mut self) -> Result<(), ReadError> {
        let started = Instant::now();
        // Attempts that have just come are in memory, as a rule. After a restart many may not be.
        while started.elapsed() < TURN_TIME_MAX
            && let Some(task) = self.dispatch.newcomer()
        {
            self.put_in_line(task).await?;
        }
        while let Some((line, task)) = self.dispatch.next() {
            self.start_attempt(line, task).await?;
        }
        Ok(())
    }

    async fn put_in_line(&mut self, task: TaskKey) -> Result<(), ReadError> {
        self.supply(&Input::Recover(task)).await?;
        if let Some(request) = self.shard.task_request(task) {
            self.dispatch.wait(task, &request);
        }
        Ok(())
    }

    async fn start_attempt(&mut self, line: Line, task: TaskKey) -> Result<(), ReadError> {
        self.supply(&Input::Recover(task)).await?;
        match (self.shard.task_request(task), self.shard.execution_names(task)) {
            (Some(request), Some(names)) => self.dispatch.start(line, task, request, names),
            // It was given up while it waited.
            _ => self.dispatch.give_back(&line),
        }
        Ok(())
    }

    /// Starts to commit what has gathered, if nothing is being committed.
    fn commit(&mut self) {
        if self.in_flight.is_some() || !self.shard.has_output() {
            return;
        }
        let output = self.shard.seal();
        self.timers.fired_in_flight = std::mem::take(&mut self.timers.fired_gathering);
        let touches_timers = !output.batch.timers.is_empty();
        let store = self.store.clone();
        let batch = output.batch;
        // What changes nothing needs no commit; what was changed before is durable already.
        let commit: Commit = if batch.rows() == 0 {
            Box::pin(async { Ok(()) })
        } else {
            Box::pin(async move { store.commit(batch).await })
        };
        let (effects, generation) = (output.effects, output.generation);
        self.in_flight = Some(InFlight { commit, effects, generation, touches_timers });
    }

    async fn committed(&mut self, result: Result<(), CommitError>) -> Wake {
        let Some(done) = self.in_flight.take() else { return Wake::GoOn };
        if let Err(error) = result {
            tracing::error!(%error, "a batch could not be committed");
            if error == CommitError::Fenced {
                self.dispatch.cancel_all();
                return Wake::Fenced;
            }
            // A store that can be read but not written must not be tried without a pause.
            tokio::time::sleep(STORE_RETRY).await;
            self.rebuild().await;
            return Wake::GoOn;
        }
        self.shard.committed(done.generation);
        for effect in done.effects {
            self.release(effect);
        }
        let fired = std::mem::take(&mut self.timers.fired_in_flight);
        if (fired || done.touches_timers)
            && let Err(error) = self.look_at_timers().await
        {
            tracing::error!(%error, "the timers could not be read");
            // What is due is not known, so it is looked for again soon.
            let retry = i64::try_from(STORE_RETRY.as_millis()).unwrap_or(i64::MAX);
            self.timers.next = Some(now().saturating_add_milliseconds(retry));
        }
        Wake::GoOn
    }

    fn release(&mut self, effect: Effect) {
        match effect {
            Effect::Reply { to, reply } => {
                // A client that went away no longer wants its answer.
                if let Some(sender) = self.replies.remove(&to)
                    && let Err(Reply::ActivityTask(Some(task))) = sender.send(reply)
                {
                    self.undelivered.extend(key_of(&task));
                }
            }
            Effect::StartTask(task) => self.dispatch.push(task),
            Effect::CancelTask(task) => self.dispatch.cancel(task),
            Effect::Tell(written) => {
                if let Some(observer) = &self.observer {
                    observer.wrote(*written);
                }
            }
        }
    }

    /// How long until the earliest timer; none while those that fired are not durable.
    fn until_timers(&self) -> Option<Duration> {
        if self.timers.fired_gathering || self.timers.fired_in_flight {
            return None;
        }
        let due = self.timers.next?.as_milliseconds().saturating_sub(now().as_milliseconds());
        Some(Duration::from_millis(u64::try_from(due).unwrap_or(0)).min(TIMER_SLEEP_MAX))
    }

    async fn look_at_timers(&mut self) -> Result<(), ReadError> {
        self.timers.next = self.store.next_timer().await?;
        Ok(())
    }

    async fn fire_timers(&mut self) {
        match self.store.due_timers(now(), TIMERS_MAX).await {
            Ok(due) => {
                self.timers.fired_gathering = !due.is_empty();
                // Nothing is due after all: without a new look the driver would spin.
                if due.is_empty()
                    && let Err(error) = self.look_at_timers().await
                {
                    tracing::error!(%error, "the timers could not be read");
                    tokio::time::sleep(STORE_RETRY).await;
                }
                for timer in due {
                    self.input(Input::TimerDue(timer)).await;
                }
            }
            Err(error) => {
                tracing::error!(%error, "the timers could not be read");
                tokio::time::sleep(STORE_RETRY).await;
            }
        }
    }

    /// Finds what was going on when the store was last written.
    async fn recover(&mut self) -> Result<(), ReadError> {
        let mut after = None;
        loop {
            let page = self.store.dispatched(after, RECOVERY_PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            for (key, attempt) in page {
                let input = Input::recovered(key, attempt);
                if let Input::Recover(task) = input {
                    self.dispatch.push(task);
                } else {
                    self.shard.owe(input);
                }
            }
        }
        self.look_at_timers().await
    }

    /// Throws away everything in memory and starts from the store again.
    async fn rebuild(&mut self) {
        // Dropping the senders refuses everybody who waits.
        self.replies.clear();
        self.dispatch.cancel_all();
        self.timers = Timers::default();
        // What is being written would come into the store behind the back of the new shard.
        if let Some(in_flight) = self.in_flight.take()
            && in_flight.commit.await.is_ok()
        {
            self.undelivered.extend(in_flight.effects.iter().filter_map(|effect| match effect {
                Effect::Reply { reply: Reply::ActivityTask(Some(task)), .. } => key_of(task),
                Effect::Reply { .. } | Effect::StartTask(_) | Effect::CancelTask(_) | Effect::Tell(_) => None,
            }));
        }
        loop {
            if let Ok(snapshot) = load::snapshot(&self.store).await {
                self.shard = Shard::new(self.options.clone(), snapshot);
                if self.recover().await.is_ok() {
                    return;
                }
                self.dispatch.cancel_all();
            }
            if self.stop.is_cancelled() {
                return;
            }
            tokio::time::sleep(STORE_RETRY).await;
        }
    }

    /// Commits what is under way and lets go of everything else, which the store remembers.
    async fn drain(mut self) -> Ended {
        self.requests.close();
        self.take_waiting().await;
        // Nobody polls any more.
        for poll in self.replies.keys().copied().collect::<Vec<_>>() {
            self.shard.handle(Input::Withdraw(poll), now());
        }
        self.take_back().await;
        self.commit();
        while self.in_flight.is_some() {
            let result = committed(&mut self.in_flight).await;
            if self.committed(result).await == Wake::Fenced {
                return Ended::Fenced;
            }
            self.take_back().await;
            self.commit();
        }
        self.dispatch.cancel_all();
        Ended::Stopped
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    GoOn,
    Stop,
    Fenced,
}

/// The attempt that a task's token names.
fn key_of(task: &ActivityTask) -> Option<TaskKey> {
    let TaskToken { execution, row, attempt, .. } = TaskToken::parse(&task.token)?;
    Some(TaskKey { execution, row, attempt })
}

/// The end of the commit that is under way.
async fn committed(in_flight: &mut Option<InFlight>) -> Result<(), CommitError> {
    match in_flight {
        Some(in_flight) => in_flight.commit.as_mut().await,
        None => std::future::pending().await,
    }
}

/// The engine's one look at the clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_milliseconds(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
