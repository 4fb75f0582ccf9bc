//! Nothing leaks from one call to the next, and nothing of the outside comes in.

use std::collections::BTreeMap;

use wasm_host::{Access, DirectoryGrant, Failure, Grants};

use crate::Fixture;
use crate::guests::{Parts, task_with};

/// Returns how many times it has been called, as far as its globals, memory and tables know.
const COUNTING: Parts<'_> = Parts {
    imports: "",
    lowered: "",
    fields: "(global $calls (mut i32) (i32.const 48))",
    body: "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))
           (i32.store (i32.const 128) (i32.add (i32.load (i32.const 128)) (i32.const 1)))
           (i32.store8 (i32.const 64) (global.get $calls))
           (i32.store8 (i32.const 65) (i32.const 48))
           (i32.store8 (i32.const 65) (i32.add (i32.load (i32.const 128)) (i32.const 48)))
           (call $ok (i32.const 64) (i32.const 2))",
};

#[tokio::test]
async fn every_call_gets_a_fresh_instance() {
    let fixture = Fixture::with(|options| options.slots = 1);
    let guest = task_with(COUNTING);
    for _ in 0..3 {
        assert_eq!(fixture.call(&guest, "1").await.result, Ok("11".to_owned()));
    }
}

/// Returns 1 if its memory has something in it that it has not written, and then writes all of it.
const PRYING: Parts<'_> = Parts {
    imports: "",
    lowered: "",
    fields: "",
    body: "(local $at i32)
           (local.set $at (i32.const 65536))
           (drop (memory.grow (i32.const 8)))
           (i32.store8 (i32.const 64) (i32.const 48))
           (loop $again
               (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (i32.store8 (i32.const 64) (i32.const 49))))
               (i64.store (local.get $at) (i64.const -1))
               (local.set $at (i32.add (local.get $at) (i32.const 8)))
               (br_if $again (i32.lt_u (local.get $at) (i32.const 589824))))
           (call $ok (i32.const 64) (i32.const 1))",
};

#[tokio::test]
async fn no_memory_of_another_call_is_seen() {
    let fixture = Fixture::with(|options| options.slots = 1);
    for module in [task_with(PRYING), task_with(Parts { fields: "(global i32 (i32.const 1))", ..PRYING })] {
        for _ in 0..2 {
            assert_eq!(fixture.call(&module, "1").await.result, Ok("0".to_owned()));
        }
    }
}

/// Imports for a guest that counts what it was given: `$count` calls the function and returns a list's length.
fn counting(interface: &str, function: &str, element: &str) -> String {
    let imports = format!(
        r#"{interface}
        (core func $get (canon lower (func $instance "{function}") (memory $memory) (realloc $realloc)))
        (; each element is {element} ;)"#
    );
    task_with(Parts {
        imports: &imports,
        lowered: r#"(export "get" (func $get))"#,
        fields: r#"(import "host" "get" (func $get (param i32)))"#,
        body: "(call $get (i32.const 200))
               (i32.store8 (i32.const 64) (i32.add (i32.const 48) (i32.load (i32.const 204))))
               (call $ok (i32.const 64) (i32.const 1))",
    })
}

fn environment() -> String {
    counting(
        r#"(import "wasi:cli/environment@0.2.0" (instance $instance
            (export "get-environment" (func (result (list (tuple string string)))))))"#,
        "get-environment",
        "a name and a value",
    )
}

fn preopens() -> String {
    counting(
        r#"(import "wasi:filesystem/types@0.2.0" (instance $types
            (export "descriptor" (type (sub resource)))))
        (alias export $types "descriptor" (type $descriptor))
        (import "wasi:filesystem/preopens@0.2.0" (instance $instance
            (alias outer 1 $descriptor (type $outer))
            (export "descriptor" (type $descriptor (eq $outer)))
            (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))"#,
        "get-directories",
        "a folder and its name",
    )
}

#[tokio::test]
async fn a_guest_gets_the_environment_that_is_granted_and_no_other() {
    let fixture = Fixture::new();
    assert_eq!(fixture.call(&environment(), "1").await.result, Ok("0".to_owned()));
    let environment_grant =
        BTreeMap::from([("A".to_owned(), "1".to_owned()), ("B".to_owned(), "2".to_owned())]);
    let outcome =
        fixture.call_with(&environment(), "1", |call| call.grants.environment = environment_grant).await;
    assert_eq!(outcome.result, Ok("2".to_owned()));
}

#[tokio::test]
async fn a_guest_gets_the_folders_that_are_granted_and_no_other() {
    let fixture = Fixture::new();
    // There is `/`, in which there is nothing.
    assert_eq!(fixture.call(&preopens(), "1").await.result, Ok("1".to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let grant = |host: &std::path::Path| Grants {
        directories: vec![DirectoryGrant {
            host: host.to_owned(),
            guest: "/data".to_owned(),
            access: Access::ReadOnly,
            quota_bytes: None,
        }],
        ..Grants::default()
    };
    let granted = fixture.call_with(&preopens(), "1", |call| call.grants = grant(folder.path())).await;
    assert_eq!(granted.result, Ok("2".to_owned()));
    let missing = folder.path().join("missing");
    let outcome = fixture.call_with(&preopens(), "1", |call| call.grants = grant(&missing)).await;
    assert!(matches!(outcome.result, Err(Failure::Host(_))), "{:?}", outcome.result);
}

/// Tries to make a file in the first granted folder; returns 0 when it could and 1 when it could not.
fn writing() -> String {
    task_with(Parts {
        imports: r#"
            (import "wasi:filesystem/types@0.2.0" (instance $types
                (export "descriptor" (type $d (sub resource)))
                (type $code (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota"
                    "exist" "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io"
                    "is-directory" "loop" "too-many-links" "message-size" "name-too-long" "no-device" "no-entry"
                    "no-lock" "insufficient-memory" "insufficient-space" "not-directory" "not-empty"
                    "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow" "not-permitted" "pipe"
                    "read-only" "invalid-seek" "text-file-busy" "cross-device"))
                (export "error-code" (type $error-code (eq $code)))
                (export "[method]descriptor.create-directory-at" (func (param "self" (borrow $d))
                    (param "path" string) (result (result (error $error-code)))))))
            (alias export $types "descriptor" (type $descriptor))
            (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
                (alias outer 1 $descriptor (type $outer))
                (export "descriptor" (type $descriptor (eq $outer)))
                (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))
            (core func $get (canon lower (func $preopens "get-directories") (memory $memory) (realloc $realloc)))
            (core func $make (canon lower (func $types "[method]descriptor.create-directory-at") (memory $memory)))"#,
        lowered: r#"(export "get" (func $get)) (export "make" (func $make))"#,
        fields: r#"
            (import "host" "get" (func $get (param i32)))
            (import "host" "make" (func $make (param i32 i32 i32 i32)))"#,
        // The input is the path, in quotes.
        body: "(call $get (i32.const 200))
               (call $make (i32.load (i32.load (i32.const 200)))
                   (i32.add (local.get $ptr) (i32.const 1)) (i32.sub (local.get $len) (i32.const 2)) (i32.const 300))
               (i32.store8 (i32.const 64) (i32.add (i32.const 48) (i32.load8_u (i32.const 300))))
               (call $ok (i32.const 64) (i32.const 1))",
    })
}

#[tokio::test]
async fn a_folder_can_be_written_only_when_that_is_granted() {
    let fixture = Fixture::new();
    let folder = tempfile::tempdir().unwrap();
    let granted = folder.path().join("granted");
    std::fs::create_dir(&granted).unwrap();
    for (access, path, expected) in [
        (Access::ReadOnly, "\"new\"", "1"),
        (Access::ReadWrite, "\"../new\"", "1"),
        (Access::ReadWrite, "\"/new\"", "1"),
        (Access::ReadWrite, "\"new\"", "0"),
    ] {
        let (host, guest) = (granted.clone(), "/data".to_owned());
        let grant = DirectoryGrant { host, guest, access, quota_bytes: None };
        let outcome = fixture.call_with(&writing(), path, |call| call.grants.directories = vec![grant]).await;
        assert_eq!(outcome.result, Ok(expected.to_owned()), "{access:?} {path}");
    }
    assert!(granted.join("new").is_dir() && !folder.path().join("new").exists());
}
