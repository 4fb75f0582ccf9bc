//! Which granted folder each open descriptor of a guest came from.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::FsError;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

use super::denied::{no_grant, not_permitted};
use super::opened::Folders;
use super::quota::{FileCost, Files};
use super::work::FileWork;
use crate::denials::Denials;
use crate::manifest::Access;
use crate::shares::Share;

/// Where a descriptor came from.
#[derive(Debug, Clone)]
pub(super) enum Root {
    /// `/`, in which there is nothing.
    Nothing,
    Granted {
        name: Arc<str>,
        access: Access,
        /// Of its quota, if it has one.
        account: Option<usize>,
    },
    Scratch {
        account: usize,
    },
}

impl Root {
    pub(super) fn account(&self) -> Option<usize> {
        match self {
            Root::Nothing => None,
            Root::Granted { account, .. } => *account,
            Root::Scratch { account } => Some(*account),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) root: Root,
    pub(super) hold: Hold,
}

/// What is held while a file is open.
#[derive(Debug, Clone, Default)]
pub(super) struct Hold {
    /// Of a file that the call pays for.
    pub(super) cost: Option<Arc<FileCost>>,
    pub(super) _open: Option<Arc<Share>>,
}

/// What is known of one guest's open files.
pub(crate) struct FileWatch {
    pub(super) descriptors: HashMap<u32, Place>,
    pub(super) folders: Folders,
    /// Of folders with a quota.
    pub(super) accounts: Vec<Files>,
    /// Folders that it is listing.
    pub(super) listings: usize,
    pub(super) work: FileWork,
    pub(super) denials: Denials,
}

impl FileWatch {
    /// Of the folders of a call, which were opened for it.
    pub(crate) fn new(mut folders: Folders, work: FileWork, denials: Denials) -> FileWatch {
        let accounts = std::mem::take(&mut folders.quotas).into_iter().map(Files::new).collect();
        FileWatch { descriptors: HashMap::new(), folders, accounts, listings: 0, work, denials }
    }

    /// Every descriptor is one that was handed out; what is not known has nothing.
    pub(super) fn root(&self, descriptor: &Resource<Descriptor>) -> Root {
        self.descriptors.get(&descriptor.rep()).map_or(Root::Nothing, |place| place.root.clone())
    }

    pub(super) fn hold(&self, descriptor: &Resource<Descriptor>) -> Hold {
        self.descriptors.get(&descriptor.rep()).map(|place| place.hold.clone()).unwrap_or_default()
    }

    /// The account of a folder with a quota.
    pub(super) fn files(&mut self, root: &Root) -> Option<&mut Files> {
        self.accounts.get_mut(root.account()?)
    }

    /// Refuses a path of `/`, and notes what it would need. The guest hears that there is no such file, as it
    /// does on a machine that has none: many look for files that they can do without.
    pub(super) fn nothing_there(&self, root: &Root, path: &str, is_change: bool) -> Result<(), FsError> {
        match root {
            Root::Nothing => {
                self.denials.note(no_grant(path, is_change));
                Err(ErrorCode::NoEntry.into())
            }
            Root::Granted { .. } | Root::Scratch { .. } => Ok(()),
        }
    }

    /// Notes a refusal of wasmtime's, and hands it on.
    pub(super) fn refused(&self, root: &Root, path: &str, is_change: bool, error: FsError) -> FsError {
        if let Root::Granted { name, access, .. } = root
            && matches!(error.downcast_ref(), Some(ErrorCode::NotPermitted | ErrorCode::ReadOnly))
        {
            self.denials.note(not_permitted(name, *access, path, is_change));
        }
        error
    }

    /// Refuses what a quota has no room for.
    pub(super) fn full(&self, refusal: &str) -> FsError {
        self.denials.note(refusal);
        ErrorCode::InsufficientSpace.into()
    }
}
