//! Executions that an execution under test starts: who they are, and what comes back of them.

use asl::Timestamp;
use asl::interpreter::{ChildEnd, Ending, Event, ExecutionInfo, StartChild};

/// What the child knows of itself.
pub(crate) fn info(parent: &ExecutionInfo, child: &StartChild, now: Timestamp) -> ExecutionInfo {
    ExecutionInfo {
        id: child.id,
        arn: child.arn.clone(),
        name: child.name.clone(),
        input: child.input.clone(),
        started_at: now,
        state_machine_arn: child.state_machine_arn.clone(),
        seed: child.seed,
        parent: Some(Box::new(child.parent.clone())),
        ..parent.clone()
    }
}

/// What its parent hears at its end.
pub(crate) fn ended(child: &StartChild, started_at: Timestamp, now: Timestamp, ending: Ending) -> Event {
    let end = ChildEnd {
        id: child.id,
        arn: child.arn.clone(),
        name: child.name.clone(),
        state_machine_arn: child.state_machine_arn.clone(),
        input: child.input.clone(),
        started_at,
        stopped_at: now,
        ending,
        is_final: false,
    };
    let (row, attempt) = (child.parent.row, child.parent.attempt);
    Event::ChildEnded { row, attempt, end: Box::new(end) }
}
