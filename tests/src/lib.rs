//! What the suites share: a runner that drives the interpreter under a virtual clock, golden fixtures, and the
//! comparison with what AWS answered.

mod children;
pub mod fixture;
pub mod fuzz;
pub mod hostile;
#[cfg(test)]
mod laws;
mod memory;
pub mod model;
pub mod placeholders;
pub mod process;
pub mod recorded;
pub mod render;
mod resting;
pub mod runner;
pub mod script;
pub mod sim;
mod stand_in;
pub mod worker;
