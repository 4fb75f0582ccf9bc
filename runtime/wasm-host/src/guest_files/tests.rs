//! The files of a guest, asked as a guest asks.

use std::path::Path;

use bytes::Bytes;
use tempfile::TempDir;
use tokio::runtime::Handle;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, Host as _, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsResult, StreamError};

use super::folder::ScratchFolder;
use super::*;
use crate::call::{DirectoryGrant, Grants};
use crate::denials::Denials;
use crate::manifest::{Access, SCRATCH};
use crate::state::Wasi;

const KIB: u64 = 1 << 10;

pub(super) struct Guest {
    pub(super) wasi: Wasi,
    watch: FileWatch,
    denials: Denials,
    pub(super) scratch: Option<ScratchFolder>,
    _data: Option<TempDir>,
}

/// A folder that is granted as `/data`.
pub(super) fn grant(folder: &Path, access: Access, quota_bytes: Option<u64>) -> Grants {
    let grant = DirectoryGrant { host: folder.to_owned(), guest: "/data".to_owned(), access, quota_bytes };
    Grants { directories: vec![grant], ..Grants::default() }
}

impl Guest {
    async fn new(folder: &Path, access: Access, scratch_bytes: u64) -> Guest {
        Guest::with(Grants { scratch_bytes, ..grant(folder, access, None) }).await
    }

    async fn with(grants: Grants) -> Guest {
        let data = tempfile::tempdir().unwrap();
        let files = HostFiles::open(data.path(), Handle::current()).unwrap();
        Guest { _data: Some(data), ..Guest::on(&files, "module", grants).await }
    }

    /// Beside others on the same host.
    pub(super) async fn on(files: &HostFiles, module: &str, grants: Grants) -> Guest {
        let work = files.of_call(&module.into());
        let mut folders = files.open_folders(&grants, &work).await.unwrap();
        let denials = Denials::default();
        Guest {
            wasi: Wasi { ctx: WasiCtx::builder().build(), table: ResourceTable::new() },
            scratch: folders.take_scratch(),
            watch: FileWatch::new(folders, work, denials.clone()),
            denials,
            _data: None,
        }
    }

    async fn with_scratch(scratch_bytes: u64) -> (Guest, u32) {
        let mut guest = Guest::with(Grants { scratch_bytes, ..Grants::default() }).await;
        let scratch = guest.root(SCRATCH);
        (guest, scratch)
    }

    /// `folder` as `/data` with a quota.
    async fn with_quota(folder: &Path, bytes: u64) -> (Guest, u32) {
        let mut guest = Guest::with(grant(folder, Access::ReadWrite, Some(bytes))).await;
        let data = guest.root("/data");
        (guest, data)
    }

    pub(super) fn view(&mut self) -> FilesView<'_> {
        FilesView { inner: self.wasi.filesystem(), watch: &mut self.watch }
    }

    pub(super) fn root(&mut self, name: &str) -> u32 {
        let directories = self.view().get_directories().unwrap();
        directories.iter().find(|(_, root)| root == name).unwrap().0.rep()
    }

    pub(super) async fn open(&mut self, root: u32, path: &str, flags: OpenFlags) -> FsResult<u32> {
        let is_new = flags.contains(OpenFlags::CREATE);
        let access = if is_new { DescriptorFlags::WRITE } else { DescriptorFlags::READ };
        let opened =
            self.view().open_at(at(root), PathFlags::SYMLINK_FOLLOW, path.to_owned(), flags, access).await?;
        Ok(opened.rep())
    }

    pub(super) async fn create(&mut self, root: u32, path: &str) -> FsResult<u32> {
        self.open(root, path, OpenFlags::CREATE).await
    }

    pub(super) async fn write(&mut self, file: u32, bytes: u64, offset: u64) -> FsResult<u64> {
        self.view().write(at(file), vec![7; usize::try_from(bytes).unwrap()], offset).await
    }

    async fn unlink(&mut self, root: u32, path: &str) -> FsResult<()> {
        self.view().unlink_file_at(at(root), path.to_owned()).await
    }

    pub(super) fn close(&mut self, descriptor: u32) {
        HostDescriptor::drop(&mut self.view(), Resource::new_own(descriptor)).unwrap();
    }

    pub(super) fn denied(&self, expected: &str) {
        let denied = self.denials.take();
        assert!(denied.len() == 1 && denied[0].contains(expected), "{denied:?}");
    }
}

pub(super) fn at(descriptor: u32) -> Resource<Descriptor> {
    Resource::new_borrow(descriptor)
}

pub(super) fn fails<T>(result: FsResult<T>, expected: ErrorCode) {
    let error = result.err().expect("it is refused").downcast().unwrap();
    assert_eq!(error, expected);
}

#[tokio::test]
async fn what_no_grant_covers_is_not_there_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut guest = Guest::new(folder.path(), Access::ReadOnly, 0).await;
    let root = guest.root("/");
    fails(guest.open(root, "etc/passwd", OpenFlags::empty()).await, ErrorCode::NoEntry);
    guest.denied("reading /etc/passwd: it needs [[grants.directory]] with guest = \"/etc\"");
    fails(guest.create(root, "../tmp/x").await, ErrorCode::NoEntry);
    guest.denied("access = \"read-write\"");
    fails(guest.view().read_directory(at(root)).await, ErrorCode::NoEntry);
    guest.denied("reading /: ");
    fails(guest.unlink(root, "nothing").await, ErrorCode::NoEntry);
}

#[tokio::test]
async fn a_folder_for_reading_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "text").unwrap();
    let mut guest = Guest::new(folder.path(), Access::ReadOnly, 0).await;
    let data = guest.root("/data");
    let file = guest.open(data, "a", OpenFlags::empty()).await.unwrap();
    assert_eq!(guest.view().read(at(file), 10, 0).await.unwrap().0, b"text");
    assert!(guest.denials.take().is_empty());
    fails(guest.create(data, "b").await, ErrorCode::NotPermitted);
    guest.denied("changing b in /data: it needs [[grants.directory]] with guest = \"/data\" and access = \"read-write\"");
    fails(guest.unlink(data, "a").await, ErrorCode::NotPermitted);
    guest.denied("changing a in /data");
    fails(guest.write(file, 1, 0).await, ErrorCode::NotPermitted);
    assert_eq!(std::fs::read_to_string(folder.path().join("a")).unwrap(), "text");
}

#[tokio::test]
async fn no_name_leads_out_of_a_folder() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "text").unwrap();
    let folder = outside.path().join("granted");
    std::fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("../secret", folder.join("relative")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret"), folder.join("absolute")).unwrap();
    std::os::unix::fs::symlink("..", folder.join("up")).unwrap();
    let mut guest = Guest::new(&folder, Access::ReadWrite, 0).await;
    let data = guest.root("/data");
    let absolute = outside.path().join("secret");
    for path in
        ["../secret", "relative", "absolute", "up/secret", "./x/../../secret", absolute.to_str().unwrap()]
    {
        assert!(guest.open(data, path, OpenFlags::empty()).await.is_err(), "{path}");
        assert!(guest.create(data, path).await.is_err(), "{path}");
        assert!(guest.unlink(data, &format!("{path}/../../secret")).await.is_err(), "{path}");
    }
    assert!(guest.denials.take()[0].starts_with("../secret in /data: it leads out of the granted folder"));
    assert_eq!(std::fs::read_to_string(absolute).unwrap(), "text");
}

#[tokio::test]
async fn the_scratch_space_has_a_quota() {
    let (mut guest, scratch) = Guest::with_scratch(20 * KIB).await;
    let file = guest.create(scratch, "a").await.unwrap();
    assert_eq!(guest.write(file, 8 * KIB, 0).await.unwrap(), 8 * KIB);
    assert_eq!(guest.write(file, 8 * KIB, 0).await.unwrap(), 8 * KIB, "the same bytes again cost nothing");
    fails(guest.write(file, 1, 16 * KIB).await, ErrorCode::InsufficientSpace);
    guest.denied("it needs a grants.scratch above \"20 KiB\"");
    fails(guest.view().set_size(at(file), 1 << 40).await, ErrorCode::InsufficientSpace);
    guest.view().set_size(at(file), 16 * KIB).await.unwrap();
    fails(guest.create(scratch, "b").await, ErrorCode::InsufficientSpace);
    fails(guest.view().create_directory_at(at(scratch), "d".to_owned()).await, ErrorCode::InsufficientSpace);
    guest.unlink(scratch, "a").await.unwrap();
    fails(guest.create(scratch, "b").await, ErrorCode::InsufficientSpace);
    guest.close(file);
    let again = guest.create(scratch, "b").await.unwrap();
    assert_eq!(guest.write(again, 16 * KIB, 0).await.unwrap(), 16 * KIB);
}

#[tokio::test]
async fn streams_pay_as_well() {
    let (mut guest, scratch) = Guest::with_scratch(8 * KIB).await;
    let file = guest.create(scratch, "a").await.unwrap();
    let stream = guest.view().append_via_stream(at(file)).unwrap();
    let stream = guest.wasi.table.get_mut(&stream).unwrap();
    stream.blocking_write_and_flush(Bytes::from(vec![1; 4 << 10])).await.unwrap();
    let error = stream.blocking_write_and_flush(Bytes::from_static(b"x")).await.unwrap_err();
    let StreamError::LastOperationFailed(error) = error else { panic!("{error:?}") };
    let error = guest.wasi.table.push(error).unwrap();
    let code = guest.view().filesystem_error_code(error).unwrap();
    assert_eq!(code, Some(ErrorCode::InsufficientSpace));
    guest.denied("more room in /scratch");
    let stream = guest.view().write_via_stream(at(file), 4 * KIB).unwrap();
    let stream = guest.wasi.table.get_mut(&stream).unwrap();
    assert!(stream.blocking_write_and_flush(Bytes::from_static(b"x")).await.is_err());
    assert_eq!(std::fs::metadata(guest.scratch.unwrap().path().join("a")).unwrap().len(), 4 * KIB);
}

#[tokio::test]
async fn a_file_that_a_stream_reads_still_costs() {
    let (mut guest, scratch) = Guest::with_scratch(8 * KIB).await;
    let file = guest.create(scratch, "a").await.unwrap();
    guest.write(file, 4 * KIB, 0).await.unwrap();
    let stream = guest.view().read_via_stream(at(file), 0).unwrap();
    guest.unlink(scratch, "a").await.unwrap();
    guest.close(file);
    fails(guest.create(scratch, "b").await, ErrorCode::InsufficientSpace);
    drop(guest.wasi.table.delete(stream).unwrap());
    assert!(guest.create(scratch, "b").await.is_ok());
}

#[tokio::test]
async fn a_flood_of_names_ends_at_the_quota() {
    let (mut guest, scratch) = Guest::with_scratch(64 * KIB).await;
    let mut made = 0;
    while guest.view().create_directory_at(at(scratch), format!("d{made}")).await.is_ok() {
        made += 1;
    }
    assert_eq!(made, 16);
    guest.view().remove_directory_at(at(scratch), "d3".to_owned()).await.unwrap();
    assert!(guest.view().create_directory_at(at(scratch), "d0".to_owned()).await.is_err(), "it is there");
    guest.view().create_directory_at(at(scratch), "e".to_owned()).await.unwrap();
    fails(guest.create(scratch, "file").await, ErrorCode::InsufficientSpace);
}

#[tokio::test]
async fn a_file_that_is_replaced_costs_nothing_any_more() {
    let (mut guest, scratch) = Guest::with_scratch(24 * KIB).await;
    for name in ["a", "b"] {
        let file = guest.create(scratch, name).await.unwrap();
        guest.write(file, 8 * KIB, 0).await.unwrap();
        guest.close(file);
    }
    fails(guest.create(scratch, "c").await, ErrorCode::InsufficientSpace);
    guest.view().rename_at(at(scratch), "a".to_owned(), at(scratch), "a".to_owned()).await.unwrap();
    fails(guest.create(scratch, "c").await, ErrorCode::InsufficientSpace);
    guest.view().rename_at(at(scratch), "a".to_owned(), at(scratch), "b".to_owned()).await.unwrap();
    assert!(guest.create(scratch, "c").await.is_ok());
}

#[tokio::test]
async fn nothing_comes_into_the_scratch_space_unpaid() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("large"), [0; 9_000]).unwrap();
    let mut guest = Guest::new(folder.path(), Access::ReadWrite, 4 * KIB).await;
    let (data, scratch) = (guest.root("/data"), guest.root(SCRATCH));
    let large = || "large".to_owned();
    fails(guest.view().rename_at(at(data), large(), at(scratch), large()).await, ErrorCode::CrossDevice);
    let no_flags = PathFlags::empty();
    fails(
        guest.view().link_at(at(data), no_flags, large(), at(scratch), large()).await,
        ErrorCode::Unsupported,
    );
    fails(guest.view().symlink_at(at(scratch), large(), large()).await, ErrorCode::Unsupported);
    guest.scratch.unwrap().remove().await;
}

#[tokio::test]
async fn a_granted_folder_may_have_a_quota() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("old"), [1; 9_000]).unwrap();
    let (mut guest, data) = Guest::with_quota(folder.path(), 16 * KIB).await;
    let old = guest.create(data, "old").await.unwrap();
    assert_eq!(guest.write(old, 9_000, 0).await.unwrap(), 9_000, "what was there is not counted");
    guest.write(old, 4 * KIB, 9_000).await.unwrap();
    let new = guest.create(data, "new").await.unwrap();
    guest.write(new, 4 * KIB, 0).await.unwrap();
    fails(guest.write(new, 1, 4 * KIB).await, ErrorCode::InsufficientSpace);
    guest.denied("guest = \"/data\" and a quota above \"16 KiB\"");
    fails(guest.create(data, "more").await, ErrorCode::InsufficientSpace);
    fails(
        guest.view().create_directory_at(at(data), "folder".to_owned()).await,
        ErrorCode::InsufficientSpace,
    );
    let stream = guest.view().append_via_stream(at(old)).unwrap();
    let stream = guest.wasi.table.get_mut(&stream).unwrap();
    assert!(stream.blocking_write_and_flush(Bytes::from_static(b"x")).await.is_err());
    guest.unlink(data, "new").await.unwrap();
    guest.close(new);
    let again = guest.create(data, "again").await.unwrap();
    assert_eq!(guest.write(again, 4 * KIB, 0).await.unwrap(), 4 * KIB);
}

#[tokio::test]
async fn what_others_wrote_makes_no_room_in_a_quota() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    for name in ["a", "b", "twice"] {
        std::fs::write(folder.path().join(name), [1; 9_000]).unwrap();
    }
    std::fs::hard_link(folder.path().join("twice"), folder.path().join("other")).unwrap();
    let (mut guest, data) = Guest::with_quota(folder.path(), 8 * KIB).await;
    guest.unlink(data, "a").await.unwrap();
    guest.view().remove_directory_at(at(data), "folder".to_owned()).await.unwrap();
    // One of its names is left, and with it what was written.
    let twice = guest.create(data, "twice").await.unwrap();
    guest.write(twice, 4 * KIB, 9_000).await.unwrap();
    guest.unlink(data, "twice").await.unwrap();
    guest.close(twice);
    fails(guest.create(data, "c").await, ErrorCode::InsufficientSpace);
    let name = |text: &str| text.to_owned();
    let no_flags = PathFlags::empty();
    fails(
        guest.view().link_at(at(data), no_flags, name("b"), at(data), name("l")).await,
        ErrorCode::Unsupported,
    );
    fails(guest.view().symlink_at(at(data), name("b"), name("l")).await, ErrorCode::Unsupported);
}

#[tokio::test]
async fn a_file_that_is_emptied_has_paid_for_what_it_had() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), [1; 9_000]).unwrap();
    let (mut guest, data) = Guest::with_quota(folder.path(), 4 * KIB).await;
    let file = guest.open(data, "a", OpenFlags::CREATE | OpenFlags::TRUNCATE).await.unwrap();
    guest.write(file, 9_000, 0).await.unwrap();
    fails(guest.write(file, 1, 9_000).await, ErrorCode::InsufficientSpace);
}
