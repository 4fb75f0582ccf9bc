//! Names of states and of variables.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::definition::QueryLanguage;
use crate::limits::STATE_NAME_CHARACTERS_MAX;

use super::code;
use super::report::Place;

/// AWS: characters in the name of a variable.
const VARIABLE_NAME_CHARACTERS_MAX: usize = 80;
/// The variable that AWS itself binds.
const RESERVED_VARIABLE: &str = "states";

/// The names of states seen so far: they are unique over the whole machine, nested scopes included.
#[derive(Debug, Default)]
pub(crate) struct Unique<'a> {
    seen: BTreeSet<&'a str>,
}

impl<'a> Unique<'a> {
    pub(crate) fn check(&mut self, place: &Place<'_>, name: &'a str) {
        if name.is_empty() {
            place.error("The name of a state cannot be empty");
        }
        if name.chars().count() > STATE_NAME_CHARACTERS_MAX {
            place.error(format!("The name of a state has at most {STATE_NAME_CHARACTERS_MAX} characters"));
        }
        if !self.seen.insert(name) {
            let message =
                format!("Duplicate State name: {name}; names are unique over the whole state machine");
            place.error_with(code::DUPLICATE_STATE_NAME, message);
        }
    }
}

/// Checks the names of the variables of an `Assign`.
pub(crate) fn check_variables(place: &Place<'_>, variables: &Map<String, Value>, language: QueryLanguage) {
    for key in variables.keys() {
        let name = match language {
            QueryLanguage::JsonPath => key.strip_suffix(".$").unwrap_or(key),
            QueryLanguage::Jsonata => key,
        };
        if name == RESERVED_VARIABLE {
            place.field(key).error("The variable name 'states' is reserved; choose another name");
        } else if !is_identifier(name) {
            place.field(key).error(format!(
                "A variable name starts with a letter, goes on with letters, digits and _, and has at most \
                 {VARIABLE_NAME_CHARACTERS_MAX} characters"
            ));
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        && name.chars().count() <= VARIABLE_NAME_CHARACTERS_MAX
}
