//! The recorded cases: what AWS itself answered, against what the interpreter answers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use asl::definition::{MachineType, parse};
use asl::{Data, Timestamp};
use serde_json::Value;

use crate::placeholders::Placeholders;
use crate::render::as_recorded;
use crate::runner::{self, Options};
use crate::stand_in::Functions;

/// Beside the work tree, not in it.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/conformance");
/// Cases that fail, each with its reason after a `#`.
const KNOWN: &str = include_str!("../conformance-known.txt");
/// Two cases wait for a date that counts from 2026-11-22T15:08, the day on which they were prepared.
const STARTED_AT: Timestamp = Timestamp::from_milliseconds(1_795_360_200_000);
const ENDS: [&str; 4] = ["ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"];
const PARALLEL_ENDS: [&str; 4] =
    ["ParallelStateSucceeded", "ParallelStateAborted", "ParallelStateExited", "ParallelStateFailed"];

/// One recorded case that the interpreter alone can run.
#[derive(Debug)]
pub struct Case {
    /// Its file within the folder of cases.
    pub file: String,
    case: Value,
}

/// The failing cases that are known, with the reason of each.
pub fn known() -> BTreeMap<&'static str, &'static str> {
    let lines = KNOWN.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('#').map_or((line, ""), |(file, why)| (file.trim(), why.trim())))
        .collect()
}

/// The cases within reach: one execution, at most Lambda. None if the folder is not there.
pub fn all() -> Option<Vec<Case>> {
    let index = fs::read_to_string(Path::new(FOLDER).join("index.json")).ok()?;
    let index: Value = serde_json::from_str(&index).expect("the index is JSON");
    let entries = index.as_array().expect("the index is a list");
    let files = entries.iter().filter(|entry| entry["shape"] == "execution");
    let files = files.filter_map(|entry| entry["file"].as_str());
    Some(files.map(read).filter(Case::is_within_reach).collect())
}

fn read(file: &str) -> Case {
    let path: PathBuf = Path::new(FOLDER).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Case { file: file.to_owned(), case: serde_json::from_str(&text).expect("a case is JSON") }
}

/// A definition or an input as text.
fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Case {
    fn is_within_reach(&self) -> bool {
        let needs = self.case["needs"].as_array().into_iter().flatten();
        needs.into_iter().all(|need| need == "lambda")
    }

    /// Runs the case; gives where the history differs from the recording.
    pub fn differences(&self, restart: bool) -> Vec<String> {
        let mut functions = Functions::default();
        let mut names = self.placeholders();
        for (index, function) in self.case["lambdas"].as_array().into_iter().flatten().enumerate() {
            let word = function["function_name"].as_str().unwrap_or_default();
            let handler = function["handler"].as_str().unwrap_or_default();
            // Names are as long as in the recordings, which show the lengths of payloads.
            let name =
                if word.starts_with('<') { format!("lambda_func_{index:08}") } else { word.to_owned() };
            if !functions.add(&name, handler) {
                return vec![format!("there is no stand-in for {handler}")];
            }
            names.give(word, &name);
        }
        let parsed = parse(&names.fill(&as_text(&self.case["definition"])), MachineType::Standard);
        let Some(definition) = parsed.definition else {
            return parsed.diagnostics.iter().map(|finding| format!("not valid: {finding}")).collect();
        };
        let input = Data::parse(&names.fill(&as_text(&self.case["input"]))).expect("the input is JSON");
        let options = Options { restart, ..Options::default() };
        let outcome = runner::run(&definition, runner::info(input, STARTED_AT), &mut functions, &options);
        let got: Vec<Value> = outcome.history.iter().map(as_recorded).collect();
        let expected = &self.case["expected"]["get_execution_history"]["events"];
        compare(&mut names, expected.as_array().expect("a recorded history"), got)
    }

    fn placeholders(&self) -> Placeholders {
        let mut names = Placeholders::new(&self.case["placeholders"]);
        for (word, value) in [
            ("<partition>", "aws"),
            ("<region>", "us-east-1"),
            ("111111111111", "123456789012"),
            ("snf_role_arn", "arn:aws:iam::123456789012:role/role"),
            ("sfn_role_arn", "arn:aws:iam::123456789012:role/role"),
            ("<ArnPart_0idx>", "machine"),
            ("<ExecArnPart_0idx>", "run"),
        ] {
            names.give(word, value);
        }
        names
    }
}

fn compare(names: &mut Placeholders, expected: &[Value], got: Vec<Value>) -> Vec<String> {
    let is_whole = expected.last().is_some_and(|last| ENDS.iter().any(|end| last["type"] == *end));
    let mut got = if expected.iter().any(is_unordered) { as_sorted(got) } else { got };
    if !is_whole {
        got.truncate(expected.len());
    }
    let mut found = Vec::new();
    let mut index = 0;
    while index < expected.len().min(got.len()) {
        let together = expected[index..].iter().take_while(|event| is_unordered(event)).count();
        if together == 0 {
            found.extend(names.differences(&expected[index], &got[index], &format!("[{index}]")));
            index += 1;
        } else {
            let end = index + together;
            let candidates = got[index..end.min(got.len())].to_vec();
            found.extend(set_differences(names, &expected[index..end], candidates));
            index = end;
        }
    }
    found.extend(expected.iter().skip(got.len()).map(|event| format!("missing: {event}")));
    found.extend(got.iter().skip(expected.len()).map(|event| format!("not recorded: {event}")));
    found
}

/// Events of branches that ran at once: each must be there, in any order and with any id.
fn set_differences(names: &mut Placeholders, expected: &[Value], mut left: Vec<Value>) -> Vec<String> {
    let mut found = Vec::new();
    for event in expected {
        let numbered = |candidate: &Value| {
            let mut candidate = candidate.clone();
            candidate["id"] = event["id"].clone();
            candidate["previousEventId"] = event["previousEventId"].clone();
            candidate
        };
        match left.iter().position(|candidate| names.agrees(event, &numbered(candidate))) {
            Some(at) => _ = left.remove(at),
            None => found.push(format!("missing among the branches: {event}")),
        }
    }
    found.extend(left.iter().map(|event| format!("not recorded among the branches: {event}")));
    found
}

fn is_unordered(event: &Value) -> bool {
    event["id"] == 0 || event["id"] == Value::from(vec![0])
}

/// What the recordings of Parallel states keep: of the Parallel events after the branches only the last.
fn as_sorted(events: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    let mut start = None;
    let (mut branches, mut inside) = (Vec::new(), false);
    for event in events {
        let kind = event["type"].as_str().unwrap_or_default();
        if let Some(start) = start.filter(|_| PARALLEL_ENDS.contains(&kind)) {
            kept.truncate(start);
            kept.append(&mut branches.clone());
            inside = false;
        } else if kind == "ParallelStateStarted" {
            start = Some(kept.len() + 1);
            (branches, inside) = (Vec::new(), true);
        } else if inside {
            branches.push(event.clone());
        }
        kept.push(event);
    }
    kept
}
