//! What crosses the boundary and is not what it says: pointers, lengths, texts, tags, and the allocator that the host
//! must call.

use super::{Row, check, row};
use crate::guests::{Parts, echo, logging, task, task_with};

/// The options under which `handle` is lifted, to which a guest may have others.
const OPTIONS: &str = "(memory $memory) (realloc $realloc)";

#[tokio::test]
async fn what_crosses_the_boundary_is_checked() {
    check([results(), encodings(), allocators(), outputs()].into_iter().flatten().collect()).await;
}

/// A task that is lifted with other options.
fn lifted(options: &str, fields: &str, body: &str) -> String {
    let guest = task_with(Parts { fields, body, ..Parts::default() });
    let lift = format!(r#"(canon lift (core func $guest "handle") {OPTIONS}"#);
    assert!(guest.contains(&lift), "{guest}");
    guest.replace(&lift, &format!(r#"(canon lift (core func $guest "handle") {options}"#))
}

fn results() -> Vec<Row> {
    let of = |ptr: &str, len: &str| task(&format!("(call $ok (i32.const {ptr}) (i32.const {len}))"));
    vec![
        row("a result beyond memory", task("(i32.const 0x7ffffff0)"), "Trap pointer out of bounds of memory"),
        row("a result that is not aligned", task("(i32.const 17)"), "Trap return pointer not aligned"),
        row(
            "a result that is neither well nor badly ended",
            task("(i32.store8 (i32.const 16) (i32.const 7)) (i32.const 16)"),
            "Trap ",
        ),
        row("a text that ends beyond memory", of("65530", "100"), "Trap "),
        row("a text of 4 GiB", of("0", "-1"), "Trap "),
        row("a text that ends at its own beginning", of("-8", "16"), "Trap "),
        row("a result that is no UTF-8", not_text("ok", "0xff"), "Trap invalid utf-8"),
        row("half a surrogate pair in UTF-8", not_text("ok", "0x80a0ed"), "Trap invalid utf-8"),
        row("an error that is no UTF-8", not_text("err", "0xff"), "Trap invalid utf-8"),
    ]
}

/// Ends with four bytes that are no text.
fn not_text(end: &str, bytes: &str) -> String {
    let more = if end == "err" { "(i32.const 64) (i32.const 1)" } else { "" };
    task(&format!(
        "(i32.store (i32.const 64) (i32.const {bytes})) (call ${end} (i32.const 64) (i32.const 3) {more})"
    ))
}

fn encodings() -> Vec<Row> {
    let ends = |ptr: u32, code_units: &str| {
        format!(
            "(i32.store16 (i32.const 64) (i32.const 0xd800)) (call $ok (i32.const {ptr}) (i32.const {code_units}))"
        )
    };
    let as_utf16 = |body: &str| lifted(&format!("{OPTIONS} string-encoding=utf16"), "", body);
    let as_either = |body: &str| lifted(&format!("{OPTIONS} string-encoding=latin1+utf16"), "", body);
    let logged = |level: u32| {
        let store = "(i32.store8 (i32.const 64) (i32.const 255))";
        logging(
            "",
            &format!("{store} (call $log (i32.const {level}) (i32.const 64) (i32.const 1)) (unreachable)"),
        )
    };
    vec![
        row("half a surrogate pair in UTF-16", as_utf16(&ends(64, "1")), "Trap "),
        row("a text in UTF-16 that is not aligned", as_utf16(&ends(65, "1")), "Trap "),
        row("a text in UTF-16 whose length overflows", as_utf16(&ends(64, "0x7fffffff")), "Trap "),
        row("half a surrogate pair in what may be Latin-1", as_either(&ends(64, "0x80000001")), "Trap "),
        row("a line of log that is no UTF-8", logged(2), "Trap invalid utf-8"),
        row("a line of log at no level", logged(9), "Trap "),
    ]
}

fn allocators() -> Vec<Row> {
    let allocating = |code: &str| {
        let bad = format!(r#"(func (export "bad") (param i32 i32 i32 i32) (result i32) {code})"#);
        lifted(r#"(memory $memory) (realloc (core func $guest "bad"))"#, &bad, "(unreachable)")
    };
    let calling = logging(
        r#"(func (export "bad") (param i32 i32 i32 i32) (result i32)
            (call $log (i32.const 2) (i32.const 0) (i32.const 1)) (i32.const 4096))"#,
        "(unreachable)",
    );
    let calling = calling.replacen(
        r#"(core func $guest "handle") (memory $memory) (realloc $realloc)"#,
        r#"(core func $guest "handle") (memory $memory) (realloc (core func $guest "bad"))"#,
        1,
    );
    let freeing = |code: &str| {
        let free = format!(r#"(func (export "free") (param i32) {code})"#);
        let options = format!(r#"{OPTIONS} (post-return (core func $guest "free"))"#);
        lifted(&options, &free, "(call $ok (local.get $ptr) (local.get $len))")
    };
    vec![
        row("an allocator that gives what is not there", allocating("(i32.const -16)"), "Trap "),
        row("an allocator that traps", allocating("(unreachable)"), "Trap `unreachable`"),
        row("an allocator without end", allocating("(loop $again (br $again)) (unreachable)"), "OutOfFuel"),
        row("an allocator that calls the host", calling, "Trap cannot leave component instance"),
        row("freeing without end", freeing("(loop $again (br $again))"), "OutOfFuel"),
        row("freeing without end, for ever", freeing("(loop $again (br $again))"), "TimedOut").for_ever(),
        row("freeing that traps", freeing("(unreachable)"), "Trap `unreachable`"),
    ]
}

fn outputs() -> Vec<Row> {
    let is_no_json = |name: &'static str, output: &str| row(name, echo(), "InvalidOutput").asked(output);
    let large = |bytes: u32| {
        task(&format!("(drop (memory.grow (i32.const 300))) (call $ok (i32.const 0) (i32.const {bytes}))"))
    };
    vec![
        is_no_json("no output", ""),
        is_no_json("half an output", "{\"half\": "),
        is_no_json("two outputs", "1 2"),
        is_no_json("a number beyond all numbers", "[1e999]"),
        is_no_json("half a character", r#"{"a": "\ud800"}"#),
        is_no_json("lists in lists without end", &format!("{}{}", "[".repeat(50_000), "]".repeat(50_000))),
        row("an output over its limit", large(262_145), "OutputTooLarge { size: 262145, limit: 262144 }"),
        row(
            "an output too large to copy",
            large(19_000_000),
            "OutputTooLarge { size: 16777216, limit: 262144 }",
        ),
    ]
}
