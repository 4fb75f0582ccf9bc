//! Reference paths: they name one place in a value, to read it or to put something there.

use serde_json::{Map, Value};

use super::ast::{Path, Root, Segment};
use super::cursor::PathError;
use super::find::NotFound;
use super::spread::{element, position};
use super::values;

/// A path that names a single place.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferencePath {
    path: Path,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Property(String),
    Index(i64),
}

/// The value has something else where the path wants to go: `States.ResultPathMatchFailure`.
///
/// AWS continues the text with the input, which the caller has at hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Unable to apply ReferencePath {path} to input")]
pub struct Conflict {
    pub path: String,
}

impl TryFrom<Path> for ReferencePath {
    type Error = PathError;

    fn try_from(path: Path) -> Result<ReferencePath, PathError> {
        let error = |message: String| PathError { message, offset: 0 };
        let step = |segment: &Segment| match segment {
            Segment::Property(name) => Some(Step::Property(name.clone())),
            Segment::Index(index) => Some(Step::Index(*index)),
            Segment::Properties(_)
            | Segment::Indices(_)
            | Segment::Slice { .. }
            | Segment::Wildcard
            | Segment::Descend
            | Segment::Filter(_) => None,
        };
        let steps: Option<Vec<Step>> = path.segments().iter().map(step).collect();
        match steps {
            Some(steps) if path.is_reference() && steps.len() <= values::DEPTH_MAX => {
                Ok(ReferencePath { path, steps })
            }
            Some(_) if path.is_reference() => {
                Err(error(format!("A reference path must not be deeper than {}", values::DEPTH_MAX)))
            }
            Some(_) | None => Err(error("A reference path must name a single value".to_owned())),
        }
    }
}

impl ReferencePath {
    pub fn parse(text: &str) -> Result<ReferencePath, PathError> {
        Path::parse(text)?.try_into()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn source(&self) -> &str {
        self.path.source()
    }

    pub fn root(&self) -> &Root {
        self.path.root()
    }

    /// Whether the path is the root alone.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    pub fn get<'a>(&self, root: &'a Value) -> Result<&'a Value, NotFound> {
        let mut value = root;
        for step in &self.steps {
            let next = match (step, value) {
                (Step::Property(name), Value::Object(fields)) => fields.get(name),
                (Step::Index(index), Value::Array(items)) => element(items, *index),
                (Step::Property(_) | Step::Index(_), _) => None,
            };
            match next {
                Some(next) => value = next,
                // The general way knows the text.
                None => return Err(self.path.find(root).err().unwrap_or(NotFound::TooMuchWork)),
            }
        }
        Ok(value)
    }

    /// Puts a value where the path points to. On a conflict the target is left as it was.
    //= https://states-language.net/spec.html#filters
    //# If the raw input has a field at the location addressed by the "ResultPath" value then in
    //# the output that field is discarded and overwritten by the state's result. Otherwise, a new
    //# field is created in the state output, with intervening fields constructed as necessary.
    pub fn set(&self, target: &mut Value, value: Value) -> Result<(), Conflict> {
        if !self.fits(target) || self.steps.len() + values::depth(&value) > values::DEPTH_MAX {
            values::discard(value);
            return Err(Conflict { path: self.source().to_owned() });
        }
        let mut place = target;
        for step in &self.steps {
            let found = match step {
                Step::Property(name) => {
                    if place.is_null() {
                        // `fits` saw to it that only a place made by this loop is null.
                        *place = Value::Object(Map::new());
                    }
                    place.as_object_mut().map(|fields| fields.entry(name.as_str()).or_insert(Value::Null))
                }
                Step::Index(index) => place.as_array_mut().and_then(|items| {
                    let position = position(*index, items.len())?;
                    items.get_mut(position)
                }),
            };
            let Some(found) = found else {
                return Err(Conflict { path: self.source().to_owned() });
            };
            place = found;
        }
        values::discard(std::mem::replace(place, value));
        Ok(())
    }

    /// Whether the path leads through objects and arrays that exist, or that are missing and can be made.
    fn fits(&self, target: &Value) -> bool {
        let mut value = target;
        for (at, step) in self.steps.iter().enumerate() {
            let next = match (step, value) {
                (Step::Property(name), Value::Object(fields)) => fields.get(name),
                (Step::Index(index), Value::Array(items)) => match element(items, *index) {
                    Some(item) => Some(item),
                    None => return false,
                },
                (Step::Property(_) | Step::Index(_), _) => return false,
            };
            match next {
                Some(next) => value = next,
                None => {
                    let rest = self.steps.get(at + 1..).unwrap_or_default();
                    return rest.iter().all(|step| matches!(step, Step::Property(_)));
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, target: &str, expected: &str) {
        let path = ReferencePath::parse(path).unwrap();
        let mut target: Value = serde_json::from_str(target).unwrap();
        let before = target.clone();
        match path.set(&mut target, Value::from("new")) {
            Ok(()) => {
                assert_eq!(target.to_string(), expected, "{}", path.source());
                assert_eq!(path.get(&target).unwrap(), "new", "{}", path.source());
            }
            Err(conflict) => {
                assert_eq!(conflict.to_string(), expected, "{}", path.source());
                assert_eq!(target, before, "{}", path.source());
            }
        }
    }

    #[test]
    fn puts_a_value_in_its_place() {
        //= https://states-language.net/spec.html#filters
        //= type=test
        //# If the raw input has a field at the location addressed by the "ResultPath" value then in
        //# the output that field is discarded and overwritten by the state's result. Otherwise, a new
        //# field is created in the state output, with intervening fields constructed as necessary.
        check("$", r#"{"a":1}"#, r#""new""#);
        check("$.b", r#"{"a":1}"#, r#"{"a":1,"b":"new"}"#);
        check("$.a", r#"{"a":1,"b":2}"#, r#"{"a":"new","b":2}"#);
        check("$.b.c['d e']", "{}", r#"{"b":{"c":{"d e":"new"}}}"#);
        check("$.a.b", r#"{"a":{"c":1}}"#, r#"{"a":{"c":1,"b":"new"}}"#);
        check("$.a[1].b", r#"{"a":[0,{}]}"#, r#"{"a":[0,{"b":"new"}]}"#);
        check("$[-1]", "[1,2]", r#"[1,"new"]"#);
        check("$.a", r#"{"a":null}"#, r#"{"a":"new"}"#);
    }

    #[test]
    fn refuses_a_place_that_cannot_be_made() {
        check("$.a.b", r#"{"a":"text"}"#, "Unable to apply ReferencePath $.a.b to input");
        check("$.a.b", r#"{"a":null}"#, "Unable to apply ReferencePath $.a.b to input");
        check("$.a", "[1]", "Unable to apply ReferencePath $.a to input");
        check("$.a", "null", "Unable to apply ReferencePath $.a to input");
        check("$.a[2]", r#"{"a":[1,2]}"#, "Unable to apply ReferencePath $.a[2] to input");
        check("$.a[0]", r#"{"a":{}}"#, "Unable to apply ReferencePath $.a[0] to input");
        check("$.b.c[0]", "{}", "Unable to apply ReferencePath $.b.c[0] to input");
        check("$[-3]", "[1,2]", "Unable to apply ReferencePath $[-3] to input");
    }

    #[test]
    fn says_what_is_missing() {
        let missing = |path: &str| {
            let value = serde_json::json!({"a": [{"b": 1}]});
            ReferencePath::parse(path).unwrap().get(&value).unwrap_err().to_string()
        };
        assert_eq!(missing("$.NoSuchInputPath"), "No results for path: $['NoSuchInputPath']");
        assert_eq!(missing("$.no.such"), "Missing property in path $['no']");
        assert_eq!(missing("$.a[1].b"), "No results for path: $['a'][1]['b']");
    }

    #[test]
    fn refuses_paths_to_more_than_one_value() {
        for path in ["$.*", "$..a", "$[0,1]", "$[0:1]", "$[?(@.a)]", "$['a','b']", "$.a.length()"] {
            let error = ReferencePath::parse(path).unwrap_err();
            assert_eq!(error.message, "A reference path must name a single value", "{path}");
        }
        let deep = format!("${}", ".a".repeat(128));
        assert_eq!(
            ReferencePath::parse(&deep).unwrap_err().message,
            "A reference path must not be deeper than 127"
        );
    }
}
