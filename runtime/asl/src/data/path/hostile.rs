//! Paths and values made to exhaust the stack, the memory or the time of the evaluator.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::values::{self, DEPTH_MAX};
use super::{Path, ReferencePath};

/// As much as a thread of the server has.
const STACK_BYTES: usize = 2 << 20;
/// Far more than any of these takes, even on a busy machine: without limits they take minutes.
const PATIENCE: Duration = Duration::from_secs(20);

fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let begin = Instant::now();
    thread::Builder::new().stack_size(STACK_BYTES).spawn(test).unwrap().join().unwrap();
    assert!(begin.elapsed() < PATIENCE);
}

fn parse_error(text: &str) -> String {
    Path::parse(text).unwrap_err().message
}

fn nested(levels: usize, wrap: impl Fn(Value) -> Value) -> Value {
    (0..levels).fold(Value::from(1), |inner, _| wrap(inner))
}

fn array(inner: Value) -> Value {
    Value::Array(vec![inner])
}

fn object(inner: Value) -> Value {
    Value::Object([("a".to_owned(), inner)].into_iter().collect())
}

#[test]
fn nested_text_is_refused() {
    on_a_small_stack(|| {
        const MESSAGE: &str = "A path must not nest more than 64 levels deep";
        for open in ["(", "!", "!(", "@[?(", "@.a[?(@.b == 1 && !("] {
            assert_eq!(parse_error(&format!("$[?({}", open.repeat(20_000))), MESSAGE, "{open}");
        }
        let filter = format!("$[?({}@.a{})]", "(".repeat(60), ")".repeat(60));
        assert!(Path::parse(&filter).unwrap().find(&Value::Array(vec![Value::Null])).is_ok());
    });
}

#[test]
fn long_text_is_refused_or_read_quickly() {
    on_a_small_stack(|| {
        const MESSAGE: &str = "A path must not be longer than 10000 bytes";
        for part in [".a", "[0]", "['a']", "..a", "[*]", ".*", "[?(@.a)]"] {
            assert_eq!(parse_error(&format!("${}", part.repeat(100_000))), MESSAGE, "{part}");
            let longest = format!("${}", part.repeat(9_990 / part.len()));
            let path = Path::parse(&longest).unwrap();
            // Whatever it gives, it gives it soon.
            let _ = path.find(&nested(100, array));
            let _ = path.find(&nested(100, object));
        }
        assert_eq!(parse_error(&format!("$.{}", "a".repeat(1_000_000))), MESSAGE);
        assert_eq!(parse_error(&format!("$['{}']", "a".repeat(1_000_000))), MESSAGE);
        assert_eq!(parse_error(&format!("$[{}0]", "0,".repeat(1_000_000))), MESSAGE);
        assert_eq!(parse_error(&format!("$[?(@.a{})]", " || @.a".repeat(200_000))), MESSAGE);
        let row = format!("$[?(@.a{})]", " && @.a".repeat(1_400));
        assert!(Path::parse(&row).unwrap().find(&Value::Array(vec![Value::Null; 1_000])).is_ok());
    });
}

#[test]
fn deep_values_are_searched_without_recursion() {
    on_a_small_stack(|| {
        for value in [nested(100_000, array), nested(100_000, object)] {
            for path in [
                "$",
                "$.a",
                "$[0]",
                "$.*",
                "$..a",
                "$..*",
                "$..[?(@.a)]",
                "$[?(@ == $)]",
                "$[?(@.a == $.a)]",
                "$[?(@..a == $..a)]",
                "$[?(@['a','b'] == 1)]",
                "$['a','b']",
                "$..['a','b']",
                "$..length()",
            ] {
                let _ = Path::parse(path).unwrap().find(&value);
            }
            assert_eq!(values::depth(&value), DEPTH_MAX + 1);
            assert_eq!(values::measure(&value), None);
            assert!(values::equal(&value, &value));
            values::discard(value);
        }
    });
}

#[test]
fn a_reference_path_makes_no_deep_value() {
    on_a_small_stack(|| {
        let path = ReferencePath::parse("$.a").unwrap();
        let mut target = Value::Object(serde_json::Map::new());
        assert!(path.set(&mut target, nested(100_000, array)).is_err());
        assert!(path.set(&mut target, nested(DEPTH_MAX, array)).is_err());
        assert!(path.set(&mut target, nested(DEPTH_MAX - 1, array)).is_ok());
        let mut deep = nested(100_000, object);
        assert!(path.set(&mut deep, Value::Null).is_ok());
        assert_eq!(deep.to_string(), r#"{"a":null}"#);
    });
}

#[test]
fn multiplying_paths_stop() {
    on_a_small_stack(|| {
        let wide = Value::Array(vec![Value::Array(vec![Value::from(1); 300]); 300]);
        for path in ["$..*..*..*..*", "$[0,0,0,0,0,0][0,0][0]", "$..[*]..[*]", "$[?(@[?(@ == $..*)])]"] {
            let _ = Path::parse(path).unwrap().find(&wide);
        }
        let again = format!("${}", "[0,0,0,0,0,0,0,0,0,0]".repeat(100));
        let deep = nested(120, array);
        assert_eq!(
            Path::parse(&again).unwrap().find(&deep).unwrap_err().to_string(),
            "Paths look at too many values"
        );
        let text = "x".repeat(200_000);
        let same = serde_json::json!({"a": text, "list": vec![serde_json::json!({}); 50_000]});
        let path = Path::parse("$.list[?($.a == $.a)]").unwrap();
        assert_eq!(path.find(&same).unwrap_err().to_string(), "Paths look at too many values");
    });
}

#[test]
fn huge_slices_and_indices_stay_inside() {
    on_a_small_stack(|| {
        let list = serde_json::json!([1, 2, 3]);
        for (path, expected) in [
            ("$[-2147483648:2147483647]", "[1,2,3]"),
            ("$[2147483647:-2147483648]", "[]"),
            ("$[0:2147483647:2147483647]", "[1]"),
            ("$[-2147483648,2147483647]", "[]"),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(&list).unwrap().to_value().to_string(), expected);
        }
        assert_eq!(parse_error("$[0:99999999999999999999999]"), "Invalid index '99999999999999999999999'");
    });
}
