//! The log of one call: its lines in order, within a bound.
//!
//! A flood of output costs the guest its fuel and the host nothing: beyond the bound bytes are only counted, and
//! one last line says how many were dropped.

use std::time::SystemTime;

/// Longest piece of standard output or error that is one line; a longer one is split.
const LINE_BYTES_MAX: usize = 8 << 10;
/// What a line costs beside its text, so that a flood of empty lines is bounded as well.
const LINE_BYTES_OVERHEAD: usize = 32;

/// One line of a task's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub at: SystemTime,
    pub source: LogSource,
    pub message: String,
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogSource {
    Stdout,
    Stderr,
    /// The `log` import, by level.
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    /// A remark of the host about the log itself.
    Host,
}

impl LogSource {
    /// As people and files have it.
    pub fn name(self) -> &'static str {
        match self {
            LogSource::Stdout => "stdout",
            LogSource::Stderr => "stderr",
            LogSource::Trace => "trace",
            LogSource::Debug => "debug",
            LogSource::Info => "info",
            LogSource::Warn => "warn",
            LogSource::Error => "error",
            LogSource::Host => "host",
        }
    }
}

#[derive(Debug)]
pub(crate) struct TaskLog {
    lines: Vec<LogLine>,
    bytes_max: usize,
    bytes_left: usize,
    bytes_dropped: u64,
    /// The unfinished lines of standard output and standard error.
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl TaskLog {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            lines: Vec::new(),
            bytes_max,
            bytes_left: bytes_max,
            bytes_dropped: 0,
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }

    /// Adds one message, cut to what is left.
    pub(crate) fn push(&mut self, source: LogSource, message: &str) {
        if self.is_full() {
            self.bytes_dropped += message.len() as u64;
            return;
        }
        let kept = first_bytes(message, self.bytes_left);
        self.bytes_left = self.bytes_left.saturating_sub(kept.len() + LINE_BYTES_OVERHEAD);
        self.bytes_dropped += (message.len() - kept.len()) as u64;
        self.lines.push(LogLine { at: SystemTime::now(), source, message: kept.to_owned() });
        if kept.len() < message.len() {
            self.bytes_left = 0;
        }
    }

    pub(crate) fn write_stdout(&mut self, bytes: &[u8]) {
        let mut partial = std::mem::take(&mut self.stdout);
        self.write(LogSource::Stdout, &mut partial, bytes);
        self.stdout = partial;
    }

    pub(crate) fn write_stderr(&mut self, bytes: &[u8]) {
        let mut partial = std::mem::take(&mut self.stderr);
        self.write(LogSource::Stderr, &mut partial, bytes);
        self.stderr = partial;
    }

    /// What was logged after the first so many lines.
    pub(crate) fn lines_after(&self, seen: usize) -> Vec<LogLine> {
        self.lines.get(seen..).map_or_else(Vec::new, <[LogLine]>::to_vec)
    }

    /// The lines, with the unfinished ones and the remark about what was dropped.
    pub(crate) fn finish(&mut self) -> Vec<LogLine> {
        for (source, partial) in [
            (LogSource::Stdout, std::mem::take(&mut self.stdout)),
            (LogSource::Stderr, std::mem::take(&mut self.stderr)),
        ] {
            if !partial.is_empty() {
                self.push(source, &String::from_utf8_lossy(&partial));
            }
        }
        let mut lines = std::mem::take(&mut self.lines);
        if self.bytes_dropped > 0 {
            let (max, dropped) = (self.bytes_max, self.bytes_dropped);
            let message = format!("the log is full at {max} bytes: {dropped} bytes were dropped");
            lines.push(LogLine { at: SystemTime::now(), source: LogSource::Host, message });
        }
        lines
    }

    fn is_full(&self) -> bool {
        self.bytes_left == 0
    }

    fn write(&mut self, source: LogSource, partial: &mut Vec<u8>, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.is_full() {
                self.bytes_dropped += bytes.len() as u64;
                return;
            }
            let room = LINE_BYTES_MAX - partial.len();
            let piece = &bytes[..bytes.len().min(room)];
            let newline = piece.iter().position(|byte| *byte == b'\n');
            let taken = newline.unwrap_or(piece.len());
            partial.extend_from_slice(&piece[..taken]);
            bytes = &bytes[newline.map_or(taken, |at| at + 1)..];
            if newline.is_some() || partial.len() == LINE_BYTES_MAX {
                self.push(source, &String::from_utf8_lossy(partial));
                partial.clear();
            }
        }
    }
}

/// As much of the start of `text` as fits into `bytes_max` bytes and ends with a whole character.
fn first_bytes(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max { text } else { &text[..text.floor_char_boundary(bytes_max)] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes_max: usize, write: impl FnOnce(&mut TaskLog), expected: &[(LogSource, &str)]) {
        let mut log = TaskLog::new(bytes_max);
        write(&mut log);
        let lines = log.finish();
        let lines: Vec<_> = lines.iter().map(|line| (line.source, line.message.as_str())).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn output_becomes_lines() {
        check(
            1_000,
            |log| {
                log.write_stdout(b"a\nb");
                log.write_stderr(b"x\xff");
                log.push(LogSource::Warn, "two\nlines");
                log.write_stdout(b"c\n\nd");
            },
            &[
                (LogSource::Stdout, "a"),
                (LogSource::Warn, "two\nlines"),
                (LogSource::Stdout, "bc"),
                (LogSource::Stdout, ""),
                (LogSource::Stdout, "d"),
                (LogSource::Stderr, "x\u{fffd}"),
            ],
        );
    }

    #[test]
    fn a_full_log_says_once_what_it_dropped() {
        check(
            40,
            |log| {
                log.push(LogSource::Info, "0123");
                log.push(LogSource::Info, "012é4");
                log.push(LogSource::Info, "more");
                log.write_stderr(&[b'x'; 100_000]);
            },
            &[
                (LogSource::Info, "0123"),
                (LogSource::Info, "012"),
                (LogSource::Host, "the log is full at 40 bytes: 100007 bytes were dropped"),
            ],
        );
    }

    #[test]
    fn empty_lines_are_bounded_too() {
        let mut log = TaskLog::new(64 << 10);
        log.write_stdout(&vec![b'\n'; 1 << 20]);
        assert_eq!(log.finish().len(), 1 + (64 << 10) / LINE_BYTES_OVERHEAD);
    }

    #[test]
    fn a_line_without_end_is_split() {
        let mut log = TaskLog::new(64 << 10);
        log.write_stdout(&[b'x'; LINE_BYTES_MAX + 1]);
        let lengths: Vec<_> = log.finish().iter().map(|line| line.message.len()).collect();
        assert_eq!(lengths, [LINE_BYTES_MAX, 1]);
    }
}
