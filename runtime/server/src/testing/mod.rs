//! TestState's own rules: the state under test, what stands in for the world around it, and what is told of it.

pub(crate) mod context;
pub(crate) mod exchange;
pub(crate) mod inspection;
pub(crate) mod mock;
pub(crate) mod run;
pub(crate) mod shape;
mod shapes;
pub(crate) mod subject;
