//! Tests that need more than one file of the module.

pub(super) mod hostile;
mod suite;
