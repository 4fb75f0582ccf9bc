//! The Parallel state: every branch starts with a copy of the effective input.

use crate::data::evaluate::Failure;
use crate::data::flow;
use crate::definition::Parallel;
use crate::limits::PAYLOAD_BYTES_MAX;

use super::execution::{RowId, Thread};
use super::history::HistoryKind;
use super::stepper::Stepper;

impl Stepper<'_> {
    pub(super) fn parallel(&mut self, row: RowId, parallel: &Parallel) -> Result<(), Failure> {
        let input = self.compute(row, None, |scope, thread| {
            flow::effective_input(&parallel.flow, scope, &thread.input)
        })?;
        if input.size() > PAYLOAD_BYTES_MAX {
            return Err(Failure::data_limit());
        }
        let started = self.write_next(row, HistoryKind::ParallelStateStarted);
        let count = u32::try_from(parallel.branches.len()).expect("a definition of 1 MiB has fewer branches");
        let fork = self.fork(row, count, None, None, None);
        let counts = self.state.fork_mut(fork);
        counts.started = count;
        counts.live = count;
        let first_child = counts.first_child.0;
        for (index, branch) in (0..count).zip(&parallel.branches) {
            let first = self.definition.scope(*branch).start_at;
            let child = Thread::child(fork, index, first, input.clone(), started);
            self.spawn(RowId(first_child + u64::from(index)), child);
        }
        Ok(())
    }
}
