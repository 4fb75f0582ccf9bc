//! Task attempts on their way to an executor: a bounded number at once, the others as keys in lines.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use asl::interpreter::TaskRequest;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::lines::Lines;
use crate::port::{Line, TaskDispatch, TaskExecutor, TaskOutcome, run_guarded};
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
    places: usize,
    /// Runs so far; after a rebuild one attempt may have two of them.
    runs: u64,
    /// Attempts of which it is not known yet in which line they belong.
    newcomers: VecDeque<TaskKey>,
    /// Attempts that wait for a place. Their inputs stay where they are until there is one.
    lines: Lines<TaskKey>,
    running: HashMap<TaskKey, Running>,
}

#[derive(Debug)]
struct Running {
    run: u64,
    line: Line,
    cancel: CancellationToken,
}

/// Names of an attempt's execution and when it began, for its context.
pub(crate) type Names = (asl::Text, asl::Text, asl::Text, asl::Timestamp);

impl<E: TaskExecutor> Dispatch<E> {
    pub(crate) fn new(executor: Arc<E>, inputs: mpsc::Sender<Inward>, places: usize) -> Dispatch<E> {
        Dispatch {
            executor,
            inputs,
            places,
            runs: 0,
            newcomers: VecDeque::new(),
            lines: Lines::new(places),
            running: HashMap::new(),
        }
    }

    pub(crate) fn push(&mut self, task: TaskKey) {
        self.newcomers.push_back(task);
    }

    /// Whether there are attempts to be looked at. While all places are taken there is no need to.
    pub(crate) fn has_newcomers(&self) -> bool {
        self.lines.has_free() && !self.newcomers.is_empty()
    }

    /// The next attempt to be looked at.
    pub(crate) fn newcomer(&mut self) -> Option<TaskKey> {
        if self.has_newcomers() { self.newcomers.pop_front() } else { None }
    }

    /// Puts an attempt in its line.
    pub(crate) fn wait(&mut self, task: TaskKey, request: &TaskRequest) {
        self.lines.wait(self.executor.line(request), task);
    }

    /// The next attempt for which there is a place, and its line. The place is taken.
    pub(crate) fn next(&mut self) -> Option<(Line, TaskKey)> {
        self.lines.next()
    }

    /// Gives a place back that was not needed.
    pub(crate) fn give_back(&mut self, line: &Line) {
        self.lines.give_back(line);
    }

    pub(crate) fn cancel(&mut self, task: TaskKey) {
        if let Some(running) = self.running.get(&task) {
            running.cancel.cancel();
        }
    }

    /// Frees the place of a run, unless its attempt was given another one since.
    pub(crate) fn finished(&mut self, task: TaskKey, run: u64) {
        if self.running.get(&task).is_some_and(|running| running.run == run)
            && let Some(running) = self.running.remove(&task)
        {
            self.lines.give_back(&running.line);
        }
    }

    /// Cancels everything; a restart finds what was running in the store.
    pub(crate) fn cancel_all(&mut self) {
        self.newcomers.clear();
        self.lines = Lines::new(self.places);
        for (_, running) in self.running.drain() {
            running.cancel.cancel();
        }
    }

    /// Runs an attempt that has a place of its line.
    pub(crate) fn start(&mut self, line: Line, task: TaskKey, request: TaskRequest, names: Names) {
        let cancel = CancellationToken::new();
        self.runs += 1;
        let run = self.runs;
        // The same attempt may still be running if the shard was rebuilt around it.
        if let Some(old) = self.running.insert(task, Running { run, line, cancel: cancel.clone() }) {
            old.cancel.cancel();
            self.lines.give_back(&old.line);
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
        let runtime = self.executor.runtime(&dispatch.request);
        let attempt = async move {
            let TaskOutcome { result, usage } = run_guarded(&*executor, dispatch, cancel.clone()).await;
            let was_cancelled = cancel.is_cancelled();
            let returned = TaskReturned { task, outcome: result, usage };
            // The receiver is gone only when the engine stops; then the attempt is run again at the next start.
            let _ = inputs.send(Inward::Returned { run, returned, was_cancelled }).await;
        };
        match runtime {
            Some(runtime) => runtime.spawn(attempt.instrument(span)),
            None => tokio::spawn(attempt.instrument(span)),
        };
    }
}
