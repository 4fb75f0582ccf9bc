//! Warm calls: each way in turns with the others, so that what else the machine does falls on all of them. The engine has
//! the executor run attempts on the threads of the guests, so that is where it is called here.

use std::sync::Arc;

use bytes::Bytes;
use store::{MemoryStore, RedbOptions, RedbStore};
use tests::process::guest;
use tokio::runtime::{Builder, Handle, Runtime};
use wasm_host::{Host, Options};

use crate::bare::Bare;
use crate::measure::{Sample, sample};
use crate::world::{self, INPUT, World};
use crate::{ROUND, ROUNDS};

/// Callers that are at it at once.
const CALLERS: [usize; 2] = [1, 64];

type Measured = Box<dyn Fn(usize) -> Sample>;

/// What is called, which is cheap to clone, from which threads, and how.
macro_rules! way {
    ($subject:ident, $threads:expr => $call:expr) => {{
        let threads = Handle::clone($threads);
        Box::new(move |callers| {
            let $subject = $subject.clone();
            sample(&threads, callers, ROUND, move || {
                let $subject = $subject.clone();
                async move {
                    $call.await;
                }
            })
        }) as Measured
    }};
}

pub(crate) fn run() {
    let cores = std::thread::available_parallelism().unwrap().get();
    let runtime = Builder::new_multi_thread().worker_threads(cores).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ways = ways(&runtime, folder.path());
    for callers in CALLERS {
        println!("\nwarm calls of `echo` on {cores} core(s), {callers} caller(s)");
        println!("{:<44}{:>10} {:>9} {:>12} {:>9}", "", "calls/s", "to bare", "CPU µs each", "to bare");
        for (_, measured) in &ways {
            measured(callers);
        }
        let mut samples = vec![Vec::new(); ways.len()];
        for _ in 0..ROUNDS {
            for ((_, measured), samples) in ways.iter().zip(&mut samples) {
                samples.push(measured(callers));
            }
        }
        let rates = samples
            .iter()
            .map(|samples| (median(samples, Sample::per_second), median(samples, Sample::cpu_microseconds)));
        let rates: Vec<_> = rates.collect();
        let (bare_rate, bare_cpu) = rates[0];
        for ((name, _), (rate, cpu)) in ways.iter().zip(&rates) {
            let (slower, dearer) = (bare_rate / rate, cpu / bare_cpu);
            println!("{name:<44}{rate:>10.0} {slower:>8.2}x {cpu:>12.1} {dearer:>8.2}x");
        }
    }
}

fn ways(runtime: &Runtime, folder: &std::path::Path) -> Vec<(&'static str, Measured)> {
    let component = guest("echo");
    let bare = Arc::new(Bare::new(&component));
    let host = Host::new(&Options::new(folder.join("modules"))).unwrap();
    let module = Arc::new(runtime.block_on(host.add(Bytes::from(component))).unwrap());
    let in_memory = runtime.block_on(World::new(&host, &module, MemoryStore::new(1)));
    let in_memory = Arc::new(in_memory);
    let store = RedbStore::open(&RedbOptions::new(folder, 1)).unwrap();
    let on_disk = Arc::new(runtime.block_on(World::new(&host, &module, store)));
    let (own, other) = (host.runtime().clone(), runtime.handle());
    let whole = Arc::clone(&in_memory);
    let called = (host, module);
    let called_from_elsewhere = called.clone();
    vec![
        ("bare wasmtime", way!(bare, other => bare.call(INPUT))),
        ("Host::call", way!(called, &own => world::call(&called.0, &called.1))),
        (
            "Host::call from other threads",
            way!(called_from_elsewhere, other => world::call(&called_from_elsewhere.0, &called_from_elsewhere.1)),
        ),
        ("ModuleExecutor::run, store in memory", way!(in_memory, &own => in_memory.attempt())),
        ("ModuleExecutor::run, store on disk", way!(on_disk, &own => on_disk.attempt())),
        ("execution of one Task, store in memory", way!(whole, other => whole.execution())),
    ]
}

fn median(samples: &[Sample], of: impl Fn(&Sample) -> f64) -> f64 {
    let mut values: Vec<_> = samples.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
