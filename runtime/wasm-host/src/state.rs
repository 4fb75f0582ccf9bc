//! What the engine keeps beside one instance: its WASI, its account, and what it has written.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime::component::ResourceTable;
use wasmtime_wasi::p2::pipe::MemoryInputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::call::{Call, Context, Grants, Heartbeat, Limits};
use crate::denials::Denials;
use crate::guest_files::FileWatch;
use crate::inspect::EntryPoint;
use crate::limiter::Limiter;
use crate::manifest::Source;
use crate::options::TABLE_ELEMENTS_MAX;
use crate::outgoing::Outgoing;
use crate::requests::{self, OfHost, Requests};
use crate::secrets::GuestSecrets;
use crate::sources::{FixedClock, SeededRandom};
use crate::stdio::{SharedCaptured, Target};

/// Open files, streams and pollables of one guest; each file is a descriptor of this process.
pub(crate) const HANDLES_MAX: usize = 1_024;
/// Random bytes in one request, which are allocated on our side.
const RANDOM_BYTES_MAX: u64 = 1 << 20;
/// Heartbeats are counted in seconds, so more than this says nothing new.
const HEARTBEAT_INTERVAL_MIN: Duration = Duration::from_millis(100);

pub(crate) struct GuestState {
    pub(crate) wasi: Wasi,
    pub(crate) files: FileWatch,
    pub(crate) secrets: GuestSecrets,
    pub(crate) denials: Denials,
    requests: Requests,
    http: WasiHttpCtx,
    pub(crate) limiter: Limiter,
    pub(crate) captured: SharedCaptured,
    pub(crate) context: Context,
    pub(crate) deadline_ms: u64,
    heartbeat: Option<Heartbeat>,
    heartbeat_at: Option<Instant>,
}

/// WASI's own state, apart from the rest so that both can be borrowed at once.
pub(crate) struct Wasi {
    pub(crate) ctx: WasiCtx,
    pub(crate) table: ResourceTable,
}

/// What [`GuestState::new`] needs of a call.
pub(crate) struct Setup<'a> {
    pub(crate) entry: EntryPoint,
    pub(crate) call: &'a Call,
    pub(crate) memory_bytes_max: usize,
    pub(crate) captured: SharedCaptured,
    pub(crate) denials: Denials,
    pub(crate) files: FileWatch,
    /// What is left of the call's time.
    pub(crate) remaining: Duration,
    pub(crate) outgoing: Option<Arc<dyn Outgoing>>,
    /// What requests of all calls share.
    pub(crate) requests: OfHost,
}

impl GuestState {
    pub(crate) fn new(setup: Setup<'_>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        let call = setup.call;
        let ctx = wasi(&setup);
        let Limits { memory_bytes, .. } = call.limits;
        Self {
            wasi: Wasi { ctx, table },
            files: setup.files,
            secrets: GuestSecrets {
                granted: call.grants.secrets.clone(),
                source: call.secrets.clone(),
                denials: setup.denials.clone(),
            },
            requests: Requests::new(call, setup.outgoing, setup.requests, setup.denials.clone()),
            denials: setup.denials,
            http: requests::context(),
            limiter: Limiter::new(memory_bytes.min(setup.memory_bytes_max), TABLE_ELEMENTS_MAX),
            captured: setup.captured,
            context: call.context.clone(),
            deadline_ms: deadline(&call.grants, setup.remaining),
            heartbeat: call.heartbeat.clone(),
            heartbeat_at: None,
        }
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

impl WasiView for Wasi {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi.ctx()
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.requests, table: &mut self.wasi.table, ctx: &mut self.http }
    }
}

/// Clocks, randomness and captured streams; the rest only as granted. Nothing is inherited from this process, and files are
/// beside it.
fn wasi(setup: &Setup<'_>) -> WasiCtx {
    let mut wasi = WasiCtx::builder();
    wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false).max_random_size(RANDOM_BYTES_MAX);
    wasi.stderr(setup.captured.stream(Target::Stderr));
    match setup.entry {
        EntryPoint::Task | EntryPoint::Http => {
            wasi.stdout(setup.captured.stream(Target::Stdout));
        }
        EntryPoint::Command => {
            wasi.stdout(setup.captured.stream(Target::Output));
            wasi.stdin(MemoryInputPipe::new(setup.call.input.clone()));
        }
    }
    let grants = &setup.call.grants;
    for (name, value) in &grants.environment {
        wasi.env(name, value);
    }
    if grants.clocks == Source::Deterministic {
        let clock = FixedClock::default();
        wasi.wall_clock(clock.clone()).monotonic_clock(clock);
    }
    if grants.randomness == Source::Deterministic {
        let seed = setup.call.context.seed;
        wasi.secure_random(SeededRandom::new(seed, "secure"));
        wasi.insecure_random(SeededRandom::new(seed, "insecure"));
        wasi.insecure_random_seed(seed);
    }
    wasi.build()
}

/// On the clock that the guest reads.
fn deadline(grants: &Grants, timeout: Duration) -> u64 {
    let now = match grants.clocks {
        Source::Real => SystemTime::now(),
        Source::Deterministic => UNIX_EPOCH + FixedClock::START,
    };
    now.checked_add(timeout).map_or(u64::MAX, milliseconds)
}

fn milliseconds(time: SystemTime) -> u64 {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}
