//! An expression: parsed when its definition is, evaluated when its state runs.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use jsonata_core::ast::{AstNode, PathStep};
use jsonata_core::value::{JMap, JValue};
use serde_json::Value;

use crate::data::allowance::Allowance;
use crate::data::json::Data;
use crate::data::scope::Entropy;
use crate::data::timestamp::Timestamp;

use super::analysis::{self, STATES};
use super::convert::{self, NoJson};
use super::{engine, guard, messages};

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError(pub String);

/// Why an expression gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryError {
    Undefined,
    /// A function, or something that no JSON text can be made of.
    Unsupported,
    /// More than a payload may hold.
    TooLarge,
    /// The engine's text, which begins with a code of JSONata.
    Threw(String),
}

/// The fields of `$states`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatesField {
    Input,
    Result,
    ErrorOutput,
    Context,
    /// The context object where nothing asks for the execution's input, which may be large.
    ContextWithoutInput,
}

impl StatesField {
    pub(super) const ALL: [StatesField; 4] =
        [StatesField::Input, StatesField::Result, StatesField::ErrorOutput, StatesField::Context];

    pub fn name(self) -> &'static str {
        match self {
            StatesField::Input => "input",
            StatesField::Result => "result",
            StatesField::ErrorOutput => "errorOutput",
            StatesField::Context | StatesField::ContextWithoutInput => "context",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<StatesField> {
        StatesField::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The field that a path reads, given the names that follow `$states`.
    pub(super) fn of_path(names: &[&str]) -> Option<StatesField> {
        match names {
            ["context", "State" | "StateMachine" | "Task" | "Map", ..] => {
                Some(StatesField::ContextWithoutInput)
            }
            ["context", "Execution", field, ..] if *field != "Input" => {
                Some(StatesField::ContextWithoutInput)
            }
            [name, ..] => StatesField::from_name(name),
            [] => None,
        }
    }
}

/// What an expression can see.
pub trait World {
    /// None where the field has no meaning: the result of a Choice, the error output outside of a catcher.
    fn states(&self, field: StatesField) -> Option<&Value>;
    fn variable(&self, name: &str) -> Option<&Data>;
    fn entropy(&self) -> &Entropy;
    fn allowance(&self) -> &Allowance;
    fn now(&self) -> Timestamp;
    fn cache(&self) -> &Cache;
}

/// The fields of `$states` as the engine has them; each is converted once for all expressions of a state.
#[derive(Default)]
pub struct Cache {
    states: [OnceCell<JValue>; 5],
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Cache").finish_non_exhaustive()
    }
}

/// A JSONata expression. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Expression(Arc<Parsed>);

#[derive(Debug)]
struct Parsed {
    ast: AstNode,
    names: analysis::Names,
    selection: Option<Selection>,
}

/// `$states.input.a.b`, `$order.id`: most expressions are no more than that. They are answered without the
/// engine, which would round their large integers.
#[derive(Debug)]
struct Selection {
    root: Root,
    names: Vec<String>,
}

#[derive(Debug)]
enum Root {
    States(StatesField),
    Variable(String),
}

impl Expression {
    pub fn parse(source: &str) -> Result<Expression, SyntaxError> {
        let mut ast = engine::parse(source).map_err(SyntaxError)?;
        let names = analysis::analyse(&mut ast).map_err(SyntaxError)?;
        let selection = selection(&ast);
        guard::guard(&mut ast, &names.bound);
        Ok(Expression(Arc::new(Parsed { ast, names, selection })))
    }

    /// The variables that the expression reads, in order of their names. The name of a function that is passed
    /// on, as in `$map(a, $string)`, is among them.
    pub fn variables(&self) -> &BTreeSet<String> {
        &self.0.names.variables
    }

    pub fn evaluate(&self, world: &dyn World) -> Result<Value, QueryError> {
        if let Some(found) = self.0.selection.as_ref().and_then(|selection| selection.find(world)) {
            return found.cloned().ok_or(QueryError::Undefined);
        }
        let seed = self.seed(world.entropy());
        let milliseconds = world.now().as_milliseconds();
        let bindings = self.bindings(world);
        let chance = engine::Chance { seed, milliseconds };
        let result = engine::evaluate(&self.0.ast, &JValue::Undefined, bindings, chance, world.allowance());
        let value = result.map_err(|text| QueryError::Threw(messages::as_reference(&text, &self.0.names)))?;
        if value.is_undefined() {
            return Err(QueryError::Undefined);
        }
        convert::from_engine(&value).map_err(|why| match why {
            NoJson::Function | NoJson::TooDeep => QueryError::Unsupported,
            NoJson::TooLarge => QueryError::TooLarge,
        })
    }

    fn bindings(&self, world: &dyn World) -> Vec<(String, JValue)> {
        let names = &self.0.names;
        let mut bindings = Vec::new();
        if !names.states.is_empty() {
            bindings.push((String::from(STATES), states(&names.states, world)));
        }
        for name in names.variables.union(&names.functions) {
            if let Some(value) = world.variable(name) {
                bindings.push((name.clone(), convert::into_engine(value.value())));
            }
        }
        bindings
    }

    /// Draws entropy only for an expression that may use it, so that others leave what follows as it was.
    fn seed(&self, entropy: &Entropy) -> [u8; 32] {
        let names = &self.0.names;
        let mut seed = [0; 32];
        let is_random = |name: &&str| names.functions.contains(*name) || names.variables.contains(*name);
        if ["random", "uuid", "shuffle"].iter().any(is_random) {
            for bytes in seed.chunks_mut(8) {
                bytes.copy_from_slice(&entropy.next_u64().to_be_bytes());
            }
        }
        seed
    }
}

fn states(fields: &BTreeSet<StatesField>, world: &dyn World) -> JValue {
    let cache = &world.cache().states;
    let fields = fields.iter().filter_map(|field| {
        let value = world.states(*field)?;
        let value = cache[*field as usize].get_or_init(|| convert::into_engine(value));
        Some((String::from(field.name()), value.clone()))
    });
    JValue::Object(std::rc::Rc::new(fields.collect::<JMap>()))
}

/// The selection that an expression consists of, if it does.
fn selection(ast: &AstNode) -> Option<Selection> {
    if let AstNode::Variable(name) = ast {
        return (!name.is_empty() && name != STATES)
            .then(|| Selection { root: Root::Variable(name.clone()), names: Vec::new() });
    }
    let AstNode::Path { steps } = ast else { return None };
    let (first, rest) = steps.split_first()?;
    let plain = |step: &PathStep| step.stages.is_empty() && !step.is_tuple;
    let AstNode::Variable(root) = &first.node else { return None };
    if !steps.iter().all(plain) {
        return None;
    }
    let mut names = Vec::with_capacity(rest.len());
    for step in rest {
        let AstNode::Name(name) = &step.node else { return None };
        names.push(name.clone());
    }
    if root == STATES {
        let field = StatesField::of_path(&names.iter().map(String::as_str).collect::<Vec<&str>>())?;
        let root = Root::States(field);
        names.remove(0);
        return Some(Selection { root, names });
    }
    (!root.is_empty()).then(|| Selection { root: Root::Variable(root.clone()), names })
}

impl Selection {
    /// None if it takes the engine to tell; otherwise the value, or that there is none.
    fn find<'a>(&self, world: &'a dyn World) -> Option<Option<&'a Value>> {
        let mut value = match &self.root {
            Root::States(field) => match world.states(*field) {
                Some(value) => value,
                None => return Some(None),
            },
            // A name that is no variable may be a function.
            Root::Variable(name) => world.variable(name)?.value(),
        };
        for name in &self.names {
            match value {
                Value::Object(members) => match members.get(name) {
                    Some(member) => value = member,
                    None => return Some(None),
                },
                Value::Array(_) => return None,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Some(None),
            }
        }
        Some(Some(value))
    }
}
