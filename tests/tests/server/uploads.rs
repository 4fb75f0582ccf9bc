//! Components that are refused: a clear answer, and nothing is kept.

use serde_json::json;
use tests::process::{Home, guest};

/// The server's own limit.
const MODULE_BYTES_MAX: usize = 64 << 20;

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

#[test]
fn components_that_cannot_be_tasks_are_refused_and_not_kept() {
    let home = Home::new();
    let server = home.start();
    let client = server.client();
    let foreign = r#"(module (import "env" "log" (func)))"#;
    let strange = r#"(component (import "wasi:keyvalue/store@0.2.0" (instance (export "f" (func))))
        (core module $m (func (export "f") (result i32) (i32.const 0)))
        (core instance $i (instantiate $m))
        (func $run (result (result)) (canon lift (core func $i "f")))
        (instance $command (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $command)))"#;
    let mut too_large = b"\0asm".to_vec();
    too_large.resize(MODULE_BYTES_MAX + 1, 0);
    let echo = guest("echo");
    let table: [(&str, Vec<u8>, u16, &str, &str); 8] = [
        ("empty", Vec::new(), 400, "NotWebAssembly", "must begin with"),
        ("text", b"hello".to_vec(), 400, "NotWebAssembly", "must begin with"),
        ("a core module", component(foreign), 400, "CoreModule", "wasm-tools component new"),
        ("no export", component("(component)"), 400, "MissingExport", "this component exports nothing"),
        ("an import", component(strange), 400, "UnknownImport", "wasi:keyvalue/store@0.2.0"),
        ("half", echo[..echo.len() / 2].to_vec(), 400, "InvalidModule", "not valid"),
        ("garbage", [&echo[..8], &[0xff; 100]].concat(), 400, "InvalidModule", "not valid"),
        ("too large", too_large, 413, "ModuleTooLarge", "64 MiB"),
    ];
    for (what, bytes, status, code, message) in table {
        let answer = client.put_module("m", &bytes).unwrap_or_else(|error| panic!("{what}: {error}"));
        let refused = answer.refused();
        assert_eq!((refused.status, refused.code.as_str()), (status, code), "{what}: {}", refused.message);
        assert!(refused.message.contains(message), "{what}: {}", refused.message);
    }
    let cut_off = client.send_cut_off("PUT /modules/m HTTP/1.1\r\n", echo.len(), &echo[..echo.len() / 2]);
    if let Ok(answer) = cut_off {
        assert_eq!((answer.status, answer.refused().code.as_str()), (400, "IncompleteBody"));
    }
    let refused = client.put_module("a.b", &echo).unwrap().refused();
    assert_eq!((refused.status, refused.code.as_str()), (400, "InvalidModuleName"));

    assert_eq!(client.get("/modules").unwrap().body, json!({"modules": [], "next": null}));
    assert_eq!(client.get("/modules/m").unwrap().refused().code, "ModuleNotFound");
    assert_eq!(home.files("data/modules"), [""; 0]);
    // It still takes what is good, under the same name.
    client.push("m", &echo);
    assert_eq!(client.get("/modules/m").unwrap().body["latestVersion"], 1);
}
