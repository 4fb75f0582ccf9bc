//! `wasi:filesystem/types`: every function of it, as wasmtime has it, on threads of files, with the watch around those that
//! open or change something.

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    Filesize, Host, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags,
    PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::FilesView;
use super::descriptors::{Hold, Place, Root};
use super::stream::{FileReader, FileWriter};

/// Ours: folders that a guest lists at once. wasmtime holds all names of each: 5 MB of a full scratch space.
const LISTINGS_MAX: usize = 16;

type Fd = Resource<Descriptor>;

/// Another handle of the same descriptor.
fn same(descriptor: &Fd) -> Fd {
    Resource::new_borrow(descriptor.rep())
}

impl Host for FilesView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        Host::convert_error_code(&mut self.inner, error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        Host::filesystem_error_code(&mut self.inner, error)
    }
}

impl FilesView<'_> {
    /// Asks wasmtime's files on another thread, as who has this descriptor and no other.
    async fn ask<T: Send + 'static>(
        &mut self,
        fd: &Fd,
        operation: impl AsyncFnOnce(&mut WasiFilesystemCtxView<'_>, Fd) -> FsResult<T> + Send + 'static,
    ) -> FsResult<T> {
        let descriptor = self.inner.table.get(fd)?.clone();
        self.watch.work.ask([descriptor], async move |files, [fd]| operation(files, fd).await).await
    }

    /// The same with two.
    async fn ask_both<T: Send + 'static>(
        &mut self,
        (a, b): (&Fd, &Fd),
        operation: impl AsyncFnOnce(&mut WasiFilesystemCtxView<'_>, [Fd; 2]) -> FsResult<T> + Send + 'static,
    ) -> FsResult<T> {
        let descriptors = [self.inner.table.get(a)?.clone(), self.inner.table.get(b)?.clone()];
        self.watch.work.ask(descriptors, operation).await
    }

    /// Where a path leads from, if it leads anywhere.
    fn enter(&self, descriptor: &Fd, path: &str, is_change: bool) -> FsResult<Root> {
        let root = self.watch.root(descriptor);
        self.watch.nothing_there(&root, path, is_change)?;
        Ok(root)
    }

    /// Who a file is that the call may pay for, if there is one. One with another name will not be gone with this one.
    async fn identity(&mut self, root: &Root, descriptor: &Fd, path: &str) -> Option<MetadataHashValue> {
        root.account()?;
        let path = path.to_owned();
        let asked = self.ask(descriptor, async move |files, fd| {
            let stat = files.stat_at(same(&fd), PathFlags::empty(), path.clone()).await?;
            let identity = files.metadata_hash_at(fd, PathFlags::empty(), path).await?;
            Ok((stat.link_count <= 1).then_some(identity))
        });
        asked.await.ok().flatten()
    }

    /// The size of a file in a granted folder that is opened to be changed, if it is there and its growth is counted.
    async fn size_before(&mut self, root: &Root, fd: &Fd, flags: PathFlags, path: &str) -> Option<Filesize> {
        match root {
            Root::Granted { account: Some(_), .. } => {
                let path = path.to_owned();
                let stat = self.ask(fd, async move |files, fd| files.stat_at(fd, flags, path).await);
                stat.await.ok().map(|stat| stat.size)
            }
            Root::Nothing | Root::Granted { account: None, .. } | Root::Scratch { .. } => None,
        }
    }

    /// Links would let a file have two names, and one be counted for another.
    fn refuse_links(&self, root: &Root) -> FsResult<()> {
        root.account().map_or(Ok(()), |_| Err(ErrorCode::Unsupported.into()))
    }

    /// A write or a change through an open descriptor.
    fn written<T>(&self, descriptor: &Fd, result: FsResult<T>) -> FsResult<T> {
        result.map_err(|error| {
            let root = self.watch.root(descriptor);
            self.watch.refused(&root, "a file", true, error)
        })
    }

    fn pay(&self, descriptor: &Fd, end: Filesize) -> FsResult<()> {
        match self.watch.hold(descriptor).cost {
            Some(cost) if !cost.reach(end) => Err(self.watch.full(&cost.refusal())),
            Some(_) | None => Ok(()),
        }
    }

    /// Puts a bound, and the account of a file, between the guest and a stream.
    fn bounded(
        &mut self,
        descriptor: &Fd,
        stream: Resource<DynOutputStream>,
        position: Option<u64>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let hold = self.watch.hold(descriptor);
        let inner = self.inner.table.delete(stream)?;
        let (work, denials) = (self.watch.work.clone(), self.watch.denials.clone());
        let bounded: DynOutputStream = Box::new(FileWriter::new(inner, work, hold, position, denials));
        Ok(self.inner.table.push(bounded)?)
    }

    /// Refuses one more name where there is no room for it.
    fn has_room_for_entry(&mut self, root: &Root) -> FsResult<()> {
        let quota = self.watch.files(root).map(|files| &files.quota);
        match quota.filter(|quota| !quota.has_room_for_entry()).map(|quota| quota.refusal()) {
            Some(refusal) => Err(self.watch.full(&refusal)),
            None => Ok(()),
        }
    }

    /// The account of a file that was opened, if it has one.
    fn cost(
        &mut self,
        root: &Root,
        identity: Option<MetadataHashValue>,
        is_change: bool,
        size: Filesize,
    ) -> FsResult<Hold> {
        let (Some(files), Some(identity)) = (self.watch.files(root), identity) else {
            return Ok(Hold::default());
        };
        // What is only read was paid for, or was there before.
        if !is_change {
            return Ok(Hold { cost: files.known(identity), _open: None });
        }
        if let Some(cost) = files.opened(identity, size) {
            return Ok(Hold { cost: Some(cost), _open: None });
        }
        let refusal = files.quota.refusal();
        Err(self.watch.full(&refusal))
    }
}

impl HostDescriptor for FilesView<'_> {
    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let is_change = open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
            || flags.intersects(DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY);
        let root = self.enter(&fd, &path, is_change)?;
        let before = if is_change { self.size_before(&root, &fd, path_flags, &path).await } else { None };
        if open_flags.contains(OpenFlags::CREATE) && before.is_none() {
            self.has_room_for_entry(&root)?;
        }
        let open = self.watch.work.open_one().ok_or(ErrorCode::InsufficientMemory)?;
        let (name, is_counted) = (path.clone(), root.account().is_some());
        let opened = self.ask(&fd, async move |files, fd| {
            let opened = files.open_at(fd, path_flags, name, open_flags, flags).await?;
            let is_file = matches!(files.table.get(&opened)?, Descriptor::File(_));
            let identity =
                if is_counted && is_file { Some(files.metadata_hash(same(&opened)).await?) } else { None };
            Ok((files.table.delete(opened)?, identity))
        });
        let (opened, identity) =
            opened.await.map_err(|error| self.watch.refused(&root, &path, is_change, error))?;
        let hold = self.cost(&root, identity, is_change, before.unwrap_or_default())?;
        let opened = self.inner.table.push(opened)?;
        let hold = Hold { _open: Some(open.into()), ..hold };
        self.watch.descriptors.insert(opened.rep(), Place { root, hold });
        Ok(opened)
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let root = self.enter(&fd, &path, true)?;
        self.has_room_for_entry(&root)?;
        let name = path.clone();
        let made = self.ask(&fd, async move |files, fd| files.create_directory_at(fd, name).await).await;
        if made.is_ok()
            && let Some(files) = self.watch.files(&root)
        {
            // There was room, and one guest makes one folder at a time.
            let _is_paid = files.quota.take_entry();
        }
        made.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let root = self.enter(&fd, &path, true)?;
        let name = path.clone();
        let removed = self.ask(&fd, async move |files, fd| files.remove_directory_at(fd, name).await).await;
        // Nobody knows of a folder in a granted one whether this call has paid for it.
        if removed.is_ok()
            && matches!(root, Root::Scratch { .. })
            && let Some(files) = self.watch.files(&root)
        {
            files.quota.give_entry_back();
        }
        removed.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let root = self.enter(&fd, &path, true)?;
        let identity = self.identity(&root, &fd, &path).await;
        let name = path.clone();
        let removed = self.ask(&fd, async move |files, fd| files.unlink_file_at(fd, name).await).await;
        if removed.is_ok()
            && let (Some(files), Some(identity)) = (self.watch.files(&root), identity)
        {
            files.unlinked(identity);
        }
        removed.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn rename_at(&mut self, fd: Fd, old_path: String, new_fd: Fd, new_path: String) -> FsResult<()> {
        let root = self.enter(&fd, &old_path, true)?;
        let new_root = self.enter(&new_fd, &new_path, true)?;
        if root.account() != new_root.account() {
            // Renaming into a folder with a quota would bring files for which nobody has paid.
            return Err(ErrorCode::CrossDevice.into());
        }
        let moved = self.identity(&root, &fd, &old_path).await;
        let replaced = self.identity(&new_root, &new_fd, &new_path).await;
        let (old_name, new_name) = (old_path.clone(), new_path.clone());
        let renamed = self.ask_both((&fd, &new_fd), async move |files, [fd, new_fd]| {
            files.rename_at(fd, old_name, new_fd, new_name).await
        });
        let renamed = renamed.await;
        let is_same = |a: &MetadataHashValue, b: &MetadataHashValue| (a.lower, a.upper) == (b.lower, b.upper);
        if renamed.is_ok()
            && let (Some(files), Some(replaced)) = (self.watch.files(&new_root), replaced)
            && !moved.is_some_and(|moved| is_same(&moved, &replaced))
        {
            files.unlinked(replaced);
        }
        renamed.map_err(|error| {
            let error = self.watch.refused(&root, &old_path, true, error);
            self.watch.refused(&new_root, &new_path, true, error)
        })
    }

    async fn link_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        old_path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        let root = self.enter(&fd, &old_path, true)?;
        let new_root = self.enter(&new_fd, &new_path, true)?;
        self.refuse_links(&root)?;
        self.refuse_links(&new_root)?;
        let old_name = old_path.clone();
        let linked = self.ask_both((&fd, &new_fd), async move |files, [fd, new_fd]| {
            files.link_at(fd, path_flags, old_name, new_fd, new_path).await
        });
        linked.await.map_err(|error| self.watch.refused(&root, &old_path, true, error))
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        let root = self.enter(&fd, &path, true)?;
        self.refuse_links(&root)?;
        let name = path.clone();
        let linked = self.ask(&fd, async move |files, fd| files.symlink_at(fd, target, name).await).await;
        linked.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn stat_at(&mut self, fd: Fd, path_flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        let root = self.enter(&fd, &path, false)?;
        let name = path.clone();
        let stat = self.ask(&fd, async move |files, fd| files.stat_at(fd, path_flags, name).await).await;
        stat.map_err(|error| self.watch.refused(&root, &path, false, error))
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let root = self.enter(&fd, &path, true)?;
        let name = path.clone();
        let set = self.ask(&fd, async move |files, fd| {
            files.set_times_at(fd, path_flags, name, accessed, modified).await
        });
        set.await.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        let root = self.enter(&fd, &path, false)?;
        let name = path.clone();
        let read = self.ask(&fd, async move |files, fd| files.readlink_at(fd, name).await).await;
        read.map_err(|error| self.watch.refused(&root, &path, false, error))
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let root = self.enter(&fd, &path, false)?;
        let name = path.clone();
        let hash = self.ask(&fd, async move |files, fd| files.metadata_hash_at(fd, path_flags, name).await);
        hash.await.map_err(|error| self.watch.refused(&root, &path, false, error))
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        let root = self.watch.root(&fd);
        self.watch.nothing_there(&root, "", false)?;
        if self.watch.listings >= LISTINGS_MAX {
            return Err(ErrorCode::InsufficientMemory.into());
        }
        let listing = self.ask(&fd, async move |files, fd| {
            let listing = files.read_directory(fd).await?;
            Ok(files.table.delete(listing)?)
        });
        let listing = listing.await?;
        let listing = self.inner.table.push(listing)?;
        self.watch.listings += 1;
        Ok(listing)
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        self.pay(&fd, offset.saturating_add(bytes.len() as u64))?;
        let written = self.ask(&fd, async move |files, fd| files.write(fd, bytes, offset).await).await;
        self.written(&fd, written)
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        self.pay(&fd, size)?;
        let set = self.ask(&fd, async move |files, fd| files.set_size(fd, size).await).await;
        self.written(&fd, set)
    }

    fn write_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.inner.write_via_stream(same(&fd), offset);
        let stream = self.written(&fd, stream)?;
        self.bounded(&fd, stream, Some(offset))
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.inner.append_via_stream(same(&fd));
        let stream = self.written(&fd, stream)?;
        self.bounded(&fd, stream, None)
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.watch.descriptors.remove(&fd.rep());
        HostDescriptor::drop(&mut self.inner, fd)
    }

    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let stream = self.inner.read_via_stream(same(&fd), offset)?;
        let inner = self.inner.table.delete(stream)?;
        let reader = FileReader::new(inner, self.watch.work.clone(), self.watch.hold(&fd));
        let reader: DynInputStream = Box::new(reader);
        Ok(self.inner.table.push(reader)?)
    }

    async fn read(&mut self, fd: Fd, length: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        self.ask(&fd, async move |files, fd| files.read(fd, length, offset).await).await
    }

    async fn advise(&mut self, fd: Fd, offset: Filesize, length: Filesize, advice: Advice) -> FsResult<()> {
        self.ask(&fd, async move |files, fd| files.advise(fd, offset, length, advice).await).await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.ask(&fd, async |files, fd| files.sync_data(fd).await).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.ask(&fd, async |files, fd| files.sync(fd).await).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        self.ask(&fd, async |files, fd| files.get_flags(fd).await).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        self.ask(&fd, async |files, fd| files.get_type(fd).await).await
    }

    async fn set_times(&mut self, fd: Fd, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        let set = self.ask(&fd, async move |files, fd| files.set_times(fd, accessed, modified).await).await;
        self.written(&fd, set)
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        self.ask(&fd, async |files, fd| files.stat(fd).await).await
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        let asked = self.ask_both((&a, &b), async |files, [a, b]| {
            files.is_same_object(a, b).await.map_err(FsError::trap)
        });
        asked.await.map_err(|error| error.downcast().map_or_else(|error| error, wasmtime::Error::from))
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        self.ask(&fd, async |files, fd| files.metadata_hash(fd).await).await
    }
}

impl HostDirectoryEntryStream for FilesView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        self.inner.read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.inner, stream)?;
        self.watch.listings -= 1;
        Ok(())
    }
}
