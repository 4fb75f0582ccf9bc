//! Calls made to exhaust the stack, the memory or the time of the evaluator.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Failure, Source, parse};
use crate::data::path::Path;

const STACK_BYTES: usize = 2 << 20;
/// Far more than any of these takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let begin = Instant::now();
    thread::Builder::new().stack_size(STACK_BYTES).spawn(test).unwrap().join().unwrap();
    assert!(begin.elapsed() < PATIENCE);
}

/// Gives every path a fresh value.
struct Fresh(fn() -> Value);

impl Source for Fresh {
    fn path(&self, _: &Path) -> Result<Value, Failure> {
        Ok((self.0)())
    }

    fn random_u64(&mut self) -> u64 {
        0
    }
}

fn evaluate(call: &str, value: fn() -> Value) -> String {
    match parse(call).unwrap().evaluate(&mut Fresh(value)) {
        Ok(value) => format!("{} bytes", value.to_string().len()),
        Err(failure) => failure.cause.split(" error: ").last().unwrap().to_owned(),
    }
}

#[test]
fn nested_or_long_text_is_refused_or_read_quickly() {
    on_a_small_stack(|| {
        let message = |text: &str| parse(text).unwrap_err().message;
        assert_eq!(message(&"States.Array(".repeat(20_000)), "More than 10 nested intrinsic functions");
        assert_eq!(message(&"(".repeat(20_000)), "'' is not an intrinsic function");
        assert_eq!(
            message(&format!("States.Array($[?({}", "(".repeat(20_000))),
            "A path must not nest more than 64 levels deep"
        );
        assert_eq!(message(&format!("States.Array('{}", "\\\\".repeat(500_000))), "Unclosed quote");
        assert_eq!(
            message(&format!("States.Array({}", "1,".repeat(500_000))).split(' ').next(),
            Some("Expected")
        );
        let call = parse(&format!("States.Array({}1)", "$.a, ".repeat(100_000))).unwrap();
        assert_eq!(call.paths().count(), 100_000);
    });
}

#[test]
fn deep_values_are_refused() {
    const MESSAGE: &str = "A value nests more than 127 levels deep";
    fn deep() -> Value {
        (0..100_000).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
    }
    fn deepest() -> Value {
        (0..127).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
    }
    on_a_small_stack(|| {
        for call in
            ["States.Array($)", "States.Format('{}', $)", "States.JsonToString($)", "States.ArrayUnique($)"]
        {
            assert_eq!(evaluate(call, deep), MESSAGE, "{call}");
        }
        assert_eq!(evaluate("States.Array($)", deepest), MESSAGE);
        assert_eq!(evaluate("States.ArrayPartition($, 1)", deepest), MESSAGE);
        assert_eq!(evaluate("States.JsonToString($)", deepest), "260 bytes");
        assert_eq!(evaluate("States.ArrayContains($, $)", deepest), "5 bytes");
    });
}

#[test]
fn much_work_is_refused() {
    const MESSAGE: &str = "Intrinsic functions work on too many bytes";
    fn large() -> Value {
        Value::String("\"".repeat(200_000))
    }
    fn wide() -> Value {
        (0..100_000).collect()
    }
    on_a_small_stack(|| {
        assert_eq!(evaluate(&format!("States.Array({}1)", "$,".repeat(10_000)), large), MESSAGE);
        let doubling = format!("{}${}", "States.JsonToString(".repeat(10), ")".repeat(10));
        assert_eq!(evaluate(&doubling, large), MESSAGE);
        assert_eq!(evaluate("States.ArrayLength(States.ArrayUnique($))", wide), "6 bytes");
        assert_eq!(evaluate("States.ArrayLength(States.StringSplit($, $))", large), "1 bytes");
        assert_eq!(
            evaluate("States.ArrayRange(-9223372036854775808, 9223372036854775807, 1)", wide),
            "The array would have more than 1000 items"
        );
    });
}
