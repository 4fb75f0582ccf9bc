//! Calls per second, CPU time and memory of this process.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

/// What some calls took.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) calls: u32,
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl Sample {
    pub(crate) fn per_second(&self) -> f64 {
        f64::from(self.calls) / self.wall.as_secs_f64()
    }

    pub(crate) fn cpu_microseconds(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(self.calls)
    }
}

/// Has `callers` on some threads make one call after the other for a while.
pub(crate) fn sample<C, F>(threads: &Handle, callers: usize, round: Duration, call: C) -> Sample
where
    C: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send,
{
    let (cpu, started) = (cpu_time(), Instant::now());
    let end = started + round;
    let calls = threads.block_on(async {
        let callers = (0..callers).map(|_| {
            let call = call.clone();
            tokio::spawn(async move {
                let mut calls = 0;
                while Instant::now() < end {
                    call().await;
                    calls += 1;
                }
                calls
            })
        });
        let mut calls = 0;
        for caller in callers.collect::<Vec<_>>() {
            calls += caller.await.unwrap();
        }
        calls
    });
    Sample { calls, wall: started.elapsed(), cpu: cpu_time().saturating_sub(cpu) }
}

/// Of all threads that there are.
fn cpu_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let nanoseconds = threads.filter_map(|thread| {
        // A thread may end while it is looked at.
        let times = std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        times.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Memory of this process in KiB: that which only it has, and what it maps of files.
pub(crate) struct Memory {
    pub(crate) own: i64,
    pub(crate) of_files: i64,
}

impl Memory {
    pub(crate) fn now() -> Memory {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse::<i64>().unwrap()
        };
        Memory { own: field("RssAnon:") + field("RssShmem:"), of_files: field("RssFile:") }
    }
}

impl std::fmt::Display for Memory {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mebibytes = |kibibytes: i64| kibibytes as f64 / 1_024.0;
        let (own, of_files) = (mebibytes(self.own), mebibytes(self.of_files));
        write!(formatter, "{:7.1} MiB resident ({own:.1} own, {of_files:.1} of files)", own + of_files)
    }
}
