//! What the fuzzers feed with hostile bytes. Each target is a plain function that panics where a promise is broken,
//! so that the same code serves live fuzzing (`tests/fuzz`), the replay of its findings, and a few thousand mutations
//! in every test run.

mod boundary;
mod execution;
mod language;
mod mutate;
mod steps;
mod upload;

pub use mutate::Mutator;

/// One entrance for bytes from strangers.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Also that of its folder under `tests/fuzz/corpus` and of its program under `tests/fuzz/fuzz_targets`.
    pub name: &'static str,
    pub run: fn(&[u8]),
}

pub const TARGETS: &[Target] = &[
    Target { name: "boundary", run: boundary::boundary },
    Target { name: "definition", run: language::definition },
    Target { name: "interpreter", run: steps::interpreter },
    Target { name: "intrinsic", run: language::intrinsic },
    Target { name: "jsonata", run: execution::jsonata },
    Target { name: "jsonpath", run: language::jsonpath },
    Target { name: "template", run: execution::template },
    Target { name: "upload", run: upload::upload },
];

/// Runs the target of this name.
///
/// # Panics
///
/// If there is none, or if the target finds a broken promise.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("there is no fuzz target {name}"));
    (target.run)(bytes);
}

/// An expression on the first line and a JSON value after it; `{}` where there is none.
fn expression_and_value(bytes: &[u8]) -> Option<(&str, serde_json::Value)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (expression, value) = text.split_once('\n').unwrap_or((text, "{}"));
    Some((expression, serde_json::from_str(value).ok()?))
}
