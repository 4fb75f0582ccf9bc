//! Streams of files: a write has a bound, since it waits in our memory for its turn. In the scratch space writes are paid for
//! before they are made, and whoever reads holds the file.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::denied::scratch_is_full;
use super::quota::FileCost;
use crate::denials::Denials;
use crate::stdio::WRITE_BYTES_MAX;

/// A stream into a file, from a place on or at its end.
pub(super) struct BoundedStream {
    pub(super) inner: Box<dyn OutputStream>,
    /// Of a file in the scratch space.
    pub(super) cost: Option<Arc<FileCost>>,
    /// None for a stream that appends.
    pub(super) position: Option<u64>,
    pub(super) bytes_max: u64,
    pub(super) denials: Denials,
}

impl BoundedStream {
    fn pay(&mut self, bytes: u64) -> StreamResult<()> {
        let Some(cost) = &self.cost else { return Ok(()) };
        let end = self.position.map(|position| position.saturating_add(bytes));
        let has_room = match end {
            Some(end) => cost.reach(end),
            None => cost.append(bytes),
        };
        if !has_room {
            self.denials.note(scratch_is_full(self.bytes_max));
            let error = io::Error::from(rustix::io::Errno::NOSPC);
            return Err(StreamError::LastOperationFailed(error.into()));
        }
        self.position = end;
        Ok(())
    }
}

#[async_trait]
impl OutputStream for BoundedStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_BYTES_MAX {
            return Err(StreamError::trap("a write of more than `check-write` allows"));
        }
        self.pay(bytes.len() as u64)?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl Pollable for BoundedStream {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

/// A stream out of a file, which keeps the file although its name may be gone.
pub(super) struct HoldingStream {
    pub(super) inner: Box<dyn InputStream>,
    pub(super) _cost: Arc<FileCost>,
}

#[async_trait]
impl InputStream for HoldingStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.inner.read(size)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.inner.blocking_read(size).await
    }

    fn skip(&mut self, count: usize) -> StreamResult<usize> {
        self.inner.skip(count)
    }

    async fn blocking_skip(&mut self, count: usize) -> StreamResult<usize> {
        self.inner.blocking_skip(count).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

#[async_trait]
impl Pollable for HoldingStream {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}
