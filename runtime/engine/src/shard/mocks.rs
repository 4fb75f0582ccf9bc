//! Test cases: executions in which answers stand in for tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use asl::interpreter::TestCase;
use asl::{Definition, Text};

use crate::request::Refusal;

use super::Shard;

/// The test cases of every machine, by the names of both.
#[derive(Debug, Clone, Default)]
pub struct Mocks {
    pub machines: BTreeMap<String, BTreeMap<Text, Arc<TestCase>>>,
}

impl Mocks {
    fn case(&self, machine: &str, name: &Text) -> Option<&Arc<TestCase>> {
        self.machines.get(machine)?.get(name)
    }
}

impl Shard {
    /// The test case for a new execution. One that doesn't fit the machine is refused, since a task that it was to
    /// stand in for would do its work.
    pub(super) fn test_case(
        &self,
        machine: &str,
        name: Option<&Text>,
        definition: &Definition,
    ) -> Result<Option<Arc<TestCase>>, Refusal> {
        let Some(name) = name else { return Ok(None) };
        let case = self.options.mocks.case(machine, name).cloned();
        let case = case.ok_or_else(|| Refusal::TestCaseDoesNotExist {
            machine: machine.to_owned(),
            test_case: name.to_string(),
        })?;
        match case.unknown_state(definition) {
            None => Ok(Some(case)),
            Some(state) => Err(Refusal::MockedStateDoesNotExist {
                machine: machine.to_owned(),
                test_case: name.to_string(),
                state: state.to_string(),
            }),
        }
    }

    /// The test case of an execution that goes on. The file may have changed since its start.
    pub(super) fn test_case_again(&self, machine: &str, name: Option<&Text>) -> Option<Arc<TestCase>> {
        let name = name?;
        let case = self.options.mocks.case(machine, name).cloned();
        Some(case.unwrap_or_else(|| Arc::new(TestCase::lost(name.clone()))))
    }
}
