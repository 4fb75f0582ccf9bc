//! The Pass, Succeed and Fail states.

use crate::data::evaluate::{self, Failure};
use crate::data::flow;
use crate::data::json::Data;
use crate::definition::{Fail, Pass, Succeed, TextField};
use crate::limits::PAYLOAD_BYTES_MAX;

use super::execution::RowId;
use super::failure::StateError;
use super::history::{ErrorOutput, HistoryKind, StateType};
use super::stepper::Stepper;

impl Stepper<'_> {
    pub(super) fn pass(&mut self, row: RowId, pass: &Pass) -> Result<(), Failure> {
        let (output, assigned) = self.compute(row, None, |scope, thread| {
            let input = flow::effective_input(&pass.flow, scope, &thread.input)?;
            let result = pass.result.as_ref().map_or(input, |literal| Data::from(literal.clone()));
            let assigned = flow::assigned(&pass.assign, scope, &result)?;
            Ok((flow::output(&pass.flow, scope, &thread.input, result)?, assigned))
        })?;
        self.exit(row, output, assigned, pass.transition);
        Ok(())
    }

    pub(super) fn succeed(&mut self, row: RowId, succeed: &Succeed) -> Result<(), Failure> {
        let output = self.compute(row, None, |scope, thread| {
            let input = flow::selected_input(&succeed.flow, scope, &thread.input)?;
            flow::output(&succeed.flow, scope, &thread.input, input)
        })?;
        if output.size() > PAYLOAD_BYTES_MAX {
            return Err(Failure::data_limit());
        }
        self.count_bytes(&output);
        let name = (&self.state_of(row).name).into();
        let exited = HistoryKind::StateExited {
            state_type: StateType::Succeed,
            name,
            output: output.clone(),
            assigned: Vec::new(),
        };
        self.write_next(row, exited);
        self.end_thread(row, output);
        Ok(())
    }

    pub(super) fn fail(&mut self, row: RowId, fail: &Fail) -> Result<(), Failure> {
        let output = self.compute(row, None, |scope, thread| {
            let text = |field: &Option<TextField>| {
                field.as_ref().map(|field| evaluate::text(field, scope, thread.input.value())).transpose()
            };
            Ok(ErrorOutput { error: text(&fail.error)?, cause: text(&fail.cause)? })
        })?;
        self.fail_thread(row, StateError::new(output));
        Ok(())
    }
}
