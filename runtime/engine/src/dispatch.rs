//! Task attempts on their way to an executor: a bounded number at once, the others as keys in a queue.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use asl::interpreter::TaskRequest;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::port::{TaskDispatch, TaskExecutor, TaskOutcome, run_guarded};
use crate::shard::{Input, TaskKey, TaskReturned};

/// What comes to the driver from within.
#[derive(Debug)]
pub(crate) enum Inward {
    Shard(Input),
    /// A run of an attempt is over. What a cancelled one returns is no result: its attempt has ended, or was
    /// given to another run.
    Returned {
        run: u64,
        returned: TaskReturned,
        was_cancelled: bool,
    },
}

#[derive(Debug)]
pub(crate) struct Dispatch<E> {
    executor: Arc<E>,
    inputs: mpsc::Sender<Inward>,
    running_max: usize,
    /// Runs so far; after a rebuild one attempt may have two of them.
    runs: u64,
    /// Attempts that wait for a place. Their inputs stay where they are until there is one.
    waiting: VecDeque<TaskKey>,
    running: HashMap<TaskKey, (u64, CancellationToken)>,
}

/// Names of an attempt's execution and when it began, for its context.
pub(crate) type Names = (asl::Text, asl::Text, asl::Text, asl::Timestamp);

impl<E: TaskExecutor> Dispatch<E> {
    pub(crate) fn new(executor: Arc<E>, inputs: mpsc::Sender<Inward>, running_max: usize) -> Dispatch<E> {
        Dispatch { executor, inputs, running_max, runs: 0, waiting: VecDeque::new(), running: HashMap::new() }
    }

    pub(crate) fn push(&mut self, task: TaskKey) {
        self.waiting.push_back(task);
    }

    /// The next attempt, if there is a place for it.
    pub(crate) fn next(&mut self) -> Option<TaskKey> {
        if self.running.len() < self.running_max { self.waiting.pop_front() } else { None }
    }

    pub(crate) fn cancel(&mut self, task: TaskKey) {
        if let Some((_, token)) = self.running.get(&task) {
            token.cancel();
        }
    }

    /// Frees the place of a run, unless its attempt was given another one since.
    pub(crate) fn finished(&mut self, task: TaskKey, run: u64) {
        if self.running.get(&task).is_some_and(|(running, _)| *running == run) {
            self.running.remove(&task);
        }
    }

    /// Cancels everything; a restart finds what was running in the store.
    pub(crate) fn cancel_all(&mut self) {
        self.waiting.clear();
        for (_, (_, token)) in self.running.drain() {
            token.cancel();
        }
    }

    pub(crate) fn start(&mut self, task: TaskKey, request: TaskRequest, names: Names) {
        let cancel = CancellationToken::new();
        // The same attempt may still be running if the shard was rebuilt around it.
        self.runs += 1;
        let run = self.runs;
        if let Some((_, old)) = self.running.insert(task, (run, cancel.clone())) {
            old.cancel();
        }
        let (execution_arn, execution_name, state_machine_arn, started_at) = names;
        let span = tracing::info_span!("task", execution = %execution_arn, state = %request.state_name, attempt = task.attempt.0);
        let beats = self.inputs.clone();
        let dispatch = TaskDispatch {
            execution: task.execution,
            execution_arn,
            execution_name,
            state_machine_arn,
            started_at,
            request,
            // A beat that finds the queue full is lost; the next one comes.
            heartbeat: Arc::new(move || _ = beats.try_send(Inward::Shard(Input::TaskHeartbeat(task)))),
            watch: None,
        };
        let (executor, inputs) = (Arc::clone(&self.executor), self.inputs.clone());
        let attempt = async move {
            let TaskOutcome { result, usage } = run_guarded(&*executor, dispatch, cancel.clone()).await;
            let was_cancelled = cancel.is_cancelled();
            let returned = TaskReturned { task, outcome: result, usage };
            // The receiver is gone only when the engine stops; then the attempt is run again at the next start.
            let _ = inputs.send(Inward::Returned { run, returned, was_cancelled }).await;
        };
        tokio::spawn(attempt.instrument(span));
    }
}
