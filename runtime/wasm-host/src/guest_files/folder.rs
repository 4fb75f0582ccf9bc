//! The folder of one call's scratch space: new at its start, gone after its end.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tokio::runtime::Handle;

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
    /// Whose threads remove what a call has left.
    threads: Handle,
}

/// The scratch space of one call. It is removed when this is dropped, on another thread.
#[derive(Debug)]
pub(crate) struct ScratchFolder {
    root: ScratchRoot,
    name: Option<String>,
}

impl ScratchRoot {
    /// Makes the folder of all, and empties it of what a crash left behind.
    pub(crate) fn open(data_dir: &Path, threads: Handle) -> io::Result<ScratchRoot> {
        let data = Dir::open_ambient_dir(data_dir, ambient_authority())?;
        let dir = crate::files::open_private(&data, FOLDER)?;
        empty(&dir)?;
        dir.create_dir(NOTHING)?;
        let path = data_dir.join(FOLDER);
        Ok(ScratchRoot(Arc::new(Root { dir, path, next: AtomicU64::new(0), threads })))
    }

    pub(crate) fn nothing(&self) -> PathBuf {
        self.0.path.join(NOTHING)
    }

    pub(crate) fn new_folder(&self) -> io::Result<ScratchFolder> {
        let name = self.0.next.fetch_add(1, Ordering::Relaxed).to_string();
        self.0.dir.create_dir(&name)?;
        Ok(ScratchFolder { root: self.clone(), name: Some(name) })
    }
}

impl ScratchFolder {
    pub(crate) fn path(&self) -> PathBuf {
        self.root.0.path.join(self.name.as_deref().unwrap_or_default())
    }

    /// Returns when it is gone.
    pub(crate) async fn remove(mut self) {
        let Some(name) = self.name.take() else { return };
        let root = self.root.clone();
        // An error means that the threads end; the next start removes what is left.
        let _ = self.root.0.threads.spawn_blocking(move || root.remove(&name)).await;
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let Some(name) = self.name.take() else { return };
        let root = self.root.clone();
        self.root.0.threads.spawn_blocking(move || root.remove(&name));
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
    use super::*;

    #[tokio::test]
    async fn a_deep_folder_is_removed_without_recursion() {
        let data = tempfile::tempdir().unwrap();
        let root = ScratchRoot::open(data.path(), Handle::current()).unwrap();
        let folder = root.new_folder().unwrap();
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
        assert!(root.nothing().is_dir());
    }

    #[tokio::test]
    async fn what_a_crash_left_goes_at_the_start() {
        let data = tempfile::tempdir().unwrap();
        let root = ScratchRoot::open(data.path(), Handle::current()).unwrap();
        let folder = root.new_folder().unwrap();
        std::fs::write(folder.path().join("file"), "text").unwrap();
        let path = folder.path();
        std::mem::drop(ScratchRoot::open(data.path(), Handle::current()).unwrap());
        assert!(!path.exists());
    }
}
