//! What a host may use: how many instances, threads and bytes.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use crate::outgoing::Outgoing;

/// Live instances. Each pooled one costs 6 kernel memory maps of the 65,530 a Linux process has by default, so
/// about 8,000 is the most; 1,000 holds 90 MiB when all are busy.
pub const SLOTS_DEFAULT: u32 = 1_000;
/// Most linear memory one call can ever be given: the size of a pool slot.
pub const MEMORY_BYTES_MAX_DEFAULT: usize = 256 << 20;
/// Calls that may wait for a slot; each holds its input of up to 256 KiB. More than the attempts that the engines for
/// both kinds of executions have under way at once (1,280 each), so that none of theirs is refused.
pub const QUEUE_MAX_DEFAULT: usize = 3_000;
/// Largest component. One of Python is 18 MB and takes 20 s of CPU to compile.
pub const MODULE_BYTES_MAX_DEFAULT: usize = 64 << 20;
/// Loaded modules kept ready. A Rust module holds about 1 MB of mapped code, and loading it again takes 0.2 ms.
pub const LOADED_MODULES_DEFAULT: usize = 256;
/// Guests that take turns on one core; more only share the same core in smaller pieces.
const RUNNING_PER_THREAD: usize = 4;

/// Linear memories of one component. One is usual; composed components have one for each part.
pub const MEMORIES_PER_MODULE_MAX: u32 = 2;
/// Tables of one component.
pub const TABLES_PER_MODULE_MAX: u32 = 8;
/// Core instances of one component. They are only counted; a component of Python holds about twenty.
pub(crate) const CORE_INSTANCES_PER_MODULE_MAX: u32 = 64;
/// Elements of all tables of one call. Language runtimes such as CPython have some 10,000 functions.
pub const TABLE_ELEMENTS_MAX: usize = 100_000;

/// How a [`Host`](crate::Host) is set up. One host owns one `data_dir`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds `modules/` (the components as uploaded) and `cache/` (the same, compiled). Created when absent.
    pub data_dir: PathBuf,
    /// Instances alive at once, running or waiting in a host call.
    pub slots: u32,
    /// Calls that may wait for a slot; one more is refused with [`Failure::Overloaded`](crate::Failure).
    pub queue_max: usize,
    /// The cap on [`Limits::memory_bytes`](crate::Limits).
    pub memory_bytes_max: usize,
    /// Threads that run guests, at a lower priority than the caller's.
    pub guest_threads: usize,
    /// Guests that are inside their own code at once. A guest that sleeps or waits does not count.
    pub running_max: usize,
    /// Largest component that [`Host::add`](crate::Host::add) takes.
    pub module_bytes_max: usize,
    /// Modules kept loaded; the least recently called one goes first and is loaded from `cache/` when needed.
    pub loaded_modules_max: usize,
    /// Makes the requests of guests; without it none is made, whatever is granted.
    pub outgoing: Option<Arc<dyn Outgoing>>,
}

impl Options {
    /// The defaults, with the given place for modules.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        let guest_threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            data_dir: data_dir.into(),
            slots: SLOTS_DEFAULT,
            queue_max: QUEUE_MAX_DEFAULT,
            memory_bytes_max: MEMORY_BYTES_MAX_DEFAULT,
            guest_threads,
            running_max: guest_threads.saturating_mul(RUNNING_PER_THREAD),
            module_bytes_max: MODULE_BYTES_MAX_DEFAULT,
            loaded_modules_max: LOADED_MODULES_DEFAULT,
            outgoing: None,
        }
    }
}

impl Default for Options {
    /// [`Options::new`] in the folder `data` of the current directory.
    fn default() -> Self {
        Self::new("data")
    }
}
