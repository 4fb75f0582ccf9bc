//! Expressions that would hurt whoever evaluates them: each ends soon, with an error or a small result, on the
//! stack of an ordinary thread.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::data::allowance::{Allowance, stopped};
use crate::data::json::Data;
use crate::data::scope::Entropy;
use crate::data::timestamp::Timestamp;

use super::super::{Cache, Expression, QueryError, StatesField, World};

/// More than most evaluations here take, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(8);
/// Threads of the server's runtime have this much.
const STACK_BYTES: usize = 2 << 20;

struct Input(Value, Entropy, Cache, Allowance);

impl Input {
    /// Most tests are of other limits than time, and this machine may be busy.
    fn new(input: Value) -> Input {
        Input { 3: Allowance::new(stopped).with_time(PATIENCE), ..Input::in_time(input) }
    }

    fn in_time(input: Value) -> Input {
        Input(input, Entropy::new([1; 32], 0), Cache::default(), Allowance::new(stopped))
    }
}

impl World for Input {
    fn states(&self, field: StatesField) -> Option<&Value> {
        (field == StatesField::Input).then_some(&self.0)
    }

    fn variable(&self, _: &str) -> Option<&Data> {
        None
    }

    fn entropy(&self) -> &Entropy {
        &self.1
    }

    fn allowance(&self) -> &Allowance {
        &self.3
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(1_767_225_600_123)
    }

    fn cache(&self) -> &Cache {
        &self.2
    }
}

fn run(source: &str, input: &Input) -> String {
    match Expression::parse(source) {
        Err(error) => format!("refused {}", error.0.split(':').next().unwrap_or_default()),
        Ok(expression) => match expression.evaluate(input) {
            Ok(value) => value.to_string(),
            Err(QueryError::Threw(text)) => text.split(':').next().unwrap_or_default().to_owned(),
            Err(error) => format!("{error:?}"),
        },
    }
}

/// The error that an expression throws.
pub(in super::super) fn threw(source: &str) -> String {
    match Expression::parse(source).unwrap().evaluate(&Input::new(Value::Null)) {
        Err(QueryError::Threw(text)) => text,
        other => panic!("{source} throws no error but gives {other:?}"),
    }
}

/// Evaluates on a stack of [`STACK_BYTES`]; an error is its code.
pub(in super::super) fn check(source: &str, expected: &str) {
    check_with(source, Value::Null, expected);
}

fn check_with(source: &str, input: Value, expected: &str) {
    let text = source.to_owned();
    let work = move || run(&text, &Input::new(input));
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap();
    let shown: String = source.chars().take(200).collect();
    let got = thread.join().expect("nothing panics");
    // On a busy machine the time is over before there is too much.
    if expected != TOO_MUCH || got != "D1012" {
        assert_eq!(got, expected, "{shown}");
    }
}

const TOO_MUCH: &str = "U1901";

#[test]
fn recursion_ends() {
    check("($f := function($n) { 1 + $f($n + 1) }; $f(0))", "D1011");
    check("($f := function($n) { $map([$n], $f) }; $f(0))", "D1011");
}

#[test]
fn nesting_ends() {
    for levels in [900, 1_000, 20_000, 100_000] {
        for (open, middle, close) in [
            ("(", "1", ")"),
            ("[", "1", "]"),
            ("{'a':", "1", "}"),
            ("-", "1", ""),
            ("$not(", "1", ")"),
            ("true ? ", "1", ""),
            ("function(){", "1", "}"),
            ("", "1", "+1"),
            ("", "'a'", "&'a'"),
            ("", "$states.input", "[0]"),
            ("", "$states.input", ".[$,$]"),
        ] {
            let source = format!("{}{middle}{}", open.repeat(levels), close.repeat(levels));
            let thread = thread::Builder::new().stack_size(STACK_BYTES);
            let thread = thread.spawn(move || run(&source, &Input::new(json!([1])))).unwrap();
            assert!(!thread.join().expect("nothing overflows").is_empty());
        }
    }
}

#[test]
fn texts_stay_small() {
    check("($f := function($t, $n) { $n = 0 ? $t : $f($t & $t, $n - 1) }; $length($f('x', 60)))", TOO_MUCH);
    check("$length($reduce([1..60], function($t, $i) { $t & $t }, 'x'))", TOO_MUCH);
    check("$length($reduce([1..60], function($t, $i) { $join([$t, $t]) }, 'x'))", TOO_MUCH);
    check("$length($reduce([1..60], function($t, $i) { $replace($t, 'x', 'xx') }, 'x'))", TOO_MUCH);
    check("$length($reduce([1..60], function($t, $i) { [$t, $t] ~> $join }, 'x'))", TOO_MUCH);
    check("$length($reduce([1..60], function($t, $i) { $pad($t, $length($t) * 2) }, 'x'))", TOO_MUCH);
    check("($big := $pad('x', 1000000); $count($map([1..100000], function($i) { $big & $i })))", TOO_MUCH);
    check(
        "($big := $pad('x', 1000000); $count($map([1..100000], function($i) { $uppercase($big) })))",
        TOO_MUCH,
    );
    check("($big := $pad('x', 1000000); $count([1..100000].$uppercase($big)))", TOO_MUCH);
    check("$length($join([1..100000].('x'), $pad('y', 100000)))", TOO_MUCH);
    check("$length($replace($pad('', 100000), ' ', $pad('y', 100000)))", TOO_MUCH);
    check("$pad('', 100000).$replace(' ', $pad('y', 100000))", TOO_MUCH);
    check("$string($reduce([1..60], function($t, $i) { [$t, $t] }, 1))", TOO_MUCH);
}

#[test]
fn widths_are_bounded() {
    check("$pad('x', 1e10)", TOO_MUCH);
    check("$pad('x', -1e10)", TOO_MUCH);
    check("'x' ~> $pad(1e10)", TOO_MUCH);
    check("('x').$pad(1e10)", TOO_MUCH);
    check("($p := $pad; $p('x', 1e10))", TOO_MUCH);
    check("($pad := $pad; $pad('x', 1e10))", TOO_MUCH);
    check("($p := $pad(?, 1e10); $p('x'))", TOO_MUCH);
    check("($p := $pad('x', ?); $p(1e10))", TOO_MUCH);
    check("'x' ~> $pad(?, 1e10)", TOO_MUCH);
    check("$map(['x'], function($t) { $t ~> $pad(1e10, '#') })", TOO_MUCH);
    check("$pad('x', 5, '#')", r##""x####""##);
    check("$map(['x', 'yy'], $pad(?, -3))", r#"["  x"," yy"]"#);
}

#[test]
fn arrays_stay_small() {
    check("$count([-9223372036854775808..9223372036854775807])", "U1900");
    check("$count([1..10000000])", "D2015");
    check("$count($reduce([1..60], function($a, $i) { $append($a, $a) }, [1]))", "D2015");
    check("$count($reduce([1..60], function($a, $i) { [$a.($), $a.($)] }, [1, 2]))", "D2015");
    check("$count($map([1..100000], function($i) { [1..100000] }))", TOO_MUCH);
    check("($a := [1..100000]; $count($map([1..100000], function($i) { $a.* })))", TOO_MUCH);
}

#[test]
fn what_is_shared_is_not_walked_for_ever() {
    let shared = "$reduce([1..60], function($a, $i) { [$a, $a] }, 1)";
    check(shared, TOO_MUCH);
    check("$reduce([1..60], function($a, $i) { {'l': $a, 'r': $a} }, 1)", TOO_MUCH);
    check("$reduce([1..60], function($a, $i) { $zip([$a], [$a]) }, 1)", TOO_MUCH);
    check("$reduce([1..60], function($a, $i) { $map([1, 2], function() { $a }) }, [1])", TOO_MUCH);
    check("$reduce([1..60], function($a, $i) { [1].{'l': $a, 'r': $a} }, 1)", TOO_MUCH);
    check(&format!("$states.input{}", ".[$,$]".repeat(60)), TOO_MUCH);
}

#[test]
fn regular_expressions_are_linear() {
    check("$contains($pad('a', 30000, 'a') & 'b', /^(a+)+$/)", "false");
    check("$count($match($pad('a', 1000, 'a'), /a/))", "1000");
}

#[test]
fn panics_of_the_engine_are_errors() {
    check("$fromMillis(0, '[,W]')", "U1900");
    // The thread goes on as before.
    check("1 + 1", "2");
}

#[test]
fn deep_results_are_refused() {
    let nested = |levels: usize| format!("$reduce([1..{levels}], function($a, $i) {{ {{'a': $a}} }}, 1)");
    check("$reduce([1..2], function($a, $i) { {'a': $a} }, 1)", r#"{"a":{"a":1}}"#);
    check(&nested(2_000), "Unsupported");
    check(&nested(127 + 2), "Unsupported");
}

#[test]
fn odd_results() {
    check(
        "$states.nothing",
        "refused '$states.nothing' does not exist; the fields of $states are input, result, errorOutput and context",
    );
    check("$nothing", "Undefined");
    check("$sum", "Unsupported");
    check("function($x) { $x }", "Unsupported");
    check("/a/", "Unsupported");
    check("[1, $sum]", "Unsupported");
    check("{'a': $nothing, 'b': [$nothing]}", r#"{"b":[]}"#);
    check("1/0", "null");
    check("$reduce([], function($a, $b) { $a + $b })", "Undefined");
    check("$reduce([], function($a, $b) { $a + $b }, 7)", "7");
    check("$reduce([1, 2], function($a, $b) { $a + $b })", "3");
    check("$fromMillis(1500.75)", r#""1970-01-01T00:00:01.500Z""#);
}

#[test]
fn large_results_are_refused() {
    check_with("$states.input & $states.input", Value::from("x".repeat(131_072)), "TooLarge");
    check("[1..200000]", "TooLarge");
}

#[test]
fn time_is_bounded() {
    for source in [
        "($f := function($n) { $n > 1e12 ? 0 : $f($n + 1) }; $f(0))",
        "($f := function($n) { $f($n + 1) }; $f(0))",
    ] {
        assert_eq!(run(source, &Input::in_time(Value::Null)), "D1012", "{source}");
    }
}
