//! The scopes and states of a definition with their ids, before any field is read. A transition may name a
//! state further down, so all ids must exist first.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::definition::{QueryLanguage, ScopeId, StateId};
use crate::limits::SCOPE_DEPTH_MAX;

/// Everything that can be a target or hold one. What is malformed is left out; the readers report it.
#[derive(Debug, Default)]
pub(crate) struct Outline<'a> {
    /// In document order, depth first: a scope, then the scopes within its first state, and so on.
    pub(crate) scopes: Vec<ScopeOutline<'a>>,
    /// In document order, depth first: state by state as written, and the inner states of a Parallel or Map
    /// right after it. Running executions store these ids, so the order must never change.
    pub(crate) states: Vec<StateOutline<'a>>,
}

#[derive(Debug)]
pub(crate) struct ScopeOutline<'a> {
    pub(crate) fields: &'a Map<String, Value>,
    pub(crate) owner: Option<StateId>,
    pub(crate) states: Vec<StateId>,
    pub(crate) targets: BTreeMap<&'a str, StateId>,
    /// Its executions are Express: an Express machine, or children of a distributed Map.
    pub(crate) express: bool,
    /// Deeper than [`SCOPE_DEPTH_MAX`]; its states were not looked at.
    pub(crate) too_deep: bool,
}

#[derive(Debug)]
pub(crate) struct StateOutline<'a> {
    pub(crate) name: &'a str,
    pub(crate) scope: ScopeId,
    pub(crate) value: &'a Value,
    pub(crate) kind: Option<StateType>,
    pub(crate) language: QueryLanguage,
    pub(crate) inner: Vec<InnerScope<'a>>,
}

/// A scope within a state, and the field (and the place in its array) that holds it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InnerScope<'a> {
    pub(crate) field: &'a str,
    pub(crate) index: Option<usize>,
    pub(crate) id: ScopeId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateType {
    Task,
    Wait,
    Pass,
    Succeed,
    Fail,
    Choice,
    Parallel,
    Map,
}

impl StateType {
    /// In the order in which AWS lists them.
    pub(crate) const ALL: [StateType; 8] = [
        StateType::Task,
        StateType::Wait,
        StateType::Pass,
        StateType::Succeed,
        StateType::Fail,
        StateType::Choice,
        StateType::Parallel,
        StateType::Map,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            StateType::Task => "Task",
            StateType::Wait => "Wait",
            StateType::Pass => "Pass",
            StateType::Succeed => "Succeed",
            StateType::Fail => "Fail",
            StateType::Choice => "Choice",
            StateType::Parallel => "Parallel",
            StateType::Map => "Map",
        }
    }
}

impl<'a> Outline<'a> {
    pub(crate) fn new(machine: &'a Map<String, Value>, express: bool) -> Outline<'a> {
        let language = language_of(machine).unwrap_or(QueryLanguage::JsonPath);
        let mut outline = Outline::default();
        outline.add_scope(machine, None, 1, express, language);
        outline
    }

    pub(crate) fn scope(&self, id: ScopeId) -> &ScopeOutline<'a> {
        &self.scopes[id.0 as usize]
    }

    pub(crate) fn state(&self, id: StateId) -> &StateOutline<'a> {
        &self.states[id.0 as usize]
    }

    fn add_scope(
        &mut self,
        fields: &'a Map<String, Value>,
        owner: Option<StateId>,
        depth: usize,
        express: bool,
        machine_language: QueryLanguage,
    ) -> ScopeId {
        let id = ScopeId(index(self.scopes.len()));
        let too_deep = depth > SCOPE_DEPTH_MAX;
        let targets = BTreeMap::new();
        self.scopes.push(ScopeOutline { fields, owner, states: Vec::new(), targets, express, too_deep });
        let states = fields.get("States").and_then(Value::as_object).filter(|_| !too_deep);
        for (name, value) in states.into_iter().flatten() {
            let state = self.add_state(name, value, id, depth, machine_language);
            let scope = &mut self.scopes[id.0 as usize];
            scope.states.push(state);
            scope.targets.insert(name, state);
        }
        id
    }

    fn add_state(
        &mut self,
        name: &'a str,
        value: &'a Value,
        scope: ScopeId,
        depth: usize,
        machine_language: QueryLanguage,
    ) -> StateId {
        let id = StateId(index(self.states.len()));
        let fields = value.as_object();
        let kind = fields.and_then(|fields| fields.get("Type")).and_then(Value::as_str);
        let kind = StateType::ALL.into_iter().find(|known| Some(known.name()) == kind);
        let language = fields.and_then(language_of).unwrap_or(machine_language);
        self.states.push(StateOutline { name, scope, value, kind, language, inner: Vec::new() });
        let express = self.scope(scope).express;
        for (field, index, fields) in fields.into_iter().flat_map(|fields| inner_scopes(fields, kind)) {
            let express = express || is_distributed_express(fields);
            let inner = self.add_scope(fields, Some(id), depth + 1, express, machine_language);
            self.states[id.0 as usize].inner.push(InnerScope { field, index, id: inner });
        }
        id
    }
}

/// The fields of a state that hold scopes.
fn inner_scopes(
    fields: &Map<String, Value>,
    kind: Option<StateType>,
) -> Vec<(&'static str, Option<usize>, &Map<String, Value>)> {
    match kind {
        Some(StateType::Parallel) => {
            let branches = fields.get("Branches").and_then(Value::as_array);
            let branches = branches.into_iter().flatten().enumerate();
            branches.filter_map(|(at, branch)| Some(("Branches", Some(at), branch.as_object()?))).collect()
        }
        Some(StateType::Map) => ["ItemProcessor", "Iterator"]
            .into_iter()
            .filter_map(|name| Some((name, None, fields.get(name)?.as_object()?)))
            .collect(),
        Some(
            StateType::Task
            | StateType::Wait
            | StateType::Pass
            | StateType::Succeed
            | StateType::Fail
            | StateType::Choice,
        )
        | None => Vec::new(),
    }
}

fn is_distributed_express(scope: &Map<String, Value>) -> bool {
    scope.get("ProcessorConfig").is_some_and(|config| {
        config.get("Mode").and_then(Value::as_str) == Some("DISTRIBUTED")
            && config.get("ExecutionType").and_then(Value::as_str) == Some("EXPRESS")
    })
}

/// `QueryLanguage`, where it is given and valid.
pub(crate) fn language_of(fields: &Map<String, Value>) -> Option<QueryLanguage> {
    match fields.get("QueryLanguage").and_then(Value::as_str)? {
        "JSONPath" => Some(QueryLanguage::JsonPath),
        "JSONata" => Some(QueryLanguage::Jsonata),
        _other => None,
    }
}

fn index(length: usize) -> u32 {
    u32::try_from(length).expect("a definition of 1 MiB has fewer states")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_states_in_document_order_depth_first() {
        let pass = json!({"Type": "Pass", "End": true});
        let machine = json!({"StartAt": "Z", "States": {
            "Z": {"Type": "Parallel", "Branches": [
                {"StartAt": "Y", "States": {"Y": pass, "X": {"Type": "Map", "ItemProcessor":
                    {"StartAt": "W", "States": {"W": pass}}}}},
                {"StartAt": "V", "States": {"V": pass}},
            ]},
            "A": pass,
        }});
        let outline = Outline::new(machine.as_object().unwrap(), false);
        let names: Vec<&str> = outline.states.iter().map(|state| state.name).collect();
        assert_eq!(names, ["Z", "Y", "X", "W", "V", "A"]);
        let scopes: Vec<u32> = outline.states.iter().map(|state| state.scope.0).collect();
        assert_eq!(scopes, [0, 1, 1, 2, 3, 0]);
        let owners: Vec<Option<StateId>> = outline.scopes.iter().map(|scope| scope.owner).collect();
        assert_eq!(owners, [None, Some(StateId(0)), Some(StateId(2)), Some(StateId(0))]);
    }

    #[test]
    fn stops_at_the_depth_limit() {
        let mut scope = json!({"States": {}});
        for _ in 0..2 * SCOPE_DEPTH_MAX {
            scope = json!({"States": {"M": {"Type": "Map", "ItemProcessor": scope}}});
        }
        let outline = Outline::new(scope.as_object().unwrap(), false);
        assert_eq!(outline.scopes.len(), SCOPE_DEPTH_MAX + 1);
        assert!(outline.scopes.last().unwrap().too_deep);
    }
}
