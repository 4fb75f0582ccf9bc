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

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::{check, check_state};

    #[test]
    fn states_have_unique_names_of_bounded_length() {
        let named =
            |name: &str| format!(r#"{{"StartAt": "{name}", "States": {{"{name}": {{"Type": "Succeed"}}}}}}"#);
        check(&named(&"ü".repeat(80)), &[]);
        let long = "u".repeat(81);
        check(&named(&long), &[&format!("The name of a state has at most 80 characters at /States/{long}")]);
        check(&named(""), &["The name of a state cannot be empty at /States/"]);
        check(
            r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "End": true, "Branches": [
                {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}},
                {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}]}}}"#,
            &[
                "DUPLICATE_STATE_NAME: Duplicate State name: I; names are unique over the whole state machine at \
               /States/P/Branches[1]/States/I",
            ],
        );
    }

    #[test]
    fn variables_are_identifiers() {
        const SHAPE: &str = "A variable name starts with a letter, goes on with letters, digits and _, and has at \
                             most 80 characters at /States/A/Assign";
        let pass = |assign: &str| format!(r#""Type": "Pass", "End": true, "Assign": {assign}"#);
        check_state(&pass(r#"{"a": 1, "Größe_2.$": "$.a", "_x": {"y.$": "$$.State.Name"}}"#), &[]);
        check_state(
            &pass(r#"{"states": 1}"#),
            &["The variable name 'states' is reserved; choose another name at /States/A/Assign/states"],
        );
        check_state(
            &pass(r#"{"a b": 1, "1": 2, "x.y": 3}"#),
            &[&format!("{SHAPE}/a b"), &format!("{SHAPE}/1"), &format!("{SHAPE}/x.y")],
        );
        check_state(&pass("[]"), &["The field 'Assign' should be an object at /States/A/Assign"]);
    }
}
