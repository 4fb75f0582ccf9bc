//! What is refused before it could ever run.

use bytes::Bytes;

use crate::Fixture;
use crate::guests::{Parts, task_with};

const NEEDS_MORE: &str = "the component needs more than this host gives: ";
const NOT_OFFERED: &str = "this host does not offer the import `";
const NOT_VALID: &str = "the component is not valid: ";
const NO_TASK: &str = "the component is not valid: its export `handle` is not `func(input: string) -> result<string, task-error>`";

fn parts(imports: &str, fields: &str) -> Vec<u8> {
    parsed(&task_with(Parts { imports, fields, body: "(unreachable)", ..Parts::default() }))
}

fn parsed(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// Components in components.
fn nested(depth: usize) -> Vec<u8> {
    const COMPONENT: &[u8; 8] = b"\0asm\x0d\0\x01\0";
    /// Five bytes for a length, however small.
    const SECTION: usize = 1 + 5;
    let mut bytes = Vec::new();
    for left in (1..=depth).rev() {
        bytes.extend(COMPONENT);
        bytes.push(4);
        let length = left * COMPONENT.len() + (left - 1) * SECTION;
        bytes.extend(
            (0..5).map(|digit| (length >> (7 * digit) & 0x7f) as u8 | if digit < 4 { 0x80 } else { 0 }),
        );
    }
    bytes.extend(COMPONENT);
    bytes
}

/// A name, a component, and how its refusal begins; nothing if it is taken.
fn rows() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let fields = |fields: &str| parts("", fields);
    let imports = |count: u32| -> Vec<u8> {
        let imports: String =
            (0..count).map(|n| format!("(import \"a:b/c{n}\" (instance (export \"f\" (func))))")).collect();
        parts(&imports, "")
    };
    let instances = "(core module $m) ".to_owned() + &"(core instance (instantiate $m))".repeat(65);
    let blocks = format!("(func {} {})", "block ".repeat(10_000), "end ".repeat(10_000));
    vec![
        ("more memory than there is", fields("(memory 65536)"), NEEDS_MORE),
        ("a memory of 2^48 pages", fields("(memory i64 0x1000000000000)"), NEEDS_MORE),
        ("a memory that is shared", fields("(memory 1 2 shared)"), NOT_VALID),
        ("three memories", fields("(memory 1) (memory 1)"), NEEDS_MORE),
        ("a table of ten million", fields("(table 10000000 funcref)"), NEEDS_MORE),
        ("nine tables", fields(&"(table 1 funcref)".repeat(9)), NEEDS_MORE),
        ("70,000 globals", fields(&"(global i32 (i32.const 0))".repeat(70_000)), NEEDS_MORE),
        ("65 instances", parts(&instances, ""), NEEDS_MORE),
        ("a core module that somebody else brings", parts("(import \"m\" (core module))", ""), NOT_OFFERED),
        ("900 imports that nobody offers", imports(900), NOT_OFFERED),
        ("5,000 imports", imports(5_000), NOT_VALID),
        ("components in components", nested(50), "a task exports"),
        ("components in components without end", nested(200_000), NEEDS_MORE),
        ("a table of what only the host could make", fields("(table 1 externref)"), NOT_VALID),
        (
            "an export that is a type",
            parsed("(component (type string) (export \"handle\" (type 0)))"),
            NO_TASK,
        ),
        (
            "an export that is an instance",
            parsed("(component (instance $i) (export \"handle\" (instance $i)))"),
            NO_TASK,
        ),
        ("10,000 blocks in blocks", fields(&blocks), ""),
        ("half of a component", parts("", "")[..200].to_vec(), NOT_VALID),
    ]
}

#[tokio::test]
async fn what_could_never_run_is_refused() {
    let fixture = Fixture::new();
    let mut problems = Vec::new();
    for (name, bytes, refusal) in rows() {
        let told = match fixture.host.add(Bytes::from(bytes)).await {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        if !told.starts_with(refusal) || told.is_empty() != refusal.is_empty() {
            problems.push(format!("{name}: {:.300}", told));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
