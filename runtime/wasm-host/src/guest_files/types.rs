//! `wasi:filesystem/types`: every function of it, as wasmtime has it, with the watch around those that open or change
//! something.

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    Filesize, Host, HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags,
    PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::FilesView;
use super::descriptors::{Place, Root};
use super::stream::{BoundedStream, HoldingStream};

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
    /// Where a path leads from, if it leads anywhere.
    fn enter(&self, descriptor: &Fd, path: &str, is_change: bool) -> FsResult<Root> {
        let root = self.watch.root(descriptor);
        self.watch.nothing_there(&root, path, is_change)?;
        Ok(root)
    }

    /// Who a file of the scratch space is, if there is one.
    async fn identity(&mut self, root: &Root, descriptor: &Fd, path: &str) -> Option<MetadataHashValue> {
        match root {
            Root::Scratch => {
                let path = path.to_owned();
                self.inner.metadata_hash_at(same(descriptor), PathFlags::empty(), path).await.ok()
            }
            Root::Nothing | Root::Granted { .. } => None,
        }
    }

    /// Links would let a file have two names, and one be counted for another.
    fn refuse_links(&self, root: &Root) -> FsResult<()> {
        match root {
            Root::Scratch => Err(ErrorCode::Unsupported.into()),
            Root::Nothing | Root::Granted { .. } => Ok(()),
        }
    }

    /// A write or a change through an open descriptor.
    fn written<T>(&self, descriptor: &Fd, result: FsResult<T>) -> FsResult<T> {
        result.map_err(|error| {
            let root = self.watch.root(descriptor);
            self.watch.refused(&root, "a file", true, error)
        })
    }

    fn pay(&self, descriptor: &Fd, end: Filesize) -> FsResult<()> {
        match self.watch.cost(descriptor) {
            Some(cost) if !cost.reach(end) => Err(self.watch.full()),
            Some(_) | None => Ok(()),
        }
    }

    /// Puts a bound, and the account of a scratch file, between the guest and a stream.
    fn bounded(
        &mut self,
        descriptor: &Fd,
        stream: Resource<DynOutputStream>,
        position: Option<u64>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let cost = self.watch.cost(descriptor);
        let inner = self.inner.table.delete(stream)?;
        let bytes_max = self.watch.scratch.quota.bytes_max();
        let denials = self.watch.denials.clone();
        let bounded: DynOutputStream = Box::new(BoundedStream { inner, cost, position, bytes_max, denials });
        Ok(self.inner.table.push(bounded)?)
    }

    /// Remembers where a descriptor came from, and gives a scratch file its account.
    async fn opened(&mut self, root: Root, opened: Fd) -> FsResult<Fd> {
        let is_file = matches!(self.inner.table.get(&opened)?, Descriptor::File(_));
        let mut cost = None;
        if is_file && matches!(root, Root::Scratch) {
            let identity = self.inner.metadata_hash(same(&opened)).await?;
            cost = self.watch.scratch.opened(identity);
            if cost.is_none() {
                self.inner.table.delete(opened)?;
                return Err(self.watch.full());
            }
        }
        self.watch.descriptors.insert(opened.rep(), Place { root, cost });
        Ok(opened)
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
        let may_create = matches!(root, Root::Scratch) && open_flags.contains(OpenFlags::CREATE);
        if may_create && !self.watch.scratch.quota.has_room_for_entry() {
            return Err(self.watch.full());
        }
        let opened = self.inner.open_at(fd, path_flags, path.clone(), open_flags, flags).await;
        let opened = opened.map_err(|error| self.watch.refused(&root, &path, is_change, error))?;
        self.opened(root, opened).await
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let root = self.enter(&fd, &path, true)?;
        let is_paid = matches!(root, Root::Scratch);
        if is_paid && !self.watch.scratch.quota.take_entry() {
            return Err(self.watch.full());
        }
        let made = self.inner.create_directory_at(fd, path.clone()).await;
        if is_paid && made.is_err() {
            self.watch.scratch.quota.give_entry_back();
        }
        made.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let root = self.enter(&fd, &path, true)?;
        let removed = self.inner.remove_directory_at(fd, path.clone()).await;
        if removed.is_ok() && matches!(root, Root::Scratch) {
            self.watch.scratch.quota.give_entry_back();
        }
        removed.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let root = self.enter(&fd, &path, true)?;
        let identity = self.identity(&root, &fd, &path).await;
        let removed = self.inner.unlink_file_at(fd, path.clone()).await;
        if removed.is_ok()
            && let Some(identity) = identity
        {
            self.watch.scratch.unlinked(identity);
        }
        removed.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn rename_at(&mut self, fd: Fd, old_path: String, new_fd: Fd, new_path: String) -> FsResult<()> {
        let root = self.enter(&fd, &old_path, true)?;
        let new_root = self.enter(&new_fd, &new_path, true)?;
        if matches!(root, Root::Scratch) != matches!(new_root, Root::Scratch) {
            // Renaming into the scratch space would bring files for which nobody has paid.
            return Err(ErrorCode::CrossDevice.into());
        }
        let moved = self.identity(&root, &fd, &old_path).await;
        let replaced = self.identity(&new_root, &new_fd, &new_path).await;
        let renamed = self.inner.rename_at(fd, old_path.clone(), new_fd, new_path.clone()).await;
        let is_same = |a: &MetadataHashValue, b: &MetadataHashValue| (a.lower, a.upper) == (b.lower, b.upper);
        if renamed.is_ok()
            && let Some(replaced) = replaced
            && !moved.is_some_and(|moved| is_same(&moved, &replaced))
        {
            self.watch.scratch.unlinked(replaced);
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
        let linked = self.inner.link_at(fd, path_flags, old_path.clone(), new_fd, new_path).await;
        linked.map_err(|error| self.watch.refused(&root, &old_path, true, error))
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        let root = self.enter(&fd, &path, true)?;
        self.refuse_links(&root)?;
        let linked = self.inner.symlink_at(fd, target, path.clone()).await;
        linked.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn stat_at(&mut self, fd: Fd, path_flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        let root = self.enter(&fd, &path, false)?;
        let stat = self.inner.stat_at(fd, path_flags, path.clone()).await;
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
        let set = self.inner.set_times_at(fd, path_flags, path.clone(), accessed, modified).await;
        set.map_err(|error| self.watch.refused(&root, &path, true, error))
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        let root = self.enter(&fd, &path, false)?;
        let read = self.inner.readlink_at(fd, path.clone()).await;
        read.map_err(|error| self.watch.refused(&root, &path, false, error))
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let root = self.enter(&fd, &path, false)?;
        let hash = self.inner.metadata_hash_at(fd, path_flags, path.clone()).await;
        hash.map_err(|error| self.watch.refused(&root, &path, false, error))
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        let root = self.watch.root(&fd);
        self.watch.nothing_there(&root, "", false)?;
        if self.watch.listings >= LISTINGS_MAX {
            return Err(ErrorCode::InsufficientMemory.into());
        }
        let listing = self.inner.read_directory(fd).await?;
        self.watch.listings += 1;
        Ok(listing)
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        self.pay(&fd, offset.saturating_add(bytes.len() as u64))?;
        let written = self.inner.write(same(&fd), bytes, offset).await;
        self.written(&fd, written)
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        self.pay(&fd, size)?;
        let set = self.inner.set_size(same(&fd), size).await;
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
        let Some(cost) = self.watch.cost(&fd) else { return Ok(stream) };
        let inner = self.inner.table.delete(stream)?;
        let holding: DynInputStream = Box::new(HoldingStream { inner, _cost: cost });
        Ok(self.inner.table.push(holding)?)
    }

    async fn read(&mut self, fd: Fd, length: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        self.inner.read(fd, length, offset).await
    }

    async fn advise(&mut self, fd: Fd, offset: Filesize, length: Filesize, advice: Advice) -> FsResult<()> {
        self.inner.advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.inner.sync_data(fd).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.inner.sync(fd).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        self.inner.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        self.inner.get_type(fd).await
    }

    async fn set_times(&mut self, fd: Fd, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        let set = self.inner.set_times(same(&fd), accessed, modified).await;
        self.written(&fd, set)
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        self.inner.stat(fd).await
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        self.inner.is_same_object(a, b).await
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        self.inner.metadata_hash(fd).await
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
