//! The model of the service: what it must answer to any sequence of calls, and clients that compare.
//!
//! Each [`Client`] has names of its own, so its answers depend on its own calls alone, however many clients there are.
//! What belongs to all, the lists of machines and activities, it reads whole and looks for its own names in. A call whose
//! answer was lost leaves two models, one in which it was done and one in which it was not; the answers that follow
//! tell which is right.

mod activities;
mod calls;
mod client;
mod executions;
mod kind;
mod lists;
mod machines;
mod mutant;
mod names;
mod pattern;
mod published;
mod redrive;
mod service;

pub use client::{Client, Options, Ran};
pub use mutant::{MUTANTS, Mutant, Mutated};

use serde_json::Value;

/// A server, as the clients of the model see it.
pub trait Port {
    /// Calls an operation. The error says why there is no answer, so nobody knows whether it was done.
    fn call(&self, operation: &str, members: &Value) -> Result<Answer, String>;
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}
