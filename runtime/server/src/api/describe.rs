//! What several operations look up and show of machines and executions.

use asl::definition::{self, Definition, MachineType};
use asl::interpreter::ExecutionId;
use asl::{Data, Text};
use engine::MachineKind;
use engine::arn::{ExecutionArn, MapRunArn, StateMachineArn, StateMachineReference};
use serde_json::{Map, Value};
use store::{ExecutionRecord, ExecutionStatus, MachineRecord, MapRunRecord, RevisionRecord, RowKey, Store};

use super::configuration::{encryption_default, logging_default, tracing_default};
use super::error::ApiError;
use super::fields::Fields;
use crate::app::App;

/// AWS's names of the two types of machine.
pub(crate) const KINDS: &[(&str, MachineKind)] =
    &[("STANDARD", MachineKind::Standard), ("EXPRESS", MachineKind::Express)];

/// In the order in which AWS quotes them.
pub(crate) const STATUSES: &[(&str, ExecutionStatus)] = &[
    ("SUCCEEDED", ExecutionStatus::Succeeded),
    ("TIMED_OUT", ExecutionStatus::TimedOut),
    ("PENDING_REDRIVE", ExecutionStatus::PendingRedrive),
    ("ABORTED", ExecutionStatus::Aborted),
    ("FAILED", ExecutionStatus::Failed),
    ("RUNNING", ExecutionStatus::Running),
];

/// AWS's word in one of the tables above.
pub(crate) fn word<T: Copy + PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table.iter().find(|(_, found)| *found == value).map_or("UNKNOWN", |(word, _)| word)
}

/// `includedData`: whether definitions and payloads are in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Included {
    All,
    Metadata,
}

impl Included {
    pub(crate) fn read(fields: &mut Fields) -> Result<Included, ApiError> {
        let choices = &[("ALL_DATA", Included::All), ("METADATA_ONLY", Included::Metadata)];
        Ok(fields.choice("includedData", choices)?.unwrap_or(Included::All))
    }
}

/// The ARN of a machine itself, for operations that take no version and no alias: none is a machine.
pub(crate) fn machine_arn(text: &str) -> Result<StateMachineArn, ApiError> {
    match reference(text)? {
        StateMachineReference::Machine(arn) => Ok(arn),
        StateMachineReference::Version { .. }
        | StateMachineReference::Alias { .. }
        | StateMachineReference::Label { .. } => Err(ApiError::state_machine_does_not_exist(text)),
    }
}

/// The ARN of a machine, of a version or of an alias.
pub(crate) fn reference(text: &str) -> Result<StateMachineReference, ApiError> {
    let reference = StateMachineReference::parse(text)?;
    if let StateMachineReference::Label { .. } = reference {
        return Err(ApiError::validation_because(
            "API_DOES_NOT_SUPPORT_LABELED_ARNS",
            "This operation does not support labeled state machine ARNs.",
        ));
    }
    Ok(reference)
}

/// The same for a start, which may name a test case: `ARN#CASE`, as Step Functions Local has it.
pub(crate) fn tested(text: &str) -> Result<(StateMachineReference, Option<Text>), ApiError> {
    match text.split_once('#') {
        Some((arn, case)) if !case.is_empty() => Ok((reference(arn)?, Some(case.into()))),
        Some(_) | None => Ok((reference(text)?, None)),
    }
}

/// The machine of a version or an alias too; `asked` is the ARN as the client gave it.
pub(crate) async fn find_machine<S: Store + Clone>(
    app: &App<S>,
    arn: &StateMachineArn,
    asked: &str,
) -> Result<MachineRecord, ApiError> {
    let found = app.store().machine(arn.name()).await?;
    found
        .filter(|machine| &*machine.arn == arn.as_str())
        .ok_or_else(|| ApiError::state_machine_does_not_exist(asked))
}

pub(crate) async fn find_execution<S: Store + Clone>(
    app: &App<S>,
    arn: &ExecutionArn,
) -> Result<(ExecutionId, ExecutionRecord), ApiError> {
    let found = engine::find_execution(app.store(), arn.state_machine_name(), arn.name()).await?;
    found
        .filter(|(_, record)| &*record.arn == arn.as_str())
        .ok_or_else(|| ApiError::execution_does_not_exist(arn.as_str()))
}

/// A Map Run: its id, its place, and what is to be shown of it.
pub(crate) async fn find_map_run<S: Store + Clone>(
    app: &App<S>,
    arn: &MapRunArn,
) -> Result<(ExecutionId, RowKey, MapRunRecord), ApiError> {
    let id = ExecutionId(arn.id().as_u128());
    let found = app.store().map_run(id).await?.filter(|(_, record)| &*record.arn == arn.as_str());
    found
        .map(|(place, record)| (id, place, record))
        .ok_or_else(|| ApiError::new("ResourceNotFound", format!("Resource not found: '{arn}'")))
}

/// The revision that a machine or an execution names; it is there as long as they are.
pub(crate) async fn find_revision<S: Store + Clone>(
    app: &App<S>,
    revision: u64,
) -> Result<RevisionRecord, ApiError> {
    app.store().revision(revision).await?.ok_or_else(|| {
        tracing::error!(revision, "a revision is missing from the store");
        ApiError::internal()
    })
}

/// The newest history row of an execution, from which its history is read.
pub(crate) async fn history_end<S: Store + Clone>(
    app: &App<S>,
    id: ExecutionId,
    record: &ExecutionRecord,
) -> Result<u64, ApiError> {
    if record.status != ExecutionStatus::Running {
        return Ok(record.last_lsn);
    }
    if let Some(header) = app.store().state_header(id).await? {
        return Ok(header.last_lsn);
    }
    // It ended between the two reads, and its record has the last row now.
    Ok(app.store().execution(id).await?.map_or(record.last_lsn, |ended| ended.last_lsn))
}

/// What DescribeStateMachine and DescribeStateMachineForExecution have in common.
pub(crate) fn revision_members(revision: &RevisionRecord, included: Included) -> Map<String, Value> {
    let configuration =
        |data: &Option<Data>, default: Value| data.as_ref().map_or(default, |data| data.value().clone());
    let definition = match included {
        Included::All => &*revision.definition,
        Included::Metadata => "{}",
    };
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
    put("stateMachineArn", (*revision.machine_arn).into());
    put("name", (*revision.machine_name).into());
    put("definition", definition.into());
    put("roleArn", (*revision.role_arn).into());
    put("loggingConfiguration", configuration(&revision.logging, logging_default()));
    put("tracingConfiguration", configuration(&revision.tracing, tracing_default()));
    put("encryptionConfiguration", configuration(&revision.encryption, encryption_default()));
    if let Some(revision_id) = &revision.revision_id {
        put("revisionId", (**revision_id).into());
    }
    if included == Included::All
        && let Some(references) = variable_references(revision)
    {
        put("variableReferences", references);
    }
    members
}

/// The definition of a revision, which was valid when it was stored.
pub(crate) fn parsed(revision: &RevisionRecord) -> Option<Definition> {
    let kind = match revision.kind {
        MachineKind::Standard => MachineType::Standard,
        MachineKind::Express => MachineType::Express,
    };
    definition::parse(&revision.definition, kind).definition
}

/// The variables that each state reads; none where no state reads any.
fn variable_references(revision: &RevisionRecord) -> Option<Value> {
    let references = parsed(revision)?.variable_references();
    (!references.is_empty()).then(|| serde_json::json!(references))
}

/// A role's ARN, of whatever account.
pub(crate) fn check_role(arn: &str) -> Result<(), ApiError> {
    let parts = arn.split(':').count();
    if arn.starts_with("arn:") && parts >= 6 {
        return Ok(());
    }
    Err(ApiError::new("InvalidArn", format!("Invalid Role Arn: '{arn}'")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arn: &str, expected: &str) {
        let actual =
            machine_arn(arn).map_or_else(|error| error.message().to_owned(), |arn| arn.name().to_owned());
        assert_eq!(actual, expected);
    }

    #[test]
    fn only_machines_themselves_exist() {
        check("arn:aws:states:r:1:stateMachine:m", "m");
        check(
            "arn:aws:states:r:1:stateMachine:m:1",
            "State Machine Does Not Exist: 'arn:aws:states:r:1:stateMachine:m:1'",
        );
        check("nothing", "Invalid Arn: 'Invalid ARN prefix: nothing'");
        check(
            "arn:aws:states:r:1:stateMachine:m/l",
            "This operation does not support labeled state machine ARNs.",
        );
    }

    #[test]
    fn a_role_is_an_arn() {
        assert!(check_role("arn:aws:iam::123456789012:role/service-role/r").is_ok());
        assert_eq!(check_role("role").unwrap_err().message(), "Invalid Role Arn: 'role'");
    }
}
