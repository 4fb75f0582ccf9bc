//! What the engine keeps beside one instance: its WASI, its account, and what it has written.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::component::ResourceTable;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

use crate::call::{Access, Context, Grants, Heartbeat, Limits};
use crate::inspect::EntryPoint;
use crate::limiter::Limiter;
use crate::options::TABLE_ELEMENTS_MAX;
use crate::outcome::Failure;
use crate::stdio::{SharedCaptured, Target};

/// Open files, streams and pollables of one guest; each file is a descriptor of this process.
pub(crate) const HANDLES_MAX: usize = 1_024;
/// Random bytes in one request, which are allocated on our side.
const RANDOM_BYTES_MAX: u64 = 1 << 20;
/// Heartbeats are counted in seconds, so more than this says nothing new.
const HEARTBEAT_INTERVAL_MIN: Duration = Duration::from_millis(100);

pub(crate) struct GuestState {
    wasi: WasiCtx,
    table: ResourceTable,
    pub(crate) limiter: Limiter,
    pub(crate) captured: SharedCaptured,
    pub(crate) context: Context,
    pub(crate) deadline_ms: u64,
    heartbeat: Option<Heartbeat>,
    heartbeat_at: Option<Instant>,
}

/// What [`GuestState::new`] needs of a call.
pub(crate) struct Setup<'a> {
    pub(crate) entry: EntryPoint,
    pub(crate) input: &'a str,
    pub(crate) limits: &'a Limits,
    pub(crate) grants: &'a Grants,
    pub(crate) context: Context,
    pub(crate) heartbeat: Option<Heartbeat>,
    pub(crate) memory_bytes_max: usize,
    pub(crate) captured: SharedCaptured,
}

impl GuestState {
    /// Fails only when a granted folder cannot be opened.
    pub(crate) fn new(setup: Setup<'_>) -> Result<Self, Failure> {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        Ok(Self {
            wasi: wasi(&setup)?,
            table,
            limiter: Limiter::new(setup.limits.memory_bytes.min(setup.memory_bytes_max), TABLE_ELEMENTS_MAX),
            captured: setup.captured,
            context: setup.context,
            deadline_ms: SystemTime::now().checked_add(setup.limits.timeout).map_or(u64::MAX, milliseconds),
            heartbeat: setup.heartbeat,
            heartbeat_at: None,
        })
    }

    pub(crate) fn beat(&mut self) {
        let Some(heartbeat) = &self.heartbeat else { return };
        let now = Instant::now();
        if self.heartbeat_at.is_none_or(|last| now.duration_since(last) >= HEARTBEAT_INTERVAL_MIN) {
            self.heartbeat_at = Some(now);
            heartbeat();
        }
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Clocks, randomness and captured streams; the rest only as granted. Nothing is inherited from this process.
fn wasi(setup: &Setup<'_>) -> Result<WasiCtx, Failure> {
    let mut wasi = WasiCtx::builder();
    wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false).max_random_size(RANDOM_BYTES_MAX);
    wasi.stderr(setup.captured.stream(Target::Stderr));
    match setup.entry {
        EntryPoint::Task => {
            wasi.stdout(setup.captured.stream(Target::Stdout));
        }
        EntryPoint::Command => {
            wasi.stdout(setup.captured.stream(Target::Output));
            wasi.stdin(MemoryInputPipe::new(setup.input.to_owned()));
        }
    }
    for (name, value) in &setup.grants.environment {
        wasi.env(name, value);
    }
    for grant in &setup.grants.directories {
        let permissions = match grant.access {
            Access::ReadOnly => FsPerms::ReadOnly,
            Access::ReadWrite => FsPerms::ReadWrite,
        };
        wasi.preopened_dir(&grant.host, &grant.guest, permissions).map_err(|error| {
            Failure::Host(format!("the granted folder {} cannot be opened: {error}", grant.guest))
        })?;
    }
    Ok(wasi.build())
}

fn milliseconds(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
