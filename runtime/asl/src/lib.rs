//! Amazon States Language: definitions, their validation, the data flow and the interpreter.
//!
//! Everything here is synchronous and total: the same arguments give the same answer. Time, entropy and
//! identifiers come in as arguments; nothing reads a clock, a socket or a disk.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod data;
pub mod definition;
pub mod interpreter;
pub mod limits;
pub mod validate;

pub use data::json::Data;
pub use data::text::Text;
pub use data::timestamp::Timestamp;
pub use definition::Definition;
pub use interpreter::step;
