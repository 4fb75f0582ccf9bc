//! The settings as text: those in force, and an example of a file.

use std::ffi::OsString;

use super::resolve::{FILE, FILE_VARIABLE, Origin, Resolved, Value};
use super::table::{Kind, Setting};

/// Where the remarks of `config show` begin, if the values leave room.
const REMARK_COLUMN: usize = 40;
/// Characters of a line of the example.
const LINE_CHARACTERS_MAX: usize = 100;

/// The settings in force and where each comes from; it is a configuration file itself.
pub(crate) fn show(resolved: &Resolved) -> String {
    let file = match &resolved.file {
        Some(file) => format!("# The configuration file is {}.", file.display()),
        None => "# There is no configuration file.".to_owned(),
    };
    let lines = resolved.values.iter().map(|value| {
        let (left, remark) = (shown(value), origin_of(value));
        format!("{left:REMARK_COLUMN$}  # {remark}").trim_end().to_owned()
    });
    let lines = [file, "[serve]".to_owned()].into_iter().chain(lines).collect::<Vec<_>>();
    lines.join("\n")
}

fn shown(value: &Value) -> String {
    let key = value.setting.key();
    match (value.values.is_empty(), value.setting.is_secret()) {
        (true, _) => format!("# {key} is not set"),
        (false, true) => format!("# {key} is set and not shown"),
        (false, false) => format!("{key} = {}", toml_value(value.setting.kind(), &value.values)),
    }
}

/// Where the value of a setting comes from.
pub(crate) fn origin(resolved: &Resolved, id: &str) -> String {
    let value = resolved.values.iter().find(|value| value.setting.id() == id);
    value.map_or_else(|| id.to_owned(), |value| format!("{}: {id}", origin_of(value)))
}

fn origin_of(value: &Value) -> String {
    match &value.origin {
        Origin::Flag => value.setting.flag(),
        Origin::Variable(name) => format!("environment variable {name}"),
        Origin::File { path, line } => format!("{}:{line}", path.display()),
        Origin::Default => "default".to_owned(),
    }
}

fn toml_value(kind: Kind, values: &[OsString]) -> String {
    let mut texts = values.iter().map(|value| value.to_string_lossy());
    match kind {
        Kind::List => {
            let texts: Vec<_> = texts.map(|text| quoted(&text)).collect();
            format!("[{}]", texts.join(", "))
        }
        Kind::Text => quoted(&texts.next().unwrap_or_default()),
        Kind::Integer | Kind::Number | Kind::Boolean => texts.next().unwrap_or_default().into_owned(),
    }
}

/// A text of TOML, whose escapes those of JSON are.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A file with every setting, its default and what it is for.
pub(crate) fn example() -> String {
    let mut text = wrapped(&format!(
        "Settings of `stepwell serve`. The server reads {FILE} in the folder in which it starts, or the file that \
         --config or {FILE_VARIABLE} names. A flag is stronger than an environment variable, and that is stronger than \
         this file. `stepwell config check` checks it; `stepwell config show` shows what is in force."
    ));
    text.push_str("\n[serve]\n");
    for setting in Setting::all() {
        let variables = setting.variables().join(" or ");
        text.push('\n');
        text.push_str(&wrapped(&format!("{}.", setting.help().trim_end_matches('.'))));
        text.push_str(&wrapped(&format!("Flag {}, environment variable {variables}.", setting.flag())));
        let default = setting.default();
        let value = match (default.is_empty(), setting.kind()) {
            (false, kind) => toml_value(kind, &default),
            (true, kind @ (Kind::Text | Kind::List)) => toml_value(kind, &[setting.placeholder().into()]),
            (true, Kind::Integer | Kind::Number | Kind::Boolean) => setting.placeholder().to_owned(),
        };
        text.push_str(&format!("# {} = {value}\n", setting.key()));
    }
    text.trim_end().to_owned()
}

/// A comment in lines of bounded length.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut line = String::from("#");
    for word in text.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > LINE_CHARACTERS_MAX {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}
