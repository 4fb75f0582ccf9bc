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
use crate::{command, polyglot, workspace};

/// What modules are made of.
const SOURCES: &[&str] = &["guest-examples", "sdk/rust", "wit", "rust-toolchain.toml"];
/// Where cargo puts examples, below the other artifacts.
const EXAMPLES: &str = "examples/";
/// Folders of what is built or installed.
const NO_SOURCES: &[&str] = &["target", "node_modules", "__pycache__", "build"];
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

/// Builds the modules in Rust, and those in other languages too if all are wanted.
pub(crate) fn run(terminal: &Terminal, all: bool) -> anyhow::Result<()> {
    toolchain::prepare()?;
    let guests = build()?;
    let state = if guests.fresh { "unchanged" } else { "built" };
    terminal.line(&format!("{} modules in {}, {state}", guests.count, workspace::shown(&guests.folder)));
    for language in polyglot::LANGUAGES.into_iter().filter(|_| all) {
        terminal.line(&polyglot::build(language, &language.toolchain()?)?.told(language));
    }
    Ok(())
}

pub(crate) fn build() -> anyhow::Result<Guests> {
    let folder = workspace::target(&workspace::root())?.join("guests");
    let key_file = folder.join(KEY_FILE);
    let key = source_key(&workspace::root(), SOURCES)?;
    let names = names()?;
    let mut guests = Guests { folder, count: names.len(), fresh: true };
    let is_there = |(module, _): &(String, String)| guests.file(module).exists();
    if fs::read_to_string(&key_file).is_ok_and(|found| found == key) && names.iter().all(is_there) {
        return Ok(guests);
    }
    let mut cargo = command::cargo(&workspace::guests());
    cargo.args(["build", "--release", "--target", WASM, "--workspace", "--lib", "--bins"]);
    for (module, _) in names.iter().filter(|(_, artifact)| artifact.starts_with(EXAMPLES)) {
        cargo.args(["--example", module]);
    }
    command::run(&mut cargo)?;
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

/// Each module's name and the file which cargo makes: a library's name has underscores for hyphens. A package is a
/// module by its library or its program; one with several modules has them as examples that are libraries.
fn names() -> anyhow::Result<Vec<(String, String)>> {
    let mut cargo = command::cargo(&workspace::guests());
    let metadata = command::output(cargo.args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let targets = packages.iter().flat_map(|package| {
        let targets = package["targets"].as_array().into_iter().flatten();
        targets.filter_map(|target| module(package["name"].as_str()?, target))
    });
    Ok(targets.collect())
}

fn module(package: &str, target: &Value) -> Option<(String, String)> {
    let has = |list: &Value, what: &str| list.as_array().is_some_and(|list| list.iter().any(|it| it == what));
    let (kind, crate_types) = (&target["kind"], &target["crate_types"]);
    if has(kind, "cdylib") {
        Some((package.to_owned(), package.replace('-', "_")))
    } else if has(kind, "bin") {
        Some((package.to_owned(), package.to_owned()))
    } else if has(kind, "example") && has(crate_types, "cdylib") {
        let name = target["name"].as_str()?;
        Some((name.to_owned(), format!("{EXAMPLES}{}", name.replace('-', "_"))))
    } else {
        None
    }
}

/// Stands for the content of all files of these sources.
pub(crate) fn source_key(root: &Path, sources: &[&str]) -> anyhow::Result<String> {
    let mut files = Vec::new();
    for source in sources {
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
        if !NO_SOURCES.iter().any(|folder| path.ends_with(folder)) {
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
        let stand_in = ("raise-exception".to_owned(), "examples/raise_exception".to_owned());
        assert!(names.contains(&stand_in), "{names:?}");
        assert!(names.iter().all(|(name, _)| name != "gradient"), "{names:?}");
    }
}
