//! Where diagnostics gather, and where in the definition they point.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Write};

use super::{Diagnostic, Severity, code};

/// Ours: bytes of messages and locations that one report keeps. Locations hold state names of any length, so
/// a hostile definition of 1 MiB could otherwise fill the memory.
const REPORT_BYTES_MAX: usize = 1 << 20;

/// Ours: bytes of a field's name in an error text. Every computed value keeps its name, so long ones would
/// multiply.
const FIELD_BYTES_MAX: usize = 512;

/// Collects the diagnostics of one definition.
#[derive(Debug, Default)]
pub(crate) struct Report {
    diagnostics: RefCell<Vec<Diagnostic>>,
    bytes: Cell<usize>,
    has_errors: Cell<bool>,
}

impl Report {
    pub(crate) fn add(&self, diagnostic: Diagnostic) {
        match diagnostic.severity {
            Severity::Error => self.has_errors.set(true),
            Severity::Warning => {}
        }
        let size = diagnostic.message.len() + diagnostic.location.as_ref().map_or(0, String::len);
        if self.is_full() {
            return;
        }
        self.bytes.set(self.bytes.get() + size);
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    fn is_full(&self) -> bool {
        self.bytes.get() > REPORT_BYTES_MAX
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.has_errors.get()
    }

    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics.into_inner()
    }
}

/// A place in the definition. It is a chain of steps on the stack; its text is made only for a diagnostic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    report: &'a Report,
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    State(&'a str),
    Field(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    pub(crate) fn root(report: &'a Report) -> Place<'a> {
        Place { report, parent: None, step: Step::Root }
    }

    pub(crate) fn field(&'a self, name: &'a str) -> Place<'a> {
        Place { report: self.report, parent: Some(self), step: Step::Field(name) }
    }

    /// A state, within the field `States`.
    pub(crate) fn state(&'a self, name: &'a str) -> Place<'a> {
        Place { report: self.report, parent: Some(self), step: Step::State(name) }
    }

    pub(crate) fn item(&'a self, index: usize) -> Place<'a> {
        Place { report: self.report, parent: Some(self), step: Step::Item(index) }
    }

    /// The definition breaks a rule of the schema here.
    pub(crate) fn error(&self, message: impl Into<String>) {
        self.add(Severity::Error, code::SCHEMA_VALIDATION_FAILED, message.into());
    }

    pub(crate) fn error_with(&self, code: &'static str, message: impl Into<String>) {
        self.add(Severity::Error, code, message.into());
    }

    pub(crate) fn warning(&self, code: &'static str, message: impl Into<String>) {
        self.add(Severity::Warning, code, message.into());
    }

    fn add(&self, severity: Severity, code: &'static str, message: String) {
        // Making the text of a location that nobody will read is what would take the time.
        let location = if self.report.is_full() { String::new() } else { self.to_string() };
        self.report.add(Diagnostic { severity, code, message, location: Some(location) });
    }

    /// The way from the state to this place, as errors at run time name a field: `Output/total`,
    /// `Choices[0]/Condition`. Cut off after [`FIELD_BYTES_MAX`].
    pub(crate) fn field_of_state(&self) -> String {
        let mut clipped = Clipped(String::new());
        // The only error is the one that ends the text at its limit.
        let _ = self.write_field(&mut clipped);
        clipped.0
    }

    fn write_field(&self, clipped: &mut Clipped) -> fmt::Result {
        let parent = match (self.step, self.parent) {
            (Step::State(_) | Step::Root, _) | (_, None) => return Ok(()),
            (Step::Field(_) | Step::Item(_), Some(parent)) => parent,
        };
        parent.write_field(clipped)?;
        match self.step {
            Step::Root | Step::State(_) => Ok(()),
            Step::Field(name) if clipped.0.is_empty() => clipped.write_str(name),
            Step::Field(name) => write!(clipped, "/{name}"),
            Step::Item(index) => write!(clipped, "[{index}]"),
        }
    }

    fn write_steps(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.write_steps(formatter)?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Field(name) | Step::State(name) => write!(formatter, "/{name}"),
            Step::Item(index) => write!(formatter, "[{index}]"),
        }
    }
}

/// A text that takes no more once it is full.
struct Clipped(String);

impl Write for Clipped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = FIELD_BYTES_MAX - self.0.len();
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        if text.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parent {
            None => formatter.write_str("/"),
            Some(_) => self.write_steps(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_locations_as_aws_does() {
        let report = Report::default();
        let root = Place::root(&report);
        assert_eq!(root.to_string(), "/");
        let states = root.field("States");
        let state = states.state("A/b c");
        let branches = state.field("Branches");
        let branch = branches.item(0);
        assert_eq!(branch.field("StartAt").to_string(), "/States/A/b c/Branches[0]/StartAt");
    }

    #[test]
    fn names_fields_within_their_state() {
        let report = Report::default();
        let root = Place::root(&report);
        let state = root.state("A");
        let choices = state.field("Choices");
        let rule = choices.item(1);
        let condition = rule.field("Condition");
        assert_eq!(condition.field_of_state(), "Choices[1]/Condition");
        let long = "é".repeat(FIELD_BYTES_MAX);
        assert_eq!(condition.field(&long).field_of_state().len(), FIELD_BYTES_MAX - 1);
    }

    #[test]
    fn keeps_its_size_bounded_and_its_verdict() {
        let report = Report::default();
        for _ in 0..5 {
            Place::root(&report).warning(code::UNKNOWN_ERROR_NAME, "x".repeat(REPORT_BYTES_MAX));
        }
        assert!(!report.has_errors());
        Place::root(&report).error("no room for this one");
        assert!(report.has_errors());
        assert_eq!(report.into_diagnostics().len(), 1);
    }
}
