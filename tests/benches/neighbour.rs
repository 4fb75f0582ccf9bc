//! How long a well-behaved module takes for a call, alone and beside each deed of the module `hostile`, of which some calls are
//! always under way, twice as many as there are slots unless told otherwise.
//!
//! `cargo xtask guests && cargo bench --package tests --bench neighbour`; with words after `--`, the deeds that have one of
//! them in their input; a number there is how many calls of the module `hostile` are under way.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops where something unexpected happens"
)]

use std::time::{Duration, Instant};

use tests::hostile::deeds;
use tests::process::guest;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wasm_host::{Call, Digest, Host, Options};

/// Few, so that those that take all of their memory find room.
const SLOTS: u32 = 16;
/// How long the neighbour calls, and how often at least.
const MEASURED: Duration = Duration::from_secs(2);
const CALLS_MIN: usize = 20;
/// What an input may show of itself.
const SHOWN_CHARACTERS: usize = 60;

fn main() {
    // Cargo's own flags begin with a dash.
    let words = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    let (numbers, wanted): (Vec<_>, Vec<_>) = words.partition(|word| word.parse::<u32>().is_ok());
    let callers = numbers.first().map_or(2 * SLOTS, |number| number.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let host = Host::new(&Options { slots: SLOTS, ..Options::new(folder.path()) }).unwrap();
    let runtime = Runtime::new().unwrap();
    let add = |name: &str| runtime.block_on(host.add(guest(name).into())).unwrap().digest;
    let (neighbour, hostile) = (add("echo"), add("hostile"));
    runtime.block_on(calls(&host, neighbour));
    let alone = runtime.block_on(calls(&host, neighbour));
    println!(
        "| Beside the neighbour | CPU of each | p50 | p99 | p99 against alone |\n| --- | --- | --- | --- | --- |"
    );
    row("nobody", Duration::ZERO, alone, alone);
    for deed in deeds() {
        let input = deed.input.to_string();
        if !wanted.is_empty() && !wanted.iter().any(|word| input.contains(word)) {
            continue;
        }
        let (cpu, beside) = runtime.block_on(async {
            let stop = CancellationToken::new();
            let mut flood = JoinSet::new();
            for _ in 0..callers {
                flood.spawn(again(host.clone(), hostile, input.clone(), stop.clone()));
            }
            let measured = calls(&host, neighbour).await;
            stop.cancel();
            let (cpu, calls) = flood
                .join_all()
                .await
                .into_iter()
                .fold((Duration::ZERO, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            (cpu / calls.max(1), measured)
        });
        let shown: String = input.chars().take(SHOWN_CHARACTERS).collect();
        row(&format!("`{shown}`"), cpu, beside, alone);
    }
}

/// Calls the hostile module, one call after the other, until it is stopped. The CPU time of the calls and how many they were.
async fn again(host: Host, digest: Digest, input: String, stop: CancellationToken) -> (Duration, u32) {
    let mut sum = (Duration::ZERO, 0);
    while !stop.is_cancelled() {
        let mut call = Call::new(digest, input.as_str());
        call.module = "hostile".into();
        call.cancel = stop.clone();
        let ended = host.call(call).await;
        sum = (sum.0 + ended.usage.cpu, sum.1 + 1);
    }
    sum
}

/// The median and the 99th percentile of the neighbour's calls.
async fn calls(host: &Host, digest: Digest) -> [Duration; 2] {
    let begun = Instant::now();
    let mut times = Vec::new();
    while times.len() < CALLS_MIN || begun.elapsed() < MEASURED {
        let mut call = Call::new(digest, r#"{"order": {"id": "A1"}, "n": 5}"#);
        call.module = "neighbour".into();
        let begun = Instant::now();
        host.call(call).await.result.unwrap();
        times.push(begun.elapsed());
    }
    times.sort();
    [times[times.len() / 2], times[times.len() * 99 / 100]]
}

fn row(beside: &str, cpu: Duration, [p50, p99]: [Duration; 2], [_, alone]: [Duration; 2]) {
    let factor = p99.as_secs_f64() / alone.as_secs_f64();
    println!("| {beside} | {cpu:.1?} | {p50:.2?} | {p99:.2?} | {factor:.1} |");
}
