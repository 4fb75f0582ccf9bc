//! What a guest may do to the host with the calls that everybody has: floods of them, enormous arguments, handles that
//! are not its own, and waiting for ever.

use wasm_host::Call;

use super::{Row, check, row};
use crate::grants::asking;
use crate::guests::{Parts, command, logging, sleep, task_with};
use crate::logs::beating;

const NO_HANDLE: &str = "Trap unknown handle index";
pub(super) const LENT: &str = "Trap cannot lend resource: store handle limit exceeded";
pub(super) const TOO_MANY: &str = "Trap resource table has no free keys";

#[tokio::test]
async fn calls_of_the_host_are_bounded() {
    check([floods(), handles(), polls(), streams(), others()].into_iter().flatten().collect()).await;
}

/// Clocks, pollables and random bytes.
fn waiting(body: &str) -> String {
    task_with(Parts {
        imports: r#"
            (import "wasi:io/poll@0.2.0" (instance $poll
                (export "pollable" (type $pollable (sub resource)))
                (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
                (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
            (alias export $poll "pollable" (type $pollable))
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
                (alias outer 1 $pollable (type $outer))
                (export "pollable" (type $pollable (eq $outer)))
                (export "now" (func (result u64)))
                (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
            (import "wasi:random/random@0.2.0" (instance $random
                (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
            (type $own (resource (rep i32)))
            (core func $own (canon resource.new $own))
            (core func $now (canon lower (func $clock "now")))
            (core func $subscribe (canon lower (func $clock "subscribe-duration")))
            (core func $block (canon lower (func $poll "[method]pollable.block")))
            (core func $drop (canon resource.drop $pollable))
            (core func $poll (canon lower (func $poll "poll") (memory $memory) (realloc $realloc)))
            (core func $draw (canon lower (func $random "get-random-bytes") (memory $memory) (realloc $realloc)))"#,
        lowered: r#"(export "own" (func $own)) (export "now" (func $now)) (export "subscribe" (func $subscribe))
            (export "block" (func $block)) (export "drop" (func $drop)) (export "poll" (func $poll))
            (export "draw" (func $draw))"#,
        fields: r#"
            (import "host" "own" (func $own (param i32) (result i32)))
            (import "host" "now" (func $now (result i64)))
            (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
            (import "host" "block" (func $block (param i32)))
            (import "host" "drop" (func $drop (param i32)))
            (import "host" "poll" (func $poll (param i32 i32 i32)))
            (import "host" "draw" (func $draw (param i64 i32)))"#,
        body,
    })
}

fn again(call: &str) -> String {
    format!("(loop $again {call} (br $again)) (unreachable)")
}

/// A call of the host costs little of it.
fn little_fuel(call: &mut Call) {
    call.limits.fuel = 100_000;
}

fn floods() -> Vec<Row> {
    let now = || waiting(&again("(drop (call $now))"));
    let empty_line = logging("", &again("(call $log (i32.const 2) (i32.const 0) (i32.const 0))"));
    let enormous = logging(
        "",
        "(drop (memory.grow (i32.const 300))) (call $log (i32.const 2) (i32.const 0) (i32.const 19000000)) (unreachable)",
    );
    let too_much = "Trap it passed more than 16777216 bytes to the host in one call";
    vec![
        row("calls of the host without end", now(), "OutOfFuel").with(little_fuel),
        row("calls of the host without end, for ever", now(), "TimedOut").for_ever(),
        row("a flood of empty lines of log", empty_line, "OutOfFuel").with(little_fuel),
        row("one enormous line of log", enormous, too_much),
        row(
            "a flood of heartbeats",
            beating().replace("(br_if $again", "(br $again) (br_if $again"),
            "OutOfFuel",
        )
        .with(little_fuel),
        row(
            "all random bytes there are",
            waiting("(call $draw (i64.const -1) (i32.const 64)) (unreachable)"),
            "Trap requested len 18446744073709551615 exceeds limit 1048576",
        ),
        row(
            "random bytes without end",
            waiting(&again("(call $draw (i64.const 1048576) (i32.const 64))")),
            "OutOfMemory",
        )
        .with(|call| call.limits.memory_bytes = 4 << 20),
        row("a secret with a name of a megabyte", asking(), "Ok 0")
            .asked(format!("\"{}\"", "x".repeat(1 << 20)))
            .denied("the secret '?': it needs"),
    ]
}

fn handles() -> Vec<Row> {
    vec![
        row("handles without end", waiting(&again("(drop (call $subscribe (i64.const 1)))")), TOO_MANY),
        row("handles of its own without end", waiting(&again("(drop (call $own (i32.const 1)))")), "Trap "),
        row(
            "a handle that it has given back",
            waiting("(call $drop (call $subscribe (i64.const 1))) (call $block (i32.const 1)) (unreachable)"),
            NO_HANDLE,
        ),
        row(
            "a handle that it gives back twice",
            waiting("(call $drop (call $subscribe (i64.const 1))) (call $drop (i32.const 1)) (unreachable)"),
            NO_HANDLE,
        ),
        row("a handle that it has made up", waiting("(call $block (i32.const 77)) (unreachable)"), NO_HANDLE),
        row(
            "the last handle that there could be",
            waiting("(call $block (i32.const -1)) (unreachable)"),
            NO_HANDLE,
        ),
        row(
            "a handle of another kind",
            waiting("(call $block (call $own (i32.const 1))) (unreachable)"),
            "Trap handle",
        ),
    ]
}

fn polls() -> Vec<Row> {
    /// Writes the handle of one timer many times, from the second page on.
    fn poll(count: u32, nanoseconds: &str) -> String {
        waiting(&format!(
            "(local $left i32) (local $timer i32)
             (drop (memory.grow (i32.const 100)))
             (local.set $timer (call $subscribe (i64.const {nanoseconds})))
             (local.set $left (i32.const {count}))
             (loop $again
                 (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                 (i32.store (i32.add (i32.const 65536) (i32.shl (local.get $left) (i32.const 2))) (local.get $timer))
                 (br_if $again (local.get $left)))
             (call $poll (i32.const 65536) (i32.const {count}) (i32.const 64))
             (i32.store8 (i32.const 64) (i32.const 49)) (call $ok (i32.const 64) (i32.const 1))"
        ))
    }
    vec![
        row(
            "waiting for nothing",
            waiting("(call $poll (i32.const 0) (i32.const 0) (i32.const 64)) (unreachable)"),
            "Trap empty poll list",
        ),
        row("waiting for one timer a million times", poll(1_000_000, "1"), LENT)
            .with(|call| call.limits.fuel = 100_000_000),
        row("waiting for ever, a thousand times", poll(1_000, "-1"), "TimedOut").for_ever(),
        row(
            "a list of handles beyond memory",
            waiting("(call $poll (i32.const 0) (i32.const 0x3fffffff) (i32.const 64)) (unreachable)"),
            "Trap ",
        ),
        row("waiting in the host for ever", sleep(u64::MAX), "TimedOut").for_ever(),
        row(
            "timers that are far away, without end",
            waiting(&again("(call $drop (call $subscribe (i64.const -1)))")),
            "OutOfFuel",
        )
        .with(little_fuel),
    ]
}

fn streams() -> Vec<Row> {
    let program = |body: &str| command("", body);
    let print = |bytes: u32| program(&again(&format!("(call $print (i32.const 0) (i32.const {bytes}))")));
    let complain =
        |bytes: u32| program(&again(&format!("(call $complain (i32.const 0) (i32.const {bytes}))")));
    vec![
        row("a flood of output", print(4_096), "OutputTooLarge { size: 266240, limit: 262144 }"),
        row("a flood of standard error", complain(4_096), "OutOfFuel").with(little_fuel),
        row(
            "a write that is larger than a write may be",
            complain(60_000),
            "Trap Buffer too large for blocking-write-and-flush",
        ),
        row(
            "reading what there isn't, without end",
            program(&again("(call $read (i64.const -1))")),
            "OutOfMemory",
        )
        .with(|call| call.limits.memory_bytes = 128 << 10)
        .asked(format!("\"{}\"", "x".repeat(200_000))),
        row("leaving at once", program("(call $exit (i32.const 0)) (unreachable)"), "InvalidOutput"),
        row("leaving with an error", program("(call $exit (i32.const 1)) (unreachable)"), "Exited { code: 1"),
    ]
}

fn others() -> Vec<Row> {
    let leaving = task_with(Parts {
        imports: r#"(import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
            (core func $exit (canon lower (func $exit "exit")))"#,
        lowered: r#"(export "exit" (func $exit))"#,
        fields: r#"(import "host" "exit" (func $exit (param i32)))"#,
        body: "(call $exit (i32.const 0)) (unreachable)",
    });
    vec![
        row("a task that leaves in the place of an answer", leaving, "Exited { code: 0"),
        row("a connection by TCP", connecting(), "Ok 11").denied("a TCP socket"),
    ]
}

/// Asks for a socket; returns the tag of the answer and the number of its error, which is `access-denied`.
fn connecting() -> String {
    task_with(Parts {
        imports: r#"
            (import "wasi:sockets/network@0.2.0" (instance $network
                (type $code (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory"
                    "timeout" "concurrency-conflict" "not-in-progress" "would-block" "invalid-state"
                    "new-socket-limit" "address-not-bindable" "address-in-use" "remote-unreachable"
                    "connection-refused" "connection-reset" "connection-aborted" "datagram-too-large"
                    "name-unresolvable" "temporary-resolver-failure" "permanent-resolver-failure"))
                (export "error-code" (type $error-code (eq $code)))
                (type $family (enum "ipv4" "ipv6"))
                (export "ip-address-family" (type $ip (eq $family)))))
            (alias export $network "error-code" (type $error-code))
            (alias export $network "ip-address-family" (type $ip))
            (import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "tcp-socket" (type (sub resource)))))
            (alias export $tcp "tcp-socket" (type $socket))
            (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create
                (alias outer 1 $error-code (type $e)) (export "error-code" (type $error-code (eq $e)))
                (alias outer 1 $ip (type $i)) (export "ip-address-family" (type $ip (eq $i)))
                (alias outer 1 $socket (type $s)) (export "tcp-socket" (type $socket (eq $s)))
                (export "create-tcp-socket" (func (param "address-family" $ip)
                    (result (result (own $socket) (error $error-code)))))))
            (core func $create (canon lower (func $create "create-tcp-socket") (memory $memory)))"#,
        lowered: r#"(export "create" (func $create))"#,
        fields: r#"(import "host" "create" (func $create (param i32 i32)))"#,
        body: "(call $create (i32.const 0) (i32.const 200))
               (i32.store8 (i32.const 64) (i32.add (i32.const 48) (i32.load8_u (i32.const 200))))
               (i32.store8 (i32.const 65) (i32.add (i32.const 48) (i32.load8_u (i32.const 204))))
               (call $ok (i32.const 64) (i32.const 2))",
    })
}
