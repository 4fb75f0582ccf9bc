//! Parses a whole definition: the machine, then scope by scope and state by state in document order.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::definition::{Definition, QueryLanguage, Scope, ScopeId, State, StateId, StateKind};
use crate::limits::{DEFINITION_BYTES_MAX, SCOPE_DEPTH_MAX};
use crate::validate::report::{Place, Report};
use crate::validate::structure::{self, Part};
use crate::validate::{Diagnostic, language, names, transitions};

use super::outline::{Outline, ScopeOutline, StateOutline, StateType, language_of};
use super::reader::{NO_STATE, Reader, ScopeReader, one_of};
use super::{choice, fail, map, parallel, pass, succeed, syntax, task, wait};

/// What is known of a text that should be a definition.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// Set if no diagnostic is an error.
    pub definition: Option<Definition>,
    /// Every finding, in document order but for what concerns a scope as a whole, which comes before its states.
    pub diagnostics: Vec<Diagnostic>,
}

/// The type of a state machine. An Express one has fewer kinds of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineType {
    Standard,
    Express,
}

/// Parses and validates the text of a definition.
pub fn parse(text: &str, machine_type: MachineType) -> Parsed {
    let report = Report::default();
    let definition = read(text, machine_type, &report);
    Parsed { definition, diagnostics: report.into_diagnostics() }
}

fn read(text: &str, machine_type: MachineType, report: &Report) -> Option<Definition> {
    if text.len() > DEFINITION_BYTES_MAX {
        let size = text.len();
        syntax::report_no_object(
            report,
            format!("The definition has {size} bytes; the maximum is {DEFINITION_BYTES_MAX}"),
        );
        return None;
    }
    let value = syntax::read(text, report)?;
    let Some(machine) = value.as_object() else {
        syntax::report_no_object(report, String::from("Definition must be a valid JSON object"));
        return None;
    };
    let outline = Outline::new(machine, machine_type == MachineType::Express);
    let place = Place::root(report);
    let no_targets = BTreeMap::new();
    let language = language_of(machine).unwrap_or(QueryLanguage::JsonPath);
    let scope = ScopeReader { language, targets: &no_targets, express: false };
    let reader = Reader { place, object: machine, scope };
    structure::check_part(&reader, Part::Machine);
    reader.word("QueryLanguage", &language::NAMES);
    reader.word("Version", &[("1.0", ())]);
    let timeout_seconds = reader.seconds("TimeoutSeconds");
    let mut machine = Machine::new(&outline, language);
    machine.read_scope(&place, Definition::ROOT);
    if report.has_errors() {
        return None;
    }
    Some(Definition {
        machine_type,
        comment: reader.text("Comment").map(String::from),
        query_language: language,
        timeout_seconds,
        scopes: machine.scopes,
        states: machine.states,
    })
}

/// The definition as it grows. Both tables fill in the order of the outline, so its ids hold in them.
struct Machine<'a> {
    outline: &'a Outline<'a>,
    language: QueryLanguage,
    names: names::Unique<'a>,
    reachable: Vec<bool>,
    scopes: Vec<Scope>,
    states: Vec<State>,
}

impl<'a> Machine<'a> {
    fn new(outline: &'a Outline<'a>, language: QueryLanguage) -> Machine<'a> {
        let reachable = transitions::reachable(outline);
        Machine {
            outline,
            language,
            names: names::Unique::default(),
            reachable,
            scopes: Vec::new(),
            states: Vec::new(),
        }
    }

    /// As deep as scopes nest, which the outline bounds.
    fn read_scope(&mut self, place: &Place<'_>, id: ScopeId) {
        let scope = self.outline.scope(id);
        let reader = self.reader(scope, *place, scope.fields, self.language);
        if scope.too_deep {
            place.error(format!("Branches and item processors nest deeper than {SCOPE_DEPTH_MAX} scopes"));
        }
        let start_at = match reader.object("States") {
            Some(states) => {
                if states.is_empty() {
                    place.field("States").error("Value cannot be empty");
                }
                reader.required_target("StartAt")
            }
            // Without states no target can be right; that they are missing is the one thing to report.
            None => NO_STATE,
        };
        transitions::check_terminal(place, self.outline, scope);
        self.scopes.push(Scope { start_at, states: scope.states.clone(), owner: scope.owner });
        let states = place.field("States");
        for state in &scope.states {
            self.read_state(&states, *state);
        }
    }

    fn read_state(&mut self, states: &Place<'_>, id: StateId) {
        let outline = self.outline;
        let state = outline.state(id);
        let place = states.state(state.name);
        self.names.check(&place, state.name);
        match state.value.as_object() {
            Some(fields) => self.read_fields(&place, id, state, fields),
            None => report_no_state(&place, state.name),
        }
    }

    fn read_fields(
        &mut self,
        place: &Place<'_>,
        id: StateId,
        state: &'a StateOutline<'a>,
        fields: &'a Map<String, Value>,
    ) {
        let reader = self.reader(self.outline.scope(state.scope), *place, fields, state.language);
        language::check(&reader, self.language);
        let Some(kind) = state.kind else {
            report_no_type(&reader);
            return;
        };
        structure::check_part(&reader, Part::State(kind));
        if !self.reachable[id.0 as usize] {
            transitions::report_unreachable(place, state.name);
        }
        let kind = read_kind(&reader, kind, state);
        let name = Arc::from(state.name);
        self.states.push(State { name, scope: state.scope, query_language: state.language, kind });
        for inner in &state.inner {
            let field = place.field(inner.field);
            let at = inner.index.map(|index| field.item(index)).unwrap_or(field);
            let scope = self.reader(
                self.outline.scope(inner.id),
                at,
                self.outline.scope(inner.id).fields,
                self.language,
            );
            structure::check_part(&scope, if inner.index.is_some() { Part::Branch } else { Part::Processor });
            self.read_scope(&at, inner.id);
        }
    }

    fn reader<'b>(
        &self,
        scope: &'b ScopeOutline<'a>,
        place: Place<'b>,
        object: &'b Map<String, Value>,
        language: QueryLanguage,
    ) -> Reader<'b> {
        let scope = ScopeReader { language, targets: &scope.targets, express: scope.express };
        Reader { place, object, scope }
    }
}

fn read_kind(reader: &Reader<'_>, kind: StateType, state: &StateOutline<'_>) -> StateKind {
    // Every state may carry a comment; nothing else is done with it.
    reader.text("Comment");
    match kind {
        StateType::Pass => StateKind::Pass(pass::read(reader)),
        StateType::Task => StateKind::Task(Box::new(task::read(reader))),
        StateType::Choice => StateKind::Choice(choice::read(reader)),
        StateType::Wait => StateKind::Wait(wait::read(reader)),
        StateType::Succeed => StateKind::Succeed(succeed::read(reader)),
        StateType::Fail => StateKind::Fail(fail::read(reader)),
        StateType::Parallel => StateKind::Parallel(parallel::read(reader, &state.inner)),
        StateType::Map => StateKind::Map(Box::new(map::read(reader, &state.inner))),
    }
}

/// A field of the machine that slipped into `States` is the usual cause.
fn report_no_state(place: &Place<'_>, name: &str) {
    if structure::is_field_of(Part::Machine, name) {
        place.error(format!(
            "A state should be an object; the field '{name}' belongs to the machine: move it out of 'States'"
        ));
    } else {
        place.error("A state should be an object");
    }
}

fn report_no_type(reader: &Reader<'_>) {
    if !reader.has("Type") {
        reader.place.error("These fields are required: [Type]");
        return;
    }
    let names = StateType::ALL.map(StateType::name);
    reader.place.field("Type").error(one_of("Type", &names));
}
