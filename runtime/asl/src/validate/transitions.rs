//! Where states lead: targets that exist, states that are reached, scopes that end.

use serde_json::{Map, Value};

use crate::definition::StateId;
use crate::definition::parse::outline::{Outline, ScopeOutline, StateType};

use super::code;
use super::report::Place;

/// `field` names a state that its scope does not have. A transition cannot leave its scope.
pub(crate) fn report_missing_target(place: &Place<'_>, field: &str, target: &str) {
    place.error_with(code::MISSING_TRANSITION_TARGET, format!("Missing '{field}' target: {target}"));
}

pub(crate) fn report_unreachable(place: &Place<'_>, name: &str) {
    place.error_with(code::MISSING_TRANSITION_TARGET, format!("State \"{name}\" is not reachable."));
}

/// Which states can be reached from the start of their scope.
pub(crate) fn reachable(outline: &Outline<'_>) -> Vec<bool> {
    let mut reached = vec![false; outline.states.len()];
    for scope in &outline.scopes {
        let start = scope.fields.get("StartAt").and_then(Value::as_str);
        let Some(start) = start.and_then(|name| scope.targets.get(name)) else {
            // Without a start nothing is reached; the missing start is the one thing to report.
            scope.states.iter().for_each(|state| reached[state.0 as usize] = true);
            continue;
        };
        let mut waiting = vec![*start];
        while let Some(state) = waiting.pop() {
            if std::mem::replace(&mut reached[state.0 as usize], true) {
                continue;
            }
            waiting.extend(successors(outline, scope, state));
        }
    }
    reached
}

fn successors(outline: &Outline<'_>, scope: &ScopeOutline<'_>, state: StateId) -> Vec<StateId> {
    let Some(fields) = outline.state(state).value.as_object() else { return Vec::new() };
    let named = |fields: &Map<String, Value>, field: &str| {
        fields.get(field).and_then(Value::as_str).and_then(|name| scope.targets.get(name)).copied()
    };
    let listed = ["Catch", "Choices"].into_iter().filter_map(|field| fields.get(field)?.as_array()).flatten();
    let listed = listed.filter_map(|entry| named(entry.as_object()?, "Next"));
    ["Next", "Default"].into_iter().filter_map(|field| named(fields, field)).chain(listed).collect()
}

/// A scope in which no state ends can never be left.
pub(crate) fn check_terminal(place: &Place<'_>, outline: &Outline<'_>, scope: &ScopeOutline<'_>) {
    let ends = |id: &StateId| {
        let state = outline.state(*id);
        match state.kind {
            Some(StateType::Succeed | StateType::Fail) => true,
            Some(StateType::Choice) => false,
            Some(
                StateType::Task | StateType::Wait | StateType::Pass | StateType::Parallel | StateType::Map,
            ) => state.value.get("Next").is_none(),
            // What kind it should be is not known; that is reported at the state.
            None => true,
        }
    };
    if !scope.states.is_empty() && !scope.states.iter().any(ends) {
        place
            .field("States")
            .error("No state ends: a Succeed or Fail state, or one with 'End': true, is required");
    }
}

#[cfg(test)]
mod tests {
    use crate::definition::parse::tests::{check, check_state};

    #[test]
    fn targets_must_exist_in_their_scope() {
        check_state(
            r#""Type": "Pass", "Next": "B""#,
            &[
                "No state ends: a Succeed or Fail state, or one with 'End': true, is required at /States",
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /States/A/Next",
            ],
        );
        check(
            r#"{"StartAt": "A", "States": {"B": {"Type": "Succeed"}, "A": {"Type": "Choice", "Default": "X",
                "Choices": [{"Variable": "$.a", "IsNull": true, "Next": "Y"},
                            {"Variable": "$.a", "IsNull": true, "Next": "B"}]}}}"#,
            &[
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: Y at /States/A/Choices[0]/Next",
                "MISSING_TRANSITION_TARGET: Missing 'Default' target: X at /States/A/Default",
            ],
        );
        check(
            r#"{"StartAt": "P", "States": {"P": {"Type": "Parallel", "Next": "Z", "Branches": [
                {"StartAt": "Z", "States": {"I": {"Type": "Pass", "Next": "Z"}}}]}, "Z": {"Type": "Succeed"}}}"#,
            &[
                "MISSING_TRANSITION_TARGET: Missing 'StartAt' target: Z at /States/P/Branches[0]/StartAt",
                "No state ends: a Succeed or Fail state, or one with 'End': true, is required at \
                 /States/P/Branches[0]/States",
                "MISSING_TRANSITION_TARGET: Missing 'Next' target: Z at /States/P/Branches[0]/States/I/Next",
            ],
        );
    }

    #[test]
    fn every_state_must_be_reachable() {
        check(
            r#"{"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "B": {"Type": "Pass", "Next": "C"},
                "C": {"Type": "Pass", "Next": "B"}}}"#,
            &[
                "MISSING_TRANSITION_TARGET: State \"B\" is not reachable. at /States/B",
                "MISSING_TRANSITION_TARGET: State \"C\" is not reachable. at /States/C",
            ],
        );
        check(
            r#"{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke",
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}], "End": true}, "B": {"Type": "Succeed"}}}"#,
            &[],
        );
    }

    #[test]
    fn a_scope_must_end() {
        check(
            r#"{"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}}"#,
            &["No state ends: a Succeed or Fail state, or one with 'End': true, is required at /States"],
        );
    }
}
