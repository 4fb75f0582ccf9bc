//! Parsing and evaluating under limits.

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::parser::{self, ParserError};
use jsonata_core::value::JValue;

use super::functions::{self, State};
use super::quiet;

/// Ours, and the only clock in this crate: an expression may compute for a second. It guards the thread that
/// drives all executions against an endless loop. What it decides is an error that is stored like any other
/// outcome of a step, so nothing is decided twice.
const EVALUATION_MILLISECONDS_MAX: u64 = 1_000;
/// Ours: how deep functions may call each other and values be computed within one another.
const EVALUATION_DEPTH_MAX: usize = 1_000;
/// Ours: items of a sequence; the smallest JSON array of a payload's size has 131,072.
pub(super) const SEQUENCE_LENGTH_MAX: usize = 200_000;

const PANICKED: &str = "U1900: The expression met an error of the engine";

/// Parses the text of an expression; the error begins with a code of JSONata.
pub(super) fn parse(source: &str) -> Result<AstNode, String> {
    match quiet::catch(|| parser::parse(source)) {
        None => Err(String::from(PANICKED)),
        Some(Ok(ast)) => Ok(ast),
        Some(Err(ParserError::UnclosedComment)) => Err(String::from("S0106: Comment has no closing tag")),
        // Its message begins with the code.
        Some(Err(ParserError::InvalidSyntax(message))) => Err(message),
        Some(Err(error)) => Err(error.to_string()),
    }
}

/// Evaluates a guarded expression. Where a state has no document `$` and `$$` are undefined.
pub(super) fn evaluate(
    ast: &AstNode,
    document: &JValue,
    bindings: Vec<(String, JValue)>,
    seed: [u8; 32],
    milliseconds: i64,
) -> Result<JValue, String> {
    let work = || -> Result<JValue, EvaluatorError> {
        let mut context = Context::new();
        for (name, value) in bindings {
            context.bind(name, value);
        }
        let options = EvaluatorOptions {
            timeout_ms: Some(EVALUATION_MILLISECONDS_MAX),
            cancel: None,
            max_stack_depth: Some(EVALUATION_DEPTH_MAX),
            max_sequence_length: Some(SEQUENCE_LENGTH_MAX),
        };
        let mut evaluator = Evaluator::with_options(context, options);
        functions::register(&mut evaluator, &State::new(seed, milliseconds))?;
        evaluator.evaluate(ast, document)
    };
    match quiet::catch(work) {
        None => Err(String::from(PANICKED)),
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(String::from(reference_text(error.message()))),
    }
}

/// The engine adds the name of the function where the reference implementation does not.
fn reference_text(text: &str) -> &str {
    const NO_FUNCTION: &str = "T1006: Attempted to invoke a non-function";
    if text.starts_with(NO_FUNCTION) { NO_FUNCTION } else { text }
}
