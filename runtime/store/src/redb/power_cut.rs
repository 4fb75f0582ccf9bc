//! What is left after the power fails at any flush of the disk.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use ::redb::{Builder, StorageBackend};
use asl::Text;

use crate::batch::Change::Put;
use crate::contract::{Generator, Prng, block_on};
use crate::kv::dump;
use crate::{Batch, CommitError, MemoryStore, ModuleHead, OpenError, Store};

use super::RedbStore;

/// A disk tears a write at its sectors.
const SECTOR_BYTES: u64 = 512;
const COMMITS: usize = 10;

/// What becomes of the writes since the last flush when the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lost {
    All,
    /// Sectors get lost by chance, whatever their order.
    Some,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    PowerCut(Lost),
    /// A bug in the layers below.
    Panic,
}

#[derive(Debug)]
enum Write {
    Bytes { offset: u64, bytes: Vec<u8> },
    Length(u64),
}

/// A disk in memory that keeps apart what was written and what was flushed.
#[derive(Debug)]
struct Disk {
    live: Vec<u8>,
    durable: Vec<u8>,
    unflushed: VecDeque<Write>,
    flushes: u64,
    /// The flush at which there is trouble, from 0.
    trouble_at: u64,
    trouble: Trouble,
    is_off: bool,
}

#[derive(Debug, Clone)]
struct Backend(Arc<Mutex<Disk>>);

fn index(number: u64) -> usize {
    usize::try_from(number).expect("the disk is in memory")
}

impl Write {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Write::Bytes { offset, bytes } => {
                let end = index(*offset) + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[index(*offset)..end].copy_from_slice(bytes);
            }
            Write::Length(length) => to.resize(index(*length), 0),
        }
    }

    /// The parts that a disk may write or lose each on its own.
    fn sectors(self) -> Vec<Write> {
        match self {
            Write::Bytes { mut offset, bytes } => {
                let mut rest = bytes.as_slice();
                let mut sectors = Vec::new();
                while !rest.is_empty() {
                    let length = index(SECTOR_BYTES - offset % SECTOR_BYTES).min(rest.len());
                    let (sector, tail) = rest.split_at(length);
                    sectors.push(Write::Bytes { offset, bytes: sector.to_vec() });
                    offset += u64::try_from(length).expect("a sector is small");
                    rest = tail;
                }
                sectors
            }
            Write::Length(_) => vec![self],
        }
    }
}

impl Disk {
    fn backend(durable: Vec<u8>, trouble_at: u64, trouble: Trouble) -> Backend {
        let live = durable.clone();
        let unflushed = VecDeque::new();
        Backend(Arc::new(Mutex::new(Disk {
            live,
            durable,
            unflushed,
            flushes: 0,
            trouble_at,
            trouble,
            is_off: false,
        })))
    }

    fn write(&mut self, write: Write) {
        write.apply(&mut self.live);
        self.unflushed.push_back(write);
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.flushes == self.trouble_at {
            self.is_off = true;
            match self.trouble {
                Trouble::PowerCut(lost) => self.lose(lost),
                Trouble::Panic => panic!("the disk has a bug"),
            }
            return Err(io::Error::other("the power is off"));
        }
        self.flushes += 1;
        for write in self.unflushed.drain(..) {
            write.apply(&mut self.durable);
        }
        Ok(())
    }

    fn lose(&mut self, lost: Lost) {
        let mut prng = Prng::new(self.flushes);
        for sector in self.unflushed.drain(..).flat_map(Write::sectors) {
            let is_kept = match lost {
                Lost::All => false,
                Lost::Some => prng.below(2) == 0,
                Lost::None => true,
            };
            if is_kept {
                sector.apply(&mut self.durable);
            }
        }
    }
}

impl Backend {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn powered(&self) -> io::Result<MutexGuard<'_, Disk>> {
        let disk = self.disk();
        if disk.is_off { Err(io::Error::other("the power is off")) } else { Ok(disk) }
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.powered()?.live.len()).expect("the disk is in memory"))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.powered()?;
        let bytes = disk.live.get(index(offset)..index(offset) + out.len());
        out.copy_from_slice(bytes.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.powered()?.write(Write::Length(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.powered()?.flush()
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.powered()?.write(Write::Bytes { offset, bytes: bytes.to_vec() });
        Ok(())
    }
}

fn open(backend: &Backend) -> Result<RedbStore, OpenError> {
    let path = Path::new("disk");
    let database = Builder::new().create_with_backend(backend.clone());
    let database = database.map_err(|error| super::open::database_error(error, path))?;
    RedbStore::of_database(database, path, 1)
}

fn workload() -> Vec<Batch> {
    let mut generator = Generator::new(11);
    (0..COMMITS).map(|number| generator.batch(10 + number * 5)).collect()
}

/// Runs the workload on a disk until it ends or there is trouble, and gives how far it got.
struct Run {
    backend: Backend,
    is_open: bool,
    acknowledged: usize,
    failed: Option<CommitError>,
    /// Flushes until the store was closed.
    flushes: u64,
}

fn run(trouble_at: u64, trouble: Trouble) -> Run {
    let backend = Disk::backend(Vec::new(), trouble_at, trouble);
    let mut run = Run { backend, is_open: false, acknowledged: 0, failed: None, flushes: 0 };
    let Ok(store) = open(&run.backend) else { return run };
    run.is_open = true;
    for batch in workload() {
        if let Err(error) = block_on(store.commit(batch)) {
            run.failed = Some(error);
            let later = block_on(store.commit(Batch { sequence: 1000, ..Batch::default() }));
            assert_eq!(later, Err(CommitError::Unavailable), "nothing may follow an unknown outcome");
            break;
        }
        run.acknowledged += 1;
    }
    run.flushes = run.backend.disk().flushes;
    run
}

fn model(commits: usize) -> MemoryStore {
    let model = MemoryStore::new(1);
    for batch in workload().into_iter().take(commits) {
        block_on(model.commit(batch)).unwrap();
    }
    model
}

fn check(trouble_at: u64, lost: Lost) {
    let run = run(trouble_at, Trouble::PowerCut(lost));
    let durable = run.backend.disk().durable.clone();
    let backend = Disk::backend(durable, u64::MAX, Trouble::PowerCut(lost));
    let store = match open(&backend) {
        Ok(store) => store,
        // Only a file that was never opened may be unfinished; a new one gets its name when it is complete.
        Err(OpenError::NotAStore { .. }) if !run.is_open => return,
        Err(error) => panic!("flush {trouble_at}, lost {lost:?}: {error}"),
    };
    let found = dump(store.kv()).unwrap();
    let last = dump(model(run.acknowledged).kv()).unwrap();
    let is_last = found == last;
    let is_next =
        run.failed == Some(CommitError::Unknown) && found == dump(model(run.acknowledged + 1).kv()).unwrap();
    assert!(is_last || is_next, "flush {trouble_at}, lost {lost:?}: after {} commits", run.acknowledged);
    // The store goes on.
    let mut batch = Batch::default();
    batch
        .module_heads
        .insert(Text::from("after"), Put(ModuleHead { latest_version: 1, pointers: None, tags: None }));
    block_on(store.commit(batch)).unwrap();
    assert!(block_on(store.module_head("after")).unwrap().is_some());
}

/// How often the workload flushes when nothing happens.
fn flushes() -> u64 {
    let run = run(u64::MAX, Trouble::Panic);
    assert_eq!((run.acknowledged, run.failed), (COMMITS, None));
    let flushes = run.backend.disk().flushes;
    assert!(flushes > 2 * u64::try_from(COMMITS).unwrap(), "each commit has two phases");
    flushes
}

#[test]
fn power_cut_that_loses_what_was_not_flushed() {
    (0..flushes()).for_each(|flush| check(flush, Lost::All));
}

#[test]
fn power_cut_that_tears_writes() {
    (0..flushes()).for_each(|flush| check(flush, Lost::Some));
}

#[test]
fn power_cut_after_everything_was_written() {
    (0..flushes()).for_each(|flush| check(flush, Lost::None));
}

#[test]
fn a_panic_of_the_writer_is_answered() {
    let flushes = run(u64::MAX, Trouble::Panic).flushes;
    let run = run(flushes - 1, Trouble::Panic);
    assert_eq!((run.acknowledged, run.failed), (COMMITS - 1, Some(CommitError::Unknown)));
}
