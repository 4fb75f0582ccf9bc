//! The state under test: alone, or one of a whole definition.

use asl::Definition;
use asl::definition::{MachineType, Parsed, State, StateId, StateKind, Target, parse};
use asl::validate::Diagnostic;
use serde_json::{Map, Value, json};

use crate::api::{ApiError, invalid_definition};

/// What AWS calls a state that comes without a name.
pub(crate) const NAME: &str = "StateName";

/// A state with the definition that it is a part of.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) definition: Definition,
    pub(crate) id: StateId,
}

impl Subject {
    pub(crate) fn parse(text: &str, name: Option<&str>) -> Result<Subject, ApiError> {
        match name {
            Some(name) => {
                let definition = valid(parse(text, MachineType::Standard))?;
                let id = find(&definition, name)
                    .ok_or_else(|| ApiError::validation("State not found in definition"))?;
                Ok(Subject { definition, id })
            }
            None => single(text),
        }
    }

    pub(crate) fn state(&self) -> &State {
        self.definition.state(self.id)
    }

    pub(crate) fn name_of(&self, id: StateId) -> &str {
        &self.definition.state(id).name
    }

    /// The type as it is written in `Type`.
    pub(crate) fn type_name(&self) -> &'static str {
        self.state().state_type().name()
    }

    pub(crate) fn is_task(&self) -> bool {
        matches!(self.state().kind, StateKind::Task(_))
    }

    pub(crate) fn is_fork(&self) -> bool {
        matches!(self.state().kind, StateKind::Parallel(_) | StateKind::Map(_))
    }

    /// What a Task calls.
    pub(crate) fn target(&self) -> Option<&Target> {
        match &self.state().kind {
            StateKind::Task(task) => Some(&task.resource.target),
            _no_task => None,
        }
    }

    /// Whether a state of this name is somewhere within the branches or the processor of this one.
    pub(crate) fn contains(&self, name: &str) -> bool {
        let Some(id) = find(&self.definition, name) else { return false };
        let mut owner = self.definition.scope(self.definition.state(id).scope).owner;
        while let Some(state) = owner {
            if state == self.id {
                return true;
            }
            owner = self.definition.scope(self.definition.state(state).scope).owner;
        }
        false
    }

    /// Refuses a state that this engine cannot run. A Map does not run in a test, so a distributed one will do.
    pub(crate) fn check_supported(&self) -> Result<(), ApiError> {
        let place = self.definition.location(self.id);
        let mut unsupported = self.definition.unsupported();
        unsupported.retain(|found| found.location.as_deref() == Some(place.as_str()));
        match &self.state().kind {
            StateKind::Map(_) => Ok(()),
            _other if unsupported.is_empty() => Ok(()),
            _other => Err(invalid_definition(&unsupported)),
        }
    }
}

fn find(definition: &Definition, name: &str) -> Option<StateId> {
    definition.states().find(|(_, state)| &*state.name == name).map(|(id, _)| id)
}

fn valid(parsed: Parsed) -> Result<Definition, ApiError> {
    parsed.definition.ok_or_else(|| invalid_definition(&parsed.diagnostics))
}

/// Puts a state into a machine of its own, in which the states that it leads to only have their names.
fn single(text: &str) -> Result<Subject, ApiError> {
    let Ok(Value::Object(state)) = serde_json::from_str(text) else {
        // What is no object is explained as it is for a whole definition.
        return Err(invalid_definition(&parse(text, MachineType::Standard).diagnostics));
    };
    if state.contains_key("States") && !state.contains_key("Type") {
        return Err(ApiError::validation(
            "StateName must be specified when the definition is that of a whole state machine",
        ));
    }
    let mut states = Map::new();
    for target in targets(&state) {
        states.insert(target.to_owned(), json!({"Type": "Succeed"}));
    }
    states.insert(NAME.to_owned(), Value::Object(state));
    let machine = json!({"StartAt": NAME, "States": states});
    let mut parsed = parse(&machine.to_string(), MachineType::Standard);
    parsed.diagnostics.iter_mut().for_each(shorten);
    let definition = valid(parsed)?;
    let id = find(&definition, NAME).ok_or_else(ApiError::internal)?;
    Ok(Subject { definition, id })
}

/// The author's text has no `/States/StateName` around the state.
fn shorten(diagnostic: &mut Diagnostic) {
    let prefix = format!("/States/{NAME}");
    if let Some(location) = &mut diagnostic.location
        && let Some(rest) = location.strip_prefix(&prefix)
    {
        *location = if rest.is_empty() { "/".to_owned() } else { rest.to_owned() };
    }
}

/// The names of the states that a state may lead to.
fn targets(state: &Map<String, Value>) -> Vec<&str> {
    let mut targets: Vec<&str> = ["Next", "Default"]
        .into_iter()
        .filter_map(|field| state.get(field).and_then(Value::as_str))
        .collect();
    let entries = ["Catch", "Choices"].into_iter().filter_map(|field| state.get(field)?.as_array()).flatten();
    targets.extend(entries.filter_map(|entry| entry.get("Next").and_then(Value::as_str)));
    targets.retain(|target| *target != NAME);
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, name: Option<&str>, expected: &str) {
        let actual = match Subject::parse(text, name) {
            Ok(subject) => format!("{} {}", subject.type_name(), subject.state().name),
            Err(error) => format!("{}: {}", error.code(), error.message()),
        };
        assert_eq!(actual, expected, "{text}");
    }

    const MACHINE: &str = r#"{"StartAt": "M", "States": {"M": {"Type": "Map", "End": true, "ItemProcessor":
        {"StartAt": "I", "States": {"I": {"Type": "Pass", "End": true}}}}}}"#;

    #[test]
    fn a_state_alone_may_lead_anywhere() {
        check(r#"{"Type": "Pass", "Next": "Elsewhere"}"#, None, "Pass StateName");
        check(
            r#"{"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": true, "Next": "B"}], "Default": "C"}"#,
            None,
            "Choice StateName",
        );
        let task = r#"{"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}]}"#;
        check(task, None, "Task StateName");
    }

    #[test]
    fn a_state_is_found_at_any_depth() {
        check(MACHINE, Some("I"), "Pass I");
        check(MACHINE, Some("M"), "Map M");
        check(MACHINE, Some("X"), "ValidationException: State not found in definition");
        let subject = Subject::parse(MACHINE, Some("M")).unwrap();
        assert!(subject.contains("I"));
        assert!(!subject.contains("M"));
        assert!(!subject.contains("X"));
    }

    #[test]
    fn faults_are_placed_in_the_text_of_the_state() {
        check(
            r#"{"Type": "Pass", "End": true, "Ent": 1}"#,
            None,
            "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: The field 'Ent' is not \
             supported in a Pass state at /Ent'",
        );
        check(
            "{}",
            None,
            "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are \
             required: [Type] at /'",
        );
        check(
            "[]",
            None,
            "InvalidDefinition: Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: Definition must be a \
             valid JSON object'",
        );
        check(
            MACHINE,
            None,
            "ValidationException: StateName must be specified when the definition is that of a whole state machine",
        );
    }
}
