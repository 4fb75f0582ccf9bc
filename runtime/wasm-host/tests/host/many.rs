//! As many modules and as many calls at once as a host is meant for.

use std::sync::Arc;

use futures::future::join_all;
use tokio::sync::Barrier;
use wasm_host::limits::SLOTS_DEFAULT;
use wasm_host::{Call, Digest, Secret, SecretFuture, SecretSource};

use crate::grants::asking;
use crate::guests::echo;
use crate::modules::compiled_files;
use crate::{Fixture, host_in};

const MODULES: u64 = 1_000;

/// Answers nobody before everybody has asked.
struct Together(Barrier);

impl SecretSource for Together {
    fn get<'a>(&'a self, _name: &'a str) -> SecretFuture<'a> {
        Box::pin(async {
            self.0.wait().await;
            Ok(Some(Secret::new("true".to_owned())))
        })
    }
}

#[tokio::test]
async fn as_many_calls_as_there_are_slots_wait_in_a_host_call_at_once() {
    let fixture = Fixture::with(|options| options.slots = SLOTS_DEFAULT);
    let digest = fixture.added(&asking()).await;
    let together: Arc<dyn SecretSource> = Arc::new(Together(Barrier::new(SLOTS_DEFAULT as usize)));
    let calls = (0..SLOTS_DEFAULT).map(|number| {
        let mut call = Call::new(digest, "\"key\"");
        // Of two, since no module has the last slots.
        call.module = if number.is_multiple_of(2) { "even" } else { "odd" }.into();
        call.grants.secrets.insert("key".to_owned());
        call.secrets = Some(Arc::clone(&together));
        fixture.host.call(call)
    });
    for outcome in join_all(calls).await {
        assert_eq!(outcome.result, Ok("true".to_owned()));
    }
    assert_eq!(fixture.host.stats().live, 0);
}

/// As the host names its files.
fn hex(digest: Digest) -> String {
    digest.to_string().trim_start_matches("sha256:").to_owned()
}

/// The component with a custom section that has a number, which makes it another module.
fn numbered(component: &[u8], number: u64) -> Vec<u8> {
    // The kind of section, its length, the length of its name, its name.
    [component, &[0, 2 + 8, 1, b'n'], &number.to_le_bytes()].concat()
}

/// What adding them would have written is put into the folder, since compiling each takes its time.
#[tokio::test]
async fn a_thousand_modules_all_answer() {
    let mut fixture = Fixture::new();
    let first = hex(fixture.added(&echo()).await);
    let [compiled] = compiled_files(&fixture).try_into().unwrap();
    let (component, modules) = (wat::parse_str(echo()).unwrap(), fixture.folder.path().join("modules"));
    for number in 1..MODULES {
        let module = numbered(&component, number);
        let digest = hex(Digest::of(&module));
        std::fs::write(modules.join(format!("{digest}.wasm")), module).unwrap();
        let name = compiled.file_name().unwrap().to_str().unwrap().replace(&first, &digest);
        std::fs::hard_link(&compiled, compiled.with_file_name(name)).unwrap();
    }
    fixture.host = host_in(fixture.folder.path(), |_| {});
    let digests = fixture.host.digests();
    assert_eq!(digests.len() as u64, MODULES);
    for digest in digests {
        let outcome = fixture.host.call(Call::new(digest, "1")).await;
        assert_eq!((outcome.result, outcome.usage.cold), (Ok("1".to_owned()), true));
    }
}
