//! What builds tasks in other languages than Rust: installed into `target/toolchains`, from where their users get it.
//!
//! Not every machine can install them. Whoever asks is told why, and says aloud what it leaves out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::command;
use crate::workspace;

/// The file beside an installation that says what was installed.
const INSTALLED: &str = "installed.txt";
/// The SDK's tests use what came with it.
const NODE_MIN: u32 = 20;
/// As the Python SDK's manifest says.
const PYTHON_MIN: (u32, u32) = (3, 10);

/// A virtual environment with componentize-py in it.
pub(crate) fn python() -> anyhow::Result<PathBuf> {
    virtual_environment("python", "sdk/python/requirements.txt")
}

/// A virtual environment with a C compiler that brings the library of WASI.
pub(crate) fn c() -> anyhow::Result<PathBuf> {
    virtual_environment("c", "guest-examples/check-iban/requirements.txt")
}

/// A virtual environment with Go's own compiler.
pub(crate) fn go() -> anyhow::Result<PathBuf> {
    virtual_environment("go", "guest-examples/tax-report/requirements.txt")
}

fn virtual_environment(name: &str, wanted: &str) -> anyhow::Result<PathBuf> {
    let folder = folder(name)?;
    let wanted = workspace::root().join(wanted);
    install(&folder, &read(&wanted)?, |folder| {
        has_python()?;
        command::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"]);
        command::output(pip.args(["--timeout", "15", "--requirement"]).arg(&wanted))?;
        Ok(())
    })?;
    Ok(folder)
}

/// A folder with componentize-js and rolldown in its `node_modules`.
pub(crate) fn javascript() -> anyhow::Result<PathBuf> {
    let folder = folder("javascript")?;
    let manifest: Value =
        serde_json::from_str(&read(&workspace::root().join("sdk/javascript/package.json"))?)?;
    let wanted = json!({"private": true, "dependencies": manifest["devDependencies"]}).to_string();
    install(&folder, &wanted, |folder| {
        has_node()?;
        fs::create_dir_all(folder)?;
        fs::write(folder.join("package.json"), &wanted)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]);
        command::output(npm.args(["--fetch-retries=1", "--fetch-timeout=15000"]).current_dir(folder))?;
        Ok(())
    })?;
    Ok(folder)
}

/// Lets the package in `folder` find the SDK by its name, as `npm install` would.
pub(crate) fn npm_link(folder: &Path, sdk: &Path) -> anyhow::Result<()> {
    let link = folder.join("node_modules/stepwell-sdk");
    if folder == sdk || link.exists() {
        return Ok(());
    }
    fs::create_dir_all(folder.join("node_modules"))?;
    std::os::unix::fs::symlink(sdk, &link).with_context(|| format!("{} cannot be made", link.display()))
}

pub(crate) fn has_python() -> anyhow::Result<()> {
    let (major, minor) = PYTHON_MIN;
    let program = format!("import venv, ensurepip, sys; sys.exit(sys.version_info < ({major}, {minor}))");
    command::output(Command::new("python3").args(["-c", &program]))
        .with_context(|| format!("there is no python3 of {major}.{minor} or later with venv and pip"))?;
    Ok(())
}

pub(crate) fn has_node() -> anyhow::Result<()> {
    let version = command::output(Command::new("node").arg("--version")).context("there is no node")?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MIN) {
        bail!("node is {} and not {NODE_MIN} or later", version.trim());
    }
    Ok(())
}

fn folder(name: &str) -> anyhow::Result<PathBuf> {
    Ok(workspace::target(&workspace::root())?.join("toolchains").join(name))
}

/// Installs what `wanted` says, unless it is there.
fn install(
    folder: &Path,
    wanted: &str,
    work: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let installed = folder.join(INSTALLED);
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    work(folder)?;
    fs::write(&installed, wanted).with_context(|| format!("{} cannot be written", installed.display()))
}

fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))
}
