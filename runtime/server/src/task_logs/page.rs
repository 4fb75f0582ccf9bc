//! Reading: the lines of an execution or a module, page after page.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::TaskLogs;
use super::entry::{Entry, Heading, Key, ShownLine};
use super::segment::{self, Place};
use super::shelf::Position;
use crate::limits::TASK_LOG_PAGE_BYTES_MAX;

/// Whose lines, and which of them.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) key: Key,
    pub(super) state: Option<String>,
    pub(super) attempt: Option<u32>,
    pub(super) request_id: Option<String>,
}

#[derive(Debug)]
pub(super) struct Page {
    pub(super) lines: Vec<ShownLine>,
    /// Behind the last line that was looked at.
    pub(super) next: Position,
    /// Whether there is more to look at now.
    pub(super) has_more: bool,
}

impl Wanted {
    fn takes(&self, heading: &Heading) -> bool {
        let wants = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        // Different names may share a key, if only by a great chance.
        heading.key() == self.key
            && wants(&self.state, &heading.state)
            && wants(&self.request_id, &heading.request_id)
            && (self.attempt.is_none() || self.attempt == heading.attempt)
    }
}

impl TaskLogs {
    /// At most so many lines from a position on, of all that was logged before this is called.
    pub(super) async fn page(
        self: &Arc<Self>,
        wanted: &Wanted,
        from: Position,
        lines_max: usize,
    ) -> io::Result<Page> {
        self.settle_to_read().await;
        let found = self.shelf.lock().find(wanted.key, from, TASK_LOG_PAGE_BYTES_MAX);
        let (logs, wanted) = (Arc::clone(self), wanted.clone());
        let read = move || {
            let mut page = read(&logs.folder, &found.places, &wanted, from, lines_max)?;
            if !page.has_more {
                // Who follows a log that has no lines yet need not look at those of others again and again.
                page.next = found.end.unwrap_or(page.next);
                page.has_more = !logs.shelf.lock().find(wanted.key, page.next, 1).places.is_empty();
            }
            Ok(page)
        };
        tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?
    }
}

fn read(
    folder: &Path,
    places: &[(u64, Place)],
    wanted: &Wanted,
    from: Position,
    lines_max: usize,
) -> io::Result<Page> {
    let mut page = Page { lines: Vec::new(), next: from, has_more: false };
    for (segment, place) in places {
        let begin = Position { sequence: place.sequence, line: 0 };
        let seen = if begin.sequence == from.sequence { from.line } else { 0 };
        // A segment that was dropped meanwhile is as one that was dropped before.
        let entry = segment::read(folder, *segment, *place)?;
        let entry = entry.and_then(|bytes| serde_json::from_slice::<Entry>(&bytes).ok());
        if let Some(entry) = entry.filter(|entry| wanted.takes(&entry.heading)) {
            for (number, line) in entry.lines.iter().enumerate().skip(seen) {
                if page.lines.len() == lines_max {
                    page.next = Position { line: number, ..begin };
                    page.has_more = true;
                    return Ok(page);
                }
                page.lines.push(entry.shown(line));
            }
        }
        page.next = Position { sequence: place.sequence + 1, line: 0 };
    }
    Ok(page)
}
