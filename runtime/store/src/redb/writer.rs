//! The writer thread and its group commit.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ::redb::{Database, WriteTransaction};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use crate::batch::Batch;
use crate::encoded::{Admission, Encoded};
use crate::error::CommitError;
use crate::kv::ModuleChanges;

use super::definition;

/// Ours: transitions in one commit. Measured: 1,024 take 6 to 8 ms, larger commits only lengthen the tail.
const COMMIT_TRANSITIONS_MAX: usize = 1024;
/// Ours: batches that may wait for the writer; callers beyond it wait for their turn.
const QUEUE_BATCHES_MAX: usize = 1024;
const THREAD_NAME: &str = "store-writer";

type Reply = oneshot::Sender<Result<(), CommitError>>;

struct Request {
    batch: Batch,
    reply: Reply,
}

/// The way to the writer thread. Dropping it waits until all that was sent is committed.
#[derive(Debug)]
pub(super) struct Writer {
    /// None only while it is dropped.
    requests: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(
        database: Arc<Database>,
        admission: Admission,
        module_changes: Arc<ModuleChanges>,
    ) -> io::Result<Writer> {
        let (requests, received) = mpsc::channel(QUEUE_BATCHES_MAX);
        let mut state = WriterState { database, admission, module_changes, failed: false };
        let thread =
            thread::Builder::new().name(THREAD_NAME.to_owned()).spawn(move || state.run(received))?;
        Ok(Writer { requests: Some(requests), thread: Some(thread) })
    }

    pub(super) async fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        let (reply, answer) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or(CommitError::Unavailable)?;
        requests.send(Request { batch, reply }).await.map_err(|_| CommitError::Unavailable)?;
        // No answer: the thread died with the request in its hands.
        answer.await.unwrap_or(Err(CommitError::Unknown))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // A panic was reported when it happened.
            let _joined = thread.join();
        }
    }
}

struct WriterState {
    database: Arc<Database>,
    admission: Admission,
    module_changes: Arc<ModuleChanges>,
    /// Set when a commit ended with an outcome that nobody knows: whatever came after it could contradict it.
    failed: bool,
}

/// Batches that are committed as one.
struct Group {
    batch: Batch,
    transitions: usize,
    admitted: Admission,
    replies: Vec<Reply>,
}

impl WriterState {
    fn run(&mut self, mut requests: mpsc::Receiver<Request>) {
        let mut waiting = Vec::with_capacity(QUEUE_BATCHES_MAX);
        // What gathers while one commit is under way is the next one: a delay would gain nothing.
        while requests.blocking_recv_many(&mut waiting, QUEUE_BATCHES_MAX) > 0 {
            let mut group = self.empty_group();
            for request in waiting.drain(..) {
                // A batch without history counts too, so that a commit is of so many batches at most.
                let transitions = request.batch.history.len().max(1);
                if group.transitions > 0 && group.transitions + transitions > COMMIT_TRANSITIONS_MAX {
                    self.commit(group);
                    group = self.empty_group();
                }
                group.add(request, transitions);
            }
            self.commit(group);
        }
    }

    fn empty_group(&self) -> Group {
        let admitted = self.admission.clone();
        Group { batch: Batch::default(), transitions: 0, admitted, replies: Vec::new() }
    }

    fn commit(&mut self, group: Group) {
        if group.replies.is_empty() {
            return;
        }
        let changes_modules = group.batch.changes_modules();
        let result = if self.failed {
            Err(CommitError::Unavailable)
        } else {
            let encoded = || Encoded::new(group.batch, &self.admission, &group.admitted);
            let written = catch_unwind(AssertUnwindSafe(|| commit_encoded(&self.database, &encoded())));
            // The panic's own message is printed by the panic hook.
            written.unwrap_or(Err(CommitError::Unknown))
        };
        match result {
            Ok(()) => self.admission = group.admitted,
            Err(CommitError::Unknown) => self.failed = true,
            Err(CommitError::Unavailable | CommitError::Fenced) => {}
        }
        if changes_modules {
            self.module_changes.add();
        }
        for reply in group.replies {
            // Whoever dropped the future doesn't want to know.
            let _sent = reply.send(result);
        }
    }
}

impl Group {
    fn add(&mut self, request: Request, transitions: usize) {
        match self.admitted.admit(&request.batch) {
            Ok(()) => {
                self.transitions += transitions;
                self.batch.absorb(request.batch);
                self.replies.push(request.reply);
            }
            Err(refused) => {
                let _sent = request.reply.send(Err(refused));
            }
        }
    }
}

fn commit_encoded(database: &Database, encoded: &Encoded) -> Result<(), CommitError> {
    let written = begin(database).and_then(|transaction| {
        // Dropping the transaction on an error takes back what it wrote.
        write(&transaction, encoded)?;
        Ok(transaction)
    });
    let transaction = written.map_err(|error| {
        error!(%error, "the store cannot be written");
        CommitError::Unavailable
    })?;
    transaction.commit().map_err(|error| {
        error!(%error, "a commit was interrupted");
        CommitError::Unknown
    })
}

/// Commits flush at once, which is redb's default, and keep the allocator's state with the data. Without the
/// second a store of 1 GB takes 1.3 s to open after a crash, and with it 14 ms; the commit before the crash
/// must have had it, so every commit does.
fn begin(database: &Database) -> Result<WriteTransaction, ::redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

pub(super) fn write(transaction: &WriteTransaction, encoded: &Encoded) -> Result<(), ::redb::Error> {
    for (table, rows) in encoded.tables() {
        let mut table = transaction.open_table(definition(table))?;
        for (key, value) in rows {
            match value {
                Some(value) => table.insert(key, value)?,
                None => table.remove(key)?,
            };
        }
    }
    Ok(())
}
