//! One module that takes all it can get of what files of guests use, and a neighbour that goes on.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use wasmtime_wasi::p2::bindings::filesystem::types::{ErrorCode, HostDescriptor, OpenFlags};

use super::HostFiles;
use super::limits::{FILE_OPERATIONS_MAX, FILE_OPERATIONS_OF_MODULE_MAX};
use super::opened::Bounds;
use super::tests::{Guest, at, fails, grant};
use crate::call::Grants;
use crate::manifest::{Access, SCRATCH};

/// Of all scratch spaces.
const SCRATCH_BYTES: u64 = 64 << 10;
/// How long what must happen may take.
const PATIENCE: Duration = Duration::from_secs(20);

struct Crowd {
    files: HostFiles,
    folder: TempDir,
    _data: TempDir,
}

impl Crowd {
    /// A folder with a file, and with a pipe: who opens that to read waits until somebody opens it to write, as long as on a
    /// file system that does not answer.
    fn new(open_files_max: u64) -> Crowd {
        let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(folder.path().join("file"), "text").unwrap();
        let made = Command::new("mkfifo").arg(folder.path().join("pipe")).status();
        assert!(made.unwrap().success());
        let bounds = Bounds { open_files: open_files_max, scratch_bytes: SCRATCH_BYTES };
        let files = HostFiles::bounded(data.path(), Handle::current(), &bounds).unwrap();
        Crowd { files, folder, _data: data }
    }

    async fn guest(&self, module: &str) -> (Guest, u32) {
        let mut guest =
            Guest::on(&self.files, module, grant(self.folder.path(), Access::ReadOnly, None)).await;
        let data = guest.root("/data");
        (guest, data)
    }

    /// A call from its start to its end.
    async fn reads(&self, module: &str) {
        let call = async {
            let (mut guest, data) = self.guest(module).await;
            let file = guest.open(data, "file", OpenFlags::empty()).await.unwrap();
            assert_eq!(guest.view().read(at(file), 10, 0).await.unwrap().0, b"text");
        };
        tokio::time::timeout(PATIENCE, call).await.expect("it goes on");
    }
}

/// Lets those who wait for the pipe go on, also when a test fails: their threads would be waited for.
fn answer(folder: &Path) {
    // Who opens it for both waits for nobody.
    std::fs::File::options().read(true).write(true).open(folder.join("pipe")).unwrap();
}

impl Drop for Crowd {
    fn drop(&mut self) {
        answer(self.folder.path());
    }
}

#[tokio::test]
async fn a_file_system_that_does_not_answer_holds_one_module_up() {
    let crowd = Crowd::new(1_000);
    let mut hostile = JoinSet::new();
    let count = 2 * FILE_OPERATIONS_MAX as usize;
    let (asking, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(tokio::sync::Barrier::new(count)));
    for _ in 0..count {
        let (files, folder) = (crowd.files.clone(), crowd.folder.path().to_owned());
        let (asking, all) = (Arc::clone(&asking), Arc::clone(&all));
        hostile.spawn(async move {
            let mut guest = Guest::on(&files, "hostile", grant(&folder, Access::ReadOnly, None)).await;
            let data = guest.root("/data");
            // One that waits for the pipe would keep others of the module from their folders.
            all.wait().await;
            asking.fetch_add(1, Ordering::Relaxed);
            let _opened = guest.open(data, "pipe", OpenFlags::empty()).await;
        });
    }
    let most = FILE_OPERATIONS_OF_MODULE_MAX as usize;
    until(|| asking.load(Ordering::Relaxed) == count && crowd.files.operations() == most).await;
    crowd.reads("neighbour").await;
    hostile.shutdown().await;
    crowd.reads("neighbour").await;
    until(|| {
        answer(crowd.folder.path());
        crowd.files.operations() == 0
    })
    .await;
    crowd.reads("hostile").await;
}

#[tokio::test]
async fn a_place_is_taken_until_the_system_is_done() {
    let crowd = Crowd::new(1_000);
    let most = FILE_OPERATIONS_OF_MODULE_MAX as usize;
    let (begun, end) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(most + 1)));
    let mut hostile = JoinSet::new();
    for _ in 0..2 * most {
        let (begun, end) = (Arc::clone(&begun), Arc::clone(&end));
        let work = crowd.files.of_call(&"hostile".into());
        let working = work.start(move || {
            begun.fetch_add(1, Ordering::Relaxed);
            end.wait();
        });
        hostile.spawn(working);
    }
    until(|| begun.load(Ordering::Relaxed) == most).await;
    hostile.shutdown().await;
    assert_eq!(crowd.files.operations(), most, "nobody waits for them, and they go on");
    crowd.reads("neighbour").await;
    end.wait();
    until(|| crowd.files.operations() == 0).await;
    assert_eq!(begun.load(Ordering::Relaxed), most, "those in line have left it");
}

async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it comes to that");
}

#[tokio::test]
async fn no_module_has_all_files_open() {
    let crowd = Crowd::new(20);
    let (mut guest, data) = crowd.guest("hostile").await;
    let mut opened = Vec::new();
    while let Ok(file) = guest.open(data, "file", OpenFlags::empty()).await {
        opened.push(file);
    }
    assert_eq!(opened.len(), 9, "the granted folder is one more");
    fails(guest.open(data, "file", OpenFlags::empty()).await, ErrorCode::InsufficientMemory);
    crowd.reads("neighbour").await;
    // A stream keeps its file open.
    let stream = guest.view().read_via_stream(at(opened[0]), 0).unwrap();
    guest.close(opened[0]);
    fails(guest.open(data, "file", OpenFlags::empty()).await, ErrorCode::InsufficientMemory);
    drop(guest.wasi.table.delete(stream).unwrap());
    guest.open(data, "file", OpenFlags::empty()).await.unwrap();
}

#[tokio::test]
async fn no_module_fills_the_disk_with_scratch_spaces() {
    let crowd = Crowd::new(1_000);
    let grants = Grants { scratch_bytes: SCRATCH_BYTES, ..Grants::default() };
    let mut guests = Vec::new();
    for (module, bytes) in [("hostile", 16 << 10), ("hostile", 8 << 10), ("neighbour", 8 << 10)] {
        let mut guest = Guest::on(&crowd.files, module, grants.clone()).await;
        let scratch = guest.root(SCRATCH);
        let file = guest.create(scratch, "file").await.unwrap();
        assert_eq!(guest.write(file, bytes, 0).await.unwrap(), bytes);
        guests.push((guest, scratch, file));
    }
    // Two calls of the module have half of it with their two names.
    let (guest, scratch, file) = &mut guests[1];
    fails(guest.write(*file, 1, 8 << 10).await, ErrorCode::InsufficientSpace);
    guest.denied("more room in /scratch: the calls of this module have as much of the server's disk");
    fails(guest.create(*scratch, "other").await, ErrorCode::InsufficientSpace);
    // It is free again when the folder is gone.
    let (mut first, ..) = guests.remove(0);
    let folder = first.scratch.take().unwrap();
    drop(first);
    let (guest, _, file) = &mut guests[0];
    fails(guest.write(*file, 1, 8 << 10).await, ErrorCode::InsufficientSpace);
    folder.remove().await;
    guest.write(*file, 1, 8 << 10).await.unwrap();
}
