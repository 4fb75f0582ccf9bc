//! The threads on which files of guests are read and written.
//!
//! A file system may take as long as it likes, and a thread that waits for it cannot be called back. So modules take
//! turns for a bounded number of them, nobody has more than a part, and a place is given back when the system is done, not
//! when the guest stops waiting.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtx, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::{FsError, FsResult};

use crate::gate::Gate;
use crate::shares::{Share, Shares};
use crate::state::Wasi;

/// Ours: operations on files of all guests at once, each on a thread.
pub const FILE_OPERATIONS_MAX: u32 = 32;
/// Ours: of those, operations of one module.
pub const FILE_OPERATIONS_OF_MODULE_MAX: u32 = FILE_OPERATIONS_MAX / 4;
/// Ours: operations of one call at once. It has several only if it reads or writes streams without waiting for them.
const FILE_OPERATIONS_OF_CALL_MAX: usize = 4;
/// Ours: files and folders that all guests have open together, each a descriptor of this process. A module has at most as
/// many as it leaves free.
pub const OPEN_FILES_MAX: u64 = 4_096;

/// What operations of all calls use.
#[derive(Clone)]
pub(crate) struct FileThreads(Arc<Shared>);

struct Shared {
    handle: Handle,
    places: Gate,
    open: Shares,
    /// Under which wasmtime does its work on the thread that asks for it.
    blocking: WasiFilesystemCtx,
}

/// The operations of one call. Clones are of the same call.
#[derive(Clone)]
pub(crate) struct FileWork {
    threads: FileThreads,
    module: Arc<str>,
    of_call: Arc<Semaphore>,
}

/// Work under way, or in line.
pub(super) type Working<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl FileThreads {
    pub(crate) fn new(handle: Handle, open_files_max: u64) -> FileThreads {
        let ctx = WasiCtx::builder().allow_blocking_current_thread(true).build();
        let mut wasi = Wasi { ctx, table: ResourceTable::new() };
        FileThreads(Arc::new(Shared {
            handle,
            // A call waits for few operations at once, so the line is as long as there are calls.
            places: Gate::new(FILE_OPERATIONS_MAX, usize::MAX),
            open: Shares::new(open_files_max),
            blocking: wasi.filesystem().ctx.clone(),
        }))
    }

    #[cfg(test)]
    pub(super) fn occupied(&self) -> usize {
        self.0.places.occupied()
    }

    pub(crate) fn of_call(&self, module: &Arc<str>) -> FileWork {
        let of_call = Arc::new(Semaphore::new(FILE_OPERATIONS_OF_CALL_MAX));
        FileWork { threads: self.clone(), module: Arc::clone(module), of_call }
    }
}

impl FileWork {
    /// Does something on a thread that may block, of the runtime on which the guest is: threads have the priority of those
    /// who wait for them. Once it has begun it goes on to its end, whoever waits for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<T> {
        let of_call = Arc::clone(&self.of_call).acquire_owned().await.map_err(io::Error::other)?;
        let never = CancellationToken::new();
        let place = self.threads.0.places.enter(&self.module, FILE_OPERATIONS_OF_MODULE_MAX, &never).await;
        let place = place.map_err(|_full| io::Error::from(io::ErrorKind::ResourceBusy))?;
        let work = move || {
            let done = work();
            drop((place, of_call));
            done
        };
        AbortOnDropHandle::new(tokio::task::spawn_blocking(work)).await.map_err(io::Error::other)
    }

    /// The same as a value that goes on when it is polled.
    pub(super) fn start<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Working<T> {
        let this = self.clone();
        Box::pin(async move { this.run(work).await })
    }

    pub(super) fn module(&self) -> &Arc<str> {
        &self.module
    }

    /// Where work goes on that nobody waits for.
    pub(super) fn runtime(&self) -> &Handle {
        &self.threads.0.handle
    }

    /// Asks wasmtime's files, with descriptors that it takes for its own.
    pub(super) async fn ask<const N: usize, T, F>(
        &self,
        descriptors: [Descriptor; N],
        operation: F,
    ) -> FsResult<T>
    where
        T: Send + 'static,
        F: AsyncFnOnce(&mut WasiFilesystemCtxView<'_>, [Resource<Descriptor>; N]) -> FsResult<T>
            + Send
            + 'static,
    {
        let threads = self.threads.clone();
        let asked = self.run(move || {
            let (mut ctx, mut table) = (threads.0.blocking.clone(), ResourceTable::new());
            let mut pushed = Vec::with_capacity(N);
            for descriptor in descriptors {
                pushed.push(table.push(descriptor)?);
            }
            let Ok(pushed) = pushed.try_into() else { return Err(waits()) };
            let mut view = WasiFilesystemCtxView { ctx: &mut ctx, table: &mut table };
            at_once(operation(&mut view, pushed)).unwrap_or_else(|| Err(waits()))
        });
        asked.await.unwrap_or_else(|error| Err(error.into()))
    }

    /// Room for one more open file; none if the module has as many as it may.
    pub(super) fn open_one(&self) -> Option<Share> {
        self.threads.0.open.take(&self.module, 1)
    }
}

/// What such work gives without waiting, which it never does on a thread that may block.
pub(super) fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

fn waits() -> FsError {
    FsError::trap(wasmtime::format_err!("an operation on files waits on a thread of its own"))
}
