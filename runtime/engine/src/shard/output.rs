//! What goes out of a shard.

use store::Batch;

use crate::observer::Written;

use super::input::{Reply, ReplyTo, TaskKey};

/// A batch to commit, and what may be done once it is durable.
#[derive(Debug, Default)]
pub struct Output {
    pub batch: Batch,
    pub effects: Vec<Effect>,
    /// Counts the batches of this shard; given back in `committed`.
    pub generation: u64,
}

/// What the outside may see after the commit.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Reply {
        to: ReplyTo,
        reply: Reply,
    },
    /// Run an attempt; its request is asked for when there is room to run it.
    StartTask(TaskKey),
    /// The attempt's result is no longer wanted.
    CancelTask(TaskKey),
    /// What an execution has written, for whoever observes it.
    Tell(Box<Written>),
}
