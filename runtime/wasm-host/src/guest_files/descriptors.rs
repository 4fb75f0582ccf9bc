//! Which granted folder each open descriptor of a guest came from.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtx};
use wasmtime_wasi::p2::FsError;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use super::denied::{no_grant, not_permitted, scratch_is_full};
use super::quota::{FileCost, Files, Quota};
use crate::call::Grants;
use crate::denials::Denials;
use crate::manifest::Access;

/// Where a descriptor came from.
#[derive(Debug, Clone)]
pub(super) enum Root {
    /// `/`, in which there is nothing.
    Nothing,
    Granted {
        name: Arc<str>,
        access: Access,
    },
    Scratch,
}

#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) root: Root,
    /// Of a file in the scratch space.
    pub(super) cost: Option<Arc<FileCost>>,
}

/// What is known of one guest's open files.
pub(crate) struct FileWatch {
    pub(super) descriptors: HashMap<u32, Place>,
    pub(super) scratch: Files,
    /// Folders that it is listing.
    pub(super) listings: usize,
    /// The folder that stands for `/`.
    pub(super) nothing: Arc<WasiFilesystemCtx>,
    pub(super) denials: Denials,
    folders: Vec<(String, Access)>,
}

impl FileWatch {
    pub(crate) fn new(grants: &Grants, nothing: Arc<WasiFilesystemCtx>, denials: Denials) -> FileWatch {
        let folders = grants.directories.iter().map(|grant| (grant.guest.clone(), grant.access)).collect();
        FileWatch {
            descriptors: HashMap::new(),
            scratch: Files::new(Quota::new(grants.scratch_bytes)),
            listings: 0,
            nothing,
            denials,
            folders,
        }
    }

    /// Of a folder by its name.
    pub(super) fn access(&self, name: &str) -> Access {
        let folder = self.folders.iter().find(|(folder, _)| folder == name);
        folder.map_or(Access::ReadOnly, |(_, access)| *access)
    }

    /// Every descriptor is one that was handed out; what is not known has nothing.
    pub(super) fn root(&self, descriptor: &Resource<Descriptor>) -> Root {
        self.descriptors.get(&descriptor.rep()).map_or(Root::Nothing, |place| place.root.clone())
    }

    pub(super) fn cost(&self, descriptor: &Resource<Descriptor>) -> Option<Arc<FileCost>> {
        self.descriptors.get(&descriptor.rep()).and_then(|place| place.cost.clone())
    }

    /// Refuses a path of `/`, and notes what it would need. The guest hears that there is no such file, as it
    /// does on a machine that has none: many look for files that they can do without.
    pub(super) fn nothing_there(&self, root: &Root, path: &str, is_change: bool) -> Result<(), FsError> {
        match root {
            Root::Nothing => {
                self.denials.note(no_grant(path, is_change));
                Err(ErrorCode::NoEntry.into())
            }
            Root::Granted { .. } | Root::Scratch => Ok(()),
        }
    }

    /// Notes a refusal of wasmtime's, and hands it on.
    pub(super) fn refused(&self, root: &Root, path: &str, is_change: bool, error: FsError) -> FsError {
        if let Root::Granted { name, access } = root
            && matches!(error.downcast_ref(), Some(ErrorCode::NotPermitted | ErrorCode::ReadOnly))
        {
            self.denials.note(not_permitted(name, *access, path, is_change));
        }
        error
    }

    pub(super) fn full(&self) -> FsError {
        self.denials.note(scratch_is_full(self.scratch.quota.bytes_max()));
        ErrorCode::InsufficientSpace.into()
    }
}
