//! The thread that writes: it finds what earlier servers left, and adds to it within bounds.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use executors::CallLog;
use tokio::sync::watch;
use wasm_host::Share;

use super::Bounds;
use super::entry::Entry;
use super::segment::{self, Place, Scanned, Segment};
use super::shelf::Shelf;
use crate::limits::{
    TASK_LOG_OPEN_MAX, TASK_LOG_SEGMENT_BYTES_MAX, TASK_LOG_SEGMENT_BYTES_MIN, TASK_LOG_SEGMENTS,
    TASK_LOG_WRITE_ITEMS,
};
use crate::observing::queue::Outlet;

/// Whose segments are that have entries of several modules, or none. It is no name of a module.
const NOBODY: &str = "";
/// How often lost lines and failed writes are told at most.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) folder: PathBuf,
    pub(super) bounds: Bounds,
    pub(super) outlet: Outlet<(Share, CallLog)>,
    pub(super) shelf: Arc<Shelf>,
    /// How much was done: what was there at the start is one, and each log that was offered is one.
    pub(super) done: watch::Sender<u64>,
    /// The files of segments that are written, by the names of their modules, and their numbers.
    pub(super) current: HashMap<Arc<str>, (u64, File)>,
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
            while let Some((share, log)) = next {
                drop(share);
                self.keep(log);
                taken += 1;
                next = if taken < TASK_LOG_WRITE_ITEMS { self.outlet.next_waiting() } else { None };
            }
            self.count_lost(self.outlet.take_lost());
            self.done.send_modify(|done| *done += taken as u64);
            self.complain();
        }
    }

    /// Finds the segments that are there. The last one of each module goes on where its last whole line ends.
    fn recover(&mut self) -> io::Result<()> {
        for number in segment::numbers(&self.folder)? {
            let last_sequence = self.shelf.lock().last_sequence;
            let found = Segment::scan(&self.folder, number, last_sequence).and_then(|found| {
                segment::open(&self.folder, number)?.set_len(found.segment.bytes)?;
                Ok(found)
            });
            let found = found.unwrap_or_else(|error| {
                tracing::error!(%error, number, "a segment of the logs of tasks cannot be used");
                Scanned { segment: Segment::new(number), module: None }
            });
            let module = found.module.unwrap_or_else(|| NOBODY.into());
            self.shelf.lock().push(&module, found.segment);
        }
        self.make_room(0);
        Ok(())
    }

    fn keep(&mut self, log: CallLog) {
        let module = Arc::clone(&log.module);
        let mut entry = Entry::of(log);
        let lines = entry.lines.len() as u64;
        entry.heading.sequence = Some(self.shelf.lock().next_sequence());
        if let Err(error) = self.write(&module, &entry) {
            tracing::debug!(%error, "the log of a task could not be written");
            self.count_lost(lines);
        }
    }

    fn write(&mut self, module: &Arc<str>, entry: &Entry) -> io::Result<()> {
        let line = entry.to_line();
        let length = line.len() as u64;
        let Some(bytes) = u32::try_from(length).ok().filter(|_| length <= self.bounds.bytes) else {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than all that is kept"));
        };
        self.make_room(length);
        let (file, offset) = self.open(module, length)?;
        // At its place and not at the end of the file: there may be the half of a line that could not be written.
        file.write_all_at(&line, u64::from(offset))?;
        let (key, sequence) = (entry.heading.key(), entry.heading.sequence.unwrap_or_default());
        self.shelf.lock().add(module, Place { key, sequence, offset, bytes });
        Ok(())
    }

    /// The file of a module and where it goes on; another one, if the last is full or gone.
    fn open(&mut self, module: &Arc<str>, length: u64) -> io::Result<(&File, u32)> {
        let (number, offset) = {
            let mut segments = self.shelf.lock();
            let room = self.bounds.bytes / TASK_LOG_SEGMENTS;
            let share = room / (segments.modules() as u64).max(1);
            let bytes_max = share.max(TASK_LOG_SEGMENT_BYTES_MIN).min(room).min(TASK_LOG_SEGMENT_BYTES_MAX);
            match segments.last(module).filter(|(_, end)| *end == 0 || end + length <= bytes_max) {
                Some((number, end)) => (number, u32::try_from(end).map_err(io::Error::other)?),
                None => {
                    let next = segments.next_number();
                    segments.push(module, Segment::new(next));
                    (next, 0)
                }
            }
        };
        let known = self.current.remove(module).filter(|(known, _)| *known == number);
        let current = match known {
            Some(current) => current,
            None => (number, segment::open(&self.folder, number)?),
        };
        if self.current.len() >= TASK_LOG_OPEN_MAX {
            self.current.clear();
        }
        let (_, file) = self.current.entry(Arc::clone(module)).insert_entry(current).into_mut();
        Ok((file, offset))
    }

    /// Drops segments of whoever has most until an entry of so many bytes fits.
    fn make_room(&mut self, bytes: u64) {
        loop {
            let dropped = {
                let mut segments = self.shelf.lock();
                let is_full = segments.bytes + bytes > self.bounds.bytes;
                let is_crowded = segments.entries >= self.bounds.entries;
                if is_full || is_crowded { segments.drop_of_most(!is_full) } else { None }
            };
            let Some(number) = dropped else { return };
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
