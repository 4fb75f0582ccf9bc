//! What a project is made of at one moment, as a number: it is another one when a file has changed.
//!
//! Files are looked at every now and then instead of being watched: it costs a millisecond, and it works on mounts that
//! tell nobody of changes.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use anyhow::Context;

use super::super::Failure;
use crate::limits::WATCHED_FILES_MAX;

/// Folders and files that a build or an installation makes.
const MADE: &[&str] = &["target", "build", "node_modules", "__pycache__", "Cargo.lock", "package-lock.json"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sources {
    /// Stands for all files but the input.
    pub(super) code: u64,
    input: u64,
}

impl Sources {
    pub(super) fn of(folder: &Path, input: &Path) -> Result<Sources, Failure> {
        let (mut code, mut files_left) = (DefaultHasher::new(), WATCHED_FILES_MAX);
        add_folder(folder, input, &mut code, &mut files_left)?;
        let mut own = DefaultHasher::new();
        add_file(input, &mut own);
        Ok(Sources { code: code.finish(), input: own.finish() })
    }
}

fn add_folder(
    folder: &Path,
    input: &Path,
    hash: &mut DefaultHasher,
    files_left: &mut usize,
) -> Result<(), Failure> {
    let unreadable = || format!("the folder {} cannot be read", folder.display());
    let mut entries = fs::read_dir(folder).with_context(unreadable)?.flatten().collect::<Vec<_>>();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        let is_hidden = name.as_encoded_bytes().starts_with(b".");
        if is_hidden || path == input || MADE.iter().any(|made| name == *made) {
            continue;
        }
        // Links are not followed: they may lead back.
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            add_folder(&path, input, hash, files_left)?;
        } else {
            *files_left = files_left.checked_sub(1).with_context(|| {
                format!("more than {WATCHED_FILES_MAX} files to watch; run it in a project's own folder, or with --once")
            })?;
            add_file(&path, hash);
        }
    }
    Ok(())
}

fn add_file(file: &Path, hash: &mut DefaultHasher) {
    file.hash(hash);
    // A file that is away for the moment counts as such.
    if let Ok(metadata) = fs::metadata(file) {
        (metadata.len(), metadata.modified().ok()).hash(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_source_is_seen_and_one_of_a_build_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        let now = || Sources::of(folder.path(), &folder.path().join("input.json")).unwrap();
        write("src/lib.rs", "a");
        write("input.json", "1");
        let before = now();
        write("target/release/order.wasm", "a");
        write("node_modules/a/index.js", "a");
        write(".venv/bin/python", "a");
        write("Cargo.lock", "a");
        assert_eq!(now(), before);
        write("input.json", "12");
        assert_eq!(now().code, before.code);
        assert_ne!(now(), before);
        write("src/lib.rs", "ab");
        assert_ne!(now().code, before.code);
        let changed = now();
        write("src/more/part.rs", "");
        assert_ne!(now().code, changed.code);
    }
}
