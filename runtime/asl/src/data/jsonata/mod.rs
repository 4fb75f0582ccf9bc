//! JSONata, the query language of states that set `QueryLanguage` to `JSONata`.
//!
//! The engine is the crate `jsonata-core`; none of its types leaves this module. It evaluates what an author
//! wrote on the thread that drives every execution, so each way in which an expression could hurt that thread
//! is closed here: `guard` rewrites the parsed expression so that sizes are checked while it runs, `engine`
//! sets limits and catches panics, `convert` bounds what comes out.

mod analysis;
mod convert;
mod engine;
mod expression;
mod functions;
mod guard;
mod messages;
mod quiet;
mod urls;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use functions::is_function;

pub use expression::{Cache, Expression, QueryError, StatesField, SyntaxError, World};
