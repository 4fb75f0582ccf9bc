//! Golden fixtures: `fixtures/asl/<area>/<case>/{definition,input,tasks,expected}.json`.

use std::fs;
use std::path::{Path, PathBuf};

use asl::definition::{Definition, MachineType, parse};
use asl::interpreter::{CALLBACK_PATH, CallbackLink, Ending, ErrorOutput, HistoryEvent, TaskToken};
use asl::{Data, Timestamp};
use serde_json::{Map, Value, json};

use crate::render::{self, Member};
use crate::runner::{self, LINK_MAKER, Outcome};
use crate::script::Script;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/asl");
/// Longer texts are cut in `expected.json`.
const TEXT_BYTES_MAX: usize = 1_000;
/// Longer histories keep their two ends.
const EVENTS_MAX: usize = 150;
const EVENTS_KEPT: usize = 12;
/// Every fixture starts at 2026-01-01T00:00:00Z.
pub const STARTED_AT: Timestamp = Timestamp::from_milliseconds(1_767_225_600_000);

/// One case: a folder.
#[derive(Debug)]
pub struct Fixture {
    folder: PathBuf,
}

/// Every fixture, in order of area and name.
pub fn all() -> Vec<Fixture> {
    let mut folders: Vec<PathBuf> =
        entries(Path::new(FOLDER)).iter().flat_map(|area| entries(area)).collect();
    folders.sort();
    folders.into_iter().map(|folder| Fixture { folder }).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("a readable folder").path()).collect()
}

impl Fixture {
    /// `area/case`.
    pub fn name(&self) -> String {
        let name = self.folder.strip_prefix(FOLDER).expect("fixtures are in their folder");
        name.to_string_lossy().into_owned()
    }

    pub fn definition_text(&self) -> String {
        self.text("definition.json").unwrap_or_default()
    }

    pub fn definition(&self) -> Result<Definition, String> {
        let parsed = parse(&self.definition_text(), MachineType::Standard);
        parsed.definition.ok_or_else(|| {
            let findings: Vec<String> = parsed.diagnostics.iter().map(ToString::to_string).collect();
            format!("the definition is not valid: {}", findings.join("; "))
        })
    }

    pub fn input(&self) -> Data {
        self.text("input.json").map_or_else(Data::empty_object, |text| {
            Data::parse(text.trim()).unwrap_or_else(|error| panic!("{}: {error}", self.name()))
        })
    }

    pub fn tasks(&self) -> Value {
        self.text("tasks.json").map_or(Value::Null, |text| {
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", self.name()))
        })
    }

    pub fn expected(&self) -> String {
        self.text("expected.json").unwrap_or_default()
    }

    pub fn write_expected(&self, text: &str) {
        fs::write(self.folder.join("expected.json"), text).expect("the fixture's folder can be written");
    }

    /// Runs the case on the interpreter alone; gives what `expected.json` should say.
    pub fn run(&self, restart: bool) -> Result<String, String> {
        let definition = self.definition()?;
        let (mut script, mut options) = Script::read(&self.tasks());
        options.restart = restart;
        let outcome = runner::run(&definition, runner::info(self.input(), STARTED_AT), &mut script, &options);
        let unused = script.unused();
        if unused.is_empty() { Ok(report(&outcome)) } else { Err(format!("unused answers of {unused:?}")) }
    }

    fn text(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(file)).ok()
    }
}

/// The text of `expected.json`: one line for each event.
pub fn report(outcome: &Outcome) -> String {
    let mut lines = lines_of(outcome);
    if !outcome.children.is_empty() {
        let children =
            outcome.children.iter().map(|child| format!("  {{\n{}\n  }}", lines_of(child).join(",\n")));
        let children: Vec<String> = children.collect();
        lines.push(format!("  \"children\": [\n{}\n  ]", children.join(",\n")));
    }
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn lines_of(outcome: &Outcome) -> Vec<String> {
    let ending = ending(outcome.ending.as_ref()).into_iter();
    let mut lines: Vec<String> =
        ending.map(|(name, value)| format!("  {}: {}", Value::from(name), shortened(&value))).collect();
    lines.push(format!("  \"history\": [\n{}\n  ]", events(&outcome.history).join(",\n")));
    lines
}

fn events(history: &[HistoryEvent]) -> Vec<String> {
    let line = |event: &HistoryEvent| format!("    {}", shortened(&event_line(event)));
    if history.len() <= EVENTS_MAX {
        return history.iter().map(line).collect();
    }
    let (head, rest) = history.split_at(EVENTS_KEPT);
    let (middle, tail) = rest.split_at(rest.len() - EVENTS_KEPT);
    let left_out = format!("    \"… {} events\"", middle.len());
    head.iter().map(line).chain([left_out]).chain(tail.iter().map(line)).collect()
}

fn ending(ending: Option<&Ending>) -> Vec<(&'static str, Value)> {
    let failed = |status: &str, error: &ErrorOutput| {
        let members = [("error", &error.error), ("cause", &error.cause)];
        let members = members.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?.into())));
        [("status", status.into())].into_iter().chain(members).collect()
    };
    match ending {
        None => vec![("status", "RUNNING".into())],
        Some(Ending::Succeeded { output }) => {
            vec![("status", "SUCCEEDED".into()), ("output", output.value().clone())]
        }
        Some(Ending::Failed(error)) => failed("FAILED", error),
        Some(Ending::TimedOut(error)) => failed("TIMED_OUT", error),
        Some(Ending::Aborted(error)) => failed("ABORTED", error),
    }
}

fn event_line(event: &HistoryEvent) -> Value {
    let (name, details) = render::describe(&event.kind);
    let mut line = Map::new();
    line.insert("id".to_owned(), event.id.into());
    line.insert("previousEventId".to_owned(), event.previous.into());
    line.insert("seconds".to_owned(), seconds(event.at));
    line.insert("type".to_owned(), name.into());
    if let Some(details) = details {
        let details = details.into_iter().map(|(name, member)| (name.to_owned(), plain(member)));
        line.insert("details".to_owned(), Value::Object(details.collect()));
    }
    Value::Object(line)
}

/// Seconds since the start, with a fraction only where there is one.
#[allow(clippy::cast_precision_loss, reason = "runs last less than 2^53 milliseconds")]
fn seconds(at: Timestamp) -> Value {
    let milliseconds = at.as_milliseconds() - STARTED_AT.as_milliseconds();
    if milliseconds % 1000 == 0 {
        (milliseconds / 1000).into()
    } else {
        (milliseconds as f64 / 1000.0).into()
    }
}

fn plain(member: Member) -> Value {
    match member {
        Member::Text(text) => text.into(),
        Member::Number(number) => number.into(),
        Member::Payload(data) | Member::Parameters(data) => data.value().clone(),
        Member::Variables(variables) => {
            variables.iter().map(|(name, data)| (name.to_string(), data.value().clone())).collect()
        }
        Member::Role(arn) => json!({ "roleArn": arn }),
    }
}

/// A value with long texts cut, and with a word in the place of task tokens and callback links.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if link(text).is_some() => {
            format!("<link: {:?}>", link(text).expect("it was seen to be one").uses).into()
        }
        Value::String(text) if TaskToken::parse(text).is_some() => "<task token>".into(),
        Value::String(text) if text.len() > TEXT_BYTES_MAX => {
            let start: String = text.chars().take(20).collect();
            format!("{start}… ({} bytes)", text.len()).into()
        }
        Value::Array(items) => items.iter().map(shortened).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shortened(value))).collect::<Map<_, _>>().into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// What a callback link says, if a text is one.
fn link(text: &str) -> Option<CallbackLink> {
    LINK_MAKER.read(text.split_once(CALLBACK_PATH)?.1)
}
