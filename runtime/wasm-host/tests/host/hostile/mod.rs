//! Guests that try to break out, to break the host or to starve others: one row for each, with the end that it must have.
//!
//! Every guest has the same grants: `/data`, a folder for reading with a secret beside it and links that lead there; a
//! small scratch space; and requests to `https://*.example.com`, which never answers.

mod abi;
mod calls;
mod code;
mod files;
mod requests;
mod uploads;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use wasm_host::{
    Access, Call, Digest, DirectoryGrant, Failure, Host, LogSource, Manifest, Outcome, Outgoing,
    OutgoingBounds, OutgoingFuture, OutgoingRequest,
};

use crate::Fixture;
use crate::guests::echo;

const SLOTS: u32 = 2;
/// Units of fuel and bytes of memory of a guest that has no limits of its own.
const FUEL: u64 = 2_000_000;
const MEMORY_BYTES: usize = 32 << 20;
const LOG_BYTES: usize = 4 << 10;
const SCRATCH_BYTES: u64 = 1 << 20;
/// For guests that have fuel for ever.
const SHORT: Duration = Duration::from_millis(50);
/// What the host may use of its own for one guest, beside the guest's memory: what one call passes to it, the code, stacks
/// and tables.
#[cfg(target_os = "linux")]
const HOST_BYTES: usize = 96 << 20;

/// One guest.
struct Row {
    name: &'static str,
    guest: String,
    input: String,
    /// How its end is told, or the beginning of that.
    end: &'static str,
    /// What it must have been refused, if that is not nothing.
    denied: &'static str,
    adjust: fn(&mut Call),
}

fn row(name: &'static str, guest: String, end: &'static str) -> Row {
    Row { name, guest, input: "1".to_owned(), end, denied: "", adjust: |_| {} }
}

impl Row {
    fn asked(self, input: impl Into<String>) -> Row {
        Row { input: input.into(), ..self }
    }

    fn denied(self, denied: &'static str) -> Row {
        Row { denied, ..self }
    }

    fn with(self, adjust: fn(&mut Call)) -> Row {
        Row { adjust, ..self }
    }

    /// Only time ends it.
    fn for_ever(self) -> Row {
        self.with(|call| (call.limits.fuel, call.limits.timeout) = (u64::MAX, SHORT))
    }

    async fn call(&self, fixture: &Fixture) -> Result<Call, String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", self.name);
        let bytes = wat::parse_str(&self.guest).map_err(|error| told(&error))?;
        let module = fixture.host.add(Bytes::from(bytes)).await.map_err(|error| told(&error))?;
        let mut call = Call::new(module.digest, self.input.as_str());
        call.module = self.name.into();
        (call.limits.fuel, call.limits.memory_bytes) = (FUEL, MEMORY_BYTES);
        call.limits.log_bytes = LOG_BYTES;
        call.grants.scratch_bytes = SCRATCH_BYTES;
        let rules = "[[grants.http]]\nscheme = \"https\"\nhost = \"*.example.com\"\nmethods = [\"*\"]";
        call.grants.http = Manifest::parse(rules).unwrap().grants.http.unwrap();
        call.grants.directories = vec![DirectoryGrant {
            host: fixture.folder.path().join("granted"),
            guest: "/data".to_owned(),
            access: Access::ReadOnly,
            quota_bytes: None,
        }];
        (self.adjust)(&mut call);
        Ok(call)
    }
}

/// A host with what the grants lead to.
fn fixture() -> Fixture {
    let fixture = Fixture::with(|options| {
        options.slots = SLOTS;
        options.outgoing = Some(Arc::new(Silence));
    });
    let folder = fixture.folder.path();
    std::fs::write(folder.join("secret"), "text").unwrap();
    let granted = folder.join("granted");
    std::fs::create_dir(&granted).unwrap();
    std::fs::create_dir(granted.join("inner")).unwrap();
    let links =
        [("relative", Path::new("../secret")), ("absolute", &folder.join("secret")), ("up", Path::new(".."))];
    for (name, target) in links {
        std::os::unix::fs::symlink(target, granted.join(name)).unwrap();
    }
    fixture
}

/// Takes requests and never answers them.
#[derive(Debug)]
struct Silence;

impl Outgoing for Silence {
    fn send(&self, _: &Arc<str>, _: OutgoingRequest, _: OutgoingBounds) -> OutgoingFuture {
        Box::pin(std::future::pending())
    }
}

fn told(result: &Result<String, Failure>) -> String {
    match result {
        Ok(output) => format!("Ok {output}"),
        Err(Failure::Task { error, cause }) => format!("Task {error}: {cause}"),
        Err(Failure::Trap { message, .. }) => format!("Trap {message}"),
        Err(failure) => format!("{failure:?}"),
    }
}

/// What is wrong with how a guest ended, if anything is.
fn problem(row: &Row, limits: &wasm_host::Limits, outcome: &Outcome) -> Option<String> {
    let wrong = |what: String| Some(format!("{}: {what}", row.name));
    let told: String = told(&outcome.result).chars().take(300).collect();
    if !told.starts_with(row.end) {
        return wrong(format!("it ended with {told}, not {}", row.end));
    }
    let is_denied = match row.denied {
        "" => outcome.denied.is_empty(),
        denied => outcome.denied.iter().any(|found| found.contains(denied)),
    };
    if !is_denied {
        return wrong(format!("it was refused {:?}", outcome.denied));
    }
    let usage = outcome.usage;
    let log_bytes: usize =
        outcome.log.iter().filter(|line| line.source != LogSource::Host).map(|line| line.message.len()).sum();
    let used = [
        ("fuel", usage.fuel, limits.fuel),
        ("memory", usage.memory_bytes_peak as u64, limits.memory_bytes as u64),
        ("log", log_bytes as u64, limits.log_bytes as u64),
        ("output", outcome.result.as_ref().map_or(0, String::len) as u64, limits.output_bytes as u64),
    ];
    let over = used.into_iter().find(|(_, used, limit)| *used > limit.saturating_add(limit / 10));
    over.and_then(|(what, used, limit)| wrong(format!("{used} of {limit} {what}")))
}

/// Calls each once, and then as often at once as fills all slots twice; a neighbour's calls all succeed meanwhile.
async fn check(rows: Vec<Row>) {
    let fixture = fixture();
    let neighbour = fixture.added(&echo()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let calls = tokio::spawn(go_on(fixture.host.clone(), neighbour, Arc::clone(&stop)));
    let mut problems = Vec::new();
    for row in &rows {
        match row.call(&fixture).await {
            Ok(call) => problems.extend(try_out(&fixture, row, call).await),
            Err(problem) => problems.push(problem),
        }
    }
    stop.store(true, Ordering::Relaxed);
    calls.await.unwrap();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert_eq!(std::fs::read_to_string(fixture.folder.path().join("secret")).unwrap(), "text");
}

async fn try_out(fixture: &Fixture, row: &Row, call: Call) -> Option<String> {
    let memory = PeakMemory::begin();
    let outcome = fixture.host.call(call.clone()).await;
    let limits = &call.limits;
    let first = problem(row, limits, &outcome).or_else(|| memory.problem(row, limits.memory_bytes));
    if first.is_some() {
        return first;
    }
    let flood = (0..2 * SLOTS).map(|_| fixture.host.call(call.clone()));
    let ends = join_all(flood).await;
    let left = std::fs::read_dir(fixture.folder.path().join("scratch")).unwrap().count();
    let of_flood = ends.iter().find_map(|outcome| problem(row, limits, outcome));
    of_flood.or_else(|| (left != 1).then(|| format!("{}: its scratch space is still there", row.name)))
}

/// Calls the neighbour until it is told to stop.
async fn go_on(host: Host, neighbour: Digest, stop: Arc<AtomicBool>) {
    let mut calls = 0;
    while !stop.load(Ordering::Relaxed) || calls == 0 {
        let mut call = Call::new(neighbour, "[1]");
        call.module = "neighbour".into();
        assert_eq!(host.call(call).await.result, Ok("[1]".to_owned()), "after {calls} calls");
        calls += 1;
    }
}

/// How much memory this process had at most since then.
struct PeakMemory {
    #[cfg(target_os = "linux")]
    before: Option<usize>,
}

#[cfg(target_os = "linux")]
impl PeakMemory {
    fn begin() -> PeakMemory {
        // The value 5 sets the peak to what there is now. Where that is not permitted, nothing is measured.
        let begun = std::fs::write("/proc/self/clear_refs", "5");
        PeakMemory { before: begun.ok().and_then(|()| PeakMemory::now()) }
    }

    fn now() -> Option<usize> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: usize = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib << 10)
    }

    fn problem(&self, row: &Row, memory_bytes: usize) -> Option<String> {
        let grown = PeakMemory::now()?.saturating_sub(self.before?);
        (grown > memory_bytes + HOST_BYTES).then(|| format!("{}: the host grew by {grown} bytes", row.name))
    }
}

#[cfg(not(target_os = "linux"))]
impl PeakMemory {
    fn begin() -> PeakMemory {
        PeakMemory {}
    }

    fn problem(&self, _: &Row, _: usize) -> Option<String> {
        None
    }
}
