//! A task module, what was uploaded for it, its versions and its aliases. The components themselves lie outside the
//! store, under their digests.

use asl::{Data, Text, Timestamp};
use minicbor::{Decode, Encode};

use crate::codec::record_version_1;

/// The weights of an alias count millionths.
pub const MODULE_WEIGHT_WHOLE: u32 = 1_000_000;

/// An upload of a module, or one of its versions: an upload that was given a number. It never changes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub struct ModuleRecord {
    /// `sha256:…` of the component.
    #[n(0)]
    pub digest: Text,
    #[n(1)]
    pub size_bytes: u64,
    #[n(2)]
    pub exports: Vec<String>,
    #[n(3)]
    pub created_at: Timestamp,
    #[n(4)]
    pub description: Option<String>,
    /// The text of `module.toml`, if one came with the component.
    #[n(5)]
    pub manifest: Option<Text>,
    /// What the Lambda API was told of the function, as JSON in its shapes.
    #[n(6)]
    pub configuration: Option<Data>,
    /// `sha256:…` of the archive with which the Lambda API was given it, by which its clients know it again.
    #[n(7)]
    pub package_digest: Option<Text>,
    // 8 and 9 are kept for grants and limits.
}

/// A module by its name.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ModuleHead {
    /// The highest version number that was given; 0 before the first.
    #[n(0)]
    pub latest_version: u32,
    /// None in heads from before there were uploads without a number: the newest version is the newest upload.
    #[n(1)]
    pub pointers: Option<Box<ModulePointers>>,
    /// None until somebody has given it some.
    #[n(2)]
    pub tags: Option<Vec<(String, String)>>,
}

/// Where `$LATEST` and the aliases of a module lead, and led to while executions run that began then.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ModulePointers {
    /// The highest number that an upload was given.
    #[n(0)]
    pub last_upload: u32,
    /// Where `$LATEST` leads, from the oldest move that is kept to the newest; never empty.
    #[n(1)]
    pub latest: Vec<LatestMove>,
    /// The version that the newest upload was given, if it was published.
    #[n(2)]
    pub published: Option<u32>,
    /// By their names.
    #[n(3)]
    pub aliases: Vec<ModuleAlias>,
}

/// From a moment on, `$LATEST` is an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LatestMove {
    #[n(0)]
    pub at: Timestamp,
    #[n(1)]
    pub upload: u32,
}

/// A name for one version of a module or for two.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ModuleAlias {
    #[n(0)]
    pub name: Text,
    #[n(1)]
    pub description: Option<String>,
    /// From the oldest that is kept to the newest; never empty.
    #[n(2)]
    pub moves: Vec<AliasMove>,
    /// Counts its changes.
    #[n(3)]
    pub revision: u32,
}

/// From a moment on, an alias leads to a version, and for some executions to another one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AliasMove {
    #[n(0)]
    pub at: Timestamp,
    #[n(1)]
    pub target: ModuleTarget,
}

/// Where an alias leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ModuleTarget {
    #[n(0)]
    pub version: u32,
    #[n(1)]
    pub also: Option<ModuleShare>,
}

/// A second version, and the part of the executions that get it, in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct ModuleShare {
    #[n(0)]
    pub version: u32,
    #[n(1)]
    pub weight: u32,
}

record_version_1!(ModuleRecord, ModuleHead);

/// A row of a module that holds a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModulePlace {
    Version(u32),
    Upload(u32),
}

impl ModuleHead {
    /// Where `$LATEST` led at a moment; before its first move that is kept, where that one leads.
    pub fn latest_at(&self, at: Timestamp) -> ModulePlace {
        match &self.pointers {
            None => ModulePlace::Version(self.latest_version),
            Some(pointers) => {
                let begun = |made: &&LatestMove| made.at <= at;
                let made = pointers.latest.iter().rev().find(begun).or_else(|| pointers.latest.first());
                ModulePlace::Upload(made.map_or(0, |made| made.upload))
            }
        }
    }

    /// Every upload that is kept.
    pub fn uploads(&self) -> impl Iterator<Item = u32> {
        self.pointers.iter().flat_map(|pointers| pointers.latest.iter().map(|made| made.upload))
    }

    /// Where `$LATEST` leads, or will in a moment.
    pub fn latest(&self) -> ModulePlace {
        self.latest_at(Timestamp::from_milliseconds(i64::MAX))
    }

    /// The version that `$LATEST` is the same as, if it was published.
    pub fn published(&self) -> Option<u32> {
        match &self.pointers {
            None => Some(self.latest_version),
            Some(pointers) => pointers.published,
        }
    }

    /// By their names.
    pub fn aliases(&self) -> &[ModuleAlias] {
        self.pointers.as_ref().map_or(&[], |pointers| &pointers.aliases)
    }

    pub fn alias(&self, name: &str) -> Option<&ModuleAlias> {
        self.aliases().iter().find(|alias| &*alias.name == name)
    }
}

impl ModuleAlias {
    /// Where it leads, or will in a moment.
    pub fn target(&self) -> ModuleTarget {
        self.target_at(Timestamp::from_milliseconds(i64::MAX))
    }

    /// The version that it led to at a moment, for one of many who draw a number each.
    pub fn version_at(&self, at: Timestamp, draw: u64) -> u32 {
        let target = self.target_at(at);
        match target.also {
            Some(also) if draw % u64::from(MODULE_WEIGHT_WHOLE) < u64::from(also.weight) => also.version,
            Some(_) | None => target.version,
        }
    }

    fn target_at(&self, at: Timestamp) -> ModuleTarget {
        let begun = |made: &&AliasMove| made.at <= at;
        let made = self.moves.iter().rev().find(begun).or_else(|| self.moves.first());
        made.map_or(ModuleTarget { version: 0, also: None }, |made| made.target)
    }
}

impl ModuleTarget {
    /// Whether it leads to a version for anybody.
    pub fn names(&self, version: u32) -> bool {
        self.version == version || self.also.is_some_and(|also| also.version == version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    #[test]
    fn the_newest_upload_is_that_of_the_moment() {
        let latest = [(10, 3), (20, 4)].map(|(moved, upload)| LatestMove { at: at(moved), upload }).into();
        let pointers = ModulePointers { last_upload: 4, latest, published: None, aliases: Vec::new() };
        let head = ModuleHead { latest_version: 1, pointers: Some(Box::new(pointers)), tags: None };
        for (moment, upload) in [(0, 3), (10, 3), (19, 3), (20, 4), (99, 4)] {
            assert_eq!(head.latest_at(at(moment)), ModulePlace::Upload(upload), "at {moment}");
        }
        assert_eq!((head.latest(), head.published()), (ModulePlace::Upload(4), None));
        let head = ModuleHead { latest_version: 7, pointers: None, tags: None };
        assert_eq!((head.latest_at(at(5)), head.published()), (ModulePlace::Version(7), Some(7)));
    }

    #[test]
    fn an_alias_gives_each_version_its_share() {
        let target = |version, also: Option<(u32, u32)>| ModuleTarget {
            version,
            also: also.map(|(version, weight)| ModuleShare { version, weight }),
        };
        let moves = vec![
            AliasMove { at: at(10), target: target(1, None) },
            AliasMove { at: at(20), target: target(1, Some((2, 250_000))) },
        ];
        let alias = ModuleAlias { name: Text::from("live"), description: None, moves, revision: 2 };
        let second = |moment| (0..1_000).filter(|n| alias.version_at(at(moment), n * 1_000) == 2).count();
        assert_eq!([second(0), second(10), second(19), second(20), second(99)], [0, 0, 0, 250, 250]);
        assert!(alias.target().names(2) && !alias.target().names(3));
    }
}
