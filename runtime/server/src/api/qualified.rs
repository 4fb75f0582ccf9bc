//! What a version or an alias of a machine is to the operations that take one.

use engine::arn::{InvalidArn, StateMachineArn, StateMachineReference};
use store::MachineRecord;

use super::describe::reference;
use super::error::ApiError;

/// The list of executions of a machine, of a version or of an alias.
pub(crate) fn list(machine: &MachineRecord, reference: &StateMachineReference) -> Result<u64, ApiError> {
    let found = match reference {
        StateMachineReference::Machine(_) => Some(machine.machine_id),
        StateMachineReference::Version { version, .. } => {
            machine.version(*version).map(|version| version.list_id)
        }
        StateMachineReference::Alias { alias, .. } => machine.alias(alias).map(|alias| alias.list_id),
        StateMachineReference::Label { .. } => None,
    };
    found.ok_or_else(|| ApiError::resource_not_found(&reference.to_string()))
}

/// An ARN that must be that of a version.
pub(crate) fn version(text: &str) -> Result<(StateMachineArn, u32), ApiError> {
    match reference(text)? {
        StateMachineReference::Version { machine, version } => Ok((machine, version)),
        StateMachineReference::Machine(_)
        | StateMachineReference::Alias { .. }
        | StateMachineReference::Label { .. } => Err(InvalidArn::Name(text.to_owned()).into()),
    }
}

/// An ARN that must be that of an alias.
pub(crate) fn alias(text: &str) -> Result<(StateMachineArn, String), ApiError> {
    match reference(text)? {
        StateMachineReference::Alias { machine, alias } => Ok((machine, alias.to_string())),
        StateMachineReference::Machine(_)
        | StateMachineReference::Version { .. }
        | StateMachineReference::Label { .. } => Err(InvalidArn::Name(text.to_owned()).into()),
    }
}
