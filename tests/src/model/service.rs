//! What the service knows of one client's names, and which part of the model answers which call.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::activities::{Activity, Task};
use super::executions::Execution;
use super::machines::Machine;
use super::pattern::{Expected, Slots};

type Members = Map<String, Value>;

/// The model of what one client has made.
#[derive(Debug, Clone, Default)]
pub(super) struct Service {
    pub(super) slots: Slots,
    pub(super) machines: BTreeMap<String, Machine>,
    pub(super) activities: BTreeMap<String, Activity>,
    /// By ARN, from the oldest. A name stays taken when its machine is gone.
    pub(super) executions: Vec<Execution>,
    /// The tasks that were handed out.
    pub(super) tasks: Vec<Task>,
    /// Counts machines, so that one is told from another that had its name.
    pub(super) machines_made: u64,
}

impl Service {
    /// Does a call, and tells what it must answer.
    pub(super) fn apply(&mut self, operation: &str, members: &Value) -> Expected {
        let empty = Members::new();
        let members = members.as_object().unwrap_or(&empty);
        match operation {
            "CreateStateMachine" => self.create_machine(members),
            "UpdateStateMachine" => self.update_machine(members),
            "DescribeStateMachine" => self.describe_machine(members),
            "DeleteStateMachine" => self.delete_machine(members),
            "ValidateStateMachineDefinition" => Service::validate(members),
            "PublishStateMachineVersion" => self.publish_version(members),
            "DeleteStateMachineVersion" => self.delete_version(members),
            "CreateStateMachineAlias" => self.create_alias(members),
            "UpdateStateMachineAlias" => self.update_alias(members),
            "DescribeStateMachineAlias" => self.describe_alias(members),
            "DeleteStateMachineAlias" => self.delete_alias(members),
            "TagResource" => self.tag(members),
            "UntagResource" => self.untag(members),
            "ListTagsForResource" => self.list_tags(members),
            "StartExecution" => self.start_execution(members),
            "StartSyncExecution" => self.start_sync_execution(members),
            "StopExecution" => self.stop_execution(members),
            "RedriveExecution" => self.redrive_execution(members),
            "DescribeExecution" => self.describe_execution(members),
            "DescribeStateMachineForExecution" => self.describe_machine_for_execution(members),
            "DescribeMapRun" => self.describe_map_run(members),
            "UpdateMapRun" => self.update_map_run(members),
            "CreateActivity" => self.create_activity(members),
            "DescribeActivity" => self.describe_activity(members),
            "DeleteActivity" => self.delete_activity(members),
            "GetActivityTask" => self.poll(members),
            "SendTaskSuccess" | "SendTaskFailure" | "SendTaskHeartbeat" => self.send_task(operation, members),
            other => panic!("the model does not know {other}"),
        }
    }
}

/// Whether a call changes nothing, so that it does not matter whether one with a lost answer was done.
pub(super) fn only_reads(operation: &str) -> bool {
    ["Describe", "List", "Get", "Validate"].iter().any(|begin| operation.starts_with(begin))
        && operation != "GetActivityTask"
}
