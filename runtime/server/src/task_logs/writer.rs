//! The thread that writes: it finds what earlier servers left, and adds to it within bounds.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use executors::CallLog;
use tokio::sync::watch;

use super::Bounds;
use super::entry::{Entry, Key};
use super::segment::{self, Place, Segment};
use super::shelf::Shelf;
use crate::limits::{TASK_LOG_SEGMENTS, TASK_LOG_WRITE_ITEMS};
use crate::observing::queue::Outlet;

/// How often lost lines and failed writes are told at most.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) folder: PathBuf,
    pub(super) bounds: Bounds,
    pub(super) outlet: Outlet<CallLog>,
    pub(super) shelf: Arc<Shelf>,
    /// How much was done: what was there at the start is one, and each log that was offered is one.
    pub(super) done: watch::Sender<u64>,
    /// The segment that is written, and its number.
    pub(super) current: Option<(u64, File)>,
    pub(super) untold: u64,
    pub(super) complained_at: Option<Instant>,
}

impl Writer {
    pub(super) fn run(mut self) {
        if let Err(error) = self.recover() {
            tracing::error!(%error, folder = %self.folder.display(), "logs of tasks of before cannot be read");
        }
        self.done.send_replace(1);
        while let Some(first) = self.outlet.next() {
            let mut taken = 0;
            let mut next = Some(first);
            while let Some(log) = next {
                self.keep(log);
                taken += 1;
                next = if taken < TASK_LOG_WRITE_ITEMS { self.outlet.next_waiting() } else { None };
            }
            self.count_lost(self.outlet.take_lost());
            self.done.send_modify(|done| *done += taken as u64);
            self.complain();
        }
    }

    /// Finds the segments that are there. The last one goes on where its last whole line ends.
    fn recover(&mut self) -> io::Result<()> {
        for number in segment::numbers(&self.folder)? {
            let found = Segment::scan(&self.folder, number).and_then(|segment| {
                let file = segment::open(&self.folder, number)?;
                file.set_len(segment.bytes)?;
                Ok((segment, file))
            });
            let (segment, file) = match found {
                Ok((segment, file)) => (segment, Some((number, file))),
                Err(error) => {
                    tracing::error!(%error, number, "a segment of the logs of tasks cannot be used");
                    (Segment::new(number), None)
                }
            };
            self.shelf.lock().push(segment);
            self.current = file;
        }
        self.make_room(0);
        Ok(())
    }

    fn keep(&mut self, log: CallLog) {
        let entry = Entry::of(log);
        let lines = entry.lines.len() as u64;
        if let Err(error) = self.write(entry.heading.key(), &entry.to_line()) {
            tracing::debug!(%error, "the log of a task could not be written");
            self.count_lost(lines);
        }
    }

    fn write(&mut self, key: Key, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        let Some(bytes) = u32::try_from(length).ok().filter(|_| length <= self.bounds.bytes) else {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than all that is kept"));
        };
        let end = self.shelf.lock().list.back().map_or(0, |last| last.bytes);
        if end > 0 && end + length > self.bounds.bytes / TASK_LOG_SEGMENTS {
            self.current = None;
        }
        self.make_room(length);
        let (file, offset) = self.open()?;
        // At its place and not at the end of the file: there may be the half of a line that could not be written.
        file.write_all_at(line, offset)?;
        self.shelf.lock().add(Place { key, offset, bytes });
        Ok(())
    }

    /// The file that is written and where it goes on; another one, if the last is full or gone.
    fn open(&mut self) -> io::Result<(&File, u64)> {
        let (number, file) = match self.current.take() {
            Some(current) => current,
            None => {
                let next = self.shelf.lock().next_number();
                let file = segment::open(&self.folder, next)?;
                self.shelf.lock().push(Segment::new(next));
                (next, file)
            }
        };
        let offset = self.shelf.lock().list.back().map_or(0, |last| last.bytes);
        let (_, file) = self.current.insert((number, file));
        Ok((file, offset))
    }

    /// Drops the oldest segments until an entry of so many bytes fits.
    fn make_room(&mut self, bytes: u64) {
        loop {
            let dropped = {
                let mut segments = self.shelf.lock();
                let fits =
                    segments.bytes + bytes <= self.bounds.bytes && segments.entries < self.bounds.entries;
                if fits { None } else { segments.drop_oldest() }
            };
            let Some(number) = dropped else { return };
            if self.current.as_ref().is_some_and(|(current, _)| *current == number) {
                self.current = None;
            }
            if let Err(error) = fs::remove_file(segment::path(&self.folder, number)) {
                tracing::warn!(%error, number, "a segment of the logs of tasks cannot be removed");
            }
        }
    }

    fn count_lost(&mut self, lines: u64) {
        self.untold += lines;
        self.shelf.lock().lost += lines;
    }

    /// Says in the server's log what is missing in those of tasks.
    fn complain(&mut self) {
        let is_due = self.complained_at.is_none_or(|at| at.elapsed() >= COMPLAINT_INTERVAL);
        if self.untold == 0 || !is_due {
            return;
        }
        tracing::warn!(
            lost = self.untold,
            "lines are missing in the logs of tasks: more came than could be written, or writing failed"
        );
        (self.untold, self.complained_at) = (0, Some(Instant::now()));
    }
}
