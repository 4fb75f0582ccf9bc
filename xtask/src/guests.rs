//! Builds the task modules of `guest-examples`, unless they are there already.
//!
//! The modules go to `target/guests` under their names, beside a key made of their sources: where tests and the
//! demo find them, whatever a cache did to the times of files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use crate::terminal::Terminal;
use crate::toolchain::{self, WASM};
use crate::{command, workspace};

/// What modules are made of.
const SOURCES: &[&str] = &["guest-examples", "sdk/rust", "wit", "rust-toolchain.toml"];
const KEY_FILE: &str = "key";

/// The built modules.
#[derive(Debug)]
pub(crate) struct Guests {
    folder: PathBuf,
    pub(crate) count: usize,
    /// Whether there was nothing to do.
    pub(crate) fresh: bool,
}

impl Guests {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name).with_extension("wasm")
    }
}

pub(crate) fn run(terminal: &Terminal) -> anyhow::Result<()> {
    toolchain::prepare()?;
    let guests = build()?;
    let state = if guests.fresh { "unchanged" } else { "built" };
    terminal.line(&format!("{} modules in {}, {state}", guests.count, workspace::shown(&guests.folder)));
    Ok(())
}

pub(crate) fn build() -> anyhow::Result<Guests> {
    let folder = workspace::target(&workspace::root())?.join("guests");
    let key_file = folder.join(KEY_FILE);
    let key = source_key(&workspace::root())?;
    let names = names()?;
    let mut guests = Guests { folder, count: names.len(), fresh: true };
    let is_there = |(module, _): &(String, String)| guests.file(module).exists();
    if fs::read_to_string(&key_file).is_ok_and(|found| found == key) && names.iter().all(is_there) {
        return Ok(guests);
    }
    command::run(command::cargo(&workspace::guests()).args(["build", "--release", "--target", WASM]))?;
    let built = workspace::target(&workspace::guests())?.join(WASM).join("release");
    fs::create_dir_all(&guests.folder).context("target/guests cannot be made")?;
    for (module, artifact) in &names {
        let (from, to) = (built.join(artifact).with_extension("wasm"), guests.file(module));
        // Under another name first, so that nobody reads half a file.
        let partial = to.with_extension(format!("partial-{}", std::process::id()));
        fs::copy(&from, &partial).with_context(|| format!("{} cannot be copied", from.display()))?;
        fs::rename(&partial, &to).with_context(|| format!("{} cannot be made", to.display()))?;
    }
    fs::write(&key_file, &key).with_context(|| format!("{} cannot be written", key_file.display()))?;
    guests.fresh = false;
    Ok(guests)
}

/// Each module's name and that of the file which cargo makes: a library's has underscores for hyphens.
fn names() -> anyhow::Result<Vec<(String, String)>> {
    let mut cargo = command::cargo(&workspace::guests());
    let metadata = command::output(cargo.args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let name = |package: &Value| {
        let name = package["name"].as_str()?;
        let targets = package["targets"].as_array()?;
        let is_of = |kind: &str| {
            let of_kind = |target: &Value| {
                target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|found| found == kind))
            };
            targets.iter().any(of_kind)
        };
        match (is_of("cdylib"), is_of("bin")) {
            (true, _) => Some((name.to_owned(), name.replace('-', "_"))),
            (false, true) => Some((name.to_owned(), name.to_owned())),
            (false, false) => None,
        }
    };
    Ok(packages.iter().filter_map(name).collect())
}

/// Stands for the content of all sources.
fn source_key(root: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(&root.join(source), &mut files)?;
    }
    files.sort();
    let mut hash = Fnv::default();
    for file in files {
        hash.add(file.strip_prefix(root).unwrap_or(&file).to_string_lossy().as_bytes());
        hash.add(&fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?);
    }
    Ok(format!("{:016x}\n", hash.0))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("{} cannot be read", path.display()))?;
    for entry in entries {
        let path = entry?.path();
        if !path.ends_with("target") {
            collect(&path, files)?;
        }
    }
    Ok(())
}

/// FNV-1a, which stays the same for all versions of Rust. It tells contents apart, it doesn't protect them.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        let length = bytes.len().to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_contents_and_borders_apart() {
        let key = |parts: &[&str]| {
            let mut hash = Fnv::default();
            parts.iter().for_each(|part| hash.add(part.as_bytes()));
            hash.0
        };
        assert_eq!(key(&["a", "b"]), key(&["a", "b"]));
        assert_ne!(key(&["a", "b"]), key(&["ab"]));
        assert_ne!(key(&["a"]), key(&["b"]));
    }

    #[test]
    fn every_example_is_a_module() {
        let names = names().unwrap();
        assert!(names.contains(&("resize-image".to_owned(), "resize_image".to_owned())), "{names:?}");
        assert!(names.contains(&("word-count".to_owned(), "word-count".to_owned())), "{names:?}");
    }
}
