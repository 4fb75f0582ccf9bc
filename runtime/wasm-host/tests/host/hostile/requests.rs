//! Requests of the outside: what would split a message or hide its end, and what the host would have to keep.

use super::calls::{LENT, TOO_MANY};
use super::{Row, check, row};
use crate::guests::{Parts, task_with};

const REFUSED: &str = "Ok 1";
/// Where the guest has its texts, and how long its longest one is.
const LONG: &str = "(i32.const 65536) (i32.const 1000000)";

/// `$tell` ends with what the last call left at 300: 0 when it was done and 1 when it was refused.
fn guest(fields: &str, body: &str) -> String {
    task_with(Parts {
        imports: IMPORTS,
        lowered: LOWERED,
        fields: &format!("{FIELDS} {fields}"),
        body: &format!("(call $begin) {body}"),
    })
}

#[tokio::test]
async fn requests_are_bounded_and_whole() {
    check([messages(), keeping(), waiting()].into_iter().flatten().collect()).await;
}

/// A header that is refused.
fn header(name: &'static str, header: &str, value: &str) -> Row {
    let data = format!("(data (i32.const 64) \"{header}\") (data (i32.const 128) \"{value}\")");
    let length = |text: &str| text.len() - 2 * text.matches('\\').count();
    let (header, value) = (length(header), length(value));
    let body = format!(
        "(call $append (call $fields) (i32.const 64) (i32.const {header}) (i32.const 128) (i32.const {value})
         (i32.const 300)) (call $tell)"
    );
    row(name, guest(&data, &body), REFUSED)
}

fn messages() -> Vec<Row> {
    vec![
        header("a header whose value begins another", "a", r"b\0d\0aHost: c"),
        header("a header whose value has a zero", "a", r"b\00"),
        header("a header whose name begins another", r"a\0d\0aHost", "b"),
        header("a header whose name has a colon", "a:", "b"),
        header("a header without a name", "", "b"),
        header("a host of its own", "Host", "c.example.com"),
        header("a transfer encoding", "transfer-ENCODING", "chunked"),
        header("a connection of its own", "Connection", "upgrade"),
    ]
}

fn keeping() -> Vec<Row> {
    let set = |call: &str| {
        let set = format!("(i32.store8 (i32.const 300) (call ${call}))");
        guest("", &format!("{set} (call $tell)"))
    };
    let request = "(call $request (call $fields))";
    let held =
        |call: &str| guest("", &format!("(loop $again (drop (call ${call})) (br $again)) (unreachable)"));
    let held_text = "(i32.const 65536) (i32.const 1000)";
    vec![
        row("a method of a megabyte", set(&format!("method {request} (i32.const 9) {LONG}")), REFUSED),
        row("an authority of a megabyte", set(&format!("authority {request} (i32.const 1) {LONG}")), REFUSED),
        row("a path of a megabyte", set(&format!("path {request} (i32.const 1) {LONG}")), REFUSED),
        row(
            "requests that it never sends",
            held(&format!("method {request} (i32.const 9) {held_text}")),
            LENT,
        ),
        row(
            "headers that it never sends",
            held("fields"),
            TOO_MANY,
        ),
        row(
            "headers without end",
            guest(
                "(global $f (mut i32) (i32.const 0))",
                "(global.set $f (call $fields))
                 (loop $again
                     (call $append (global.get $f) (i32.const 65536) (i32.const 1) (i32.const 65536) (i32.const 1)
                         (i32.const 300))
                     (br_if $again (i32.eqz (i32.load8_u (i32.const 300)))))
                 (call $tell)",
            ),
            "Trap ",
        ),
    ]
}

fn waiting() -> Vec<Row> {
    let send = |authority: &str, before: &str| {
        let data = format!(
            "(data (i32.const 60) \"/\") (data (i32.const 64) \"{authority}\") (global $r (mut i32) (i32.const 0))"
        );
        guest(
            &data,
            &format!(
                "(global.set $r (call $request (call $fields)))
                 (drop (call $authority (global.get $r) (i32.const 1) (i32.const 64) (i32.const {})))
                 (drop (call $path (global.get $r) (i32.const 1) (i32.const 60) (i32.const 1)))
                 {before}
                 (call $send (global.get $r))
                 (call $block (call $subscribe (i32.load (i32.const 312))))
                 (unreachable)",
                authority.len()
            ),
        )
    };
    let many = send("a.example.com", "")
        .replace("(call $block (call $subscribe", "(br $again)) (call $block (call $subscribe");
    let many = many.replace("(global.set $r (call $request", "(loop $again (global.set $r (call $request");
    vec![
        row("an answer that never comes", send("a.example.com", ""), "TimedOut").for_ever(),
        row(
            "a body that it never ends",
            send("a.example.com", "(call $body (global.get $r) (i32.const 300))"),
            "TimedOut",
        )
        .for_ever(),
        row("a place that nobody granted", send("a.example.org", ""), "Trap `unreachable`")
            .denied(r#"it needs [[grants.http]] { scheme = "https", host = "a.example.org""#),
        row("a thousand requests at once", many, LENT),
    ]
}

/// What the guests import.
const IMPORTS: &str = r#"
            (import "wasi:io/poll@0.2.0" (instance $poll
                (export "pollable" (type $pollable (sub resource)))
                (export "[method]pollable.block" (func (param "self" (borrow $pollable))))))
            (alias export $poll "pollable" (type $pollable))
            (import "wasi:http/types@0.2.0" (instance $types
                (alias outer 1 $pollable (type $p)) (export "pollable" (type $pollable (eq $p)))
                (export "fields" (type $fields (sub resource)))
                (export "outgoing-request" (type $request (sub resource)))
                (export "outgoing-body" (type $body (sub resource)))
                (export "request-options" (type $options (sub resource)))
                (export "future-incoming-response" (type $future (sub resource)))
                (type $he (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
                (export "header-error" (type $header-error (eq $he)))
                (type $m (variant (case "get") (case "head") (case "post") (case "put") (case "delete")
                    (case "connect") (case "options") (case "trace") (case "patch") (case "other" string)))
                (export "method" (type $method (eq $m)))
                (export "[constructor]fields" (func (result (own $fields))))
                (export "[method]fields.append" (func (param "self" (borrow $fields)) (param "name" string)
                    (param "value" (list u8)) (result (result (error $header-error)))))
                (export "[constructor]outgoing-request" (func (param "headers" (own $fields))
                    (result (own $request))))
                (export "[method]outgoing-request.set-method" (func (param "self" (borrow $request))
                    (param "method" $method) (result (result))))
                (export "[method]outgoing-request.set-authority" (func (param "self" (borrow $request))
                    (param "authority" (option string)) (result (result))))
                (export "[method]outgoing-request.set-path-with-query" (func (param "self" (borrow $request))
                    (param "path-with-query" (option string)) (result (result))))
                (export "[method]outgoing-request.body" (func (param "self" (borrow $request))
                    (result (result (own $body)))))
                (export "[method]future-incoming-response.subscribe" (func (param "self" (borrow $future))
                    (result (own $pollable))))
                (type $dns (record (field "rcode" (option string)) (field "info-code" (option u16))))
                (export "DNS-error-payload" (type $dns-payload (eq $dns)))
                (type $tls (record (field "alert-id" (option u8)) (field "alert-message" (option string))))
                (export "TLS-alert-received-payload" (type $tls-payload (eq $tls)))
                (type $size (record (field "field-name" (option string)) (field "field-size" (option u32))))
                (export "field-size-payload" (type $size-payload (eq $size)))
                (type $code (variant
                    (case "DNS-timeout") (case "DNS-error" $dns-payload) (case "destination-not-found")
                    (case "destination-unavailable") (case "destination-IP-prohibited")
                    (case "destination-IP-unroutable") (case "connection-refused") (case "connection-terminated")
                    (case "connection-timeout") (case "connection-read-timeout") (case "connection-write-timeout")
                    (case "connection-limit-reached") (case "TLS-protocol-error") (case "TLS-certificate-error")
                    (case "TLS-alert-received" $tls-payload) (case "HTTP-request-denied")
                    (case "HTTP-request-length-required") (case "HTTP-request-body-size" (option u64))
                    (case "HTTP-request-method-invalid") (case "HTTP-request-URI-invalid")
                    (case "HTTP-request-URI-too-long") (case "HTTP-request-header-section-size" (option u32))
                    (case "HTTP-request-header-size" (option $size-payload))
                    (case "HTTP-request-trailer-section-size" (option u32))
                    (case "HTTP-request-trailer-size" $size-payload) (case "HTTP-response-incomplete")
                    (case "HTTP-response-header-section-size" (option u32))
                    (case "HTTP-response-header-size" $size-payload) (case "HTTP-response-body-size" (option u64))
                    (case "HTTP-response-trailer-section-size" (option u32))
                    (case "HTTP-response-trailer-size" $size-payload)
                    (case "HTTP-response-transfer-coding" (option string))
                    (case "HTTP-response-content-coding" (option string)) (case "HTTP-response-timeout")
                    (case "HTTP-upgrade-failed") (case "HTTP-protocol-error") (case "loop-detected")
                    (case "configuration-error") (case "internal-error" (option string))))
                (export "error-code" (type (eq $code)))))
            (alias export $types "outgoing-request" (type $request))
            (alias export $types "request-options" (type $options))
            (alias export $types "future-incoming-response" (type $future))
            (alias export $types "error-code" (type $code))
            (import "wasi:http/outgoing-handler@0.2.0" (instance $handler
                (alias outer 1 $request (type $r)) (export "outgoing-request" (type $request (eq $r)))
                (alias outer 1 $options (type $o)) (export "request-options" (type $options (eq $o)))
                (alias outer 1 $future (type $f)) (export "future-incoming-response" (type $future (eq $f)))
                (alias outer 1 $code (type $c)) (export "error-code" (type $code (eq $c)))
                (export "handle" (func (param "request" (own $request)) (param "options" (option (own $options)))
                    (result (result (own $future) (error $code)))))))
            (core func $fields (canon lower (func $types "[constructor]fields")))
            (core func $append (canon lower (func $types "[method]fields.append") (memory $memory)))
            (core func $request (canon lower (func $types "[constructor]outgoing-request")))
            (core func $method (canon lower (func $types "[method]outgoing-request.set-method") (memory $memory)))
            (core func $authority
                (canon lower (func $types "[method]outgoing-request.set-authority") (memory $memory)))
            (core func $path
                (canon lower (func $types "[method]outgoing-request.set-path-with-query") (memory $memory)))
            (core func $body (canon lower (func $types "[method]outgoing-request.body") (memory $memory)))
            (core func $handle
                (canon lower (func $handler "handle") (memory $memory) (realloc $realloc)))
            (core func $subscribe (canon lower (func $types "[method]future-incoming-response.subscribe")))
            (core func $block (canon lower (func $poll "[method]pollable.block")))"#;

const LOWERED: &str = r#"(export "fields" (func $fields)) (export "append" (func $append))
            (export "request" (func $request)) (export "method" (func $method))
            (export "authority" (func $authority)) (export "path" (func $path)) (export "body" (func $body))
            (export "handle" (func $handle)) (export "subscribe" (func $subscribe))
            (export "block" (func $block))"#;

/// The functions of which their bodies are made.
const FIELDS: &str = r#"
        (import "host" "fields" (func $fields (result i32)))
        (import "host" "append" (func $append (param i32 i32 i32 i32 i32 i32)))
        (import "host" "request" (func $request (param i32) (result i32)))
        (import "host" "method" (func $method (param i32 i32 i32 i32) (result i32)))
        (import "host" "authority" (func $authority (param i32 i32 i32 i32) (result i32)))
        (import "host" "path" (func $path (param i32 i32 i32 i32) (result i32)))
        (import "host" "body" (func $body (param i32 i32)))
        (import "host" "handle" (func $handle-raw (param i32 i32 i32 i32)))
        (import "host" "subscribe" (func $subscribe (param i32) (result i32)))
        (import "host" "block" (func $block (param i32)))
        (func $begin
            (drop (memory.grow (i32.const 32)))
            (memory.fill (i32.const 65536) (i32.const 97) (i32.const 1000000)))
        (func $send (param $request i32)
            (call $handle-raw (local.get $request) (i32.const 0) (i32.const 0) (i32.const 304)))
        (func $tell (result i32)
            (i32.store8 (i32.const 400) (i32.add (i32.const 48) (i32.load8_u (i32.const 300))))
            (call $ok (i32.const 400) (i32.const 1)))"#;
