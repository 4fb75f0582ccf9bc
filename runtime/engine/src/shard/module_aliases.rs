//! Aliases of modules: names that lead to a version, or to two with weights, and remember where they led.

use asl::{Text, Timestamp};
use store::{AliasMove, ModuleAlias, ModuleTarget};

use crate::module_change::{Expected, ModuleChanged, ModuleRefusal, PutModuleAlias};
use crate::request::Refusal;

use super::Shard;
use super::modules::{Moment, begin, drop_old, no_module};

/// Ours, as AWS has it for state machines: aliases of one module.
const ALIASES_MAX: usize = 100;
/// Stands for `$LATEST` where an alias leads.
const LATEST: u32 = 0;

impl Shard {
    pub(super) fn put_module_alias(
        &mut self,
        name: &str,
        put: PutModuleAlias,
        moment: Moment,
    ) -> Result<ModuleChanged, Refusal> {
        let known = self.known_module(name).ok_or_else(|| no_module(name))?;
        let existing = known.head.alias(&put.alias);
        let refused = |refusal: ModuleRefusal| Err(Refusal::from(refusal));
        let (module, alias) = (name.to_owned(), put.alias.clone());
        match (&put.expected, existing) {
            (Expected::Nothing, Some(_)) => {
                return refused(ModuleRefusal::AliasExists { name: module, alias });
            }
            (Expected::Something | Expected::Digest(_), None) => {
                return refused(ModuleRefusal::NoAlias { name: module, alias });
            }
            (Expected::Anything | Expected::Nothing, None) if known.head.aliases().len() >= ALIASES_MAX => {
                return refused(ModuleRefusal::TooManyAliases { max: ALIASES_MAX });
            }
            (Expected::Anything | Expected::Nothing, None)
            | (Expected::Anything | Expected::Something | Expected::Digest(_), Some(_)) => {}
        }
        if put.if_alias.as_ref().is_some_and(|seen| Some(seen) != existing) {
            return refused(ModuleRefusal::AliasChanged { name: module, alias });
        }
        let target = target(&put, existing.map(ModuleAlias::target))?;
        let versions = [Some(target.version), target.also.map(|also| also.version)];
        let mut missing = versions.into_iter().flatten();
        let missing = missing.find(|version| *version != LATEST && !self.has_version(name, *version));
        // A version that the alias names already is there: it cannot be deleted.
        let named = |version| existing.is_some_and(|alias| alias.target().names(version));
        if let Some(version) = missing.filter(|version| !named(*version)) {
            return refused(ModuleRefusal::NoVersion { name: module, version });
        }
        self.move_alias(name, put, target, moment)
    }

    fn move_alias(
        &mut self,
        name: &str,
        put: PutModuleAlias,
        target: ModuleTarget,
        moment: Moment,
    ) -> Result<ModuleChanged, Refusal> {
        self.change_head(name, |_, pointers| {
            let place = pointers.aliases.partition_point(|alias| *alias.name < *put.alias);
            if pointers.aliases.get(place).is_none_or(|alias| *alias.name != *put.alias) {
                let name = Text::from(put.alias);
                let alias = ModuleAlias { name, description: None, moves: Vec::new(), revision: 0 };
                pointers.aliases.insert(place, alias);
            }
            let alias = &mut pointers.aliases[place];
            alias.revision += 1;
            if put.description.is_some() {
                alias.description = put.description;
            }
            let mut begins_at = moment.now;
            if alias.moves.last().is_none_or(|last| last.target != target) {
                begins_at = begin(&mut alias.moves, moment.now, |made| &mut made.at);
                alias.moves.push(AliasMove { at: begins_at, target });
                drop_old(&mut alias.moves, moment.needed_since, |made| made.at);
            }
            let alias = Some(alias.clone());
            ModuleChanged { version: pointers.published, begins_at, frees: false, alias }
        })
    }

    pub(super) fn delete_module_alias(
        &mut self,
        name: &str,
        alias: &str,
        now: Timestamp,
    ) -> Result<ModuleChanged, Refusal> {
        let known = self.known_module(name).ok_or_else(|| no_module(name))?;
        if known.head.alias(alias).is_none() {
            return Err(ModuleRefusal::NoAlias { name: name.to_owned(), alias: alias.to_owned() }.into());
        }
        self.change_head(name, |_, pointers| {
            pointers.aliases.retain(|existing| *existing.name != *alias);
            ModuleChanged { version: pointers.published, begins_at: now, frees: false, alias: None }
        })
    }
}

/// Where the alias is to lead: where it led, with what is changed. Two versions of it differ, and neither is `$LATEST`.
fn target(put: &PutModuleAlias, existing: Option<ModuleTarget>) -> Result<ModuleTarget, ModuleRefusal> {
    let existing = existing.unwrap_or(ModuleTarget { version: LATEST, also: None });
    let version = put.version.unwrap_or(existing.version);
    let also = put.also.unwrap_or(existing.also);
    match also {
        Some(_) if version == LATEST => Err(ModuleRefusal::AliasOfLatest),
        Some(also) if also.version == version => Err(ModuleRefusal::AliasOfOneVersion { version }),
        Some(_) | None => Ok(ModuleTarget { version, also }),
    }
}
