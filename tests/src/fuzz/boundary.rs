//! What crosses the boundary of the sandbox: a text in and out again, and whatever a guest may pass off as a text.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tokio::runtime::Runtime;
use wasm_host::limits::{CAUSE_CHARS_MAX, ERROR_CHARS_MAX};
use wasm_host::{
    Call, Digest, Failure, Host, LogSource, Options, Outcome, Secret, SecretFuture, SecretSource,
};

/// Enough for every piece; a guest that needs more has run away.
const FUEL: u64 = 10_000_000;
const MEMORY_BYTES: usize = 4 << 20;
const LOG_BYTES: usize = 1 << 10;
const OUTPUT_BYTES: usize = 64 << 10;
/// The name of the secret through which the guest gets its bytes.
const BYTES: &str = "bytes";

/// A piece that begins with `j` is a text for a guest that returns its input. Any other is what a guest has in its
/// memory: see [`GUEST`].
pub(super) fn boundary(bytes: &[u8]) {
    match bytes.split_first() {
        Some((b'j', text)) => {
            let Ok(text) = std::str::from_utf8(text) else { return };
            let result = call(|modules| Call::new(modules.echo, text)).result;
            let is_json = serde_json::from_str::<Value>(text).is_ok();
            match result {
                Ok(output) => assert!(is_json && output == text, "{output}"),
                Err(Failure::InvalidOutput(_)) => assert!(!is_json, "it is JSON"),
                Err(Failure::OutputTooLarge { .. }) => assert!(text.len() > OUTPUT_BYTES),
                Err(other) => panic!("{other:?}"),
            }
        }
        Some(_) => check(&call(|modules| {
            let mut call = Call::new(modules.guest, "1");
            call.grants.secrets = [BYTES.to_owned()].into();
            call.secrets = Some(Arc::new(Bytes(bytes.to_owned())));
            call
        })),
        None => {}
    }
}

/// A named end, and nothing that is longer than it may be or that a terminal would obey.
fn check(outcome: &Outcome) {
    match &outcome.result {
        Ok(output) => {
            assert!(output.len() <= OUTPUT_BYTES);
            serde_json::from_str::<Value>(output).expect("an output can be read");
        }
        Err(Failure::Task { error, cause }) => {
            assert!(error.chars().count() <= ERROR_CHARS_MAX && cause.chars().count() <= CAUSE_CHARS_MAX);
        }
        Err(
            Failure::Trap { .. }
            | Failure::OutOfFuel { .. }
            | Failure::OutOfMemory { .. }
            | Failure::OutputTooLarge { .. }
            | Failure::InvalidOutput(_),
        ) => {}
        Err(other) => panic!("{other:?}"),
    }
    let logged = outcome.log.iter().filter(|line| line.source != LogSource::Host);
    assert!(logged.map(|line| line.message.len()).sum::<usize>() <= LOG_BYTES);
    assert!(outcome.denied.iter().all(|denied| !denied.contains(char::is_control)));
}

/// A host with two modules, for all pieces.
struct Modules {
    runtime: Runtime,
    host: Host,
    echo: Digest,
    guest: Digest,
}

fn call(call: impl Fn(&Modules) -> Call) -> Outcome {
    static MODULES: OnceLock<Modules> = OnceLock::new();
    let modules = MODULES.get_or_init(Modules::new);
    let mut call = call(modules);
    (call.limits.fuel, call.limits.memory_bytes) = (FUEL, MEMORY_BYTES);
    (call.limits.log_bytes, call.limits.output_bytes) = (LOG_BYTES, OUTPUT_BYTES);
    modules.runtime.block_on(modules.host.call(call))
}

impl Modules {
    fn new() -> Modules {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime takes no more than memory");
        let folder = tempfile::tempdir().expect("the temporary folder takes another one");
        let options = Options { slots: 2, guest_threads: 1, ..Options::new(folder.path()) };
        let host = Host::new(&options).expect("a host can be set up");
        let add = |body: &str| {
            let bytes = wat::parse_str(GUEST.replace("BODY", body)).expect("the guest is WebAssembly");
            let module = runtime.block_on(host.add(bytes.into())).expect("the guest is a task");
            // From now on it is in memory, and the folder can go.
            runtime.block_on(host.call(Call::new(module.digest, "1")));
            module.digest
        };
        let (echo, guest) = (add("(call $ok (local.get $ptr) (local.get $len))"), add(MISCHIEF));
        Modules { runtime, host, echo, guest }
    }
}

/// Hands out bytes, each as the character of its number: a guest that wants texts in Latin-1 gets them as they are.
struct Bytes(Vec<u8>);

impl SecretSource for Bytes {
    fn get<'a>(&'a self, name: &'a str) -> SecretFuture<'a> {
        let secret = (name == BYTES).then(|| Secret::new(self.0.iter().copied().map(char::from).collect()));
        Box::pin(async move { Ok(secret) })
    }
}

/// The bytes say what is done: the first is the deed, the second a level, the third whether the numbers after it, four
/// bytes each, are addresses as they are or count from the bytes' own beginning.
const MISCHIEF: &str = r"
    (call $get (i32.const 64) (i32.const 5) (i32.const 200))
    (if (i32.load8_u (i32.const 200)) (then (return (call $ok (local.get $ptr) (local.get $len)))))
    (global.set $at (i32.load (i32.const 204)))
    (if (i32.eq (call $deed) (i32.const 0)) (then (return (call $ok (call $address (i32.const 4)) (call $number (i32.const 8))))))
    (if (i32.eq (call $deed) (i32.const 1)) (then (return (call $err
        (call $address (i32.const 4)) (call $number (i32.const 8))
        (call $address (i32.const 12)) (call $number (i32.const 16))))))
    (if (i32.eq (call $deed) (i32.const 2)) (then (return (call $address (i32.const 4)))))
    (if (i32.eq (call $deed) (i32.const 3)) (then (call $log (i32.load8_u offset=1 (global.get $at))
        (call $address (i32.const 4)) (call $number (i32.const 8)))))
    (if (i32.eq (call $deed) (i32.const 4)) (then (call $get
        (call $address (i32.const 4)) (call $number (i32.const 8)) (call $address (i32.const 12)))))
    (call $ok (local.get $ptr) (local.get $len))";

/// `handle` takes and returns UTF-8; secrets come in Latin-1, if they can.
const GUEST: &str = r#"(component
    (type $error (record (field "error" string) (field "cause" string)))
    (export $task-error "task-error" (type $error))
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
            (if (local.get 0) (then (memory.copy (local.get $at) (local.get 0) (local.get 1))))
            (local.get $at)))
    (core instance $libc (instantiate $allocator))
    (alias core export $libc "memory" (core memory $memory))
    (alias core export $libc "realloc" (core func $realloc))
    (import "stepwell:task/log@0.1.0" (instance $log
        (type $level (enum "trace" "debug" "info" "warn" "error"))
        (export "level" (type $l (eq $level)))
        (export "write" (func (param "level" $l) (param "message" string)))))
    (import "stepwell:task/secrets@0.1.0" (instance $secrets
        (type $error (enum "not-granted" "missing" "unavailable"))
        (export "secret-error" (type $secret-error (eq $error)))
        (export "get" (func (param "name" string) (result (result string (error $secret-error)))))))
    (core func $log (canon lower (func $log "write") (memory $memory)))
    (core func $get (canon lower (func $secrets "get")
        string-encoding=latin1+utf16 (memory $memory) (realloc $realloc)))
    (core module $main
        (import "libc" "memory" (memory 1))
        (import "host" "log" (func $log (param i32 i32 i32)))
        (import "host" "get" (func $get (param i32 i32 i32)))
        (data (i32.const 64) "bytes")
        (global $at (mut i32) (i32.const 0))
        (func $deed (result i32) (i32.rem_u (i32.load8_u (global.get $at)) (i32.const 5)))
        (func $number (param $offset i32) (result i32)
            (i32.load (i32.add (global.get $at) (local.get $offset))))
        (func $address (param $offset i32) (result i32)
            (if (i32.and (i32.load8_u offset=2 (global.get $at)) (i32.const 1))
                (then (return (i32.add (global.get $at) (call $number (local.get $offset))))))
            (call $number (local.get $offset)))
        (func $ok (param $ptr i32) (param $len i32) (result i32)
            (i32.store8 (i32.const 16) (i32.const 0))
            (i32.store (i32.const 20) (local.get $ptr))
            (i32.store (i32.const 24) (local.get $len))
            (i32.const 16))
        (func $err (param $error i32) (param $error-len i32) (param $cause i32) (param $cause-len i32) (result i32)
            (i32.store8 (i32.const 16) (i32.const 1))
            (i32.store (i32.const 20) (local.get $error))
            (i32.store (i32.const 24) (local.get $error-len))
            (i32.store (i32.const 28) (local.get $cause))
            (i32.store (i32.const 32) (local.get $cause-len))
            (i32.const 16))
        (func (export "handle") (param $ptr i32) (param $len i32) (result i32) BODY))
    (core instance $host (export "log" (func $log)) (export "get" (func $get)))
    (core instance $guest (instantiate $main (with "libc" (instance $libc)) (with "host" (instance $host))))
    (func (export "handle") (param "input" string) (result (result string (error $task-error)))
        (canon lift (core func $guest "handle") (memory $memory) (realloc $realloc))))"#;
