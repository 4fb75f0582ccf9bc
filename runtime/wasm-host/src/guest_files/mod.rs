//! The files that a guest sees: wasmtime's implementation of `wasi:filesystem`, watched.
//!
//! wasmtime keeps guests within their folders. What is added here: its work is done on threads of which modules have their
//! parts, each refusal is noted with the grant that it needs, writes to the scratch space and to folders with a quota are
//! paid for, and `/` is a folder in which there is nothing, so that the host hears of files that no grant covers.

#[cfg(test)]
mod crowd;
mod denied;
mod descriptors;
mod folder;
mod opened;
mod quota;
mod stream;
#[cfg(test)]
mod tests;
mod types;
mod work;

use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem;
use wasmtime_wasi::p2::bindings::filesystem::preopens;

use crate::state::GuestState;

pub(crate) use descriptors::FileWatch;
pub(crate) use opened::{Folders, HostFiles};
pub(crate) use work::FileWork;

/// The numbers that bound what files of all guests use together.
pub(crate) mod limits {
    pub use super::opened::SCRATCH_PART_OF_DISK;
    pub use super::work::{FILE_OPERATIONS_MAX, FILE_OPERATIONS_OF_MODULE_MAX, OPEN_FILES_MAX};
}

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

fn view(state: &mut GuestState) -> FilesView<'_> {
    FilesView { inner: state.wasi.filesystem(), watch: &mut state.files }
}

impl preopens::Host for FilesView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let mut directories = Vec::with_capacity(self.watch.folders.list.len());
        for folder in &self.watch.folders.list {
            let descriptor = self.inner.table.push(Descriptor::Dir(folder.dir.clone()))?;
            self.watch.descriptors.insert(descriptor.rep(), folder.place.clone());
            directories.push((descriptor, folder.name.to_string()));
        }
        Ok(directories)
    }
}
