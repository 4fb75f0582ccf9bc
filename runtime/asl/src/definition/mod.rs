//! The parsed state machine. States and scopes lie in flat tables and name each other by index, so that a
//! running execution stores two small numbers instead of names and paths.

mod choice;
mod error_handling;
mod fields;
mod flow;
mod map;
pub(crate) mod parse;
mod references;
mod resource;
mod state;
mod unsupported;

pub use choice::{Comparison, Operand, Operator, Ordering, Pattern as StringPattern, Rule, Test};
pub use error_handling::{Catcher, Jitter, Retrier};
pub use fields::{Computed, Expression, NumberField, Template, TextField, TimestampField};
pub use flow::{Assign, Flow, JsonPathFlow, JsonataFlow, ResultPath, Selection};
pub use map::{Distributed, ItemBatcher, Items, Map, Mode};
pub use parse::{MachineType, Parsed, parse};
pub use resource::{Pattern, Resource, Target};
pub use state::{Choice, Delay, Fail, Parallel, Pass, State, StateKind, Succeed, Task, Transition, Wait};

/// Index of a state in [`Definition`]: its place in document order, depth first. Stored with running
/// executions, which pin the text of their definition, so the order must never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct StateId(#[n(0)] pub u32);

/// Index of a scope: the machine itself, a branch, or a Map's item processor. 0 is the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct ScopeId(#[n(0)] pub u32);

/// The language in which a state's fields are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryLanguage {
    JsonPath,
    Jsonata,
}

/// A set of states that can reach each other: `StartAt` and `States`.
#[derive(Debug, Clone)]
pub struct Scope {
    pub start_at: StateId,
    pub states: Vec<StateId>,
    /// The Parallel or Map state that holds this scope; none for the machine.
    pub owner: Option<StateId>,
}

/// A valid state machine.
#[derive(Debug, Clone)]
pub struct Definition {
    pub machine_type: MachineType,
    pub comment: Option<String>,
    pub query_language: QueryLanguage,
    /// Seconds after which the whole execution times out.
    pub timeout_seconds: Option<u32>,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) states: Vec<State>,
}

impl Definition {
    pub const ROOT: ScopeId = ScopeId(0);

    /// Stands for a definition that can be read no more: it has no states.
    pub(crate) fn undefined() -> Definition {
        Definition {
            machine_type: MachineType::Standard,
            comment: None,
            query_language: QueryLanguage::JsonPath,
            timeout_seconds: None,
            scopes: Vec::new(),
            states: Vec::new(),
        }
    }

    pub fn state(&self, id: StateId) -> &State {
        &self.states[id.0 as usize]
    }

    pub(crate) fn get_state(&self, id: StateId) -> Option<&State> {
        self.states.get(id.0 as usize)
    }

    pub fn scope(&self, id: ScopeId) -> &Scope {
        &self.scopes[id.0 as usize]
    }

    /// Every state with its index, in document order.
    pub fn states(&self) -> impl Iterator<Item = (StateId, &State)> {
        self.states.iter().enumerate().map(|(index, state)| {
            (StateId(u32::try_from(index).expect("a definition of 1 MiB has fewer states")), state)
        })
    }
}
