//! Guests as text. Each is the frame of a component around a few instructions.

/// A module whose `handle` has the given body. Its input is at `$ptr` and `$len`; it returns the address of a
/// result, which `$ok` and `$err` make.
pub(crate) fn task(body: &str) -> String {
    task_with(Parts { body, ..Parts::default() })
}

/// The parts that a test may fill in.
#[derive(Clone, Copy, Default)]
pub(crate) struct Parts<'a> {
    /// Imports of the component, and core functions lowered from them.
    pub(crate) imports: &'a str,
    /// `(export "name" (func $name))` for each core function that the guest uses.
    pub(crate) lowered: &'a str,
    /// `(import "host" "name" (func ..))` for each of those, and other fields of the core module.
    pub(crate) fields: &'a str,
    pub(crate) body: &'a str,
}

pub(crate) fn task_with(parts: Parts<'_>) -> String {
    let Parts { imports, lowered, fields, body } = parts;
    format!(
        r#"(component
            (type $error (record (field "error" string) (field "cause" string)))
            (export $task-error "task-error" (type $error))
            {MEMORY}
            {imports}
            (core module $main
                (import "libc" "memory" (memory 1))
                {fields}
                (func $ok (param $ptr i32) (param $len i32) (result i32)
                    (i32.store8 (i32.const 16) (i32.const 0))
                    (i32.store (i32.const 20) (local.get $ptr))
                    (i32.store (i32.const 24) (local.get $len))
                    (i32.const 16))
                (func $err (param $error i32) (param $error-len i32) (param $cause i32) (param $cause-len i32)
                    (result i32)
                    (i32.store8 (i32.const 16) (i32.const 1))
                    (i32.store (i32.const 20) (local.get $error))
                    (i32.store (i32.const 24) (local.get $error-len))
                    (i32.store (i32.const 28) (local.get $cause))
                    (i32.store (i32.const 32) (local.get $cause-len))
                    (i32.const 16))
                (func $handle (export "handle") (param $ptr i32) (param $len i32) (result i32)
                    {body}))
            (core instance $host {lowered})
            (core instance $guest (instantiate $main
                (with "libc" (instance $libc)) (with "host" (instance $host))))
            (func (export "handle") (param "input" string) (result (result string (error $task-error)))
                (canon lift (core func $guest "handle") (memory $memory) (realloc $realloc))))"#
    )
}

/// Memory that grows as needed: `realloc` hands out the bytes after the last ones, from 4096 on.
const MEMORY: &str = r#"
    (core module $allocator
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 4096))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (global.get $next))
            (global.set $next (i32.and (i32.const -8)
                (i32.add (i32.const 7) (i32.add (local.get $at) (local.get 3)))))
            (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
                (then (drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get 3) (i32.const 65536)))))))
            (local.get $at)))
    (core instance $libc (instantiate $allocator))
    (alias core export $libc "memory" (core memory $memory))
    (alias core export $libc "realloc" (core func $realloc))"#;

/// Returns its input.
pub(crate) fn echo() -> String {
    task("(call $ok (local.get $ptr) (local.get $len))")
}

/// Never returns, and stays in its own code.
pub(crate) fn spin() -> String {
    task("(loop $again (br $again)) (unreachable)")
}

/// Waits in a host call for as many nanoseconds as it is told, then returns `1`.
pub(crate) fn sleep(nanoseconds: u64) -> String {
    let body = format!(
        "(call $block (call $subscribe (i64.const {nanoseconds})))
         (i32.store8 (i32.const 64) (i32.const 49)) (call $ok (i32.const 64) (i32.const 1))"
    );
    task_with(Parts {
        imports: r#"
            (import "wasi:io/poll@0.2.0" (instance $poll
                (export "pollable" (type $pollable (sub resource)))
                (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
            (alias export $poll "pollable" (type $pollable))
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
                (alias outer 1 $pollable (type $outer))
                (export "pollable" (type $pollable (eq $outer)))
                (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))
            (core func $subscribe (canon lower (func $clock "subscribe-duration")))
            (core func $block (canon lower (func $poll "[method]pollable.block")))"#,
        lowered: r#"(export "subscribe" (func $subscribe)) (export "block" (func $block))"#,
        fields: r#"
            (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
            (import "host" "block" (func $block (param i32)))"#,
        body: &body,
    })
}

/// A module that uses the `log` import; `$log` takes the level, the address and the length.
pub(crate) fn logging(fields: &str, body: &str) -> String {
    let fields = format!(r#"(import "host" "log" (func $log (param i32 i32 i32))) {fields}"#);
    task_with(Parts {
        imports: r#"
            (import "stepwell:task/log@0.1.0" (instance $log-interface
                (type $level (enum "trace" "debug" "info" "warn" "error"))
                (export "level" (type $l (eq $level)))
                (export "write" (func (param "level" $l) (param "message" string)))))
            (core func $log (canon lower (func $log-interface "write") (memory $memory)))"#,
        lowered: r#"(export "log" (func $log))"#,
        fields: &fields,
        body,
    })
}

/// A program with `wasi:cli/run`: reads with `$read`, writes to standard output with `$print` and to standard
/// error with `$complain`; its `run` returns 0 for success. `$read` takes the most bytes and returns address and
/// length at 200 and 204 after a tag at 196.
pub(crate) fn command(data: &str, body: &str) -> String {
    format!(
        r#"(component
            {MEMORY}
            (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
            (alias export $io-error "error" (type $error))
            (import "wasi:io/streams@0.2.0" (instance $streams
                (alias outer 1 $error (type $outer))
                (export "error" (type $e (eq $outer)))
                (export "input-stream" (type $in (sub resource)))
                (export "output-stream" (type $out (sub resource)))
                (type $failure (variant (case "last-operation-failed" (own $e)) (case "closed")))
                (export "stream-error" (type $stream-error (eq $failure)))
                (export "[method]input-stream.blocking-read" (func (param "self" (borrow $in))
                    (param "len" u64) (result (result (list u8) (error $stream-error)))))
                (export "[method]output-stream.blocking-write-and-flush" (func (param "self" (borrow $out))
                    (param "contents" (list u8)) (result (result (error $stream-error)))))))
            (alias export $streams "input-stream" (type $in))
            (alias export $streams "output-stream" (type $out))
            (import "wasi:cli/stdin@0.2.0" (instance $stdin
                (alias outer 1 $in (type $outer)) (export "input-stream" (type $in (eq $outer)))
                (export "get-stdin" (func (result (own $in))))))
            (import "wasi:cli/stdout@0.2.0" (instance $stdout
                (alias outer 1 $out (type $outer)) (export "output-stream" (type $out (eq $outer)))
                (export "get-stdout" (func (result (own $out))))))
            (import "wasi:cli/stderr@0.2.0" (instance $stderr
                (alias outer 1 $out (type $outer)) (export "output-stream" (type $out (eq $outer)))
                (export "get-stderr" (func (result (own $out))))))
            (import "wasi:cli/exit@0.2.0" (instance $exit
                (export "exit" (func (param "status" (result))))))
            (core func $get-stdin (canon lower (func $stdin "get-stdin")))
            (core func $get-stdout (canon lower (func $stdout "get-stdout")))
            (core func $get-stderr (canon lower (func $stderr "get-stderr")))
            (core func $exit (canon lower (func $exit "exit")))
            (core func $read (canon lower (func $streams "[method]input-stream.blocking-read")
                (memory $memory) (realloc $realloc)))
            (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
                (memory $memory)))
            (core module $main
                (import "libc" "memory" (memory 1))
                (import "host" "stdin" (func $stdin (result i32)))
                (import "host" "stdout" (func $stdout (result i32)))
                (import "host" "stderr" (func $stderr (result i32)))
                (import "host" "exit" (func $exit (param i32)))
                (import "host" "read" (func $read-raw (param i32 i64 i32)))
                (import "host" "write" (func $write (param i32 i32 i32 i32)))
                {data}
                (func $read (param $most i64) (call $read-raw (call $stdin) (local.get $most) (i32.const 196)))
                (global $out (mut i32) (i32.const 0))
                (global $err (mut i32) (i32.const 0))
                (func $print (param $ptr i32) (param $len i32)
                    (if (i32.eqz (global.get $out)) (then (global.set $out (call $stdout))))
                    (call $write (global.get $out) (local.get $ptr) (local.get $len) (i32.const 240)))
                (func $complain (param $ptr i32) (param $len i32)
                    (if (i32.eqz (global.get $err)) (then (global.set $err (call $stderr))))
                    (call $write (global.get $err) (local.get $ptr) (local.get $len) (i32.const 240)))
                (func (export "run") (result i32) {body}))
            (core instance $host
                (export "stdin" (func $get-stdin)) (export "stdout" (func $get-stdout))
                (export "stderr" (func $get-stderr)) (export "exit" (func $exit))
                (export "read" (func $read)) (export "write" (func $write)))
            (core instance $guest (instantiate $main
                (with "libc" (instance $libc)) (with "host" (instance $host))))
            (func $run (result (result)) (canon lift (core func $guest "run")))
            (instance $run-interface (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $run-interface)))"#
    )
}
