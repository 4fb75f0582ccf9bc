//! Texts that are parsed: definitions, paths, intrinsic functions.

use asl::data::intrinsics::{self, Source};
use asl::data::path::{Found, Path, ReferencePath, values};
use asl::definition::{MachineType, parse};
use asl::validate::position;
use serde_json::Value;

use super::expression_and_value;

/// A definition is read or refused with findings; a finding has a place in the text, and reading twice gives the same.
pub(super) fn definition(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for machine_type in [MachineType::Standard, MachineType::Express] {
        let parsed = parse(text, machine_type);
        for diagnostic in &parsed.diagnostics {
            assert!(!diagnostic.message.is_empty(), "{diagnostic:?}");
            let Some(location) = &diagnostic.location else { continue };
            if let Some((line, column)) = position::locate(text, location) {
                assert!(line >= 1 && line <= text.lines().count() + 1 && column >= 1, "{diagnostic:?}");
            }
        }
        assert_eq!(parsed.diagnostics, parse(text, machine_type).diagnostics);
        let Some(definition) = parsed.definition else {
            assert!(!parsed.diagnostics.is_empty(), "a refusal has a reason");
            continue;
        };
        for (id, state) in definition.states() {
            let location = definition.location(id);
            assert!(location.ends_with(&*state.name), "{location} is the place of {}", state.name);
        }
        definition.unsupported();
    }
}

/// A path finds one value or several; what a reference path has set, it finds.
pub(super) fn jsonpath(bytes: &[u8]) {
    let Some((text, root)) = expression_and_value(bytes) else { return };
    if let Ok(path) = Path::parse(text) {
        assert_eq!(path.source(), text.trim());
        match path.find(&root) {
            Ok(Found::One(_) | Found::Owned(_)) | Err(_) => {}
            Ok(Found::Many(_)) => assert!(!path.is_definite(), "{text} names one value"),
        }
    }
    let Ok(path) = ReferencePath::parse(text) else { return };
    let mut changed = root.clone();
    match path.set(&mut changed, Value::from("set")) {
        Ok(()) => assert_eq!(path.get(&changed).ok(), Some(&Value::from("set")), "{text} in {root}"),
        Err(_) => assert!(values::equal(&changed, &root), "a conflict changes nothing: {text} in {root}"),
    }
}

/// A call has a value or an error, and the same one each time.
pub(super) fn intrinsic(bytes: &[u8]) {
    let Some((text, root)) = expression_and_value(bytes) else { return };
    let Ok(call) = intrinsics::parse(text) else { return };
    assert_eq!(call.source(), text.trim());
    let first = call.evaluate(&mut Constant(&root));
    assert_eq!(first, call.evaluate(&mut Constant(&root)));
    if let Err(failure) = first {
        assert!(!failure.error.is_empty() && !failure.cause.is_empty(), "{failure:?}");
    }
}

/// Paths lead into one value; nothing is random.
struct Constant<'a>(&'a Value);

impl Source for Constant<'_> {
    fn path(&self, path: &Path) -> Result<Value, intrinsics::Failure> {
        let missing =
            |_| intrinsics::Failure { error: "States.Runtime", cause: format!("no {}", path.source()) };
        path.find(self.0).map(Found::into_value).map_err(missing)
    }

    fn random_u64(&mut self) -> u64 {
        7
    }
}
