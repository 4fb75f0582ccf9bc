//! The intrinsic functions of JSONPath states, `States.Format` and the others.

mod arrays;
mod call;
mod evaluate;
mod format;
#[cfg(test)]
mod hostile;
mod json;
mod numbers;
mod parser;
mod strings;

pub use call::{Argument, Call, Function, Text};
pub use evaluate::{Failure, INTRINSIC_FAILURE, Source};
pub use parser::{ParseError, parse};
pub(crate) use strings::{digest, uuid_text};
