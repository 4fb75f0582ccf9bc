//! State machines and their revisions.

use std::sync::Arc;

use asl::definition::MachineType;
use asl::validate::Severity;
use asl::{Definition, Text, Timestamp};
use store::{Change, MachineKind, MachineRecord, MachineStatus, RevisionRecord};

use crate::arn::StateMachineArn;
use crate::logging::Logging;
use crate::request::{CreateStateMachine, Created, Refusal, UpdateStateMachine, Updated};

use super::{Missing, Shard};

#[derive(Debug, Clone)]
pub(super) struct Machine {
    pub(super) record: MachineRecord,
    pub(super) revision: Arc<Revision>,
}

/// A revision with its parsed definition, shared by the executions that run it.
#[derive(Debug)]
pub(super) struct Revision {
    pub(super) record: RevisionRecord,
    pub(super) definition: Result<Arc<Definition>, InvalidDefinition>,
    pub(super) logging: Option<Arc<Logging>>,
}

/// Why a stored definition can be used no more. It was valid when it was stored, by the rules of another version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The stored definition of {machine_arn} is not valid: {finding}")]
pub(super) struct InvalidDefinition {
    machine_arn: Text,
    finding: String,
}

impl Revision {
    fn parse(record: RevisionRecord) -> Revision {
        let parsed = asl::definition::parse(&record.definition, machine_type(record.kind));
        let definition = parsed.definition.map(Arc::new).ok_or_else(|| {
            let mut findings = parsed.diagnostics.into_iter();
            let finding =
                findings.find(|found| found.severity == Severity::Error).map(|found| match found.location {
                    Some(location) => format!("{} at {location}", found.message),
                    None => found.message,
                });
            let finding = finding.unwrap_or_else(|| "it cannot be read".to_owned());
            InvalidDefinition { machine_arn: record.machine_arn.clone(), finding }
        });
        if let Err(invalid) = &definition {
            tracing::error!(machine = &*record.machine_arn, error = %invalid, "a stored definition cannot be used");
        }
        Revision::new(record, definition)
    }

    fn new(record: RevisionRecord, definition: Result<Arc<Definition>, InvalidDefinition>) -> Revision {
        let logging = Logging::read(record.logging.as_ref()).map(Arc::new);
        Revision { record, definition, logging }
    }

    /// The definition for a new execution, or for one that is to go on.
    pub(super) fn usable(&self) -> Result<&Arc<Definition>, Refusal> {
        self.definition
            .as_ref()
            .map_err(|invalid| Refusal::StoredDefinitionInvalid { why: invalid.to_string() })
    }
}

impl Shard {
    pub(super) fn missing_machine(&self, name: &str) -> Option<Missing> {
        (!self.machines.contains(name)).then(|| Missing::Machine(name.to_owned()))
    }

    pub(super) fn supply_machine(&mut self, name: String, found: Option<(MachineRecord, RevisionRecord)>) {
        let machine = found
            .map(|(record, revision)| Machine { revision: self.revision(record.revision, revision), record });
        self.machines.insert(name, machine, 0);
    }

    /// The parsed revision; parsed once for all executions that run it.
    pub(super) fn revision(&mut self, number: u64, record: RevisionRecord) -> Arc<Revision> {
        if let Some(revision) = self.revisions.get_mut(&number, 0) {
            return Arc::clone(revision);
        }
        let revision = Arc::new(Revision::parse(record));
        self.revisions.insert(number, Arc::clone(&revision), 0);
        revision
    }

    pub(super) fn machine(&self, arn: &StateMachineArn) -> Option<&Machine> {
        self.machines.get(arn.name())?.as_ref()
    }

    pub(super) fn machine_named(&self, name: &str) -> Option<&MachineRecord> {
        self.machines.get(&name.to_owned())?.as_ref().map(|machine| &machine.record)
    }

    /// A machine that may start executions.
    pub(super) fn active_machine(&self, arn: &StateMachineArn) -> Result<&Machine, Refusal> {
        let missing = || Refusal::StateMachineDoesNotExist { arn: arn.to_string() };
        let machine = self.machine(arn).ok_or_else(missing)?;
        match machine.record.status {
            MachineStatus::Active => Ok(machine),
            MachineStatus::Deleting => Err(Refusal::StateMachineDeleting { arn: arn.clone() }),
        }
    }

    pub(super) fn create_machine(
        &mut self,
        request: CreateStateMachine,
        now: Timestamp,
    ) -> Result<Created, Refusal> {
        if let Some(existing) = self.machine(&request.arn) {
            return match (existing.record.status, created_before(existing, &request)) {
                (MachineStatus::Deleting, _) => Err(Refusal::StateMachineDeleting { arn: request.arn }),
                (MachineStatus::Active, Some(created)) => Ok(created),
                (MachineStatus::Active, None) => Err(Refusal::StateMachineAlreadyExists { arn: request.arn }),
            };
        }
        let (machine_id, revision) = (self.next_number(), self.next_number());
        let record = MachineRecord {
            machine_id,
            name: request.arn.name().into(),
            arn: request.arn.as_str().into(),
            kind: request.kind,
            status: MachineStatus::Active,
            created_at: now,
            revision,
            tags: request.tags,
            next_version: 1,
            published: None,
            first_version: None,
        };
        let revision_record = RevisionRecord {
            machine_arn: record.arn.clone(),
            machine_name: record.name.clone(),
            kind: request.kind,
            definition: Text(request.text),
            role_arn: request.role_arn.into(),
            updated_at: now,
            revision_id: None,
            logging: request.logging,
            tracing: request.tracing,
            encryption: request.encryption,
            version_description: None,
        };
        self.put_machine(record, revision_record, Ok(request.definition));
        let version = match request.publish {
            Some(publish) => Some(self.publish_first(&request.arn, publish.description, now)?),
            None => None,
        };
        Ok(Created { at: now, version })
    }

    pub(super) fn update_machine(
        &mut self,
        request: UpdateStateMachine,
        revision_id: String,
        now: Timestamp,
    ) -> Result<Updated, Refusal> {
        let machine = self.active_machine(&request.arn)?.clone();
        let at = self.change_machine(&machine, &request, revision_id, now)?;
        let version = match request.publish {
            Some(publish) => Some(self.publish(&request.arn, publish.description, now)?.version),
            None => None,
        };
        let current = &self.active_machine(&request.arn)?.revision.record;
        Ok(Updated { at, revision_id: current.revision_id.as_deref().map(str::to_owned), version })
    }

    /// Makes a new revision, unless it would be the same as the current one. Gives the date of the last change.
    fn change_machine(
        &mut self,
        machine: &Machine,
        request: &UpdateStateMachine,
        revision_id: String,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        let old = &machine.revision.record;
        let (text, definition) = match &request.definition {
            Some((text, definition)) => (Text(Arc::clone(text)), Ok(Arc::clone(definition))),
            None => (old.definition.clone(), machine.revision.definition.clone()),
        };
        let revision_record = RevisionRecord {
            definition: text,
            role_arn: request.role_arn.as_deref().map_or_else(|| old.role_arn.clone(), Text::from),
            logging: request.logging.clone().unwrap_or_else(|| old.logging.clone()),
            tracing: request.tracing.clone().unwrap_or_else(|| old.tracing.clone()),
            encryption: request.encryption.clone().unwrap_or_else(|| old.encryption.clone()),
            ..old.clone()
        };
        if revision_record == *old {
            return Ok(old.updated_at);
        }
        if request.publish.is_some() {
            self.check_room(&request.arn)?;
        }
        let revision_record =
            RevisionRecord { updated_at: now, revision_id: Some(revision_id.into()), ..revision_record };
        let mut record = machine.record.clone();
        record.revision = self.next_number();
        self.put_machine(record, revision_record, definition);
        Ok(now)
    }

    fn put_machine(
        &mut self,
        record: MachineRecord,
        revision: RevisionRecord,
        definition: Result<Arc<Definition>, InvalidDefinition>,
    ) {
        let number = record.revision;
        self.batch.revisions.insert(number, Change::Put(revision.clone()));
        self.batch.machines.insert(record.name.clone(), Change::Put(record.clone()));
        let revision = Arc::new(Revision::new(revision, definition));
        self.revisions.insert(number, Arc::clone(&revision), self.generation);
        self.machines.insert(record.name.to_string(), Some(Machine { record, revision }), self.generation);
    }

    pub(super) fn delete_machine(&mut self, arn: &StateMachineArn) -> Result<(), Refusal> {
        let generation = self.generation;
        if let Some(Some(machine)) = self.machines.get_mut(&arn.name().to_owned(), generation) {
            machine.record.status = MachineStatus::Deleting;
            let record = machine.record.clone();
            self.batch.machines.insert(record.name.clone(), Change::Put(record));
        }
        Ok(())
    }

    pub(super) fn forget_machine(&mut self, arn: &StateMachineArn) -> Result<(), Refusal> {
        let deleting = |machine: &Machine| machine.record.status == MachineStatus::Deleting;
        if self.machine(arn).is_some_and(deleting) {
            self.batch.machines.insert(arn.name().into(), Change::Delete);
            self.machines.insert(arn.name().to_owned(), None, self.generation);
        }
        Ok(())
    }
}

/// The kind of machine as the language knows it.
pub fn machine_type(kind: MachineKind) -> MachineType {
    match kind {
        MachineKind::Standard => MachineType::Standard,
        MachineKind::Express => MachineType::Express,
    }
}

/// The answer to the request that made the machine, if it is this one again. AWS compares the text of the
/// definition and the configurations, not the role or the tags.
fn created_before(existing: &Machine, request: &CreateStateMachine) -> Option<Created> {
    let revision = &existing.revision.record;
    let same = *revision.definition == *request.text
        && existing.record.kind == request.kind
        && revision.logging == request.logging
        && revision.tracing == request.tracing
        && revision.encryption == request.encryption;
    if !same {
        return None;
    }
    // AWS compares what was published with it too.
    let version = match (&request.publish, &existing.record.first_version) {
        (None, None) => None,
        (Some(publish), Some(first)) if publish.description == first.description => Some(first.number),
        (Some(_), Some(_) | None) | (None, Some(_)) => return None,
    };
    Some(Created { at: existing.record.created_at, version })
}
