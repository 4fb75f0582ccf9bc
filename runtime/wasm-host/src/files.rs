//! Modules on disk: `modules/HEX.wasm` as uploaded, `cache/HEX-CONFIGURATION.cwasm` compiled.
//!
//! A module exists when its file in `modules/` does. Every file appears whole or not at all: it is written under
//! a temporary name, flushed and renamed. What a crash leaves behind is removed when the host starts.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::digest::Digest;

const TEMPORARY: &str = ".tmp-";
const MODULE_SUFFIX: &str = ".wasm";

#[derive(Debug)]
pub(crate) struct Files {
    modules: Dir,
    cache: Dir,
    /// The engine opens compiled code by path.
    cache_path: PathBuf,
    /// Stands for the engine's version and settings: code compiled for others is of no use.
    configuration: u64,
    temporary: AtomicU64,
}

impl Files {
    /// Opens the folder, creates what is missing and removes what is left over.
    pub(crate) fn open(data_dir: &Path, configuration: u64) -> io::Result<Self> {
        std::fs::create_dir_all(data_dir)?;
        let data = Dir::open_ambient_dir(data_dir, ambient_authority())?;
        let modules = open_private(&data, "modules")?;
        let cache = open_private(&data, "cache")?;
        let cache_path = data_dir.join("cache");
        let files = Self { modules, cache, cache_path, configuration, temporary: AtomicU64::new(0) };
        files.clean()?;
        Ok(files)
    }

    /// Every module and its size.
    pub(crate) fn list(&self) -> io::Result<Vec<(Digest, u64)>> {
        let mut found = Vec::new();
        for entry in self.modules.entries()? {
            let entry = entry?;
            let name = entry.file_name();
            let digits = name.to_str().and_then(|name| name.strip_suffix(MODULE_SUFFIX));
            if let Some(digest) = digits.and_then(|digits| Digest::from_hex(digits).ok()) {
                found.push((digest, entry.metadata()?.len()));
            }
        }
        Ok(found)
    }

    pub(crate) fn read_module(&self, digest: Digest) -> io::Result<Vec<u8>> {
        self.modules.read(module_name(digest))
    }

    /// Compiled code first: a module that exists is complete.
    pub(crate) fn store(&self, digest: Digest, module: &[u8], compiled: &[u8]) -> io::Result<()> {
        self.store_compiled(digest, compiled)?;
        self.write(&self.modules, &module_name(digest), module)
    }

    pub(crate) fn store_compiled(&self, digest: Digest, compiled: &[u8]) -> io::Result<()> {
        self.write(&self.cache, &self.compiled_name(digest), compiled)
    }

    pub(crate) fn compiled_path(&self, digest: Digest) -> PathBuf {
        self.cache_path.join(self.compiled_name(digest))
    }

    /// The module first, for the same reason.
    pub(crate) fn remove(&self, digest: Digest) -> io::Result<()> {
        self.modules.remove_file(module_name(digest))?;
        sync(&self.modules)?;
        match self.cache.remove_file(self.compiled_name(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn compiled_name(&self, digest: Digest) -> String {
        format!("{}-{:016x}.cwasm", digest.to_hex(), self.configuration)
    }

    fn write(&self, dir: &Dir, name: &str, bytes: &[u8]) -> io::Result<()> {
        let number = self.temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = format!("{TEMPORARY}{number}");
        let written = write_synced(dir, &temporary, bytes).and_then(|()| dir.rename(&temporary, dir, name));
        if written.is_err() {
            // Best effort: the next start removes it as well.
            let _ = dir.remove_file(&temporary);
        }
        written.and_then(|()| sync(dir))
    }

    fn clean(&self) -> io::Result<()> {
        let modules: Vec<Digest> = self.list()?.into_iter().map(|(digest, _)| digest).collect();
        let current: std::collections::HashSet<String> =
            modules.into_iter().map(|digest| self.compiled_name(digest)).collect();
        remove_if(&self.modules, |name| name.starts_with(TEMPORARY))?;
        remove_if(&self.cache, |name| !current.contains(name))
    }
}

fn module_name(digest: Digest) -> String {
    format!("{}{MODULE_SUFFIX}", digest.to_hex())
}

/// Nobody else may write there: compiled code is run as it is found.
pub(crate) fn open_private(data: &Dir, name: &str) -> io::Result<Dir> {
    let mut builder = cap_std::fs::DirBuilder::new();
    #[cfg(unix)]
    cap_std::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match data.create_dir_with(name, &builder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    data.open_dir(name)
}

fn write_synced(dir: &Dir, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = dir.create(name)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a rename or removal last.
fn sync(dir: &Dir) -> io::Result<()> {
    dir.open(".")?.sync_all()
}

fn remove_if(dir: &Dir, is_stale: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in dir.entries()? {
        let name = entry?.file_name();
        if name.to_str().is_some_and(&is_stale) {
            dir.remove_file(&name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(path).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_stored_module_is_found_again_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"module");
        Files::open(folder.path(), 1).unwrap().store(digest, b"module", b"code").unwrap();

        let files = Files::open(folder.path(), 1).unwrap();
        assert_eq!(files.list().unwrap(), [(digest, 6)]);
        assert_eq!(files.read_module(digest).unwrap(), b"module");
        assert_eq!(std::fs::read(files.compiled_path(digest)).unwrap(), b"code");

        files.remove(digest).unwrap();
        assert_eq!(files.list().unwrap(), []);
        assert_eq!(names(&folder.path().join("cache")), [""; 0]);
        assert_eq!(files.remove(digest).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn leftovers_go_when_the_host_starts() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest::of(b"module");
        Files::open(folder.path(), 1).unwrap().store(digest, b"module", b"code").unwrap();
        let (modules, cache) = (folder.path().join("modules"), folder.path().join("cache"));
        std::fs::write(modules.join(".tmp-7"), "half").unwrap();
        std::fs::write(modules.join("README"), "not ours").unwrap();
        std::fs::write(cache.join(".tmp-8"), "half").unwrap();
        let orphan = Digest::of(b"other").to_hex();
        std::fs::write(cache.join(format!("{orphan}-0000000000000001.cwasm")), "no module").unwrap();

        Files::open(folder.path(), 1).unwrap();
        assert_eq!(names(&modules), [module_name(digest), "README".to_owned()]);
        assert_eq!(names(&cache), [format!("{}-0000000000000001.cwasm", digest.to_hex())]);

        Files::open(folder.path(), 2).unwrap();
        assert_eq!(names(&cache), [""; 0], "code for another engine configuration is of no use");
    }
}
