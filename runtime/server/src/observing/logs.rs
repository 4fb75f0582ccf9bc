//! The logs of executions: one JSON object a line, as AWS writes them to CloudWatch, in a file for each log group.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use asl::Text;
use asl::interpreter::HistoryEvent;
use clap::ValueEnum;
use engine::{Logging, Written};

use super::group::file_name;
use super::queue::{Outlet, Queue, queue};
use crate::api::{Payloads, render_logged};
use crate::limits::{
    EXECUTION_LOG_FILE_BYTES_MAX, EXECUTION_LOG_FILES_MAX, EXECUTION_LOG_QUEUE_BYTES_MAX,
    EXECUTION_LOG_QUEUE_ITEMS_MAX, EXECUTION_LOG_WRITE_BYTES,
};

/// The folder in the data folder.
const FOLDER: &str = "logs";
/// How often lost events and failed writes are told at most.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

/// Where the logs of executions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogsTo {
    /// Files in the data folder
    Files,
    /// Standard error, among the server's own log
    Stderr,
    /// Nowhere
    Off,
}

/// Events of one execution for one log group.
#[derive(Debug)]
pub(super) struct Lines {
    group_arn: Text,
    execution_arn: Text,
    redrive_count: u32,
    payloads: Payloads,
    events: Vec<HistoryEvent>,
}

#[derive(Debug, Clone)]
pub(super) struct LogQueue(Queue<Lines>);

/// Starts the thread that writes, unless nothing is to be written.
pub(super) fn start(data: &Path, to: LogsTo) -> io::Result<Option<(LogQueue, JoinHandle<()>)>> {
    let destination = match to {
        LogsTo::Off => return Ok(None),
        LogsTo::Stderr => Destination::Stderr,
        LogsTo::Files => {
            let folder = data.join(FOLDER);
            // Payloads of executions are nobody else's business.
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            Destination::Files(folder)
        }
    };
    let (queue, outlet) = queue(EXECUTION_LOG_QUEUE_ITEMS_MAX, EXECUTION_LOG_QUEUE_BYTES_MAX);
    let writer = Writer { destination, outlet, failed: 0, lost: 0, complained_at: None };
    let thread = thread::Builder::new().name("execution-logs".to_owned()).spawn(move || writer.run())?;
    Ok(Some((LogQueue(queue), thread)))
}

impl LogQueue {
    pub(super) fn log(&self, written: &Written, logging: &Logging) {
        let events: Vec<HistoryEvent> =
            written.events.iter().filter(|event| logging.takes(event)).cloned().collect();
        if events.is_empty() {
            return;
        }
        let weight = size_of::<Lines>() + events.iter().map(HistoryEvent::weight).sum::<usize>();
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let lines = Lines {
            group_arn: logging.group_arn.clone(),
            execution_arn: written.arn.clone(),
            redrive_count: written.redrive_count,
            payloads: if logging.includes_data { Payloads::Included } else { Payloads::Unmentioned },
            events,
        };
        self.0.offer(weight, count, lines);
    }
}

impl Lines {
    fn write_to(&self, text: &mut String) {
        for event in &self.events {
            let line = render_logged(event, self.payloads, &self.execution_arn, self.redrive_count);
            text.push_str(&line.to_string());
            text.push('\n');
        }
    }
}

#[derive(Debug)]
enum Destination {
    Files(PathBuf),
    Stderr,
}

/// The thread's side.
#[derive(Debug)]
struct Writer {
    destination: Destination,
    outlet: Outlet<Lines>,
    failed: u64,
    lost: u64,
    complained_at: Option<Instant>,
}

impl Writer {
    fn run(mut self) {
        while let Some(first) = self.outlet.next() {
            // What has gathered is written at once, group by group.
            let mut groups: BTreeMap<Text, (String, u64)> = BTreeMap::new();
            let mut bytes = 0;
            let mut next = Some(first);
            while let Some(lines) = next {
                let (text, count) = groups.entry(lines.group_arn.clone()).or_default();
                let before = text.len();
                lines.write_to(text);
                bytes += text.len() - before;
                *count += u64::try_from(lines.events.len()).unwrap_or(u64::MAX);
                next = if bytes < EXECUTION_LOG_WRITE_BYTES { self.outlet.next_waiting() } else { None };
            }
            for (group, (text, count)) in groups {
                if let Err(error) = self.destination.write(&group, &text) {
                    self.failed += count;
                    tracing::debug!(%group, %error, "an execution log could not be written");
                }
            }
            self.complain(COMPLAINT_INTERVAL);
        }
        self.complain(Duration::ZERO);
    }

    /// Says in the server's log what is missing in those of executions.
    fn complain(&mut self, interval: Duration) {
        self.lost += self.outlet.take_lost();
        let is_due = self.complained_at.is_none_or(|at| at.elapsed() >= interval);
        if (self.lost == 0 && self.failed == 0) || !is_due {
            return;
        }
        tracing::warn!(
            lost = self.lost,
            failed = self.failed,
            "events are missing in execution logs: more came than could be written, or writing failed"
        );
        (self.lost, self.failed, self.complained_at) = (0, 0, Some(Instant::now()));
    }
}

impl Destination {
    fn write(&self, group_arn: &str, text: &str) -> io::Result<()> {
        match self {
            Destination::Stderr => io::stderr().lock().write_all(text.as_bytes()),
            Destination::Files(folder) => {
                let path = folder.join(format!("{}.log", file_name(group_arn)));
                append(&path, text.as_bytes(), EXECUTION_LOG_FILE_BYTES_MAX)
            }
        }
    }
}

/// Appends to a file, which is put aside first if it would become too large.
fn append(path: &Path, bytes: &[u8], file_bytes_max: u64) -> io::Result<()> {
    let added = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    if length > 0 && length.saturating_add(added) > file_bytes_max {
        put_aside(path)?;
        file = open(path)?;
    }
    file.write_all(bytes)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// `a.log` becomes `a.log.1`, that `a.log.2`, and so on; the oldest one goes.
fn put_aside(path: &Path) -> io::Result<()> {
    let numbered = |number: usize| match number {
        0 => path.to_owned(),
        number => PathBuf::from(format!("{}.{number}", path.display())),
    };
    for number in (0..EXECUTION_LOG_FILES_MAX - 1).rev() {
        match fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use asl::Timestamp;
    use asl::interpreter::{ErrorOutput, ExecutionId, HistoryKind};
    use engine::LogLevel;

    use super::*;

    fn written(ids: std::ops::RangeInclusive<u32>, logging: &Arc<Logging>) -> Written {
        let event = |id| HistoryEvent {
            id,
            previous: id - 1,
            at: Timestamp::EPOCH,
            kind: HistoryKind::ExecutionFailed(ErrorOutput::bare("E")),
        };
        Written {
            id: ExecutionId(1),
            arn: "arn:e".into(),
            started_at: Timestamp::EPOCH,
            redrive_count: 0,
            events: ids.map(event).collect(),
            ended: None,
            logging: Some(Arc::clone(logging)),
        }
    }

    fn logging(group: &str) -> Arc<Logging> {
        let group_arn = format!("arn:aws:logs:r:1:log-group:{group}:*").into();
        Arc::new(Logging { level: LogLevel::Fatal, includes_data: false, group_arn })
    }

    #[test]
    fn each_group_has_a_file_with_a_line_for_each_event() {
        let folder = tempfile::tempdir().unwrap();
        let (queue, thread) = start(folder.path(), LogsTo::Files).unwrap().unwrap();
        for (group, ids) in [("a", 1..=2), ("/b", 1..=1), ("a", 3..=3)] {
            let logging = logging(group);
            queue.log(&written(ids, &logging), &logging);
        }
        drop(queue);
        thread.join().unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join("logs").join(name)).unwrap();
        let ids: Vec<_> = read("a.log")
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].clone())
            .collect();
        assert_eq!(ids, ["1", "2", "3"]);
        assert_eq!(
            read("+b.log"),
            "{\"id\":\"1\",\"type\":\"ExecutionFailed\",\"details\":{\"error\":\"E\"},\"previous_event_id\":\"0\",\
             \"event_timestamp\":\"0\",\"execution_arn\":\"arn:e\",\"redrive_count\":\"0\"}\n"
        );
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join("logs")), 0o700);
        assert_eq!(mode(&folder.path().join("logs/a.log")), 0o600);
    }

    #[test]
    fn files_are_put_aside_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        for number in 0..2 * EXECUTION_LOG_FILES_MAX {
            append(&path, format!("{number:04}\n").as_bytes(), 10).unwrap();
            append(&path, format!("{number:04}\n").as_bytes(), 10).unwrap();
        }
        let mut files: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), EXECUTION_LOG_FILES_MAX);
        for (age, file) in files.iter().enumerate() {
            let number = 2 * EXECUTION_LOG_FILES_MAX - 1 - age;
            assert_eq!(fs::read_to_string(file).unwrap(), format!("{number:04}\n{number:04}\n"), "{age}");
        }
    }

    #[test]
    fn without_logs_nothing_is_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(start(folder.path(), LogsTo::Off).unwrap().is_none());
        assert!(start(folder.path(), LogsTo::Stderr).unwrap().is_some());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
