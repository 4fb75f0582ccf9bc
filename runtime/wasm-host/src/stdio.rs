//! Where a guest's standard output and standard error go.
//!
//! Everything lands in [`Captured`], which has a bound for each part. Writing never waits, so that a guest that
//! floods its output is stopped by its fuel and its turns like any other loop.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::log::{LogSource, TaskLog};

/// What a guest may write to a stream in one go; wasmtime-wasi allocates this much for it.
pub(crate) const WRITE_BYTES_MAX: usize = 64 << 10;
/// The end of standard error that is kept as the cause of a failure: AWS allows a cause of 32,768 characters.
const STDERR_TAIL_BYTES: usize = 32_768;

/// All that one call has written.
#[derive(Debug)]
pub(crate) struct Captured {
    log: TaskLog,
    output: Vec<u8>,
    output_bytes_max: usize,
    /// What the output would have been when it first went over its limit.
    output_overflow: Option<usize>,
    stderr_tail: Vec<u8>,
}

/// Shared by the streams, the `log` import and the caller, who reads it after the guest has ended.
#[derive(Debug, Clone)]
pub(crate) struct SharedCaptured(Arc<Mutex<Captured>>);

impl SharedCaptured {
    pub(crate) fn new(log_bytes_max: usize, output_bytes_max: usize) -> Self {
        Self(Arc::new(Mutex::new(Captured {
            log: TaskLog::new(log_bytes_max),
            output: Vec::new(),
            output_bytes_max,
            output_overflow: None,
            stderr_tail: Vec::new(),
        })))
    }

    /// A panic in between leaves at worst a line too few, so a poisoned lock is no reason to stop.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Captured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn stream(&self, target: Target) -> Stream {
        Stream { captured: self.clone(), target }
    }
}

impl Captured {
    pub(crate) fn log(&mut self) -> &mut TaskLog {
        &mut self.log
    }

    pub(crate) fn log_message(&mut self, source: LogSource, message: &str) {
        self.log.push(source, message);
    }

    pub(crate) fn output_overflow(&self) -> Option<usize> {
        self.output_overflow
    }

    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// The end of standard error as text.
    pub(crate) fn stderr(&self) -> String {
        let from = self.stderr_tail.len().saturating_sub(STDERR_TAIL_BYTES);
        String::from_utf8_lossy(&self.stderr_tail[from..]).trim().to_owned()
    }

    fn write(&mut self, target: Target, bytes: &[u8]) -> StreamResult<()> {
        match target {
            Target::Output => return self.write_output(bytes),
            Target::Stdout => self.log.write_stdout(bytes),
            Target::Stderr => {
                self.log.write_stderr(bytes);
                self.stderr_tail.extend_from_slice(bytes);
                if self.stderr_tail.len() > 2 * STDERR_TAIL_BYTES + WRITE_BYTES_MAX {
                    self.stderr_tail.drain(..self.stderr_tail.len() - STDERR_TAIL_BYTES);
                }
            }
        }
        Ok(())
    }

    fn write_output(&mut self, bytes: &[u8]) -> StreamResult<()> {
        let size = self.output.len() + bytes.len();
        if size > self.output_bytes_max {
            self.output_overflow.get_or_insert(size);
            return Err(StreamError::trap("the output is over its limit"));
        }
        self.output.extend_from_slice(bytes);
        Ok(())
    }
}

/// What becomes of the bytes of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The result of the call: standard output of a command.
    Output,
    /// The log, as standard output.
    Stdout,
    /// The log, as standard error.
    Stderr,
}

/// One standard stream of a guest.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    captured: SharedCaptured,
    target: Target,
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_BYTES_MAX {
            return Err(StreamError::trap("a write of more than `check-write` allows"));
        }
        self.captured.lock().write(self.target, &bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

/// Asked for by the trait; WASI 0.2 itself uses [`OutputStream`].
impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.captured.lock().write(self.target, bytes);
        Poll::Ready(written.map(|()| bytes.len()).map_err(io::Error::other))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
