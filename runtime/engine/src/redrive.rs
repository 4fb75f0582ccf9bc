//! Whether an execution can be redriven, and until when.

use asl::Timestamp;
use asl::limits::HISTORY_EVENTS_MAX;
use store::{ExecutionRecord, ExecutionStatus, MachineRecord, MachineStatus};

/// AWS: an execution can be redriven for 14 days after its end.
const REDRIVABLE_SECONDS: i64 = 14 * 24 * 60 * 60;
/// AWS quota: an execution is open for a year at most.
const EXECUTION_SECONDS_MAX: i64 = 365 * 24 * 60 * 60;

/// Why an execution cannot be redriven, in AWS's words where it has some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRedrivable {
    #[error("Execution is RUNNING and cannot be redriven")]
    Running,
    #[error("Execution is SUCCEEDED and cannot be redriven")]
    Succeeded,
    #[error("Execution is PENDING_REDRIVE and cannot be redriven")]
    PendingRedrive,
    #[error("State machine is in DELETING status")]
    Deleting,
    #[error("Execution was started before the launch of RedriveExecution")]
    BeforeLaunch,
    #[error("Execution history event limit exceeded")]
    EventLimit,
    #[error("Execution has exceeded the max execution time")]
    MaxTime,
    #[error("Execution redrivable period exceeded")]
    PeriodOver,
    /// Of a child of a Map Run RedriveExecution says this, though it may be `REDRIVABLE_BY_MAP_RUN`.
    #[error("Execution belongs to a Map Run and is redriven with the execution that the Map Run belongs to")]
    ByMapRun,
}

/// Why an execution cannot be redriven at `now`; none if it can. `machine` is the machine that has the name of the
/// execution's, if there is one.
pub fn not_redrivable(
    execution: &ExecutionRecord,
    machine: Option<&MachineRecord>,
    now: Timestamp,
) -> Option<NotRedrivable> {
    let item = execution.parent.as_ref().and_then(|parent| parent.item.as_ref());
    match execution.status {
        ExecutionStatus::Running => return Some(NotRedrivable::Running),
        ExecutionStatus::Succeeded => return Some(NotRedrivable::Succeeded),
        ExecutionStatus::PendingRedrive => return Some(NotRedrivable::PendingRedrive),
        ExecutionStatus::Failed | ExecutionStatus::TimedOut | ExecutionStatus::Aborted => {}
    }
    // It starts anew, whatever became of it.
    if item.is_some_and(|item| item.express) {
        return child_not_redrivable(execution, now);
    }
    // The children of a Map Run have a number of its own in place of their machine's.
    let is_there = |machine: &MachineRecord| {
        machine.status == MachineStatus::Active
            && (item.is_some() || machine.machine_id == execution.machine_id)
    };
    if !machine.is_some_and(is_there) {
        return Some(NotRedrivable::Deleting);
    }
    too_much_or_late(execution, now)
}

/// Why a child of a Map Run that ended without success cannot be redriven with it. Its machine is that of the Map Run.
pub(crate) fn child_not_redrivable(execution: &ExecutionRecord, now: Timestamp) -> Option<NotRedrivable> {
    let item = execution.parent.as_ref().and_then(|parent| parent.item.as_ref());
    if item.is_some_and(|item| item.express) {
        // It starts anew, but its history goes on.
        let is_full = execution.event_count >= HISTORY_EVENTS_MAX - 1;
        return is_full.then_some(NotRedrivable::EventLimit);
    }
    too_much_or_late(execution, now)
}

fn too_much_or_late(execution: &ExecutionRecord, now: Timestamp) -> Option<NotRedrivable> {
    let years_end = execution.started_at.saturating_add_seconds(EXECUTION_SECONDS_MAX);
    if execution.event_count >= HISTORY_EVENTS_MAX - 1 {
        Some(NotRedrivable::EventLimit)
    } else if execution.redrives.is_none() {
        Some(NotRedrivable::BeforeLaunch)
    } else if years_end <= now {
        Some(NotRedrivable::MaxTime)
    } else {
        is_over(execution, now).then_some(NotRedrivable::PeriodOver)
    }
}

fn is_over(execution: &ExecutionRecord, now: Timestamp) -> bool {
    execution.redrives.as_ref().is_some_and(|redrives| redrives.is_over)
        || redrive_over_at(execution).is_none_or(|over_at| over_at <= now)
}

/// When the time in which an execution that has ended can be redriven is over.
pub(crate) fn redrive_over_at(execution: &ExecutionRecord) -> Option<Timestamp> {
    Some(execution.stopped_at?.saturating_add_seconds(REDRIVABLE_SECONDS))
}

#[cfg(test)]
mod tests {
    use asl::Data;
    use asl::definition::ScopeId;
    use asl::interpreter::{AttemptId, ExecutionId, MapItem, Parent, RowId};
    use store::{MachineKind, NewExecution, Redrives};

    use super::*;

    fn day(number: i64) -> Timestamp {
        Timestamp::from_milliseconds(number * 24 * 3_600_000)
    }

    /// An execution that failed on day 2.
    fn failed() -> ExecutionRecord {
        let new = NewExecution {
            arn: "arn".into(),
            name: "e".into(),
            state_machine_arn: "arn".into(),
            machine_id: 7,
            revision: 8,
            started_at: day(1),
            input: Data::empty_object(),
            seed: [0; 32],
        };
        ExecutionRecord {
            status: ExecutionStatus::Failed,
            stopped_at: Some(day(2)),
            event_count: 24_998,
            redrives: Some(Box::default()),
            ..ExecutionRecord::running(new)
        }
    }

    fn machine() -> MachineRecord {
        MachineRecord {
            machine_id: 7,
            name: "m".into(),
            arn: "arn".into(),
            kind: MachineKind::Standard,
            status: MachineStatus::Active,
            created_at: day(0),
            revision: 8,
            tags: Vec::new(),
            next_version: 1,
            published: None,
            first_version: None,
        }
    }

    fn check(execution: &ExecutionRecord, at: Timestamp, expected: Option<&str>) {
        let why = not_redrivable(execution, Some(&machine()), at).map(|why| why.to_string());
        assert_eq!(why.as_deref(), expected, "{execution:?}");
    }

    fn child(express: bool) -> ExecutionRecord {
        let item = MapItem {
            map_run_arn: "arn".into(),
            processor: ScopeId(1),
            express,
            count: 1,
            index: Some(0),
            value: None,
            key: None,
        };
        let parent =
            Parent { execution: ExecutionId(1), row: RowId(2), attempt: AttemptId(3), item: Some(item) };
        ExecutionRecord { parent: Some(Box::new(parent)), machine_id: 1 << 63, ..failed() }
    }

    #[test]
    fn an_unsuccessful_end_can_be_redriven_for_two_weeks() {
        let nearly = day(16).saturating_add_milliseconds(-1);
        for status in [ExecutionStatus::Failed, ExecutionStatus::TimedOut, ExecutionStatus::Aborted] {
            check(&ExecutionRecord { status, ..failed() }, nearly, None);
        }
        check(&failed(), day(16), Some("Execution redrivable period exceeded"));
        let over = Redrives { is_over: true, ..Redrives::default() };
        // The clock was set back since its rows were removed.
        let over = ExecutionRecord { redrives: Some(Box::new(over)), ..failed() };
        check(&over, day(3), Some("Execution redrivable period exceeded"));
    }

    #[test]
    fn every_reason_has_the_words_of_aws() {
        let of_status = |status| ExecutionRecord { status, ..failed() };
        check(
            &of_status(ExecutionStatus::Running),
            day(3),
            Some("Execution is RUNNING and cannot be redriven"),
        );
        check(
            &of_status(ExecutionStatus::Succeeded),
            day(3),
            Some("Execution is SUCCEEDED and cannot be redriven"),
        );
        let full = ExecutionRecord { event_count: 24_999, ..failed() };
        check(&full, day(3), Some("Execution history event limit exceeded"));
        let old = ExecutionRecord { redrives: None, ..failed() };
        check(&old, day(3), Some("Execution was started before the launch of RedriveExecution"));
        let late = ExecutionRecord { stopped_at: Some(day(365)), ..failed() };
        check(&late, day(365), None);
        check(&late, day(366), Some("Execution has exceeded the max execution time"));
        let deleting = MachineRecord { status: MachineStatus::Deleting, ..machine() };
        let another = MachineRecord { machine_id: 9, ..machine() };
        for machine in [Some(&deleting), Some(&another), None] {
            let why = not_redrivable(&failed(), machine, day(3)).map(|why| why.to_string());
            assert_eq!(why.as_deref(), Some("State machine is in DELETING status"));
        }
    }

    #[test]
    fn a_child_of_a_map_run_that_is_full_cannot_be_redriven() {
        for express in [false, true] {
            let full = ExecutionRecord { event_count: 24_999, ..child(express) };
            assert_eq!(child_not_redrivable(&full, day(3)), Some(NotRedrivable::EventLimit));
            assert_eq!(child_not_redrivable(&child(express), day(3)), None);
        }
    }

    #[test]
    fn children_of_a_map_run_have_no_machine_of_their_own() {
        check(&child(false), day(3), None);
        check(&child(false), day(16), Some("Execution redrivable period exceeded"));
        let express = ExecutionRecord { redrives: None, ..child(true) };
        check(&express, day(400), None);
        let succeeded = ExecutionRecord { status: ExecutionStatus::Succeeded, ..express };
        check(&succeeded, day(3), Some("Execution is SUCCEEDED and cannot be redriven"));
    }
}
