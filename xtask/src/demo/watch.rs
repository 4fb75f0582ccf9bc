//! Follows `stepwell start`: shows its progress, and waits for a line.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::command;
use crate::terminal::Terminal;

const LINES_MAX: usize = 4_096;
/// Causes of failures may be long.
const COLUMNS_MAX: usize = 100;
const POLL: Duration = Duration::from_millis(20);

pub(super) struct Watch {
    terminal: Terminal,
    child: Child,
    lines: Receiver<String>,
    output: Option<JoinHandle<String>>,
    /// Lines of the same execution that an earlier watch has shown; they come first and must be the same.
    expected: std::vec::IntoIter<String>,
    /// All lines of progress so far, the expected ones included.
    seen: Vec<String>,
}

impl Watch {
    pub(super) fn start(
        terminal: Terminal,
        mut command: Command,
        expected: Vec<String>,
    ) -> anyhow::Result<Watch> {
        let name = command::spoken(&command);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("`{name}` cannot be started"))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut stdout = stdout.context("no standard output")?;
        let stderr = stderr.context("no standard error")?;
        let (sender, lines) = sync_channel(LINES_MAX);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let output = std::thread::spawn(move || {
            let mut text = String::new();
            let _unreadable = stdout.read_to_string(&mut text);
            text
        });
        let (output, expected) = (Some(output), expected.into_iter());
        Ok(Watch { terminal, child, lines, output, expected, seen: Vec::new() })
    }

    /// Shows lines until one is found.
    pub(super) fn until(
        &mut self,
        what: &str,
        limit: Duration,
        is_wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            if command::is_interrupted() {
                bail!("while waiting for {what}");
            }
            match self.lines.recv_timeout(POLL) {
                Ok(line) => {
                    self.take(&line)?;
                    if is_wanted(&line) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("`stepwell start` ended while waiting for {what}")
                }
            }
        }
        bail!("waited {} s for {what}, in vain", limit.as_secs());
    }

    fn take(&mut self, line: &str) -> anyhow::Result<()> {
        if !is_progress(line) {
            // Before the progress comes the execution's ARN; anything else is an error.
            if !line.starts_with("arn:") {
                self.terminal.line(&format!("      {line}"));
            }
            return Ok(());
        }
        match self.expected.next() {
            None => self.terminal.line(&format!("   {}", shortened(line))),
            Some(before) if before == line => {}
            Some(before) => bail!("the history changed: before the kill it said\n{before}\nand now\n{line}"),
        }
        self.seen.push(line.to_owned());
        Ok(())
    }

    /// Ends the watching, not the execution. Gives the lines that were seen.
    pub(super) fn abandon(mut self) -> Vec<String> {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
        std::mem::take(&mut self.seen)
    }

    /// Waits for the end of the execution; gives its output.
    pub(super) fn finish(mut self, limit: Duration) -> anyhow::Result<Value> {
        let status = command::wait_for("the execution's output", limit, || Ok(self.child.try_wait()?))?;
        let text = self.output.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        while let Ok(line) = self.lines.recv() {
            self.take(&line)?;
        }
        if !status.success() {
            bail!("the execution did not succeed");
        }
        if let Some(lost) = self.expected.next() {
            bail!("the history lost what it said before the kill: {lost}");
        }
        serde_json::from_str(&text).context("the execution's output is not JSON")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Whether a line of progress is the last.
pub(super) fn is_end(line: &str) -> bool {
    ["succeeded", "failed", "timed out", "aborted"]
        .iter()
        .any(|end| line.ends_with(&format!("  execution {end}")))
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(COLUMNS_MAX) {
        None => line.to_owned(),
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

/// `    0.012s  > ValidateOrder (Task)`.
fn is_progress(line: &str) -> bool {
    let time = line.trim_start().split_once("s  ").map(|(time, _)| time);
    time.is_some_and(|time| time.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::{is_end, is_progress};

    #[test]
    fn progress_has_a_time() {
        assert!(is_progress("    0.012s  > ValidateOrder (Task)"));
        assert!(is_progress("12345.012s  < ValidateOrder"));
        assert!(!is_progress("arn:aws:states:us-east-1:1:execution:a:b"));
        assert!(!is_progress("error: there is no server"));
    }

    #[test]
    fn an_end_is_no_beginning() {
        assert!(is_end("    6.330s  execution succeeded"));
        assert!(!is_end("    0.000s  execution started"));
        assert!(!is_end("    0.000s    Ship[0] succeeded"));
    }
}
