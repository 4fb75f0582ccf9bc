//! Running other programs, and noticing Ctrl-C.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// How often a wait looks whether it is over.
const POLL: Duration = Duration::from_millis(20);

/// Ctrl-C, a hang-up and SIGTERM end waits instead of the process, so that what was started is stopped as well.
pub(crate) fn notice_interrupts() -> anyhow::Result<()> {
    for signal in [SIGINT, SIGHUP, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED))
            .context("signals cannot be received")?;
    }
    Ok(())
}

pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Waits until `look` finds something; says what it was waiting for when the time is over.
pub(crate) fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let begun = Instant::now();
    loop {
        if is_interrupted() {
            bail!("while waiting for {what}");
        }
        if let Some(found) = look()? {
            return Ok(found);
        }
        if begun.elapsed() > limit {
            bail!("waited {} s for {what}, in vain", limit.as_secs());
        }
        std::thread::sleep(POLL);
    }
}

/// Cargo in a workspace. What cargo told this program about its own package is none of the other's business.
pub(crate) fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// Runs a program that writes to the same terminal.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let name = spoken(command);
    let status = command.status().with_context(|| format!("`{name}` cannot be started"))?;
    if status.success() { Ok(()) } else { bail!("`{name}` failed ({status})") }
}

/// Runs a program for its standard output.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = spoken(command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("`{name}` cannot be started"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        bail!("`{name}` failed ({}): {}", output.status, errors.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{name}` does not write text"))
}

/// Runs a program and passes on what it writes, line by line, to whoever wants to look at it as well.
pub(crate) fn run_watched(command: &mut Command, mut look: impl FnMut(&str)) -> anyhow::Result<()> {
    let name = spoken(command);
    let (reader, writer) = std::io::pipe().context("a pipe cannot be made")?;
    let second = writer.try_clone().context("a pipe cannot be made")?;
    command.stdout(writer).stderr(second);
    let mut child = command.spawn().with_context(|| format!("`{name}` cannot be started"))?;
    // The program's ends of the pipe are closed here, so that reading ends with the program.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    for line in BufReader::new(reader).split(b'\n') {
        let line = line.with_context(|| format!("what `{name}` writes cannot be read"))?;
        let line = String::from_utf8_lossy(&line);
        let _gone = writeln!(std::io::stdout().lock(), "{line}");
        look(&line);
    }
    let status = child.wait().with_context(|| format!("`{name}` cannot be waited for"))?;
    if status.success() { Ok(()) } else { bail!("`{name}` failed ({status})") }
}

/// A command as a person would type it.
pub(crate) fn spoken(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_says_what_it_waited_for() {
        assert_eq!(wait_for("the moon", Duration::ZERO, || Ok(Some(1))).unwrap(), 1);
        let error = wait_for("the moon", Duration::ZERO, || Ok(None::<u8>)).unwrap_err();
        assert_eq!(error.to_string(), "waited 0 s for the moon, in vain");
    }

    #[test]
    fn lines_are_passed_on() {
        let mut lines = Vec::new();
        let mut command = cargo(Path::new("."));
        run_watched(command.arg("--version"), |line| lines.push(line.to_owned())).unwrap();
        assert!(lines[0].starts_with("cargo "), "{lines:?}");
    }
}
