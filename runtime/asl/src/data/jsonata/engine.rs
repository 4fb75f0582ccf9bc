//! Parsing and evaluating under limits.

use std::time::Duration;

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorError, EvaluatorOptions};
use jsonata_core::parser::{self, ParserError};
use jsonata_core::value::JValue;

use crate::data::allowance::Allowance;

use super::functions::{self, State};
use super::quiet;

/// Ours: how deep functions may call each other and values be computed within one another.
const EVALUATION_DEPTH_MAX: usize = 1_000;
/// Ours: items of a sequence; the smallest JSON array of a payload's size has 131,072.
pub(super) const SEQUENCE_LENGTH_MAX: usize = 200_000;

const OUT_OF_TIME: &str = "D1012: The expressions of the state have computed for too long";
const PANICKED: &str = "U1900: The expression met an error of the engine";

/// What an expression takes for chance, and for the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chance {
    pub(super) seed: [u8; 32],
    pub(super) milliseconds: i64,
}

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
    chance: Chance,
    allowance: &Allowance,
) -> Result<JValue, String> {
    // What the clock decides is an error that is stored like any other outcome of a step, so nothing is decided
    // twice.
    allowance
        .timed(|time| evaluate_within(ast, document, bindings, chance, time))
        .unwrap_or_else(|| Err(String::from(OUT_OF_TIME)))
}

fn evaluate_within(
    ast: &AstNode,
    document: &JValue,
    bindings: Vec<(String, JValue)>,
    chance: Chance,
    time: Duration,
) -> Result<JValue, String> {
    let work = || -> Result<JValue, EvaluatorError> {
        let mut context = Context::new();
        for (name, value) in bindings {
            context.bind(name, value);
        }
        let options = EvaluatorOptions {
            timeout_ms: Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)),
            cancel: None,
            max_stack_depth: Some(EVALUATION_DEPTH_MAX),
            max_sequence_length: Some(SEQUENCE_LENGTH_MAX),
        };
        let mut evaluator = Evaluator::with_options(context, options);
        functions::register(&mut evaluator, &State::new(chance.seed, chance.milliseconds))?;
        evaluator.evaluate(ast, document)
    };
    match quiet::catch(work) {
        None => Err(String::from(PANICKED)),
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(String::from(error.message())),
    }
}
