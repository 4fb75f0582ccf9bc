//! As many calls as there are slots, all waiting in a host call at once.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tests::process::guest;
use wasm_host::limits::SLOTS_DEFAULT;
use wasm_host::{Call, Host, Options};

use crate::measure::Memory;

const CALLS: usize = SLOTS_DEFAULT as usize;
/// How long each sleeps; starting them takes a small part of it.
const SLEEP_MILLISECONDS: usize = 4_000;
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let host = Host::new(&Options::new(folder.path())).unwrap();
    let digest = runtime.block_on(host.add(Bytes::from(guest("hostile")))).unwrap().digest;
    let call = |number: usize, milliseconds: usize| {
        let mut call = Call::new(digest, format!(r#"{{"do": "sleep", "milliseconds": {milliseconds}}}"#));
        // Of two modules, since none has the last slots.
        call.module = if number.is_multiple_of(2) { "even" } else { "odd" }.into();
        let host = host.clone();
        async move { host.call(call).await }
    };
    runtime.block_on(async {
        assert!(call(0, 1).await.result.is_ok());
        let before = Memory::now();
        let started = Instant::now();
        let calls: Vec<_> = (0..CALLS).map(|number| tokio::spawn(call(number, SLEEP_MILLISECONDS))).collect();
        while host.stats().live < CALLS {
            tokio::time::sleep(LOOK).await;
        }
        let begun = started.elapsed();
        // Those that have a slot and have not begun do so now.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let after = Memory::now();
        for call in calls {
            let outcome = call.await.unwrap();
            assert!(outcome.result.is_ok(), "{outcome:?}");
        }
        println!(
            "\n{CALLS} calls that sleep {SLEEP_MILLISECONDS} ms at once: all had begun after {} ms and ended well \
             after {} ms\n{:<44}{before}\n{:<44}{after}, {} KiB for each",
            begun.as_millis(),
            started.elapsed().as_millis(),
            "before",
            "while they sleep",
            (after.own + after.of_files - before.own - before.of_files) / i64::try_from(CALLS).unwrap(),
        );
    });
}
