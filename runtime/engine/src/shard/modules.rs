//! Task modules: uploads, versions and the digests behind them.
//!
//! `$LATEST` and aliases are pointers that keep their moves, so that an execution finds what they meant when it began.
//! A move begins a moment after it is made: by then it is durable, and no execution has seen what came before it after
//! another has seen it.

use asl::{Data, Text, Timestamp};
use store::{Change, LatestMove, ModuleHead, ModulePointers, ModuleRecord};

use crate::module_change::{ChangeModule, Expected, ModuleChange, ModuleChanged, ModuleRefusal, PutModule};
use crate::request::Refusal;

use super::{Missing, Shard, tags};

/// Ours: a move of a pointer begins so much later than it is made. A commit takes less.
const MOVE_LEAD_MILLISECONDS: i64 = 20;
/// Ours: a move that would begin more than so much later was made before the clock was set back.
const CLOCK_STEP_MILLISECONDS: i64 = 1_000;
/// Ours: moves of one pointer that are kept for executions that began before them. An execution that is older still
/// finds the oldest of them.
const MOVES_KEPT_MAX: usize = 64;

/// What the shard knows of a module.
#[derive(Debug, Clone)]
pub(super) struct KnownModule {
    pub(super) head: ModuleHead,
    /// The newest upload.
    pub(super) latest: ModuleRecord,
}

/// When a change is made, and since when its module is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: Timestamp,
    pub(super) needed_since: Timestamp,
}

impl Shard {
    pub(super) fn missing_for_module(&self, request: &ChangeModule) -> Option<Missing> {
        if !self.modules.contains(&request.name) {
            return Some(Missing::Module(request.name.clone()));
        }
        let versions = match &request.change {
            ModuleChange::DeleteVersion(version) => [Some(*version), None],
            ModuleChange::PutAlias(put) => [put.version, put.also.flatten().map(|also| also.version)],
            ModuleChange::Put(_)
            | ModuleChange::Configure(_)
            | ModuleChange::Publish { .. }
            | ModuleChange::DeleteAlias(_)
            | ModuleChange::Tag(_)
            | ModuleChange::Untag(_)
            | ModuleChange::Delete => [None, None],
        };
        let keys = versions.into_iter().flatten().map(|version| (request.name.clone(), version));
        let mut unknown = keys.filter(|key| !self.module_versions.contains(key));
        unknown.next().map(|(name, version)| Missing::ModuleVersion(name, version))
    }

    pub(super) fn change_module(
        &mut self,
        request: ChangeModule,
        now: Timestamp,
    ) -> Result<ModuleChanged, Refusal> {
        let ChangeModule { name, change, if_upload, needed_since } = request;
        let moment = Moment { now, needed_since };
        if let (Some(wanted), Some(known)) = (if_upload, self.known_module(&name))
            && known.head.pointers.as_ref().is_none_or(|pointers| pointers.last_upload != wanted)
        {
            return Err(changed(&name, known));
        }
        match change {
            ModuleChange::Put(put) => self.put_module(&name, put, moment),
            ModuleChange::Configure(configuration) => self.configure_module(&name, configuration, moment),
            ModuleChange::Publish { description } => self.publish_module(&name, description, now),
            ModuleChange::DeleteVersion(version) => self.delete_module_version(&name, version, now),
            ModuleChange::PutAlias(put) => self.put_module_alias(&name, put, moment),
            ModuleChange::DeleteAlias(alias) => self.delete_module_alias(&name, &alias, now),
            ModuleChange::Tag(added) => self.change_module_tags(&name, now, |tags| tags::add(tags, added)),
            ModuleChange::Untag(keys) => {
                self.change_module_tags(&name, now, |tags| tags::remove(tags, &keys))
            }
            ModuleChange::Delete => self.delete_module(name, now),
        }
    }

    fn put_module(&mut self, name: &str, put: PutModule, moment: Moment) -> Result<ModuleChanged, Refusal> {
        let known = self.known_module(name);
        let is_new = known.is_none();
        let is_same = known.is_some_and(|known| is_same(&put, &known.latest));
        match (&put.expected, known) {
            (Expected::Nothing, Some(_)) => {
                return Err(ModuleRefusal::Exists { name: name.to_owned() }.into());
            }
            (Expected::Something | Expected::Digest(_), None) => return Err(no_module(name)),
            (Expected::Digest(wanted), Some(known)) if !is_same && *known.latest.digest != **wanted => {
                return Err(changed(name, known));
            }
            (Expected::Anything | Expected::Nothing, None)
            | (Expected::Anything | Expected::Something | Expected::Digest(_), Some(_)) => {}
        }
        let description = put.description.clone();
        let publish = put.publish;
        let (mut begins_at, mut frees) = (moment.now, false);
        if !is_same {
            let kept = known.and_then(|known| known.latest.configuration.clone());
            let record = ModuleRecord {
                digest: put.digest.into(),
                size_bytes: put.size_bytes,
                exports: put.exports,
                created_at: moment.now,
                description: None,
                manifest: put.manifest,
                configuration: put.configuration.or(kept),
                package_digest: put.package_digest.map(Text::from),
            };
            (begins_at, frees) = self.upload(name, record, moment);
        }
        if is_new && !put.tags.is_empty() {
            self.change_module_tags(name, moment.now, |tags| tags::add(tags, put.tags))?;
        }
        let version = if publish {
            self.publish_module(name, description, moment.now)?.version
        } else {
            self.known_module(name).and_then(|known| known.head.published())
        };
        Ok(ModuleChanged { version, begins_at, frees, alias: None })
    }

    fn configure_module(
        &mut self,
        name: &str,
        configuration: Data,
        moment: Moment,
    ) -> Result<ModuleChanged, Refusal> {
        let known = self.known_module(name).ok_or_else(|| no_module(name))?;
        if known.latest.configuration.as_ref() == Some(&configuration) {
            let version = known.head.published();
            return Ok(ModuleChanged { version, begins_at: moment.now, frees: false, alias: None });
        }
        let latest = known.latest.clone();
        let record = ModuleRecord { configuration: Some(configuration), created_at: moment.now, ..latest };
        let (begins_at, frees) = self.upload(name, record, moment);
        Ok(ModuleChanged { version: None, begins_at, frees, alias: None })
    }

    fn publish_module(
        &mut self,
        name: &str,
        description: Option<String>,
        now: Timestamp,
    ) -> Result<ModuleChanged, Refusal> {
        let known = self.known_module(name).ok_or_else(|| no_module(name))?;
        let done =
            |version| ModuleChanged { version: Some(version), begins_at: now, frees: false, alias: None };
        if let Some(version) = known.head.published() {
            return Ok(done(version));
        }
        let record = ModuleRecord { created_at: now, description, ..known.latest.clone() };
        let version = self.change_head(name, |head, pointers| {
            head.latest_version += 1;
            pointers.published = Some(head.latest_version);
            head.latest_version
        })?;
        self.batch.modules.insert((name.into(), version), Change::Put(record));
        self.module_versions.insert((name.to_owned(), version), true, self.generation);
        Ok(done(version))
    }

    fn delete_module_version(
        &mut self,
        name: &str,
        version: u32,
        now: Timestamp,
    ) -> Result<ModuleChanged, Refusal> {
        let known = self.known_module(name).ok_or_else(|| no_module(name))?;
        if !self.has_version(name, version) {
            return Err(ModuleRefusal::NoVersion { name: name.to_owned(), version }.into());
        }
        let named = known.head.aliases().iter().filter(|alias| alias.target().names(version));
        let aliases: Vec<String> = named.map(|alias| alias.name.to_string()).collect();
        if !aliases.is_empty() {
            return Err(ModuleRefusal::VersionInUse { name: name.to_owned(), version, aliases }.into());
        }
        let published = self.change_head(name, |_, pointers| {
            pointers.published = pointers.published.filter(|published| *published != version);
            pointers.published
        })?;
        self.batch.modules.insert((name.into(), version), Change::Delete);
        self.module_versions.insert((name.to_owned(), version), false, self.generation);
        Ok(ModuleChanged { version: published, begins_at: now, frees: true, alias: None })
    }

    fn delete_module(&mut self, name: String, now: Timestamp) -> Result<ModuleChanged, Refusal> {
        let known = self.known_module(&name).ok_or_else(|| no_module(&name))?;
        let last_upload = known.head.pointers.as_ref().map_or(0, |pointers| pointers.last_upload);
        let (versions, key) = (known.head.latest_version, Text::from(&*name));
        for version in 1..=versions {
            self.batch.modules.insert((key.clone(), version), Change::Delete);
        }
        // Nearly all of them are gone already; each is a row that a commit looks for.
        let kept = last_upload.saturating_sub(u32::try_from(MOVES_KEPT_MAX).expect("a small number")) + 1;
        for upload in kept..=last_upload {
            self.batch.module_uploads.insert((key.clone(), upload), Change::Delete);
        }
        self.batch.module_heads.insert(key, Change::Delete);
        self.modules.insert(name, None, self.generation);
        Ok(ModuleChanged { version: None, begins_at: now, frees: true, alias: None })
    }

    pub(super) fn known_module(&self, name: &str) -> Option<&KnownModule> {
        self.modules.get(name).and_then(Option::as_ref)
    }

    pub(super) fn has_version(&self, name: &str, version: u32) -> bool {
        let is_given = self.known_module(name).is_some_and(|known| version <= known.head.latest_version);
        is_given && self.module_versions.get(&(name.to_owned(), version)).is_some_and(|exists| *exists)
    }

    /// Makes a record the newest upload. Tells from when on, and whether older ones are gone.
    fn upload(&mut self, name: &str, record: ModuleRecord, moment: Moment) -> (Timestamp, bool) {
        if self.known_module(name).is_none() {
            let pointers =
                ModulePointers { last_upload: 0, latest: Vec::new(), published: None, aliases: Vec::new() };
            let head = ModuleHead { latest_version: 0, pointers: Some(Box::new(pointers)), tags: None };
            let known = KnownModule { head, latest: record.clone() };
            self.modules.insert(name.to_owned(), Some(known), self.generation);
        }
        let moved = self.change_head(name, |_, pointers| {
            pointers.last_upload += 1;
            pointers.published = None;
            let begins_at = begin(&mut pointers.latest, moment.now, |made| &mut made.at);
            pointers.latest.push(LatestMove { at: begins_at, upload: pointers.last_upload });
            let dropped = drop_old(&mut pointers.latest, moment.needed_since, |made| made.at);
            let numbers: Vec<u32> = dropped.iter().map(|made| made.upload).collect();
            (pointers.last_upload, begins_at, numbers)
        });
        let (upload, begins_at, dropped) = moved.expect("the module is known");
        let key = |upload| (Text::from(name), upload);
        for upload in &dropped {
            self.batch.module_uploads.insert(key(*upload), Change::Delete);
        }
        self.batch.module_uploads.insert(key(upload), Change::Put(record.clone()));
        let known = self.modules.get_mut(&name.to_owned(), self.generation).and_then(Option::as_mut);
        known.expect("the module is known").latest = record;
        (begins_at, !dropped.is_empty())
    }

    /// Changes what is written of a module by its name. A head from before there were uploads gets its first one.
    pub(super) fn change_head<T>(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut ModuleHead, &mut ModulePointers) -> T,
    ) -> Result<T, Refusal> {
        let known = self.modules.get_mut(&name.to_owned(), self.generation).and_then(Option::as_mut);
        let known = known.ok_or_else(|| no_module(name))?;
        let mut pointers = match known.head.pointers.take() {
            Some(pointers) => pointers,
            None => {
                let first = LatestMove { at: known.latest.created_at, upload: 1 };
                self.batch.module_uploads.insert((name.into(), 1), Change::Put(known.latest.clone()));
                Box::new(ModulePointers {
                    last_upload: 1,
                    latest: vec![first],
                    published: Some(known.head.latest_version),
                    aliases: Vec::new(),
                })
            }
        };
        let changed = change(&mut known.head, &mut pointers);
        known.head.pointers = Some(pointers);
        self.batch.module_heads.insert(name.into(), Change::Put(known.head.clone()));
        Ok(changed)
    }
}

/// When a move begins that is made now: the first at once, a later one in a moment, and after the one before it. Where
/// moves would begin much later, since the clock was set back, they begin with it, and the last of them counts.
pub(super) fn begin<M>(moves: &mut [M], now: Timestamp, at: fn(&mut M) -> &mut Timestamp) -> Timestamp {
    let Some(last) = moves.last_mut() else { return now };
    let last = at(last).as_milliseconds();
    let soon = now.as_milliseconds().saturating_add(MOVE_LEAD_MILLISECONDS);
    if (soon..soon.saturating_add(CLOCK_STEP_MILLISECONDS)).contains(&last) {
        return Timestamp::from_milliseconds(last + 1);
    }
    let soon = Timestamp::from_milliseconds(soon);
    for made in moves {
        let at = at(made);
        *at = (*at).min(soon);
    }
    soon
}

/// Takes out moves that were over before `needed_since`, and the oldest where there are too many.
pub(super) fn drop_old<M>(
    moves: &mut Vec<M>,
    needed_since: Timestamp,
    at: impl Fn(&M) -> Timestamp,
) -> Vec<M> {
    let over = moves.iter().skip(1).take_while(|next| at(next) <= needed_since).count();
    let excess = moves.len().saturating_sub(MOVES_KEPT_MAX);
    moves.drain(..over.max(excess)).collect()
}

/// Whether an upload is what the newest one was.
fn is_same(put: &PutModule, latest: &ModuleRecord) -> bool {
    let (configuration, package) = (put.configuration.as_ref(), put.package_digest.as_deref());
    *latest.digest == *put.digest
        && latest.manifest == put.manifest
        && configuration.is_none_or(|told| Some(told) == latest.configuration.as_ref())
        && package.is_none_or(|told| Some(told) == latest.package_digest.as_deref())
}

pub(super) fn no_module(name: &str) -> Refusal {
    Refusal::ModuleDoesNotExist { name: name.to_owned() }
}

fn changed(name: &str, known: &KnownModule) -> Refusal {
    ModuleRefusal::Changed { name: name.to_owned(), digest: known.latest.digest.to_string() }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(moves: &[i64], now: i64, expected: &[i64]) {
        let mut moves: Vec<Timestamp> = moves.iter().map(|at| Timestamp::from_milliseconds(*at)).collect();
        let begins_at = begin(&mut moves, Timestamp::from_milliseconds(now), |at| at);
        moves.push(begins_at);
        let moves: Vec<i64> = moves.into_iter().map(Timestamp::as_milliseconds).collect();
        assert_eq!(moves, expected, "at {now}");
    }

    #[test]
    fn moves_begin_one_after_the_other() {
        check(&[], 100, &[100]);
        check(&[100], 100, &[100, 120]);
        check(&[100, 120], 100, &[100, 120, 121]);
        check(&[100, 120], 500, &[100, 120, 520]);
        // The clock was set back, and what is made now begins soon all the same.
        check(&[100, 9_000], 200, &[100, 220, 220]);
    }
}
