//! The configuration file: TOML, read with the place of each value, and refused with the place of each mistake.

use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{Kind, Setting};

/// The table of the file that has the settings of `serve`.
const TABLE: &str = "serve";
/// Ours: bytes of a configuration file.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How alike a name must be to one that exists, from 0 to 1, to be taken for a slip.
const LIKENESS_MIN: f64 = 0.8;

/// Something that must be changed before the settings can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where it is: a place in a file, a variable, a flag.
    pub(crate) source: String,
    pub(crate) text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.source, self.text)
    }
}

/// What a file says.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) values: Vec<FileValue>,
    pub(crate) problems: Vec<Problem>,
}

/// The value of one setting.
#[derive(Debug)]
pub(crate) struct FileValue {
    /// Of the setting.
    pub(crate) id: String,
    pub(crate) values: Vec<OsString>,
    pub(crate) line: usize,
}

impl File {
    /// Reads the file at a path, and tells of it by the path that was given; `named_by` says where that was.
    pub(crate) fn read(at: &Path, path: &Path, named_by: &str) -> Result<File, Problem> {
        let wrong = |why: String| Problem {
            source: named_by.to_owned(),
            text: format!("the configuration file {} cannot be read: {why}", path.display()),
        };
        let file = std::fs::File::open(at).map_err(|error| wrong(error.to_string()))?;
        let mut text = String::new();
        file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
        if text.len() as u64 > FILE_BYTES_MAX {
            return Err(wrong(format!("it has more than {FILE_BYTES_MAX} bytes")));
        }
        Ok(File::parse(path, &text))
    }

    pub(crate) fn parse(path: &Path, text: &str) -> File {
        let mut reader =
            Reader { path, text, settings: Setting::all(), values: Vec::new(), found: Vec::new() };
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            reader.refuse(&error.span().unwrap_or(0..0), error.message().to_owned());
        }
        reader.document(document.get_ref());
        reader.found.sort_by_key(|(at, _)| *at);
        // What the parser made of a mistake of its own is no second one.
        reader.found.dedup_by_key(|(at, _)| *at);
        let problems = reader.found.into_iter().map(|(_, problem)| problem).collect();
        File { path: path.to_owned(), values: reader.values, problems }
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    settings: Vec<Setting>,
    values: Vec<FileValue>,
    /// Each with the byte at which it is.
    found: Vec<(usize, Problem)>,
}

impl Reader<'_> {
    fn document(&mut self, document: &DeTable<'_>) {
        for (key, value) in document {
            match (key.get_ref().as_ref(), value.get_ref()) {
                (TABLE, DeValue::Table(table)) => self.serve(table),
                (TABLE, other) => {
                    let text = format!("'{TABLE}' must be a table: write [{TABLE}], not {}", found(other));
                    self.refuse(&value.span(), text);
                }
                (name, _) if self.settings.iter().any(|setting| setting.key() == name) => {
                    let text =
                        format!("'{name}' belongs in the table [{TABLE}]: put the line [{TABLE}] before it");
                    self.refuse(&key.span(), text);
                }
                (name, _) => {
                    let text = format!("unknown table '{name}'; there is only [{TABLE}]");
                    self.refuse(&key.span(), text);
                }
            }
        }
    }

    fn serve(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            match self.settings.iter().find(|setting| setting.key() == *key.get_ref()).cloned() {
                Some(setting) => self.setting(&setting, value),
                None => {
                    let text = format!("unknown setting '{}'{}", key.get_ref(), self.likely(key.get_ref()));
                    self.refuse(&key.span(), text);
                }
            }
        }
    }

    fn setting(&mut self, setting: &Setting, value: &Spanned<DeValue<'_>>) {
        let wrong = |value: &DeValue<'_>, kind: Kind| {
            format!("{} must be {}, not {}", setting.key(), kind.wanted(), found(value))
        };
        let mut texts = Vec::new();
        match (setting.kind(), value.get_ref()) {
            (Kind::List, DeValue::Array(items)) => {
                for item in items {
                    match text(Kind::Text, item.get_ref()) {
                        Some(text) => texts.push((text, item.span())),
                        None => self.refuse(&item.span(), wrong(item.get_ref(), Kind::List)),
                    }
                }
            }
            (kind, value_found) => match text(kind, value_found) {
                Some(text) => texts.push((text, value.span())),
                None => self.refuse(&value.span(), wrong(value_found, kind)),
            },
        }
        let line = self.position(value.span().start).0;
        let mut values = Vec::new();
        for (text, span) in texts {
            let text = OsString::from(text);
            if let Err(why) = setting.check(&text) {
                self.refuse(&span, format!("{}: {why}", setting.key()));
            }
            values.push(text);
        }
        self.values.push(FileValue { id: setting.id().to_owned(), values, line });
    }

    fn likely(&self, name: &str) -> String {
        let likeness = |setting: &Setting| strsim::jaro_winkler(name, &setting.key());
        let best = self.settings.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        match best.filter(|setting| likeness(setting) >= LIKENESS_MIN) {
            Some(setting) => format!("; did you mean '{}'?", setting.key()),
            None => "; `stepwell config example` lists them".to_owned(),
        }
    }

    fn refuse(&mut self, span: &Range<usize>, text: String) {
        let (line, column) = self.position(span.start);
        let source = format!("{}:{line}:{column}", self.path.display());
        self.found.push((span.start, Problem { source, text }));
    }

    /// Line and column of a byte, both from 1.
    fn position(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// The value as a flag would have it; none if it is of another kind.
fn text(kind: Kind, value: &DeValue<'_>) -> Option<String> {
    match (kind, value) {
        (Kind::Text, DeValue::String(text)) => Some(text.clone().into_owned()),
        (Kind::Integer | Kind::Number, DeValue::Integer(integer)) => {
            i128::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number.to_string())
        }
        (Kind::Number, DeValue::Float(float)) => Some(float.as_str().to_owned()),
        (Kind::Boolean, DeValue::Boolean(value)) => Some(value.to_string()),
        _ => None,
    }
}

fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let file = File::parse(Path::new("s.toml"), text);
        file.problems.iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let problems = problems(text);
        assert!(problems.len() == 1 && problems[0].starts_with(expected), "{problems:?}");
    }

    #[test]
    fn values_come_with_their_line() {
        let text =
            "# ours\n[serve]\nlisten = \"127.0.0.1:0\"\nmodule_timeout = 0x10\n\nwait_time_scale = 0.5\n";
        let file = File::parse(Path::new("s.toml"), text);
        assert_eq!(file.problems, []);
        let mut values: Vec<_> = file
            .values
            .iter()
            .map(|value| (value.line, value.id.as_str(), value.values[0].to_str().unwrap()))
            .collect();
        values.sort_unstable();
        assert_eq!(
            values,
            [(3, "listen", "127.0.0.1:0"), (4, "module_timeout", "16"), (6, "wait_time_scale", "0.5")]
        );
        assert_eq!(problems(""), [""; 0]);
        assert_eq!(problems("[serve]\nwait_time_scale = 1"), [""; 0]);
    }

    #[test]
    fn mistakes_are_refused_with_their_place() {
        refused("[serve]\nlissten = 1", "s.toml:2:1: unknown setting 'lissten'; did you mean 'listen'?");
        refused(
            "[serve]\nwait-time-scale = 1",
            "s.toml:2:1: unknown setting 'wait-time-scale'; did you mean 'wait_time_scale'?",
        );
        refused(
            "[serve]\nzzz = 1",
            "s.toml:2:1: unknown setting 'zzz'; `stepwell config example` lists them",
        );
        refused("[server]", "s.toml:1:2: unknown table 'server'; there is only [serve]");
        refused("listen = 1", "s.toml:1:1: 'listen' belongs in the table [serve]");
        refused("serve = 1", "s.toml:1:9: 'serve' must be a table");
        refused("[serve]\n  listen = 8083", "s.toml:2:12: listen must be text in quotes, not a whole number");
        refused(
            "[serve]\nmodule_timeout = 1.5",
            "s.toml:2:18: module_timeout must be a whole number, not a number",
        );
        refused(
            "[serve]\nmodule_timeout = 0",
            "s.toml:2:18: module_timeout: '0' cannot be used: 0 is not in 1..=86400",
        );
        refused(
            "[serve]\nallow_remote = \"true\"",
            "s.toml:2:16: allow_remote must be true or false, not a text",
        );
        refused("[serve]\nwait_time_scale = nan", "s.toml:2:19: wait_time_scale: 'nan' cannot be used");
        refused("[serve]\ndata = ", "s.toml:2:");
        refused("[serve]\ndata = \"a\"\ndata = \"b\"", "s.toml:3:1: duplicate key");
    }

    #[test]
    fn all_mistakes_come_at_once_in_order() {
        let problems =
            problems("[serve]\nregion = 7\nzeta = 1\nlisten = \"here\"\naccount = \"1\"\n[other]\n");
        let places: Vec<_> = problems.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
        assert_eq!(places, ["s.toml:2:10", "s.toml:3:1", "s.toml:4:10", "s.toml:5:11", "s.toml:6:2"]);
    }

    #[test]
    fn a_secret_is_not_repeated() {
        let problems = problems("[serve]\nsecret_key = \"0123abc\"");
        assert_eq!(problems.len(), 1);
        assert!(!problems[0].contains("0123abc"), "{problems:?}");
    }
}
