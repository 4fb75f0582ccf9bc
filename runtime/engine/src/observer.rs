//! Who is told what executions have written: logs, and whoever keeps Express executions to look at.

use std::sync::Arc;

use asl::interpreter::{ExecutionId, HistoryEvent};
use asl::{Text, Timestamp};
use store::ExecutionRecord;

use crate::logging::Logging;

/// Is told of events when they are durable, in the order in which each execution wrote them. What a crash cuts off
/// between a commit and this is not told again.
pub trait Observer: std::fmt::Debug + Send + Sync + 'static {
    /// The driver does nothing else meanwhile, so this must not wait for anything.
    fn wrote(&self, written: Written);
}

/// Of which executions an observer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Observed {
    #[default]
    Nothing,
    /// Of those whose machine has a logging level, the events that it takes.
    Logged,
    /// All events of all executions.
    All,
}

/// What one execution wrote in one batch.
#[derive(Clone, PartialEq)]
pub struct Written {
    pub id: ExecutionId,
    pub arn: Text,
    pub started_at: Timestamp,
    pub redrive_count: u32,
    pub events: Vec<HistoryEvent>,
    /// The execution as it is after its end, if it has ended.
    pub ended: Option<Box<ExecutionRecord>>,
    pub logging: Option<Arc<Logging>>,
}

/// Payloads are no business of a log.
impl std::fmt::Debug for Written {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Written")
            .field("arn", &self.arn)
            .field("events", &self.events.len())
            .field("has_ended", &self.ended.is_some())
            .finish_non_exhaustive()
    }
}
