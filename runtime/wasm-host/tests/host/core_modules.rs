//! Core modules for WASI preview 1.

use bytes::Bytes;
use wasm_host::{Call, EntryPoint, ModuleError};

use crate::Fixture;

/// Copies standard input to standard output.
const COPY: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 4096))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 4) (i32.load (i32.const 8)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

#[tokio::test]
async fn a_command_for_preview_1_is_a_task() {
    let fixture = Fixture::new();
    let bytes = Bytes::from(wat::parse_str(COPY).unwrap());
    let info = fixture.host.add(bytes.clone()).await.unwrap();
    assert_eq!((info.entry, info.size_bytes), (EntryPoint::Command, bytes.len() as u64));
    let outcome = fixture.host.call(Call::new(info.digest, r#"{"a": 1}"#)).await;
    assert_eq!(outcome.result, Ok(r#"{"a": 1}"#.to_owned()));
    // A host that has lost the compiled code makes it anew from what was uploaded.
    let again = crate::host_in(fixture.folder.path(), |_| {});
    std::fs::remove_dir_all(fixture.folder.path().join("cache")).unwrap();
    std::fs::create_dir(fixture.folder.path().join("cache")).unwrap();
    assert_eq!(again.call(Call::new(info.digest, "[2]")).await.result, Ok("[2]".to_owned()));
}

#[tokio::test]
async fn a_core_module_for_something_else_is_told_how_to_convert_it() {
    let other = r#"(module (import "env" "log" (func)) (func (export "_start")))"#;
    let refusal = Fixture::new().host.add(Bytes::from(wat::parse_str(other).unwrap())).await.unwrap_err();
    assert!(matches!(refusal, ModuleError::CoreModule { .. }), "{refusal}");
    let command =
        "`wasm-tools component new MODULE.wasm --adapt wasi_snapshot_preview1.wasm -o COMPONENT.wasm`";
    assert!(refusal.to_string().ends_with(command), "{refusal}");
}
