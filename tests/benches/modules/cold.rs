//! The first call of each module after a restart, its code coming from the cache on disk.

use std::time::{Duration, Instant};

use tests::process::guest;
use wasm_host::{Host, Options};

use crate::folder;
use crate::world::INPUT;

const MODULES: usize = 1_000;

pub(crate) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let digests = folder::with_modules(folder.path(), &guest("echo"), MODULES);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let started = Instant::now();
    let host = Host::new(&Options::new(folder.path())).unwrap();
    println!("\na host with {MODULES} modules starts in {:.1} ms", milliseconds(started.elapsed()));
    let mut times: Vec<_> = digests
        .into_iter()
        .map(|digest| {
            let started = Instant::now();
            let outcome = runtime.block_on(host.call(wasm_host::Call::new(digest, INPUT)));
            assert!(outcome.usage.cold && outcome.result.is_ok(), "{outcome:?}");
            started.elapsed()
        })
        .collect();
    let first = times[0];
    times.sort();
    println!(
        "the first call of a module: {:.2} ms at the median, {:.2} at the 99th percentile, {:.2} at most; the very \
         first one {:.2}",
        milliseconds(times[MODULES / 2]),
        milliseconds(times[MODULES * 99 / 100]),
        milliseconds(times[MODULES - 1]),
        milliseconds(first),
    );
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
