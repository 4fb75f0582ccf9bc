//! What a call is granted reaches the guest, and what it is not is named.

use std::collections::BTreeSet;
use std::sync::Arc;

use wasm_host::limits::SCRATCH_BYTES_MAX_DEFAULT;
use wasm_host::{Call, Context, Secret, SecretDenial, SecretFuture, SecretSource, Source};

use crate::Fixture;
use crate::guests::{Parts, task_with};

/// Knows one secret for everybody, and one for nobody.
struct Secrets;

impl SecretSource for Secrets {
    fn get<'a>(&'a self, name: &'a str) -> SecretFuture<'a> {
        let answer = match name {
            "key" => Ok(Some(Secret::new("\"hunter2\"".to_owned()))),
            "other" => Err(SecretDenial::NotForModule("it is for another".to_owned())),
            "down" => Err(SecretDenial::Unavailable),
            _ => Ok(None),
        };
        Box::pin(async move { answer })
    }
}

/// Returns the secret that its input names, or the number of the error.
pub(crate) fn asking() -> String {
    task_with(Parts {
        imports: r#"
            (import "stepwell:task/secrets@0.1.0" (instance $secrets
                (type $error (enum "not-granted" "missing" "unavailable"))
                (export "secret-error" (type $secret-error (eq $error)))
                (export "get" (func (param "name" string) (result (result string (error $secret-error)))))))
            (core func $get (canon lower (func $secrets "get") (memory $memory) (realloc $realloc)))"#,
        lowered: r#"(export "get" (func $get))"#,
        fields: r#"(import "host" "get" (func $get (param i32 i32 i32)))"#,
        // The input is the name, in quotes.
        body: "(call $get (i32.add (local.get $ptr) (i32.const 1)) (i32.sub (local.get $len) (i32.const 2)) (i32.const 200))
               (if (i32.eqz (i32.load8_u (i32.const 200)))
                   (then (return (call $ok (i32.load (i32.const 204)) (i32.load (i32.const 208))))))
               (i32.store8 (i32.const 64) (i32.add (i32.const 48) (i32.load8_u (i32.const 204))))
               (call $ok (i32.const 64) (i32.const 1))",
    })
}

#[tokio::test]
async fn a_guest_gets_the_secrets_that_are_granted_and_no_other() {
    let fixture = Fixture::new();
    let granted: BTreeSet<String> = ["key", "other", "down", "gone"].map(str::to_owned).into();
    for (name, expected, denied) in [
        ("key", "\"hunter2\"", None),
        ("mine", "0", Some("the secret 'mine': it needs grants.secrets = [\"mine\"]")),
        ("a b", "0", Some("the secret '?': it needs grants.secrets = [\"?\"]")),
        ("other", "0", Some("the secret 'other': it is for another")),
        ("gone", "1", Some("the secret 'gone': there is none; `stepwell secret put gone` makes it")),
        ("down", "2", None),
    ] {
        let adjust = |call: &mut Call| {
            call.grants.secrets = granted.clone();
            call.secrets = Some(Arc::new(Secrets));
        };
        let outcome = fixture.call_with(&asking(), &format!("\"{name}\""), adjust).await;
        assert_eq!(outcome.result, Ok(expected.to_owned()), "{name}");
        assert_eq!(outcome.denied, denied.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

/// Returns eight random bytes and two times, all as digits.
fn drawing() -> String {
    task_with(Parts {
        imports: r#"
            (import "wasi:random/random@0.2.0" (instance $random
                (export "get-random-u64" (func (result u64)))))
            (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock (export "now" (func (result u64)))))
            (core func $draw (canon lower (func $random "get-random-u64")))
            (core func $now (canon lower (func $clock "now")))"#,
        lowered: r#"(export "draw" (func $draw)) (export "now" (func $now))"#,
        fields: r#"
            (import "host" "draw" (func $draw (result i64)))
            (import "host" "now" (func $now (result i64)))
            (func $digits (param $value i64) (param $at i32) (local $left i32)
                (local.set $left (i32.const 20))
                (loop $again
                    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                    (i32.store8 (i32.add (local.get $at) (local.get $left))
                        (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10)))))
                    (local.set $value (i64.div_u (local.get $value) (i64.const 10)))
                    (br_if $again (local.get $left))))"#,
        body: "(call $digits (call $draw) (i32.const 65)) (call $digits (call $now) (i32.const 85))
               (call $digits (call $now) (i32.const 105))
               (i32.store8 (i32.const 64) (i32.const 34)) (i32.store8 (i32.const 125) (i32.const 34))
               (call $ok (i32.const 64) (i32.const 62))",
    })
}

#[tokio::test]
async fn time_and_randomness_can_be_the_same_each_time() {
    let fixture = Fixture::new();
    let call = async |seed: u128| {
        let adjust = |call: &mut Call| {
            call.context = Context { seed, ..Context::default() };
            (call.grants.clocks, call.grants.randomness) = (Source::Deterministic, Source::Deterministic);
        };
        fixture.call_with(&drawing(), "1", adjust).await.result.unwrap()
    };
    let first = call(7).await;
    assert_eq!(call(7).await, first);
    assert_ne!(call(8).await, first);
    assert!(first.ends_with("0000000000000000000000000000000000001000\""), "{first}");
    let [real, again] = [fixture.call(&drawing(), "1").await, fixture.call(&drawing(), "1").await];
    assert_ne!(real.result.unwrap(), again.result.unwrap());
}

#[tokio::test]
async fn a_scratch_space_is_gone_after_its_call() {
    let fixture = Fixture::new();
    let scratch = fixture.folder.path().join("scratch");
    let folders = || std::fs::read_dir(&scratch).unwrap().count();
    let before = folders();
    let fails = task_with(Parts { body: "(unreachable)", ..Parts::default() });
    for guest in [crate::guests::echo(), fails] {
        let grant = |call: &mut Call| call.grants.scratch_bytes = SCRATCH_BYTES_MAX_DEFAULT;
        fixture.call_with(&guest, "1", grant).await;
        assert_eq!(folders(), before);
    }
}
