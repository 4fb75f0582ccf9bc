//! Adding, keeping, finding and removing modules.

use std::path::PathBuf;

use bytes::Bytes;
use wasm_host::{Call, Digest, EntryPoint, Failure, Host, ModuleError};

use crate::guests::{Parts, echo, task, task_with};
use crate::{Fixture, host_in};

/// A component that does not belong in a table of real ones.
async fn refusal(text: &str) -> String {
    Fixture::new().add(text).await.unwrap_err().to_string()
}

async fn echoes(host: &Host, digest: Digest) -> bool {
    host.call(Call::new(digest, "[1]")).await.result == Ok("[1]".to_owned())
}

pub(crate) fn compiled_files(fixture: &Fixture) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(fixture.folder.path().join("cache")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_module_is_described() {
    let fixture = Fixture::new();
    let bytes = wat::parse_str(echo()).unwrap();
    let info = fixture.host.add(Bytes::from(bytes.clone())).await.unwrap();
    assert_eq!(info.digest, Digest::of(&bytes));
    assert_eq!(info.size_bytes, bytes.len() as u64);
    assert_eq!(info.entry, EntryPoint::Task);
    assert_eq!(info.exports, ["task-error", "handle"]);
    assert_eq!(info.imports, [""; 0]);
    assert_eq!(info.memory_bytes_min, 65_536);
    assert!(fixture.host.contains(info.digest));
    assert_eq!(fixture.host.info(info.digest).await.unwrap(), info);
}

#[tokio::test]
async fn what_is_no_task_is_refused_with_the_reason() {
    let fixture = Fixture::new();
    assert!(matches!(fixture.host.add(Bytes::from("#!/bin/sh")).await, Err(ModuleError::NotWasm)));
    let damaged = Bytes::from_static(b"\0asm\x0d\0\x01\0\xff");
    assert!(matches!(fixture.host.add(damaged).await, Err(ModuleError::Invalid(_))));

    for (text, message) in [
        ("(component)", "this component exports nothing"),
        (r#"(component (type string) (export "t" (type 0)))"#, "this component exports t"),
        (
            r#"(component (core module $m (func (export "f"))) (core instance $i (instantiate $m))
                (func (export "handle") (canon lift (core func $i "f"))))"#,
            "its export `handle` is not `func(input: string) -> result<string, task-error>`",
        ),
    ] {
        let refusal = refusal(text).await;
        assert!(refusal.ends_with(message), "{refusal}");
    }
}

#[tokio::test]
async fn an_import_that_nobody_offers_is_named() {
    let imports = |name: &str| {
        let imports = format!(r#"(import "{name}" (instance (export "f" (func))))"#);
        task_with(Parts { imports: &imports, body: "(unreachable)", ..Parts::default() })
    };
    for name in ["acme:bank/pay@1.0.0", "wasi:http/outgoing-handler@0.3.0"] {
        assert_eq!(refusal(&imports(name)).await, format!("this host does not offer the import `{name}`"));
    }
    let wrong_type = refusal(&imports("stepwell:task/log@0.1.0")).await;
    assert!(wrong_type.starts_with("the component is not valid: "), "{wrong_type}");
}

#[tokio::test]
async fn every_import_of_the_world_is_offered() {
    let types = r#"(import "stepwell:task/types@0.1.0" (instance
        (type $r (record (field "error" string) (field "cause" string)))
        (export "task-error" (type (eq $r)))))"#;
    let guest = task_with(Parts { imports: types, body: "(unreachable)", ..Parts::default() });
    assert_eq!(Fixture::new().add(&guest).await.unwrap().imports, ["stepwell:task/types@0.1.0"]);
}

#[tokio::test]
async fn a_module_over_the_size_limit_is_refused() {
    let fixture = Fixture::with(|options| options.module_bytes_max = 100);
    assert!(matches!(fixture.add(&echo()).await, Err(ModuleError::TooLarge { max: 100, .. })));
}

#[tokio::test]
async fn a_refused_module_leaves_nothing() {
    let fixture = Fixture::new();
    fixture.add("(component)").await.unwrap_err();
    for folder in ["modules", "cache"] {
        assert_eq!(std::fs::read_dir(fixture.folder.path().join(folder)).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn a_module_outlives_its_host() {
    let mut fixture = Fixture::new();
    let digest = fixture.added(&echo()).await;
    fixture.host = host_in(fixture.folder.path(), |_| {});
    assert!(fixture.host.contains(digest));
    let outcomes =
        [fixture.host.call(Call::new(digest, "1")).await, fixture.host.call(Call::new(digest, "1")).await];
    assert_eq!(
        outcomes.map(|outcome| (outcome.result.is_ok(), outcome.usage.cold)),
        [(true, true), (true, false)]
    );
}

#[tokio::test]
async fn compiled_code_that_is_missing_or_damaged_is_made_again() {
    let mut fixture = Fixture::new();
    let digest = fixture.added(&echo()).await;
    let [compiled] = compiled_files(&fixture).try_into().unwrap();
    for damage in [None, Some("not compiled code")] {
        match damage {
            None => std::fs::remove_file(&compiled).unwrap(),
            Some(text) => std::fs::write(&compiled, text).unwrap(),
        }
        fixture.host = host_in(fixture.folder.path(), |_| {});
        assert!(echoes(&fixture.host, digest).await);
        assert!(std::fs::metadata(&compiled).unwrap().len() > 1_000, "it is kept again");
    }
}

#[tokio::test]
async fn a_module_whose_file_was_changed_is_not_run() {
    let mut fixture = Fixture::new();
    let digest = fixture.added(&echo()).await;
    let [compiled] = compiled_files(&fixture).try_into().unwrap();
    std::fs::remove_file(compiled).unwrap();
    let [module] = std::fs::read_dir(fixture.folder.path().join("modules"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    std::fs::write(module, wat::parse_str(task("(unreachable)")).unwrap()).unwrap();
    fixture.host = host_in(fixture.folder.path(), |_| {});
    let failure = fixture.host.call(Call::new(digest, "1")).await.result.unwrap_err();
    assert!(failure.to_string().contains("changed since it was added"), "{failure}");
    fixture.added(&echo()).await;
    assert!(echoes(&fixture.host, digest).await, "adding it again repairs it");
}

#[tokio::test]
async fn more_modules_than_are_kept_loaded_all_answer() {
    let fixture = Fixture::with(|options| options.loaded_modules_max = 1);
    let other = task_with(Parts {
        fields: "(global i32 (i32.const 1))",
        body: "(call $ok (local.get $ptr) (local.get $len))",
        ..Parts::default()
    });
    let digests = [fixture.added(&echo()).await, fixture.added(&other).await];
    for digest in [digests[0], digests[1], digests[0]] {
        let outcome = fixture.host.call(Call::new(digest, "1")).await;
        assert_eq!(outcome.result, Ok("1".to_owned()));
    }
}

#[tokio::test]
async fn a_removed_module_is_gone() {
    let fixture = Fixture::new();
    let digest = fixture.added(&echo()).await;
    fixture.host.remove(digest).await.unwrap();
    assert!(!fixture.host.contains(digest));
    let outcome = fixture.host.call(Call::new(digest, "1")).await;
    assert_eq!(outcome.result, Err(Failure::NotFound(digest)));
    assert!(matches!(fixture.host.remove(digest).await, Err(ModuleError::NotFound)));
    assert_eq!(fixture.added(&echo()).await, digest);
    assert!(echoes(&fixture.host, digest).await);
}

#[tokio::test]
async fn the_same_module_may_be_added_many_times_at_once() {
    let fixture = Fixture::new();
    let texts = [echo(), echo(), echo(), echo()];
    let infos = futures::future::join_all(texts.iter().map(|text| fixture.add(text))).await;
    let digests: Vec<_> = infos.into_iter().map(|info| info.unwrap().digest).collect();
    assert!(digests.iter().all(|digest| *digest == digests[0]));
    assert!(echoes(&fixture.host, digests[0]).await);
}
