//! Samples of what a Map Run stores.

use asl::Text;
use asl::definition::ScopeId;
use asl::interpreter::{
    AttemptId, Batches, ChildFailure, ErrorOutput, ExecutionId, HistoryEvent, HistoryKind, MapItem, MapRun,
    MapRunChild, MapRunCounts, MapRunEnd, MapRunRedrive, MapRunStatus, Parent, Row, RowId, Tolerance,
};

use super::{ExecutionRecord, HistoryRow, MapRunRecord, MapRunTotals, StateRow, at, data, execution};

pub(super) fn child() -> ExecutionRecord {
    child_of(None)
}

pub(super) fn child_of_entry() -> ExecutionRecord {
    child_of(Some(Text::from("key")))
}

fn child_of(key: Option<Text>) -> ExecutionRecord {
    let item = MapItem {
        map_run_arn: Text::from("run"),
        processor: ScopeId(5),
        express: true,
        count: 6,
        index: Some(7),
        value: Some(data()),
        key,
    };
    let parent =
        Parent { execution: ExecutionId(0x0102), row: RowId(3), attempt: AttemptId(4), item: Some(item) };
    ExecutionRecord { parent: Some(Box::new(parent)), ..execution() }
}

fn counts() -> MapRunCounts {
    let (pending_redrive, not_redrivable) = (None, None);
    MapRunCounts {
        running: 1,
        succeeded: 2,
        failed: 3,
        timed_out: 4,
        aborted: 5,
        pending_redrive,
        not_redrivable,
    }
}

fn tolerance() -> Tolerance {
    Tolerance { count: Some(6), percentage: Some(0.5) }
}

fn run() -> MapRun {
    MapRun {
        owner: RowId(1),
        id: ExecutionId(0x0102),
        arn: Text::from("run"),
        started_at: at(2),
        attempt: AttemptId(3),
        items: RowId(4),
        item_count: 5,
        next_item: 4,
        first_child: RowId(6),
        started: 3,
        concurrency_max: 7,
        tolerance: tolerance(),
        items_by_status: counts(),
        children_by_status: counts(),
        output_bytes: 8,
        batches: Some(Batches { items_max: Some(9), bytes_max: Some(10), input: Some(RowId(11)) }),
        ended: None,
        redriven: None,
    }
}

pub(super) fn run_row() -> StateRow {
    StateRow::Row(Row::MapRun(Box::new(run())))
}

pub(super) fn redriven_run_row() -> StateRow {
    let counts = MapRunCounts { pending_redrive: Some(6), not_redrivable: Some(7), ..counts() };
    StateRow::Row(Row::MapRun(Box::new(MapRun {
        children_by_status: counts,
        ended: Some(MapRunEnd { status: MapRunStatus::Failed, at: at(12) }),
        redriven: Some(MapRunRedrive { count: 13, at: at(14), next_told: 15, next_child: Some(16) }),
        ..run()
    })))
}

pub(super) fn child_row() -> StateRow {
    let (run, id) = (RowId(1), ExecutionId(0x0102));
    StateRow::Row(Row::MapRunChild(MapRunChild {
        run,
        id,
        item_count: 2,
        output: Some(data()),
        failure: None,
    }))
}

pub(super) fn failed_child_row(failure: ChildFailure) -> StateRow {
    let (run, id) = (RowId(1), ExecutionId(0x0102));
    StateRow::Row(Row::MapRunChild(MapRunChild {
        run,
        id,
        item_count: 2,
        output: None,
        failure: Some(failure),
    }))
}

pub(super) fn history() -> HistoryRow {
    let kinds = [
        HistoryKind::MapRunStarted { map_run_arn: Text::from("run") },
        HistoryKind::MapRunSucceeded,
        HistoryKind::MapRunFailed(ErrorOutput::new("Error", "cause")),
        HistoryKind::MapRunAborted,
    ];
    rows_of(kinds)
}

pub(super) fn redriven_history() -> HistoryRow {
    rows_of([HistoryKind::MapRunRedriven { map_run_arn: Text::from("run"), redrive_count: 2 }])
}

fn rows_of<const N: usize>(kinds: [HistoryKind; N]) -> HistoryRow {
    let events = (1..).zip(kinds).map(|(id, kind)| HistoryEvent { id, previous: id - 1, at: at(1), kind });
    HistoryRow { execution: ExecutionId(1), previous_lsn: None, events: events.collect() }
}

pub(super) fn record() -> MapRunRecord {
    MapRunRecord {
        arn: Text::from("run"),
        execution: ExecutionId(0x0102),
        execution_arn: Text::from("arn"),
        status: MapRunStatus::Aborted,
        started_at: at(1),
        stopped_at: Some(at(2)),
        concurrency_max: 3,
        tolerance: tolerance(),
        items: MapRunTotals { pending: 4, by_status: counts() },
        children: MapRunTotals { pending: 5, by_status: counts() },
        redrive_count: 6,
        redriven_at: Some(at(7)),
    }
}
