//! JSONPath as AWS understands it: Jayway's dialect, its paths, reference paths and error texts.

mod ast;
mod cursor;
#[cfg(test)]
mod differential;
mod filter;
mod filter_parser;
mod find;
#[cfg(test)]
mod hostile;
mod parser;
mod reference;
mod spread;
pub mod values;

pub use ast::{Comparison, Filter, Operand, Path, Root, Route, Segment};
pub use cursor::PathError;
pub use find::{Found, NotFound};
pub use reference::{Conflict, ReferencePath};
