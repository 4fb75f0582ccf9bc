//! The files that a guest sees: wasmtime's implementation of `wasi:filesystem`, watched.
//!
//! wasmtime keeps guests within their folders. What is added here: each refusal is noted with the grant that it needs,
//! writes to the scratch space are paid for, and `/` is a folder in which there is nothing, so that the host hears of
//! files that no grant covers.

mod denied;
mod descriptors;
mod folder;
mod quota;
mod stream;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;

pub(crate) use folder::{ScratchFolder, ScratchRoot};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtx, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::{FsPerms, WasiCtx};

use crate::manifest::SCRATCH;
use crate::state::{GuestState, Wasi};
use descriptors::{Place, Root};

pub(crate) use descriptors::FileWatch;

/// How the linker finds the files of a guest.
struct GuestFiles;

impl HasData for GuestFiles {
    type Data<'a> = FilesView<'a>;
}

/// One guest's files while it is in a host call.
pub(crate) struct FilesView<'a> {
    inner: WasiFilesystemCtxView<'a>,
    watch: &'a mut FileWatch,
}

/// Puts these files in the place of wasmtime's own.
pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    filesystem::types::add_to_linker::<GuestState, GuestFiles>(linker, view)?;
    preopens::add_to_linker::<GuestState, GuestFiles>(linker, view)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The folder that guests see as `/`.
pub(crate) fn nothing(scratch: &ScratchRoot) -> wasmtime::Result<WasiFilesystemCtx> {
    let mut wasi = WasiCtx::builder();
    wasi.preopened_dir(scratch.nothing(), "/", FsPerms::ReadOnly)?;
    let mut wasi = Wasi { ctx: wasi.build(), table: ResourceTable::new() };
    Ok(wasi.filesystem().ctx.clone())
}

fn view(state: &mut GuestState) -> FilesView<'_> {
    FilesView { inner: state.wasi.filesystem(), watch: &mut state.files }
}

impl preopens::Host for FilesView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let mut directories = preopens::Host::get_directories(&mut self.inner)?;
        for (descriptor, name) in &directories {
            let access = self.watch.access(name);
            let root = if name == SCRATCH {
                Root::Scratch
            } else {
                Root::Granted { name: Arc::from(name.as_str()), access }
            };
            self.watch.descriptors.insert(descriptor.rep(), Place { root, cost: None });
        }
        let mut nothing = WasiFilesystemCtx::clone(&self.watch.nothing);
        let mut view = WasiFilesystemCtxView { ctx: &mut nothing, table: self.inner.table };
        for (descriptor, name) in preopens::Host::get_directories(&mut view)? {
            self.watch.descriptors.insert(descriptor.rep(), Place { root: Root::Nothing, cost: None });
            directories.push((descriptor, name));
        }
        Ok(directories)
    }
}
