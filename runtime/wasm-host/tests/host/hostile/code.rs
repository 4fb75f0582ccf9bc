//! What code alone can do: run for ever, take memory, nest, and trap, as a task or while its instance is made.

use super::{Row, check, row};
use crate::guests::{Parts, logging, spin, task, task_with};

const OVERFLOW: &str = "Trap stack overflow";
const TABLES: &str = "Trap the module asked for tables of";

fn with(fields: &str, body: &str) -> String {
    task_with(Parts { fields, body, ..Parts::default() })
}

#[tokio::test]
async fn code_alone_ends_within_its_limits() {
    check([endless(), memory(), traps()].into_iter().flatten().collect()).await;
}

fn endless() -> Vec<Row> {
    let begin = |code: &str| with(&format!("(func $begin {code}) (start $begin)"), "(unreachable)");
    vec![
        row("an endless loop", spin(), "OutOfFuel"),
        row("an endless loop with fuel for ever", spin(), "TimedOut").for_ever(),
        row("an instance that is never ready", begin("(loop $again (br $again))"), "OutOfFuel"),
        row("an instance that is never ready, for ever", begin("(loop $again (br $again))"), "TimedOut")
            .for_ever(),
        row(
            "calls that nest without end",
            task("(call $handle (local.get $ptr) (local.get $len))"),
            OVERFLOW,
        ),
        row(
            "calls through a table that nest without end",
            with(
                "(type $t (func (param i32 i32) (result i32))) (table funcref (elem $handle))",
                "(call_indirect (type $t) (local.get $ptr) (local.get $len) (i32.const 0))",
            ),
            OVERFLOW,
        ),
        row(
            "calls of the host from ever deeper",
            logging(
                "",
                "(call $log (i32.const 2) (i32.const 0) (i32.const 9))
                 (call $handle (local.get $ptr) (local.get $len))",
            ),
            OVERFLOW,
        ),
        row(
            "one instruction that writes all memory, over and over",
            task(
                "(drop (memory.grow (i32.const 500)))
                 (loop $again (memory.fill (i32.const 64) (i32.const 1) (i32.const 32768000)) (br $again))
                 (unreachable)",
            ),
            "TimedOut",
        )
        .for_ever(),
    ]
}

fn memory() -> Vec<Row> {
    let grow =
        |pages: &str| task(&format!("(loop $again (drop (memory.grow {pages})) (br $again)) (unreachable)"));
    let grow_other = "(loop $again (drop (memory.grow $more (i32.const 16))) (br $again)) (unreachable)";
    let grow_table = |elements: u32| {
        let grown = format!("(drop (table.grow $t (ref.null func) (i32.const {elements})))");
        with("(table $t 1 funcref)", &format!("(loop $again {grown} (br $again)) (unreachable)"))
    };
    vec![
        row("4 GiB of memory at once", grow("(i32.const 65535)"), "OutOfMemory"),
        row("memory, page by page", grow("(i32.const 1)"), "OutOfMemory"),
        row("a second memory", with("(memory $more 1)", grow_other), "OutOfMemory"),
        row(
            "a memory that begins too large",
            with("(memory 1000)", "(unreachable)"),
            "OutOfMemory { limit: 33554432, requested: 65601536 }",
        ),
        row("a table of a million", grow_table(1_000_000), TABLES),
        row("a table, bit by bit", grow_table(1_000), TABLES),
        row(
            "tables that are too large together",
            with("(table 60000 funcref) (table 60000 funcref)", "(unreachable)"),
            TABLES,
        ),
    ]
}

fn traps() -> Vec<Row> {
    let unreachable = "Trap `unreachable` was executed";
    let long_name = format!("(func ${} (unreachable))", "x".repeat(90_000));
    let call_it = format!("(call ${})(unreachable)", "x".repeat(90_000));
    vec![
        row(
            "a trap while the instance is made",
            with("(func $f (unreachable)) (start $f)", "(unreachable)"),
            unreachable,
        ),
        row("a trap in a function with a name of 90 kB", with(&long_name, &call_it), unreachable),
        row(
            "a division by zero",
            task("(i32.div_u (i32.const 1) (i32.const 0))"),
            "Trap integer divide by zero",
        ),
        row("a look beyond memory", task("(i32.load (i32.const -4))"), "Trap out of bounds memory access"),
        row(
            "data beyond memory",
            with(r#"(data (i32.const 65535) "ab")"#, "(unreachable)"),
            "Trap out of bounds memory access",
        ),
        row(
            "a call of nothing",
            with(
                "(type $t (func)) (table $t 1 funcref)",
                "(call_indirect $t (type $t) (i32.const 0)) (unreachable)",
            ),
            "Trap uninitialized element",
        ),
        row(
            "a call of something of another type",
            with(
                "(type $t (func)) (table $t funcref (elem $handle))",
                "(call_indirect $t (type $t) (i32.const 0)) (unreachable)",
            ),
            "Trap indirect call type mismatch",
        ),
    ]
}
