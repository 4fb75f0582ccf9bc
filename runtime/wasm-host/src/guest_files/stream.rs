//! Streams of files. What they read or write is done on threads of files, and between two operations wasmtime's stream is
//! here. A write has a bound, since it waits in our memory for its turn, and is paid for before it is made where there is a
//! quota.

use std::io;

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use super::descriptors::Hold;
use super::work::{FileWork, Working, at_once};
use crate::denials::Denials;
use crate::stdio::WRITE_BYTES_MAX;

/// Ours: what is read ahead for a guest that waits without having said how much it wants.
const READ_AHEAD_BYTES: usize = 4 << 10;

/// A stream of wasmtime's that is here, or away for an operation.
struct Apart<S, T> {
    work: FileWork,
    state: State<S, T>,
}

enum State<S, T> {
    Here(S),
    Away(Working<(S, T)>),
    /// The host ends, and took it along.
    Gone,
}

impl<S: Send + 'static, T: Send + 'static> Apart<S, T> {
    fn new(work: FileWork, stream: S) -> Apart<S, T> {
        Apart { work, state: State::Here(stream) }
    }

    /// Sends the stream away, if it is here. What has no line before it begins at once.
    fn start(&mut self, operation: impl FnOnce(&mut S) -> T + Send + 'static) -> Option<T> {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Here(mut stream) => {
                self.state = State::Away(self.work.start(move || {
                    let done = operation(&mut stream);
                    (stream, done)
                }));
                self.now()
            }
            other => {
                self.state = other;
                None
            }
        }
    }

    /// What the operation gave, if it is over.
    fn now(&mut self) -> Option<T> {
        at_once(self.back()).flatten()
    }

    /// Waits for the stream to be here.
    async fn back(&mut self) -> Option<T> {
        let State::Away(working) = &mut self.state else { return None };
        match working.await {
            Ok((stream, done)) => {
                self.state = State::Here(stream);
                Some(done)
            }
            Err(_ended) => {
                self.state = State::Gone;
                None
            }
        }
    }
}

/// What never waits on a thread of files.
fn done<T>(operation: impl Future<Output = StreamResult<T>>) -> StreamResult<T> {
    at_once(operation).unwrap_or_else(|| Err(StreamError::trap("a stream of a file waits on its own thread")))
}

/// A stream out of a file, which keeps the file although its name may be gone.
pub(super) struct FileReader {
    apart: Apart<DynInputStream, StreamResult<Bytes>>,
    /// What was read and not handed out.
    read: Option<StreamResult<Bytes>>,
    _hold: Hold,
}

impl FileReader {
    pub(super) fn new(inner: DynInputStream, work: FileWork, hold: Hold) -> FileReader {
        FileReader { apart: Apart::new(work, inner), read: None, _hold: hold }
    }

    fn start(&mut self, size: usize) {
        if self.read.is_none() {
            self.read = self.apart.start(move |inner| done(inner.blocking_read(size)));
        }
    }

    fn take(&mut self, size: usize) -> StreamResult<Bytes> {
        let Some(read) = self.read.take() else {
            return if matches!(self.apart.state, State::Gone) {
                Err(StreamError::Closed)
            } else {
                Ok(Bytes::new())
            };
        };
        let mut bytes = read?;
        let taken = bytes.split_to(bytes.len().min(size));
        if !bytes.is_empty() {
            self.read = Some(Ok(bytes));
        }
        Ok(taken)
    }
}

#[async_trait]
impl InputStream for FileReader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.read.is_none() {
            self.read = self.apart.now();
        }
        if size > 0 {
            self.start(size);
        }
        self.take(size)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size > 0 {
            self.start(size);
            self.ready().await;
        }
        self.take(size)
    }

    async fn cancel(&mut self) {
        let _unread = self.apart.back().await;
    }
}

#[async_trait]
impl Pollable for FileReader {
    async fn ready(&mut self) {
        if self.read.is_none() {
            self.start(READ_AHEAD_BYTES);
        }
        if self.read.is_none() {
            self.read = self.apart.back().await;
        }
    }
}

/// A stream into a file, from a place on or at its end.
pub(super) struct FileWriter {
    apart: Apart<DynOutputStream, StreamResult<()>>,
    failed: Option<StreamError>,
    hold: Hold,
    /// None for a stream that appends.
    position: Option<u64>,
    denials: Denials,
}

impl FileWriter {
    pub(super) fn new(
        inner: DynOutputStream,
        work: FileWork,
        hold: Hold,
        position: Option<u64>,
        denials: Denials,
    ) -> FileWriter {
        FileWriter { apart: Apart::new(work, inner), failed: None, hold, position, denials }
    }

    fn pay(&mut self, bytes: u64) -> StreamResult<()> {
        let Some(cost) = &self.hold.cost else { return Ok(()) };
        let end = self.position.map(|position| position.saturating_add(bytes));
        let has_room = match end {
            Some(end) => cost.reach(end),
            None => cost.append(bytes),
        };
        if !has_room {
            self.denials.note(cost.refusal());
            let error = io::Error::from(rustix::io::Errno::NOSPC);
            return Err(StreamError::LastOperationFailed(error.into()));
        }
        self.position = end;
        Ok(())
    }

    fn note(&mut self, written: Option<StreamResult<()>>) {
        if let Some(Err(error)) = written {
            self.failed = Some(error);
        }
    }
}

#[async_trait]
impl OutputStream for FileWriter {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_BYTES_MAX || self.check_write()? == 0 {
            return Err(StreamError::trap("a write of more than `check-write` allows"));
        }
        self.pay(bytes.len() as u64)?;
        let written = self.apart.start(move |inner| done(inner.blocking_write_and_flush(bytes)));
        self.note(written);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let written = self.apart.now();
        self.note(written);
        self.flush()?;
        match &mut self.apart.state {
            State::Here(inner) => inner.check_write().map(|bytes| bytes.min(WRITE_BYTES_MAX)),
            State::Away(_) => Ok(0),
            State::Gone => Err(StreamError::Closed),
        }
    }

    async fn cancel(&mut self) {
        self.ready().await;
    }
}

#[async_trait]
impl Pollable for FileWriter {
    async fn ready(&mut self) {
        let written = self.apart.back().await;
        self.note(written);
    }
}
