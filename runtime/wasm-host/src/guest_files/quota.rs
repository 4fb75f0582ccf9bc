//! How much of its scratch space a call has used, or how much it has added to a granted folder.
//!
//! A file costs its largest size ever and one block, a folder one block. The cost is given back when the file is gone: it has
//! no name and nothing holds it open. A file that is cut shorter keeps its cost, since writes may be under way. Of a file
//! that was there before, only what it grows by is counted: what others wrote is not the call's to pay for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use wasmtime_wasi::p2::bindings::filesystem::types::MetadataHashValue;

use super::denied::{disk_is_full, is_full};
use crate::shares::Shares;

/// What a name costs: about one block and an inode.
const ENTRY_BYTES: u64 = 4_096;

/// The account of one call for one folder.
#[derive(Debug)]
pub(super) struct Quota {
    folder: Arc<str>,
    bytes_max: u64,
    used: AtomicU64,
    disk: Option<Disk>,
    /// Whether the guest is gone. What it has written is on the disk until its folder is removed, and this with it.
    is_over: AtomicBool,
}

/// What calls use together of the disk on which scratch spaces are.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) shares: Shares,
    pub(super) module: Arc<str>,
}

impl Quota {
    pub(super) fn new(folder: Arc<str>, bytes_max: u64, disk: Option<Disk>) -> Arc<Quota> {
        Arc::new(Quota { folder, bytes_max, used: AtomicU64::new(0), disk, is_over: AtomicBool::new(false) })
    }

    /// What would give more room.
    pub(super) fn refusal(&self) -> String {
        // Who is refused with room of its own for a block was refused for want of the disk's.
        if self.used() + ENTRY_BYTES < self.bytes_max && !self.has_room_for_entry() {
            return disk_is_full(&self.folder);
        }
        is_full(&self.folder, self.bytes_max)
    }

    pub(super) fn take_entry(&self) -> bool {
        self.take(ENTRY_BYTES)
    }

    pub(super) fn give_entry_back(&self) {
        self.give_back(ENTRY_BYTES);
    }

    pub(super) fn has_room_for_entry(&self) -> bool {
        self.used().saturating_add(ENTRY_BYTES) <= self.bytes_max
            && self.disk.as_ref().is_none_or(|disk| disk.shares.has_room(&disk.module, ENTRY_BYTES))
    }

    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> bool {
        let add = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.bytes_max);
        if self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_err() {
            return false;
        }
        let has_room = self.disk.as_ref().is_none_or(|disk| disk.shares.add(&disk.module, bytes));
        if !has_room {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
        has_room
    }

    fn give_back(&self, bytes: u64) {
        if self.is_over.load(Ordering::Relaxed) {
            return;
        }
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(disk) = &self.disk {
            disk.shares.remove(&disk.module, bytes);
        }
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        if let Some(disk) = &self.disk {
            disk.shares.remove(&disk.module, self.used());
        }
    }
}

/// The cost of one file, which is given back with the last copy of the handle.
#[derive(Debug)]
pub(super) struct FileCost {
    quota: Arc<Quota>,
    /// Where the file ended before the call wrote to it.
    start: u64,
    end: AtomicU64,
}

impl FileCost {
    /// Pays for the file up to `end`; false if there is no room.
    pub(super) fn reach(&self, end: u64) -> bool {
        // One guest writes at a time, so nobody moves the end in between.
        let paid = self.end.load(Ordering::Relaxed);
        let has_room = end <= paid || self.quota.take(end - paid);
        if has_room {
            self.end.fetch_max(end, Ordering::Relaxed);
        }
        has_room
    }

    pub(super) fn refusal(&self) -> String {
        self.quota.refusal()
    }

    /// Pays for `bytes` more, wherever the end is now.
    pub(super) fn append(&self, bytes: u64) -> bool {
        self.end.load(Ordering::Relaxed).checked_add(bytes).is_some_and(|end| self.reach(end))
    }
}

impl Drop for FileCost {
    fn drop(&mut self) {
        self.quota.give_back(ENTRY_BYTES + self.end.load(Ordering::Relaxed) - self.start);
    }
}

/// The files that have a name and that the call has written to.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) quota: Arc<Quota>,
    by_identity: HashMap<(u64, u64), Arc<FileCost>>,
}

impl Files {
    pub(super) fn new(quota: Arc<Quota>) -> Files {
        Files { quota, by_identity: HashMap::new() }
    }

    /// The cost of a file that was made, or opened to be written to when it had `size` bytes; none if there is no room for
    /// one more.
    pub(super) fn opened(&mut self, identity: MetadataHashValue, size: u64) -> Option<Arc<FileCost>> {
        if let Some(cost) = self.known(identity) {
            return Some(cost);
        }
        if !self.quota.take_entry() {
            return None;
        }
        let cost = FileCost { quota: Arc::clone(&self.quota), start: size, end: AtomicU64::new(size) };
        let cost = Arc::new(cost);
        self.by_identity.insert((identity.lower, identity.upper), Arc::clone(&cost));
        Some(cost)
    }

    /// The cost of a file that the call has written to.
    pub(super) fn known(&self, identity: MetadataHashValue) -> Option<Arc<FileCost>> {
        self.by_identity.get(&(identity.lower, identity.upper)).cloned()
    }

    /// The file has no name any more.
    pub(super) fn unlinked(&mut self, identity: MetadataHashValue) {
        self.by_identity.remove(&(identity.lower, identity.upper));
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.quota.is_over.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(number: u64) -> MetadataHashValue {
        MetadataHashValue { lower: number, upper: 0 }
    }

    fn quota(bytes_max: u64) -> Arc<Quota> {
        Quota::new("/data".into(), bytes_max, None)
    }

    fn used(files: &Files) -> u64 {
        files.quota.used.load(Ordering::Relaxed)
    }

    #[test]
    fn a_file_costs_its_largest_size() {
        let mut files = Files::new(quota(ENTRY_BYTES + 100));
        let file = files.opened(identity(1), 0).unwrap();
        assert!(file.reach(60) && file.reach(10) && file.append(40));
        assert!(!file.reach(101) && !file.append(1) && !file.append(u64::MAX));
        assert_eq!(used(&files), ENTRY_BYTES + 100);
        assert!(files.opened(identity(2), 0).is_none());
        assert!(Arc::ptr_eq(&file, &files.opened(identity(1), 0).unwrap()));
    }

    #[test]
    fn a_file_that_was_there_costs_what_it_grows_by() {
        let mut files = Files::new(quota(ENTRY_BYTES + 100));
        assert!(files.known(identity(1)).is_none());
        let file = files.opened(identity(1), 5_000).unwrap();
        assert!(file.reach(5_000) && file.append(60) && file.reach(5_100));
        assert!(!file.reach(5_101) && !file.append(1));
        assert!(files.known(identity(1)).is_some());
        files.unlinked(identity(1));
        drop(file);
        assert_eq!(used(&files), 0);
    }

    #[test]
    fn a_file_that_is_open_without_a_name_still_costs() {
        let mut files = Files::new(quota(2 * ENTRY_BYTES));
        let file = files.opened(identity(1), 0).unwrap();
        assert!(file.reach(ENTRY_BYTES));
        files.unlinked(identity(1));
        assert!(files.opened(identity(1), 0).is_none(), "a new file may get the number of the old one");
        drop(file);
        assert_eq!(used(&files), 0);
        assert!(files.opened(identity(1), 0).unwrap().reach(1));
    }

    #[test]
    fn folders_cost_a_block() {
        let quota = quota(ENTRY_BYTES);
        assert!(quota.has_room_for_entry() && quota.take_entry());
        assert!(!quota.has_room_for_entry() && !quota.take_entry());
        quota.give_entry_back();
        assert!(quota.take_entry());
    }
}
