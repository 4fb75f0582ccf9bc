//! The AWS Step Functions API: one file for each operation.

mod configuration;
mod definition;
mod describe;
mod dispatch;
mod error;
mod fields;
mod history_event;
mod jackson;
mod page;
mod payload;
mod qualified;
mod routing;

mod create_activity;
mod create_state_machine;
mod create_state_machine_alias;
mod delete_activity;
mod delete_state_machine;
mod delete_state_machine_alias;
mod delete_state_machine_version;
mod describe_activity;
mod describe_execution;
mod describe_state_machine;
mod describe_state_machine_alias;
mod describe_state_machine_for_execution;
mod get_activity_task;
mod get_execution_history;
mod list_activities;
mod list_executions;
mod list_state_machine_aliases;
mod list_state_machine_versions;
mod list_state_machines;
mod publish_state_machine_version;
mod send_task_failure;
mod send_task_heartbeat;
mod send_task_success;
mod start_execution;
mod stop_execution;
mod test_state;
mod update_state_machine;
mod update_state_machine_alias;
mod validate_state_machine_definition;

pub(crate) use definition::{findings as definition_findings, invalid as invalid_definition};
pub(crate) use describe::{find_execution, history_end};
pub(crate) use dispatch::handle;
pub(crate) use error::ApiError;
