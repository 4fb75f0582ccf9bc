//! Versions and aliases: numbers that keep a revision, and names that lead to one version or two.

use std::sync::Arc;

use asl::interpreter::ExecutionId;
use asl::{Text, Timestamp};
use store::{
    AliasRecord, Change, FirstVersion, MachineKind, MachineRecord, MachineStatus, Published, Route,
    VersionRecord,
};

use crate::arn::{StateMachineArn, StateMachineReference};
use crate::request::{CreateAlias, INITIAL_REVISION, PublishVersion, PublishedVersion, Refusal, UpdateAlias};

use super::machines::Revision;
use super::{Fresh, Missing, Shard};

/// AWS quota: versions of one machine.
const VERSIONS_MAX: usize = 1_000;
/// AWS quota: aliases of one machine.
const ALIASES_MAX: usize = 100;

/// What a start leads to.
#[derive(Debug, Clone)]
pub struct Target {
    pub machine: StateMachineArn,
    pub machine_id: u64,
    pub kind: MachineKind,
    pub revision: u64,
    pub version_arn: Option<Text>,
    pub alias_arn: Option<Text>,
    /// The lists of the version and of the alias.
    pub lists: Option<Vec<u64>>,
}

/// Where a reference to a machine leads. The draw that chooses between two versions is in the new execution's id.
pub(crate) fn target(
    record: Option<&MachineRecord>,
    reference: &StateMachineReference,
    id: ExecutionId,
) -> Result<Target, Refusal> {
    let missing = || Refusal::StateMachineDoesNotExist { arn: reference.to_string() };
    let arn = reference.machine();
    let record = record.ok_or_else(missing)?;
    if record.status == MachineStatus::Deleting {
        return Err(Refusal::StateMachineDeleting { arn: arn.clone() });
    }
    let (version, alias) = match reference {
        StateMachineReference::Machine(_) => (None, None),
        StateMachineReference::Version { version, .. } => (Some(*version), None),
        StateMachineReference::Alias { alias, .. } => {
            let alias = record.alias(alias).ok_or_else(missing)?;
            (Some(drawn(&alias.routes, id)), Some(alias))
        }
        StateMachineReference::Label { .. } => return Err(missing()),
    };
    let version = match version {
        Some(number) => Some(record.version(number).ok_or_else(missing)?),
        None => None,
    };
    let lists: Vec<u64> =
        version.map(|version| version.list_id).into_iter().chain(alias.map(|alias| alias.list_id)).collect();
    Ok(Target {
        machine: arn.clone(),
        machine_id: record.machine_id,
        kind: record.kind,
        revision: version.map_or(record.revision, |version| version.revision),
        version_arn: version.map(|version| arn.qualified(version.number).into()),
        alias_arn: alias.map(|alias| arn.qualified(&*alias.name).into()),
        lists: (!lists.is_empty()).then_some(lists),
    })
}

impl Shard {
    pub(super) fn target(&self, reference: &StateMachineReference, fresh: &Fresh) -> Result<Target, Refusal> {
        target(self.machine(reference.machine()).map(|machine| &machine.record), reference, fresh.id)
    }

    pub(super) fn missing_revision(
        &self,
        reference: &StateMachineReference,
        fresh: &Fresh,
    ) -> Option<Missing> {
        let target = self.target(reference, fresh).ok()?;
        let revision = self.target_revision(reference, &target);
        revision.is_none().then_some(Missing::Revision(target.revision))
    }

    pub(super) fn target_revision(
        &self,
        reference: &StateMachineReference,
        target: &Target,
    ) -> Option<Arc<Revision>> {
        let machine = self.machine(reference.machine())?;
        if machine.record.revision == target.revision {
            return Some(Arc::clone(&machine.revision));
        }
        self.revisions.get(&target.revision).map(Arc::clone)
    }

    pub(super) fn publish_version(
        &mut self,
        request: PublishVersion,
        now: Timestamp,
    ) -> Result<PublishedVersion, Refusal> {
        let current = self.active_machine(&request.arn)?.revision.record.revision_id.as_deref();
        let current = current.unwrap_or(INITIAL_REVISION);
        if let Some(wanted) = request.revision_id.filter(|wanted| wanted != current) {
            return Err(Refusal::RevisionConflict { wanted, current: current.to_owned() });
        }
        self.publish(&request.arn, request.description, now)
    }

    /// Refuses a change that is to be published where there is no room for another version.
    pub(super) fn check_room(&self, arn: &StateMachineArn) -> Result<(), Refusal> {
        let is_full = |versions: &[VersionRecord]| versions.len() >= VERSIONS_MAX;
        match self.machine(arn) {
            Some(machine) if is_full(machine.record.versions()) => Err(Refusal::VersionLimitExceeded),
            Some(_) | None => Ok(()),
        }
    }

    /// The version of the current revision; a new one unless it has one.
    pub(super) fn publish(
        &mut self,
        arn: &StateMachineArn,
        description: Option<String>,
        now: Timestamp,
    ) -> Result<PublishedVersion, Refusal> {
        let record = &self.active_machine(arn)?.record;
        let found = record.versions().iter().rev().find(|version| version.revision == record.revision);
        if let Some(version) = found {
            return Ok(PublishedVersion { version: version.number, at: version.created_at });
        }
        self.check_room(arn)?;
        let list_id = self.next_number();
        let number = self.change_published(arn, |record| {
            let (number, revision) = (record.next_version, record.revision);
            record.next_version += 1;
            published(record).versions.push(VersionRecord {
                number,
                revision,
                created_at: now,
                description,
                list_id,
            });
            number
        })?;
        Ok(PublishedVersion { version: number, at: now })
    }

    /// The version that a new machine begins with.
    pub(super) fn publish_first(
        &mut self,
        arn: &StateMachineArn,
        description: Option<String>,
        now: Timestamp,
    ) -> Result<u32, Refusal> {
        let number = self.publish(arn, description.clone(), now)?.version;
        self.change_published(arn, |record| {
            record.first_version = Some(FirstVersion { number, description });
        })?;
        Ok(number)
    }

    pub(super) fn delete_version(&mut self, arn: &StateMachineArn, number: u32) -> Result<(), Refusal> {
        let Some(machine) = self.machine(arn) else { return Ok(()) };
        if machine.record.version(number).is_none() {
            return Ok(());
        }
        let leads_here = |alias: &&AliasRecord| alias.routes.iter().any(|route| route.version == number);
        let aliases: Vec<String> =
            machine.record.aliases().iter().filter(leads_here).map(|alias| alias.name.to_string()).collect();
        if !aliases.is_empty() {
            return Err(Refusal::VersionInUse { aliases });
        }
        self.change_published(arn, |record| {
            published(record).versions.retain(|version| version.number != number);
        })
    }

    pub(super) fn create_alias(
        &mut self,
        request: CreateAlias,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        let CreateAlias { machine: arn, name, description, routes } = request;
        self.check_routes(&arn, &routes)?;
        let record = &self.active_machine(&arn)?.record;
        if let Some(existing) = record.alias(&name) {
            return if existing.description == description && existing.routes == routes {
                Ok(existing.created_at)
            } else {
                Err(Refusal::AliasAlreadyExists)
            };
        }
        if record.aliases().len() >= ALIASES_MAX {
            return Err(Refusal::AliasLimitExceeded);
        }
        let list_id = self.next_number();
        self.change_published(&arn, |record| {
            let aliases = &mut published(record).aliases;
            let place = aliases.partition_point(|alias| *alias.name < *name);
            let name = Text::from(name);
            aliases.insert(
                place,
                AliasRecord { name, description, routes, created_at: now, updated_at: now, list_id },
            );
        })?;
        Ok(now)
    }

    pub(super) fn update_alias(
        &mut self,
        request: UpdateAlias,
        now: Timestamp,
    ) -> Result<Timestamp, Refusal> {
        let UpdateAlias { machine: arn, name, description, routes } = request;
        let missing = || Refusal::ResourceNotFound { arn: arn.qualified(&name) };
        let machine = self.machine(&arn).ok_or_else(missing)?;
        machine.record.alias(&name).ok_or_else(missing)?;
        self.check_routes(&arn, routes.as_deref().unwrap_or_default())?;
        self.active_machine(&arn)?;
        self.change_published(&arn, |record| {
            let aliases = &mut published(record).aliases;
            for alias in aliases.iter_mut().filter(|alias| *alias.name == *name) {
                alias.updated_at = now;
                if description.is_some() {
                    alias.description.clone_from(&description);
                }
                if let Some(routes) = &routes {
                    alias.routes.clone_from(routes);
                }
            }
        })?;
        Ok(now)
    }

    pub(super) fn delete_alias(&mut self, arn: &StateMachineArn, name: &str) -> Result<(), Refusal> {
        let missing = || Refusal::ResourceNotFound { arn: arn.qualified(name) };
        let machine = self.machine(arn).ok_or_else(missing)?;
        if machine.record.alias(name).is_none() {
            return Ok(());
        }
        self.change_published(arn, |record| published(record).aliases.retain(|alias| *alias.name != *name))
    }

    /// An alias leads to versions that exist.
    fn check_routes(&self, arn: &StateMachineArn, routes: &[Route]) -> Result<(), Refusal> {
        let record = self.machine(arn).map(|machine| &machine.record);
        let is_missing = |route: &&Route| record.is_none_or(|record| record.version(route.version).is_none());
        match routes.iter().find(is_missing) {
            Some(route) => Err(Refusal::ResourceNotFound { arn: arn.qualified(route.version) }),
            None => Ok(()),
        }
    }

    fn change_published<T>(
        &mut self,
        arn: &StateMachineArn,
        change: impl FnOnce(&mut MachineRecord) -> T,
    ) -> Result<T, Refusal> {
        let missing = || Refusal::StateMachineDoesNotExist { arn: arn.to_string() };
        let machine = self.machines.get_mut(&arn.name().to_owned(), self.generation);
        let machine = machine.and_then(Option::as_mut).ok_or_else(missing)?;
        let changed = change(&mut machine.record);
        self.batch.machines.insert(machine.record.name.clone(), Change::Put(machine.record.clone()));
        Ok(changed)
    }
}

fn published(record: &mut MachineRecord) -> &mut Published {
    record.published.get_or_insert_default()
}

/// The version that an execution gets: the low digits of its id, which are random, against the weights.
fn drawn(routes: &[Route], id: ExecutionId) -> u32 {
    let mut draw = u32::try_from(id.0 % 100).expect("less than 100");
    for route in routes {
        if draw < route.weight {
            return route.version;
        }
        draw -= route.weight;
    }
    routes.last().map_or(0, |route| route.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(routes: &[(u32, u32)], expected: &[(u32, usize)]) {
        let routes: Vec<Route> =
            routes.iter().map(|(version, weight)| Route { version: *version, weight: *weight }).collect();
        let draw = |id: u128| drawn(&routes, ExecutionId(id));
        for (version, count) in expected {
            let drawn = (0..1_000).filter(|id| draw(*id) == *version).count();
            assert_eq!(drawn, *count, "version {version} of {routes:?}");
        }
    }

    #[test]
    fn each_version_gets_its_share() {
        check(&[(1, 100)], &[(1, 1_000)]);
        check(&[(1, 70), (2, 30)], &[(1, 700), (2, 300)]);
        check(&[(1, 0), (2, 100)], &[(1, 0), (2, 1_000)]);
        check(&[(1, 100), (2, 0)], &[(1, 1_000), (2, 0)]);
    }
}
