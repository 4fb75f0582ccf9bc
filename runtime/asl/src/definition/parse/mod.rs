//! From the text of a definition to its types: `machine` leads, one file reads each state type, the rules
//! that look at more than one field are in `validate`.

mod callback_links;
mod choice;
mod choice_operators;
mod distributed;
mod error_handling;
mod fail;
mod flow;
mod machine;
mod map;
pub(crate) mod outline;
mod parallel;
mod pass;
pub(crate) mod reader;
mod resource;
mod succeed;
mod syntax;
mod task;
mod template;
mod values;
mod wait;

#[cfg(test)]
pub(crate) mod tests;

pub use machine::{MachineType, Parsed, parse};
pub(crate) use template::jsonata_source;
