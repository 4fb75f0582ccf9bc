//! Ways out of a folder, and what files can fill: the scratch space, descriptors, and the host's memory.

use super::calls::{LENT, TOO_MANY};
use super::{Row, check, row};
use crate::guests::{Parts, task_with};

const REFUSED: &str = "Ok 1";
const FULL: &str = "more room in /scratch";
const OUTSIDE: &str = "it leads out of the granted folder";

/// Each function returns 0 when it was done and 1 when it was refused, and its handle at 304. `$data` and `$scratch`
/// are the granted folders.
fn guest(fields: &str, body: &str) -> String {
    task_with(Parts {
        imports: IMPORTS,
        lowered: LOWERED,
        fields: &format!("{FIELDS} {fields}"),
        body: &format!("(local $n i32) (local $file i32) (call $begin) {body}"),
    })
}

#[tokio::test]
async fn files_lead_nowhere_and_fill_nothing() {
    check([ways_out(), floods(), enormous()].into_iter().flatten().collect()).await;
}

fn ways_out() -> Vec<Row> {
    // The path is the input, between its quotes.
    let path = "(i32.add (local.get $ptr) (i32.const 1)) (i32.sub (local.get $len) (i32.const 2))";
    let opened = |name: &'static str, path_text: &str| {
        let guest = guest("", &format!("(call $open (global.get $data) {path}) (call $tell)"));
        row(name, guest, REFUSED).asked(format!("\"{path_text}\""))
    };
    let long = format!("{}../secret", "inner/../".repeat(2_000));
    vec![
        opened("up and out", "../secret").denied(OUTSIDE),
        opened("in, up and out", "inner/../../secret").denied(OUTSIDE),
        opened("an absolute name", "/etc/passwd").denied(OUTSIDE),
        opened("a link that leads out", "relative").denied(OUTSIDE),
        opened("an absolute link", "absolute").denied(OUTSIDE),
        opened("a link to the folder above", "up/secret").denied(OUTSIDE),
        opened("a name that is empty", ""),
        opened("a name with a zero in it", "inner\0/../../secret"),
        opened("a name of 20 kB", &long),
        row("a rename that leads out", guest(r#"(data (i32.const 64) "../x")"#,
            "(drop (call $create)) (call $rename (global.get $scratch) (i32.const 64) (i32.const 1) (global.get $scratch)
             (i32.const 64) (i32.const 4) (i32.const 300)) (call $tell)"), REFUSED),
        row("a link into the scratch space", guest(r#"(data (i32.const 64) "/etc")"#,
            "(call $symlink (global.get $scratch) (i32.const 64) (i32.const 4) (i32.const 65) (i32.const 1)
             (i32.const 300)) (call $tell)"), REFUSED),
    ]
}

fn floods() -> Vec<Row> {
    // The name is four letters that count.
    let until_refused = |call: &str| {
        format!(
            "(loop $again
                 (local.set $n (i32.add (local.get $n) (i32.const 1)))
                 (i32.store8 (i32.const 64) (i32.add (i32.const 97) (i32.rem_u (local.get $n) (i32.const 26))))
                 (i32.store8 (i32.const 65)
                     (i32.add (i32.const 97) (i32.rem_u (i32.div_u (local.get $n) (i32.const 26)) (i32.const 26))))
                 {call}
                 (br_if $again (i32.eqz (i32.load8_u (i32.const 300)))))
             (call $tell)"
        )
    };
    let folders = "(call $make (global.get $scratch) (i32.const 64) (i32.const 2) (i32.const 300))";
    let files =
        "(call $open-raw (global.get $scratch) (i32.const 0) (i32.const 64) (i32.const 2) (i32.const 1)
        (i32.const 3) (i32.const 300))";
    let listings = "(call $list (global.get $data) (i32.const 300))";
    vec![
        row("folders without end", guest("", &until_refused(folders)), REFUSED).denied(FULL),
        row("empty files without end", guest("", &until_refused(files)), REFUSED).denied(FULL),
        row("folders that it lists, without end", guest("", &until_refused(listings)), REFUSED),
        row(
            "open files without end",
            guest(
                r#"(data (i32.const 64) "inner")"#,
                "(loop $again (call $open (global.get $data) (i32.const 64) (i32.const 5)) (br $again)) (unreachable)",
            ),
            LENT,
        ),
        row(
            "granted folders that it asks for, without end",
            guest("", "(loop $again (call $folders (i32.const 200)) (br $again)) (unreachable)"),
            TOO_MANY,
        ),
    ]
}

fn enormous() -> Vec<Row> {
    let file = |call: &str| {
        guest(r#"(data (i32.const 64) "file")"#, &format!("(local.set $file (call $create)) {call}"))
    };
    vec![
        row("a file of 16 EiB", file("(call $size (local.get $file) (i64.const -1) (i32.const 300)) (call $tell)"), REFUSED)
            .denied(FULL),
        row("a byte at the end of all addresses", file(
            "(call $put (local.get $file) (i32.const 0) (i32.const 1) (i64.const -1) (i32.const 304))
             (i32.store8 (i32.const 300) (i32.load8_u (i32.const 304))) (call $tell)"), REFUSED).denied(FULL),
        row("reading 16 EiB", file("(call $read (local.get $file) (i64.const -1) (i64.const 0) (i32.const 300)) (call $tell)"),
            "Ok 0"),
        row("reading from the end of all addresses", file(
            "(call $read (local.get $file) (i64.const -1) (i64.const -1) (i32.const 300)) (call $tell)"), REFUSED),
        row("a write to a file that is larger than a write may be", file(
            "(call $stream (local.get $file) (i64.const 0) (i32.const 300))
             (drop (memory.grow (i32.const 8)))
             (call $write (i32.load (i32.const 304)) (i32.const 0) (i32.const 200000) (i32.const 300)) (unreachable)"),
            "Trap a write of more than `check-write` allows"),
        row("files that are gone and still open", file(
            "(loop $again
                (call $unlink (global.get $scratch) (i32.const 64) (i32.const 1) (i32.const 308))
                (call $put (call $create) (i32.const 0) (i32.const 60000) (i64.const 0) (i32.const 312))
                (br_if $again (i32.eqz (i32.load8_u (i32.const 300)))))
             (call $tell)"), REFUSED).denied(FULL),
    ]
}

/// What the guests import.
const IMPORTS: &str = r#"
            (import "wasi:io/error@0.2.0" (instance $io-error (export "error" (type (sub resource)))))
            (alias export $io-error "error" (type $io))
            (import "wasi:io/streams@0.2.0" (instance $streams
                (alias outer 1 $io (type $outer))
                (export "error" (type $e (eq $outer)))
                (export "output-stream" (type $out (sub resource)))
                (type $failure (variant (case "last-operation-failed" (own $e)) (case "closed")))
                (export "stream-error" (type $stream-error (eq $failure)))
                (export "[method]output-stream.write" (func (param "self" (borrow $out))
                    (param "contents" (list u8)) (result (result (error $stream-error)))))))
            (alias export $streams "output-stream" (type $out))
            (import "wasi:filesystem/types@0.2.0" (instance $types
                (alias outer 1 $out (type $outer))
                (export "output-stream" (type $out (eq $outer)))
                (export "descriptor" (type $d (sub resource)))
                (export "directory-entry-stream" (type $entries (sub resource)))
                (type $code (enum "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota"
                    "exist" "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io"
                    "is-directory" "loop" "too-many-links" "message-size" "name-too-long" "no-device" "no-entry"
                    "no-lock" "insufficient-memory" "insufficient-space" "not-directory" "not-empty"
                    "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow" "not-permitted" "pipe"
                    "read-only" "invalid-seek" "text-file-busy" "cross-device"))
                (export "error-code" (type $e (eq $code)))
                (type $pf (flags "symlink-follow")) (export "path-flags" (type $path-flags (eq $pf)))
                (type $of (flags "create" "directory" "exclusive" "truncate"))
                (export "open-flags" (type $open-flags (eq $of)))
                (type $df (flags "read" "write" "file-integrity-sync" "data-integrity-sync"
                    "requested-write-sync" "mutate-directory"))
                (export "descriptor-flags" (type $flags (eq $df)))
                (export "[method]descriptor.open-at" (func (param "self" (borrow $d)) (param "path-flags" $path-flags)
                    (param "path" string) (param "open-flags" $open-flags) (param "flags" $flags)
                    (result (result (own $d) (error $e)))))
                (export "[method]descriptor.create-directory-at" (func (param "self" (borrow $d))
                    (param "path" string) (result (result (error $e)))))
                (export "[method]descriptor.unlink-file-at" (func (param "self" (borrow $d))
                    (param "path" string) (result (result (error $e)))))
                (export "[method]descriptor.rename-at" (func (param "self" (borrow $d)) (param "old-path" string)
                    (param "new-descriptor" (borrow $d)) (param "new-path" string) (result (result (error $e)))))
                (export "[method]descriptor.symlink-at" (func (param "self" (borrow $d)) (param "old-path" string)
                    (param "new-path" string) (result (result (error $e)))))
                (export "[method]descriptor.link-at" (func (param "self" (borrow $d))
                    (param "old-path-flags" $path-flags) (param "old-path" string)
                    (param "new-descriptor" (borrow $d)) (param "new-path" string) (result (result (error $e)))))
                (export "[method]descriptor.read-directory" (func (param "self" (borrow $d))
                    (result (result (own $entries) (error $e)))))
                (export "[method]descriptor.set-size" (func (param "self" (borrow $d)) (param "size" u64)
                    (result (result (error $e)))))
                (export "[method]descriptor.write" (func (param "self" (borrow $d)) (param "buffer" (list u8))
                    (param "offset" u64) (result (result u64 (error $e)))))
                (export "[method]descriptor.read" (func (param "self" (borrow $d)) (param "length" u64)
                    (param "offset" u64) (result (result (tuple (list u8) bool) (error $e)))))
                (export "[method]descriptor.write-via-stream" (func (param "self" (borrow $d)) (param "offset" u64)
                    (result (result (own $out) (error $e)))))))
            (alias export $types "descriptor" (type $descriptor))
            (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
                (alias outer 1 $descriptor (type $outer))
                (export "descriptor" (type $descriptor (eq $outer)))
                (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))
            (core func $folders (canon lower (func $preopens "get-directories") (memory $memory) (realloc $realloc)))
            (core func $open (canon lower (func $types "[method]descriptor.open-at") (memory $memory)))
            (core func $make (canon lower (func $types "[method]descriptor.create-directory-at") (memory $memory)))
            (core func $unlink (canon lower (func $types "[method]descriptor.unlink-file-at") (memory $memory)))
            (core func $rename (canon lower (func $types "[method]descriptor.rename-at") (memory $memory)))
            (core func $symlink (canon lower (func $types "[method]descriptor.symlink-at") (memory $memory)))
            (core func $link (canon lower (func $types "[method]descriptor.link-at") (memory $memory)))
            (core func $list (canon lower (func $types "[method]descriptor.read-directory") (memory $memory)))
            (core func $size (canon lower (func $types "[method]descriptor.set-size") (memory $memory)))
            (core func $put (canon lower (func $types "[method]descriptor.write") (memory $memory)))
            (core func $read (canon lower (func $types "[method]descriptor.read") (memory $memory) (realloc $realloc)))
            (core func $stream (canon lower (func $types "[method]descriptor.write-via-stream") (memory $memory)))
            (core func $write (canon lower (func $streams "[method]output-stream.write") (memory $memory)))"#;

const LOWERED: &str = r#"(export "folders" (func $folders)) (export "open" (func $open)) (export "make" (func $make))
            (export "unlink" (func $unlink)) (export "rename" (func $rename)) (export "symlink" (func $symlink))
            (export "link" (func $link)) (export "list" (func $list)) (export "size" (func $size))
            (export "put" (func $put)) (export "read" (func $read)) (export "stream" (func $stream))
            (export "write" (func $write))"#;

/// The functions of which their bodies are made.
const FIELDS: &str = r#"
        (import "host" "folders" (func $folders (param i32)))
        (import "host" "open" (func $open-raw (param i32 i32 i32 i32 i32 i32 i32)))
        (import "host" "make" (func $make (param i32 i32 i32 i32)))
        (import "host" "unlink" (func $unlink (param i32 i32 i32 i32)))
        (import "host" "rename" (func $rename (param i32 i32 i32 i32 i32 i32 i32)))
        (import "host" "symlink" (func $symlink (param i32 i32 i32 i32 i32 i32)))
        (import "host" "link" (func $link (param i32 i32 i32 i32 i32 i32 i32 i32)))
        (import "host" "list" (func $list (param i32 i32)))
        (import "host" "size" (func $size (param i32 i64 i32)))
        (import "host" "put" (func $put (param i32 i32 i32 i64 i32)))
        (import "host" "read" (func $read (param i32 i64 i64 i32)))
        (import "host" "stream" (func $stream (param i32 i64 i32)))
        (import "host" "write" (func $write (param i32 i32 i32 i32)))
        (global $data (mut i32) (i32.const 0))
        (global $scratch (mut i32) (i32.const 0))
        (func $begin
            (call $folders (i32.const 200))
            (global.set $data (i32.load (i32.load (i32.const 200))))
            (global.set $scratch (i32.load offset=12 (i32.load (i32.const 200)))))
        (func $open (param $folder i32) (param $ptr i32) (param $len i32)
            (call $open-raw (local.get $folder) (i32.const 1) (local.get $ptr) (local.get $len) (i32.const 0)
                (i32.const 1) (i32.const 300)))
        (func $create (result i32)
            (call $open-raw (global.get $scratch) (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 1)
                (i32.const 3) (i32.const 300))
            (i32.load (i32.const 304)))
        (func $tell (result i32)
            (i32.store8 (i32.const 400) (i32.add (i32.const 48) (i32.load8_u (i32.const 300))))
            (call $ok (i32.const 400) (i32.const 1)))"#;
