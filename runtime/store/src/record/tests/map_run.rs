//! Samples of what a Map Run stores.

use asl::Text;
use asl::definition::ScopeId;
use asl::interpreter::{
    AttemptId, Batches, ErrorOutput, ExecutionId, HistoryEvent, HistoryKind, MapItem, MapRun, MapRunChild,
    MapRunCounts, MapRunStatus, Parent, Row, RowId, Tolerance,
};

use super::{ExecutionRecord, HistoryRow, MapRunRecord, MapRunTotals, StateRow, at, data, execution};

pub(super) fn child() -> ExecutionRecord {
    let item = MapItem {
        map_run_arn: Text::from("run"),
        processor: ScopeId(5),
        express: true,
        count: 6,
        index: Some(7),
        value: Some(data()),
    };
    let parent =
        Parent { execution: ExecutionId(0x0102), row: RowId(3), attempt: AttemptId(4), item: Some(item) };
    ExecutionRecord { parent: Some(Box::new(parent)), ..execution() }
}

fn counts() -> MapRunCounts {
    MapRunCounts { running: 1, succeeded: 2, failed: 3, timed_out: 4, aborted: 5 }
}

fn tolerance() -> Tolerance {
    Tolerance { count: Some(6), percentage: Some(0.5) }
}

pub(super) fn run_row() -> StateRow {
    StateRow::Row(Row::MapRun(Box::new(MapRun {
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
    })))
}

pub(super) fn child_row() -> StateRow {
    let (run, id) = (RowId(1), ExecutionId(0x0102));
    StateRow::Row(Row::MapRunChild(MapRunChild { run, id, item_count: 2, output: Some(data()) }))
}

pub(super) fn history() -> HistoryRow {
    let kinds = [
        HistoryKind::MapRunStarted { map_run_arn: Text::from("run") },
        HistoryKind::MapRunSucceeded,
        HistoryKind::MapRunFailed(ErrorOutput::new("Error", "cause")),
        HistoryKind::MapRunAborted,
    ];
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
