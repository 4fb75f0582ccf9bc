//! A host as its users see it, with guests of a few lines of WebAssembly text.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like the tests themselves")]

mod commands;
mod core_modules;
mod ends;
mod grants;
mod guests;
mod hostile;
mod isolation;
mod limits;
mod logs;
mod many;
mod modules;
mod queues;

use std::path::Path;

use bytes::Bytes;
use tempfile::TempDir;
use wasm_host::{Call, Digest, Failure, Host, ModuleError, ModuleInfo, Options, Outcome};

/// A host with a folder of its own.
struct Fixture {
    host: Host,
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(adjust: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = host_in(folder.path(), adjust);
        Self { host, folder }
    }

    async fn add(&self, text: &str) -> Result<ModuleInfo, ModuleError> {
        self.host.add(Bytes::from(wat::parse_str(text).unwrap_or_else(|error| panic!("{error}")))).await
    }

    async fn added(&self, text: &str) -> Digest {
        self.add(text).await.unwrap().digest
    }

    async fn call(&self, text: &str, input: &str) -> Outcome {
        self.call_with(text, input, |_| {}).await
    }

    async fn call_with(&self, text: &str, input: &str, adjust: impl FnOnce(&mut Call)) -> Outcome {
        let mut call = Call::new(self.added(text).await, input);
        adjust(&mut call);
        self.host.call(call).await
    }
}

/// Few slots and two threads, so that hundreds of tests can each have a host.
fn host_in(folder: &Path, adjust: impl FnOnce(&mut Options)) -> Host {
    let mut options = Options { slots: 8, guest_threads: 2, ..Options::new(folder) };
    adjust(&mut options);
    Host::new(&options).unwrap()
}

/// The result of one call with the default limits.
async fn result(text: &str, input: &str) -> Result<String, Failure> {
    Fixture::new().call(text, input).await.result
}

fn trap_message(failure: Failure) -> String {
    match failure {
        Failure::Trap { message, .. } => message,
        other => panic!("not a trap: {other:?}"),
    }
}
