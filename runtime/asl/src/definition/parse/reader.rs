//! One JSON object of the definition, read field by field. A field of a wrong type is reported and then
//! treated as absent: what is built from it is never used, because errors refuse the whole definition.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::definition::{QueryLanguage, StateId, Transition};
use crate::limits::SECONDS_MAX;
use crate::validate::report::Place;
use crate::validate::transitions;

/// Stands for a state that was named wrongly; never part of a definition that is returned.
pub(crate) const NO_STATE: StateId = StateId(u32::MAX);

#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) object: &'a Map<String, Value>,
    pub(crate) scope: ScopeReader<'a>,
}

/// What the fields of a state depend on beside themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScopeReader<'a> {
    pub(crate) language: QueryLanguage,
    /// The states that a transition may name.
    pub(crate) targets: &'a BTreeMap<&'a str, StateId>,
    /// The scope runs as an Express execution.
    pub(crate) express: bool,
}

impl<'a> Reader<'a> {
    /// A reader of another object, somewhere below this one.
    pub(crate) fn at<'b>(&self, place: Place<'b>, object: &'b Map<String, Value>) -> Reader<'b>
    where
        'a: 'b,
    {
        Reader { place, object, scope: self.scope }
    }

    pub(crate) fn is_jsonata(&self) -> bool {
        self.scope.language == QueryLanguage::Jsonata
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// Reports that a field has a wrong type or value; `wanted` completes "The field 'X' should be".
    pub(crate) fn wrong(&self, name: &str, wanted: &str) {
        self.place.field(name).error(format!("The field '{name}' should be {wanted}"));
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.typed(name, Value::as_str, "a string")
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.typed(name, Value::as_bool, "a boolean")
    }

    pub(crate) fn array(&self, name: &str) -> Option<&'a [Value]> {
        self.typed(name, |value| value.as_array().map(Vec::as_slice), "an array")
    }

    pub(crate) fn object(&self, name: &str) -> Option<&'a Map<String, Value>> {
        self.typed(name, Value::as_object, "an object")
    }

    pub(crate) fn integer(&self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let within = |value: &Value| {
            let number = u32::try_from(value.as_u64()?).ok()?;
            range.contains(&number).then_some(number)
        };
        let wanted = format!("an integer between {} and {}", range.start(), range.end());
        self.typed(name, within, &wanted)
    }

    pub(crate) fn seconds(&self, name: &str) -> Option<u32> {
        self.integer(name, 1..=SECONDS_MAX)
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(name)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            self.place.field(name).error(one_of(name, &words));
        }
        found.map(|(_, value)| *value)
    }

    fn typed<T>(&self, name: &str, read: impl FnOnce(&'a Value) -> Option<T>, wanted: &str) -> Option<T> {
        let value = read(self.get(name)?);
        if value.is_none() {
            self.wrong(name, wanted);
        }
        value
    }

    /// The state that a field names: `Next`, `Default`, `StartAt`.
    pub(crate) fn target(&self, name: &str) -> Option<StateId> {
        let target = self.text(name)?;
        let found = self.scope.targets.get(target).copied();
        if found.is_none() {
            transitions::report_missing_target(&self.place.field(name), name, target);
        }
        found
    }

    /// A target in a place that cannot do without; that it is missing is reported elsewhere.
    pub(crate) fn required_target(&self, name: &str) -> StateId {
        self.target(name).unwrap_or(NO_STATE)
    }

    /// `Next` or `End`; that exactly one must be there is a rule of `validate::structure`.
    pub(crate) fn transition(&self) -> Transition {
        if self.boolean("End") == Some(false) && !self.has("Next") {
            self.place.field("End").error("The field 'End' should be true, or 'Next' should name a state");
        }
        match self.target("Next") {
            Some(next) => Transition::Next(next),
            None => Transition::End,
        }
    }
}

/// AWS's text for a field that takes one of a few words.
pub(crate) fn one_of(name: &str, words: &[&str]) -> String {
    format!("The field '{name}' should have one of these values: [{}]", words.join(", "))
}
