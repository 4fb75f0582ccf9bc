//! Tests that need more than one file of the module.

mod hostile;
mod suite;
