//! The memory of a host with many modules.

use bytes::Bytes;
use tests::process::guest;
use wasm_host::{Call, Host, Options};

use crate::folder;
use crate::measure::Memory;
use crate::world::INPUT;

/// Modules that are added in this process, each of which is compiled.
const ADDED: usize = 20;

pub(crate) fn run(modules: usize) {
    let folder = tempfile::tempdir().unwrap();
    let component = guest("echo");
    let digests = folder::with_modules(folder.path(), &component, modules);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!("\nmemory with {modules} module(s) of {} KiB", component.len() >> 10);
    let show = |when: &str| println!("{when:<44}{}", Memory::now());
    show("before the host starts");
    let host = Host::new(&Options::new(folder.path())).unwrap();
    show("after it has started");
    let call = |digest| {
        let outcome = runtime.block_on(host.call(Call::new(digest, INPUT)));
        assert!(outcome.result.is_ok(), "{outcome:?}");
    };
    call(digests[0]);
    show("after one was called");
    digests.into_iter().for_each(call);
    show("after each was called once");
    if modules == 1 {
        for number in 1..=ADDED {
            let module = Bytes::from(folder::variant(&component, number));
            runtime.block_on(host.add(module)).unwrap();
        }
        show(&format!("after {ADDED} more were added"));
    }
}
