//! Tags of machines, activities and modules.

use asl::Timestamp;
use store::Change;

use crate::module_change::ModuleChanged;
use crate::request::{Refusal, Tagged};

use super::modules::no_module;
use super::{Missing, Shard};

/// AWS quota: tags of one resource.
pub const TAGS_MAX: usize = 50;

pub(super) type Tags = Vec<(String, String)>;

impl Shard {
    pub(super) fn missing_tagged(&self, resource: &Tagged) -> Option<Missing> {
        match resource {
            Tagged::Machine(arn) => self.missing_machine(arn.name()),
            Tagged::Activity(_) => None,
        }
    }

    pub(super) fn tag(&mut self, resource: &Tagged, added: Tags) -> Result<(), Refusal> {
        self.change_tags(resource, |tags| add(tags, added))
    }

    pub(super) fn untag(&mut self, resource: &Tagged, keys: &[String]) -> Result<(), Refusal> {
        self.change_tags(resource, |tags| remove(tags, keys))
    }

    pub(super) fn change_module_tags(
        &mut self,
        name: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Tags),
    ) -> Result<ModuleChanged, Refusal> {
        let known = self.known_module(name).ok_or_else(|| no_module(name))?;
        let mut tags = known.head.tags.clone().unwrap_or_default();
        change(&mut tags);
        if tags.len() > TAGS_MAX {
            return Err(Refusal::TooManyTags { arn: name.to_owned() });
        }
        self.change_head(name, |head, pointers| {
            head.tags = Some(tags);
            ModuleChanged { version: pointers.published, begins_at: now, frees: false, alias: None }
        })
    }

    fn change_tags(&mut self, resource: &Tagged, change: impl FnOnce(&mut Tags)) -> Result<(), Refusal> {
        let missing = || Refusal::TaggedDoesNotExist { arn: resource.to_string() };
        let generation = self.generation;
        let stored = match resource {
            Tagged::Machine(arn) => {
                let machine = self.machines.get_mut(&arn.name().to_owned(), generation);
                let machine = machine.and_then(Option::as_mut).ok_or_else(missing)?;
                &mut machine.record.tags
            }
            Tagged::Activity(arn) => &mut self.activities.record_mut(arn.as_str()).ok_or_else(missing)?.tags,
        };
        let mut tags = stored.clone();
        change(&mut tags);
        if tags.len() > TAGS_MAX {
            return Err(Refusal::TooManyTags { arn: resource.to_string() });
        }
        *stored = tags;
        match resource {
            Tagged::Machine(arn) => {
                if let Some(machine) = self.machine(arn) {
                    let record = machine.record.clone();
                    self.batch.machines.insert(record.name.clone(), Change::Put(record));
                }
            }
            Tagged::Activity(arn) => {
                if let Some(record) = self.activities.record_mut(arn.as_str()) {
                    self.batch.activities.insert(record.name.clone(), Change::Put(record.clone()));
                }
            }
        }
        Ok(())
    }
}

/// Adds tags; one whose key is there gets the new value.
pub(super) fn add(tags: &mut Tags, added: Tags) {
    for (key, value) in added {
        match tags.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => tags.push((key, value)),
        }
    }
}

/// Removing a tag that is not there succeeds.
pub(super) fn remove(tags: &mut Tags, keys: &[String]) {
    tags.retain(|(key, _)| !keys.contains(key));
}
