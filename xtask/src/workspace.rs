//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::Value;

use crate::command;

/// The folder of the whole project.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// The workspace of the task modules, which is built for another target.
pub(crate) fn guests() -> PathBuf {
    root().join("guest-examples")
}

/// Where cargo puts what it builds for the workspace in `folder`.
pub(crate) fn target(folder: &Path) -> anyhow::Result<PathBuf> {
    let mut cargo = command::cargo(folder);
    cargo.args(["metadata", "--no-deps", "--format-version", "1"]);
    let metadata = command::output(&mut cargo)?;
    let metadata: Value =
        serde_json::from_str(&metadata).context("cargo metadata does not answer in JSON")?;
    let target = metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
    Ok(PathBuf::from(target))
}

/// A path as a person would type it from the current folder.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}
