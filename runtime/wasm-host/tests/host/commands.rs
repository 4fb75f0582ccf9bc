//! Programs with `wasi:cli/run`: JSON on standard input, JSON on standard output.

use wasm_host::{EntryPoint, Failure, LogSource};

use crate::Fixture;
use crate::guests::command;

const ECHO: &str = "(call $read (i64.const 100000))
    (call $print (i32.load (i32.const 200)) (i32.load (i32.const 204))) (i32.const 0)";
const DATA: &str = r#"(data (i32.const 64) "no such order\n")"#;

#[tokio::test]
async fn a_program_reads_and_writes_json() {
    let fixture = Fixture::new();
    assert_eq!(fixture.add(&command("", ECHO)).await.unwrap().entry, EntryPoint::Command);
    let outcome = fixture.call(&command("", ECHO), r#"{"a":1}"#).await;
    assert_eq!(outcome.result, Ok(r#"{"a":1}"#.to_owned()));
    assert_eq!(outcome.log, []);
}

#[tokio::test]
async fn an_exit_code_is_a_failure_with_standard_error_as_its_cause() {
    let failure = Failure::Exited { code: 1, stderr: "no such order".to_owned() };
    for end in ["(i32.const 1)", "(call $exit (i32.const 1)) (i32.const 0)"] {
        let body = format!("(call $complain (i32.const 64) (i32.const 14)) {end}");
        let outcome = Fixture::new().call(&command(DATA, &body), "1").await;
        assert_eq!(outcome.result, Err(failure.clone()));
        assert_eq!(outcome.log.len(), 1);
        assert_eq!(
            (outcome.log[0].source, outcome.log[0].message.as_str()),
            (LogSource::Stderr, "no such order")
        );
    }
}

#[tokio::test]
async fn leaving_with_success_is_success() {
    let body = ECHO.replace("(i32.const 0)", "(call $exit (i32.const 0)) (unreachable)");
    assert_eq!(Fixture::new().call(&command("", &body), "[1]").await.result, Ok("[1]".to_owned()));
}

#[tokio::test]
async fn a_trap_quotes_standard_error() {
    let body = "(call $complain (i32.const 64) (i32.const 14)) (unreachable)";
    let failure = Fixture::new().call(&command(DATA, body), "1").await.result.unwrap_err();
    let message =
        "`unreachable` was executed (a panic or an abort); its standard error ends with: no such order";
    assert_eq!(crate::trap_message(failure), message);
}

#[tokio::test]
async fn no_output_is_not_json() {
    let outcome = Fixture::new().call(&command("", "(i32.const 0)"), "1").await;
    assert!(matches!(outcome.result, Err(Failure::InvalidOutput(_))), "{:?}", outcome.result);
}
