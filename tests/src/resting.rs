//! What an execution that ended without success may keep: the threads from which a redrive goes on, and what hangs on
//! them. Nothing of it waits for anything, and nothing else stays.

use std::collections::{BTreeMap, BTreeSet};

use asl::interpreter::{Fork, MapRun, MapRunChild, Phase, Row, RowId, Stopped};

/// Checks the rows that an execution has kept; gives the rule that is broken.
pub(crate) fn check(rows: &BTreeMap<RowId, &Row>) -> Result<(), String> {
    let mut reached = BTreeSet::new();
    thread(rows, RowId::ROOT, true, &mut reached)?;
    match rows.keys().find(|row| !reached.contains(*row)) {
        None => Ok(()),
        Some(row) => Err(format!("row {} is kept and no redrive needs it", row.0)),
    }
}

fn thread(
    rows: &BTreeMap<RowId, &Row>,
    id: RowId,
    is_root: bool,
    reached: &mut BTreeSet<RowId>,
) -> Result<(), String> {
    let Some(Row::Thread(found)) = rows.get(&id) else { return Err(format!("row {} is no thread", id.0)) };
    reached.insert(id);
    match &found.phase {
        Phase::Stopped(Stopped::Unentered | Stopped::Entered) => Ok(()),
        Phase::Stopped(Stopped::Forked(inner)) => match rows.get(inner) {
            Some(Row::Fork(counts)) if counts.owner == id => fork(rows, *inner, counts, reached),
            Some(Row::MapRun(run)) if run.owner == id => map_run(rows, *inner, run, reached),
            other => Err(format!("thread {} has no branches and no items: {other:?}", id.0)),
        },
        // What is done waits to be joined with what is not.
        Phase::Done(_) if !is_root => Ok(()),
        phase => Err(format!("thread {} of an execution that has ended is not at rest: {phase:?}", id.0)),
    }
}

fn fork(
    rows: &BTreeMap<RowId, &Row>,
    id: RowId,
    counts: &Fork,
    reached: &mut BTreeSet<RowId>,
) -> Result<(), String> {
    reached.insert(id);
    if let Some(items) = counts.items {
        match rows.get(&items) {
            Some(Row::Items(_)) => _ = reached.insert(items),
            other => return Err(format!("fork {} has no items: {other:?}", id.0)),
        }
    }
    let first = counts.first_child.0;
    for child in (first..first + u64::from(counts.started)).map(RowId) {
        thread(rows, child, false, reached)?;
    }
    Ok(())
}

/// Of a Map Run that has ended, children are kept that have ended too.
fn map_run(
    rows: &BTreeMap<RowId, &Row>,
    id: RowId,
    run: &MapRun,
    reached: &mut BTreeSet<RowId>,
) -> Result<(), String> {
    reached.insert(id);
    for items in [Some(run.items), run.batches.and_then(|batches| batches.input)].into_iter().flatten() {
        match rows.get(&items) {
            Some(Row::Items(_)) => _ = reached.insert(items),
            other => return Err(format!("Map Run {} has no items: {other:?}", id.0)),
        }
    }
    let counts = run.children_by_status;
    if run.ended.is_none() || counts.running > 0 || counts.pending_redrive.unwrap_or(0) > 0 {
        return Err(format!("Map Run {} is not at rest: {run:?}", id.0));
    }
    let first = run.first_child.0;
    let mut unsuccessful = counts.not_redrivable.unwrap_or(0);
    for child in (first..first + u64::from(run.started)).map(RowId) {
        match rows.get(&child) {
            Some(Row::MapRunChild(MapRunChild { output: None, failure: None, .. })) => {
                return Err(format!("child {} is not at rest", child.0));
            }
            Some(Row::MapRunChild(found)) => {
                unsuccessful += u32::from(found.failure.is_some());
                reached.insert(child);
            }
            // It has succeeded with too much, or can be redriven no more.
            None => {}
            other => return Err(format!("row {} is no child: {other:?}", child.0)),
        }
    }
    let expected = counts.failed + counts.timed_out + counts.aborted;
    if unsuccessful == expected {
        Ok(())
    } else {
        Err(format!("{unsuccessful} children, not {expected}: {run:?}"))
    }
}
