//! Runs the commands of a build. What they have to say is for the author, so it goes to the terminal as it is.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::super::{Failure, Terminal};
use super::project::{Component, Project};

/// Builds a project; gives the component.
pub(super) async fn run(project: &Project, terminal: Terminal) -> Result<PathBuf, Failure> {
    let (steps, component) = project.build();
    let mut told = Vec::new();
    for step in steps {
        if let Some(about) = step.about {
            terminal.note(about);
        }
        told = output(step.command).await?;
    }
    let file = match component {
        Component::At(file) => Some(file),
        Component::ToldByCargo(manifest) => artifact(&told, &manifest),
    };
    let file = file.context(
        "cargo made no component of this package: it needs a [lib] with crate-type = [\"cdylib\"], or a program",
    )?;
    Ok(file)
}

/// Runs a command for its standard output. It ends when nobody waits for it any more.
async fn output(mut command: Command) -> Result<Vec<u8>, Failure> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let child = command.spawn().with_context(|| format!("{program} cannot be started; is it installed?"))?;
    let mut running = Running(Some(child.id()));
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await;
    // Its number may be another process's from here on.
    running.0 = None;
    let output = output
        .context("the build was given up")?
        .with_context(|| format!("{program} cannot be waited for"))?;
    if !output.status.success() {
        anyhow::bail!("the build failed ({program}: {})", output.status);
    }
    Ok(output.stdout)
}

/// The number of a process that is ended when the build is dropped.
struct Running(Option<u32>);

impl Drop for Running {
    fn drop(&mut self) {
        let id = self.0.and_then(|id| i32::try_from(id).ok());
        if let Some(id) = id.and_then(Pid::from_raw) {
            let _ended_already = kill_process(id, Signal::TERM);
        }
    }
}

/// The component of a package in cargo's messages, one JSON object on each line.
fn artifact(told: &[u8], manifest: &Path) -> Option<PathBuf> {
    let lines = std::str::from_utf8(told).ok()?.lines();
    let messages = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let own = messages.filter(|message| {
        message["reason"] == "compiler-artifact"
            && message["manifest_path"].as_str().map(Path::new) == Some(manifest)
    });
    let mut files = own.filter_map(|message| {
        let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
        files.filter(|file| file.ends_with(".wasm")).map(PathBuf::from).next_back()
    });
    files.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_component_is_the_one_of_the_package() {
        let told = br#"{"reason":"compiler-artifact","manifest_path":"/a/stepwell/sdk/rust/Cargo.toml","filenames":["/t/libsdk.rlib"]}
not JSON
{"reason":"compiler-artifact","manifest_path":"/a/Cargo.toml","filenames":["/t/release/order.wasm"]}
{"reason":"compiler-artifact","manifest_path":"/b/Cargo.toml","filenames":["/t/release/other.wasm"]}
{"reason":"build-finished","success":true}"#;
        assert_eq!(artifact(told, Path::new("/a/Cargo.toml")), Some(PathBuf::from("/t/release/order.wasm")));
        assert_eq!(artifact(told, Path::new("/c/Cargo.toml")), None);
    }

    #[tokio::test]
    async fn a_failure_names_the_program() {
        let mut fails = Command::new("sh");
        fails.args(["-c", "exit 3"]);
        let error = format!("{:#}", output(fails).await.unwrap_err());
        assert_eq!(error, "the build failed (sh: exit status: 3)");
        let error = format!("{:#}", output(Command::new("no-such-program")).await.unwrap_err());
        assert!(error.starts_with("no-such-program cannot be started; is it installed?: "), "{error}");
    }
}
