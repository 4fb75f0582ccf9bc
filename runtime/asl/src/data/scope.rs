//! What an expression can see besides its own input: variables, the context object and entropy.

use std::cell::{Cell, OnceCell, RefCell};

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::allowance::Allowance;
use super::inspection::Inspection;
use super::json::Data;
use super::jsonata::{self, StatesField};
use super::path::{Path, Root, Segment};
use super::timestamp::Timestamp;

/// Random bits that are the same whenever the same execution is stepped again: they come from its seed and
/// from how often it has drawn.
#[derive(Debug)]
pub struct Entropy {
    seed: [u8; 32],
    drawn: Cell<u64>,
}

impl Entropy {
    pub fn new(seed: [u8; 32], drawn: u64) -> Entropy {
        Entropy { seed, drawn: Cell::new(drawn) }
    }

    /// How often bits have been drawn, to be stored with the execution.
    pub fn drawn(&self) -> u64 {
        self.drawn.get()
    }

    pub fn next_u64(&self) -> u64 {
        let count = self.drawn.get();
        self.drawn.set(count + 1);
        let digest = keyed_digest(&self.seed, b"entropy", &count.to_be_bytes());
        u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
    }
}

/// HMAC-SHA-256 of a purpose and a message, so that what one purpose publishes tells nothing of another.
pub(crate) fn keyed_digest(key: &[u8; 32], purpose: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(purpose);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Finds variables by name, inner scopes first.
pub trait Variables {
    fn variable(&self, name: &str) -> Option<&Data>;
    /// The context object; `whole` says whether the execution's input, which may be large, is needed in it.
    fn build_context(&self, whole: bool) -> Value;
}

/// The surroundings of one state while it is computed.
pub struct Scope<'a> {
    variables: &'a dyn Variables,
    pub entropy: &'a Entropy,
    pub(super) allowance: &'a Allowance,
    now: Timestamp,
    /// The state's own input: `$states.input`.
    input: &'a Data,
    result: OnceCell<Data>,
    error_output: OnceCell<Data>,
    context: OnceCell<Value>,
    context_without_input: OnceCell<Value>,
    cache: jsonata::Cache,
    /// Set while a state is tested.
    inspection: Option<&'a RefCell<Inspection>>,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Scope").finish_non_exhaustive()
    }
}

impl<'a> Scope<'a> {
    pub fn new(
        variables: &'a dyn Variables,
        entropy: &'a Entropy,
        allowance: &'a Allowance,
        now: Timestamp,
        input: &'a Data,
    ) -> Scope<'a> {
        Scope {
            variables,
            entropy,
            allowance,
            now,
            input,
            result: OnceCell::new(),
            error_output: OnceCell::new(),
            context: OnceCell::new(),
            context_without_input: OnceCell::new(),
            cache: jsonata::Cache::default(),
            inspection: None,
        }
    }

    /// From here on `$states.result` is the result; it is set once.
    pub fn set_result(&self, result: &Data) {
        let is_new = self.result.set(result.clone()).is_ok();
        assert!(is_new, "a state has one result");
    }

    /// From here on `$states.errorOutput` is the error output; it is set once.
    pub fn set_error_output(&self, error_output: &Data) {
        let is_new = self.error_output.set(error_output.clone()).is_ok();
        assert!(is_new, "a catcher gets one error");
    }

    /// The same, with an observer of the way of the data.
    pub fn inspected_by(self, inspection: Option<&'a RefCell<Inspection>>) -> Scope<'a> {
        Scope { inspection, ..self }
    }

    /// Tells the observer; costs nothing where there is none.
    pub fn note(&self, note: impl FnOnce(&mut Inspection)) {
        if let Some(inspection) = self.inspection {
            note(&mut inspection.borrow_mut());
        }
    }

    pub fn variable(&self, name: &str) -> Option<&Data> {
        self.variables.variable(name)
    }

    /// The value from which a path starts; `input` is what `$` means in the field at hand.
    pub fn root<'b>(&'b self, path: &Path, input: &'b Value) -> Option<&'b Value> {
        match path.root() {
            Root::Input => Some(input),
            Root::Context => Some(self.context(reads_execution_input(path))),
            Root::Variable(name) => self.variables.variable(name).map(Data::value),
        }
    }

    fn context(&self, whole: bool) -> &Value {
        let cell = if whole { &self.context } else { &self.context_without_input };
        cell.get_or_init(|| self.variables.build_context(whole))
    }
}

impl jsonata::World for Scope<'_> {
    fn states(&self, field: StatesField) -> Option<&Value> {
        match field {
            StatesField::Input => Some(self.input.value()),
            StatesField::Result => self.result.get().map(Data::value),
            StatesField::ErrorOutput => self.error_output.get().map(Data::value),
            StatesField::Context => Some(self.context(true)),
            StatesField::ContextWithoutInput => Some(self.context(false)),
        }
    }

    fn variable(&self, name: &str) -> Option<&Data> {
        self.variables.variable(name)
    }

    fn entropy(&self) -> &Entropy {
        self.entropy
    }

    fn allowance(&self) -> &Allowance {
        self.allowance
    }

    fn now(&self) -> Timestamp {
        self.now
    }

    fn cache(&self) -> &jsonata::Cache {
        &self.cache
    }
}

/// Whether a context path may reach `$$.Execution.Input`. Only plain properties are sure not to.
fn reads_execution_input(path: &Path) -> bool {
    let property = |index: usize| match path.segments().get(index) {
        Some(Segment::Property(name)) => Some(name.as_str()),
        Some(
            Segment::Properties(_)
            | Segment::Index(_)
            | Segment::Indices(_)
            | Segment::Slice { .. }
            | Segment::Wildcard
            | Segment::Descend
            | Segment::Filter(_),
        )
        | None => None,
    };
    match (property(0), property(1)) {
        (Some("State" | "StateMachine" | "Task" | "Map"), _) => false,
        (Some("Execution"), Some(field)) => field == "Input",
        (_, _) => true,
    }
}
