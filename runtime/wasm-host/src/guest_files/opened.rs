//! The folders of a call, opened before its guest begins: a folder may be on a file system that takes long to answer, and
//! the threads of guests wait for none.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Handle;
use wasmtime_wasi::filesystem::Dir;
use wasmtime_wasi::{FsPerms, OpenMode};

use super::descriptors::{Hold, Place, Root};
use super::folder::{ScratchFolder, ScratchRoot, open_folder};
use super::quota::{Disk, Quota};
use super::work::{FileThreads, FileWork, OPEN_FILES_MAX};
use crate::call::Grants;
use crate::manifest::{Access, SCRATCH};
use crate::outcome::Failure;
use crate::shares::Shares;

/// Ours: all scratch spaces have one part in so many of what the disk has left when the server starts, so that there is room
/// for the store whatever guests write. A module has at most as much of it as it leaves free.
pub const SCRATCH_PART_OF_DISK: u64 = 2;

/// What of the disk a host has for its guests. Clones are the same.
#[derive(Clone)]
pub(crate) struct HostFiles {
    threads: FileThreads,
    scratch: ScratchRoot,
    /// Bytes of all scratch spaces.
    disk: Shares,
    /// `/`.
    nothing: Folder,
}

/// What guests use together.
pub(super) struct Bounds {
    pub(super) open_files: u64,
    pub(super) scratch_bytes: u64,
}

/// A folder as a guest has it.
#[derive(Clone)]
pub(super) struct Folder {
    pub(super) name: Arc<str>,
    pub(super) dir: Dir,
    pub(super) place: Place,
}

/// The folders of one call.
#[derive(Default)]
pub(crate) struct Folders {
    pub(super) list: Vec<Folder>,
    /// By the numbers of their accounts.
    pub(super) quotas: Vec<Arc<Quota>>,
    scratch: Option<ScratchFolder>,
}

impl HostFiles {
    /// Makes the folder of all scratch spaces, and empties it of what a crash left behind.
    pub(crate) fn open(data_dir: &Path, threads: Handle) -> io::Result<HostFiles> {
        let disk = rustix::fs::statvfs(data_dir)?;
        let scratch_bytes = disk.f_bavail.saturating_mul(disk.f_frsize) / SCRATCH_PART_OF_DISK;
        HostFiles::bounded(data_dir, threads, &Bounds { open_files: OPEN_FILES_MAX, scratch_bytes })
    }

    pub(super) fn bounded(data_dir: &Path, threads: Handle, bounds: &Bounds) -> io::Result<HostFiles> {
        let scratch = ScratchRoot::open(data_dir)?;
        let place = Place { root: Root::Nothing, hold: Hold::default() };
        let nothing = Folder { name: "/".into(), dir: dir(scratch.nothing()?, FsPerms::ReadOnly), place };
        let disk = Shares::new(bounds.scratch_bytes);
        Ok(HostFiles { threads: FileThreads::new(threads, bounds.open_files), scratch, disk, nothing })
    }

    pub(crate) fn of_call(&self, module: &Arc<str>) -> FileWork {
        self.threads.of_call(module)
    }

    /// Operations under way, also those that nobody waits for any more.
    #[cfg(test)]
    pub(super) fn operations(&self) -> usize {
        self.threads.occupied()
    }

    /// The folders of a call that is granted none: `/`, in which there is nothing.
    pub(crate) fn no_folders(&self) -> Folders {
        Folders { list: vec![self.nothing.clone()], ..Folders::default() }
    }

    /// Opens what is granted and makes the scratch space.
    pub(crate) async fn open_folders(&self, grants: &Grants, work: &FileWork) -> Result<Folders, Failure> {
        let mut folders = Folders::default();
        for grant in &grants.directories {
            let host = grant.host.clone();
            let opened = work.run(move || open_folder(&host)).await.and_then(|opened| opened);
            let opened = opened.map_err(|error| {
                Failure::Host(format!("the granted folder {} cannot be opened: {error}", grant.guest))
            })?;
            let name = Arc::from(grant.guest.as_str());
            let quota = grant.quota_bytes.map(|bytes| Quota::new(Arc::clone(&name), bytes, None));
            let account = quota.map(|quota| folders.account(quota));
            let root = Root::Granted { name: Arc::clone(&name), access: grant.access, account };
            let (dir, place) = (dir(opened, permissions(grant.access)), place(root, work)?);
            folders.list.push(Folder { name, dir, place });
        }
        if grants.scratch_bytes > 0 {
            let (folder, opened) = self
                .scratch
                .new_folder(work)
                .await
                .map_err(|error| Failure::Host(format!("the scratch space cannot be made: {error}")))?;
            let disk = Disk { shares: self.disk.clone(), module: Arc::clone(work.module()) };
            let quota = Quota::new(SCRATCH.into(), grants.scratch_bytes, Some(disk));
            folders.scratch = Some(folder.paid_by(Arc::clone(&quota)));
            let account = folders.account(quota);
            let (dir, place) = (dir(opened, FsPerms::ReadWrite), place(Root::Scratch { account }, work)?);
            folders.list.push(Folder { name: SCRATCH.into(), dir, place });
        }
        folders.list.push(self.nothing.clone());
        Ok(folders)
    }
}

impl Folders {
    fn account(&mut self, quota: Arc<Quota>) -> usize {
        self.quotas.push(quota);
        self.quotas.len() - 1
    }

    /// What is to be removed after the call.
    pub(crate) fn take_scratch(&mut self) -> Option<ScratchFolder> {
        self.scratch.take()
    }
}

/// Of which wasmtime does its work on the thread that asks for it.
fn dir(opened: File, permissions: FsPerms) -> Dir {
    let mode = match permissions {
        FsPerms::ReadOnly => OpenMode::READ,
        FsPerms::ReadWrite => OpenMode::READ | OpenMode::WRITE,
    };
    Dir::new(opened, permissions, mode, true)
}

/// A folder that is open counts as a file does.
fn place(root: Root, work: &FileWork) -> Result<Place, Failure> {
    let open = work.open_one().ok_or(Failure::Overloaded)?;
    Ok(Place { root, hold: Hold { cost: None, _open: Some(Arc::new(open)) } })
}

fn permissions(access: Access) -> FsPerms {
    match access {
        Access::ReadOnly => FsPerms::ReadOnly,
        Access::ReadWrite => FsPerms::ReadWrite,
    }
}
