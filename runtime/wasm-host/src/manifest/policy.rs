//! The operator's policy: what modules may have, by their names.
//!
//! `[default]` is for all of them, and `[modules.NAME]` for one, or with a star in its name for several. What a
//! section of its own says of a module replaces what the default says, field by field.

use toml::de::DeTable;

use super::parse::Author;
use super::reader::{Table, syntax};
use super::{Manifest, ManifestError};

/// Ours: some thousand lines.
pub const POLICY_BYTES_MAX: usize = 1 << 20;

/// What an operator lets modules have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    default: Manifest,
    /// Name or pattern, the most exact first.
    named: Vec<(String, Manifest)>,
}

/// What one module may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// What bounds the module.
    pub bounds: Manifest,
    /// What the section says that names the module, which is what it asks for if it has no manifest.
    pub own: Option<Manifest>,
}

impl Policy {
    /// Reads the file of `--module-policy`.
    pub fn parse(text: &str) -> Result<Policy, ManifestError> {
        if text.len() > POLICY_BYTES_MAX {
            let why = format!("the policy has {} bytes; {POLICY_BYTES_MAX} are the most", text.len());
            return Err(ManifestError { line: 1, field: String::new(), why });
        }
        let document = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
        let table = Table::root(text, document.get_ref()).with_only(&["default", "modules"])?;
        let mut policy = Policy::default();
        if let Some(field) = table.field("default") {
            policy.default = Manifest::read(field.table()?, Author::Operator)?;
        }
        if let Some(field) = table.field("modules") {
            for (name, field) in field.table()?.fields() {
                let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte);
                if name.is_empty() || !name.bytes().all(is_part) || name.matches('*').count() > 1 {
                    return Err(field.wrong(
                        "it must be the name of a module, or a pattern with one star, as [modules.\"charge-*\"]",
                    ));
                }
                policy.named.push((name.into_owned(), Manifest::read(field.table()?, Author::Operator)?));
            }
        }
        // A name without a star is exact; of patterns the one that says most comes first. Equal ones go by the alphabet.
        policy
            .named
            .sort_by(|(a, _), (b, _)| (a.contains('*'), b.len(), a).cmp(&(b.contains('*'), a.len(), b)));
        Ok(policy)
    }

    pub fn for_module(&self, name: &str) -> Allowed {
        match self.named.iter().find(|(pattern, _)| is_match(pattern, name)) {
            Some((_, own)) => Allowed { bounds: own.or(&self.default), own: Some(own.clone()) },
            None => Allowed { bounds: self.default.clone(), own: None },
        }
    }
}

fn is_match(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        [default.limits]
        fuel = 100
        concurrency = 7
        [modules."charge-*".limits]
        fuel = 200
        [modules."*".limits]
        fuel = 1
        [modules.charge-card.limits]
        fuel = 300
    "#;

    #[test]
    fn the_most_exact_section_is_a_modules_own() {
        let policy = Policy::parse(POLICY).unwrap();
        for (name, fuel) in [("charge-card", 300), ("charge-bank", 200), ("charge-", 200), ("charge", 1)] {
            let allowed = policy.for_module(name);
            assert_eq!(allowed.bounds.limits.fuel, Some(fuel), "{name}");
            assert_eq!(allowed.bounds.limits.concurrency, Some(7), "what it does not say is the default's");
            assert_eq!(allowed.own.unwrap().limits.concurrency, None);
        }
        let bare = Policy::parse("[default.limits]\nfuel = 5").unwrap().for_module("any");
        assert_eq!((bare.bounds.limits.fuel, bare.own), (Some(5), None));
    }

    #[test]
    fn a_star_stands_for_what_is_between() {
        assert!(is_match("a*b", "ab") && is_match("a*b", "a-b") && is_match("*", ""));
        assert!(!is_match("aa*aa", "aaa") && !is_match("a*", "b") && !is_match("a", "ab"));
    }

    #[test]
    fn mistakes_have_their_place() {
        let check = |text: &str, expected: &str| {
            let error = Policy::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        check("[modules.\"a b\".limits]\nfuel = 1", "line 1: modules.a b: it must be the name of a module");
        check("\n[modul.a]", "line 2: modul: there is no such field; there are default, modules");
        check(
            "[default.grants]\ndirectory = [{ guest = \"/d\", access = \"read\" }]",
            "line 2: default.grants.directory[0].host: it is missing: write host = \"/srv/data\"",
        );
        check(
            "[default.grants]\ndirectory = [{ guest = \"/d\", access = \"read\", host = \"d\" }]",
            "line 2: default.grants.directory[0].host: it must be the absolute path",
        );
    }
}
