//! The reads that are more than one look-up, over any backend.

pub(crate) mod catalog;
pub(crate) mod history;
pub(crate) mod listing;
pub(crate) mod map_runs;
pub(crate) mod state;
