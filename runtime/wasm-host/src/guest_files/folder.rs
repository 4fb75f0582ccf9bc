//! The folder of one call's scratch space: new at its start, gone after its end.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::quota::Quota;
use super::work::{FileWork, Working};

/// Below the host's data folder.
const FOLDER: &str = "scratch";
/// A folder that stays empty: guests see it as `/`.
const NOTHING: &str = "nothing";

/// Where calls have their scratch spaces.
#[derive(Debug, Clone)]
pub(crate) struct ScratchRoot(Arc<Root>);

#[derive(Debug)]
struct Root {
    dir: Dir,
    path: PathBuf,
    next: AtomicU64,
}

/// The scratch space of one call. It is removed when this is dropped, on another thread.
pub(crate) struct ScratchFolder {
    root: ScratchRoot,
    name: Option<String>,
    work: FileWork,
    /// Which counts until the folder is gone.
    quota: Option<Arc<Quota>>,
}

impl ScratchRoot {
    /// Makes the folder of all, and empties it of what a crash left behind.
    pub(crate) fn open(data_dir: &Path) -> io::Result<ScratchRoot> {
        let data = Dir::open_ambient_dir(data_dir, ambient_authority())?;
        let dir = crate::files::open_private(&data, FOLDER)?;
        empty(&dir)?;
        dir.create_dir(NOTHING)?;
        let path = data_dir.join(FOLDER);
        Ok(ScratchRoot(Arc::new(Root { dir, path, next: AtomicU64::new(0) })))
    }

    /// The folder in which there is nothing.
    pub(super) fn nothing(&self) -> io::Result<File> {
        open_folder(&self.0.path.join(NOTHING))
    }

    /// Makes one for a call whose files these are, and opens it.
    pub(super) async fn new_folder(&self, work: &FileWork) -> io::Result<(ScratchFolder, File)> {
        let name = self.0.next.fetch_add(1, Ordering::Relaxed).to_string();
        let (root, own) = (self.clone(), work.clone());
        let made = work.run(move || {
            root.0.dir.create_dir(&name)?;
            let folder = ScratchFolder { root, name: Some(name), work: own, quota: None };
            let opened = open_folder(&folder.path())?;
            Ok((folder, opened))
        });
        made.await?
    }
}

/// A folder of this machine, whatever is in it.
pub(super) fn open_folder(path: &Path) -> io::Result<File> {
    Dir::open_ambient_dir(path, ambient_authority()).map(Dir::into_std_file)
}

impl ScratchFolder {
    pub(super) fn path(&self) -> PathBuf {
        self.root.0.path.join(self.name.as_deref().unwrap_or_default())
    }

    pub(super) fn paid_by(mut self, quota: Arc<Quota>) -> ScratchFolder {
        self.quota = Some(quota);
        self
    }

    /// Returns when it is gone.
    pub(crate) async fn remove(mut self) {
        if let Some(removing) = self.start_to_remove() {
            // An error means that the threads end; the next start removes what is left.
            let _ = removing.await;
        }
    }

    fn start_to_remove(&mut self) -> Option<Working<()>> {
        let (name, root, quota) = (self.name.take()?, self.root.clone(), self.quota.take());
        Some(self.work.start(move || {
            root.remove(&name);
            drop(quota);
        }))
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        if let Some(removing) = self.start_to_remove() {
            self.work.runtime().spawn(removing);
        }
    }
}

impl ScratchRoot {
    fn remove(&self, name: &str) {
        let removed =
            self.0.dir.open_dir(name).and_then(|dir| empty(&dir)).and_then(|()| self.0.dir.remove_dir(name));
        if let Err(error) = removed {
            tracing::warn!(%error, folder = %self.0.path.join(name).display(), "a scratch space is not removed");
        }
    }
}

/// Removes all that is in a folder, however deep: what is in a folder below moves up, so that neither the stack nor
/// the open descriptors nor a path grows with the depth.
fn empty(dir: &Dir) -> io::Result<()> {
    let mut moved: u64 = 0;
    loop {
        let mut is_empty = true;
        for entry in dir.entries()? {
            let entry = entry?;
            is_empty = false;
            if !entry.file_type()?.is_dir() {
                entry.remove_file()?;
                continue;
            }
            let name = entry.file_name();
            let below = dir.open_dir(&name)?;
            for inner in below.entries()? {
                let inner = inner?;
                if inner.file_type()?.is_dir() {
                    move_up(&below, &inner.file_name(), dir, &mut moved)?;
                } else {
                    inner.remove_file()?;
                }
            }
            dir.remove_dir(&name)?;
        }
        if is_empty {
            return Ok(());
        }
    }
}

/// Under a name that nothing has there.
fn move_up(from: &Dir, name: &std::ffi::OsStr, to: &Dir, moved: &mut u64) -> io::Result<()> {
    loop {
        *moved += 1;
        let fresh = format!(".moved-{moved}");
        if to.symlink_metadata(&fresh).is_err() {
            return from.rename(name, to, fresh);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::super::work::FileThreads;
    use super::*;

    async fn folder_in(root: &ScratchRoot) -> ScratchFolder {
        let work = FileThreads::new(Handle::current(), 1).of_call(&"module".into());
        root.new_folder(&work).await.unwrap().0
    }

    #[tokio::test]
    async fn a_deep_folder_is_removed_without_recursion() {
        let data = tempfile::tempdir().unwrap();
        let root = ScratchRoot::open(data.path()).unwrap();
        let folder = folder_in(&root).await;
        let path = folder.path();
        let mut dir = Dir::open_ambient_dir(&path, ambient_authority()).unwrap();
        for _ in 0..3_000 {
            dir.write("file", "text").unwrap();
            dir.create_dir(".moved-1").unwrap();
            dir.create_dir("other").unwrap();
            dir = dir.open_dir("other").unwrap();
        }
        drop(dir);
        folder.remove().await;
        assert!(!path.exists());
        assert!(root.nothing().is_ok());
    }

    #[tokio::test]
    async fn what_a_crash_left_goes_at_the_start() {
        let data = tempfile::tempdir().unwrap();
        let root = ScratchRoot::open(data.path()).unwrap();
        let folder = folder_in(&root).await;
        std::fs::write(folder.path().join("file"), "text").unwrap();
        let path = folder.path();
        std::mem::drop(ScratchRoot::open(data.path()).unwrap());
        assert!(!path.exists());
    }
}
