//! `cargo xtask conformance`: the recorded cases of AWS, replayed against a server.
//!
//! The cases and the tool that replays them are not part of this project. They lie in a folder beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::guests::Guests;
use crate::options::Options;
use crate::server::{self, Place, Server};
use crate::terminal::Terminal;
use crate::{command, guests, toolchain, workspace};

/// Names another folder of cases than `../shared/conformance` beside the project.
const FOLDER_VARIABLE: &str = "STEPWELL_CONFORMANCE";
const FOLDER_DEFAULT: &str = "../shared/conformance";
/// Cases that may fail, each with its reason; one that passes fails the run until it is taken off.
const KNOWN: &str = "tests/conformance-server-known.txt";
/// Begins the reason of a known failure that may pass by chance.
const BY_THE_CLOCK: &str = "by the clock";
/// Most cases wait: for a timer, for an execution to end.
const JOBS_DEFAULT: &str = "12";
/// The functions that the cases call, and the module that stands in for each.
const FUNCTIONS: [(&str, &str); 6] = [
    ("conformance-id_function", "id-function"),
    ("conformance-large_output_string", "large-output-string"),
    ("conformance-raise_custom_exception", "raise-custom-exception"),
    ("conformance-raise_exception", "raise-exception"),
    ("conformance-return_bytes_str", "return-bytes-str"),
    ("conformance-wait_60_seconds", "wait-60-seconds"),
];

/// The command: builds what it needs, and fails if there are no cases.
pub(crate) fn run(terminal: &Terminal, mut options: Options) -> anyhow::Result<()> {
    let folder = folder();
    if !has_cases(&folder) {
        bail!(
            "there are no recorded cases in {}. Name their folder with {FOLDER_VARIABLE}=DIR.",
            folder.display()
        );
    }
    toolchain::prepare()?;
    let guests = guests::build()?;
    let endpoint = options.value("--endpoint")?;
    if let Some(endpoint) = endpoint {
        return replay(&folder, &program()?, &endpoint, &guests, options.rest());
    }
    // With the tests, as `cargo xtask test` builds them: another selection has other features.
    command::run(command::cargo(&workspace::root()).args(["build", "--workspace", "--bins", "--tests"]))?;
    on_new_server(terminal, &folder, &guests, options.rest())
}

/// The step of the tests: says so if there are no cases.
pub(crate) fn check(terminal: &Terminal) -> anyhow::Result<()> {
    let folder = folder();
    if !has_cases(&folder) {
        terminal.alarm(&format!(
            "SKIPPED: there are no recorded cases in {} (or {FOLDER_VARIABLE}), so nothing was compared with AWS",
            folder.display()
        ));
        return Ok(());
    }
    on_new_server(terminal, &folder, &guests::build()?, Vec::new())
}

fn folder() -> PathBuf {
    std::env::var_os(FOLDER_VARIABLE).map_or_else(|| workspace::root().join(FOLDER_DEFAULT), PathBuf::from)
}

fn has_cases(folder: &Path) -> bool {
    folder.join("index.json").exists()
}

fn program() -> anyhow::Result<PathBuf> {
    Ok(workspace::target(&workspace::root())?.join("debug").join("stepwell"))
}

fn on_new_server(
    terminal: &Terminal,
    folder: &Path,
    guests: &Guests,
    options: Vec<String>,
) -> anyhow::Result<()> {
    let place = Place {
        program: program()?,
        folder: std::env::temp_dir().join(format!("stepwell-conformance-{}", std::process::id())),
        address: server::choose_address(Some(0))?,
    };
    let server = Server::start(&place)?;
    let outcome = replay(folder, &place.program, &place.endpoint(), guests, options);
    let stopped = server.stop();
    if outcome.is_err() {
        terminal.dim(&format!("The server's data and log are kept in {}", place.folder.display()));
    } else {
        _ = fs::remove_dir_all(&place.folder);
    }
    outcome.and(stopped)
}

fn replay(
    folder: &Path,
    program: &Path,
    endpoint: &str,
    guests: &Guests,
    options: Vec<String>,
) -> anyhow::Result<()> {
    for (function, module) in FUNCTIONS {
        let mut push = Command::new(program);
        push.args(["--endpoint", endpoint, "module", "push", function]).arg(guests.file(module));
        command::output(&mut push)?;
    }
    let known = workspace::root().join(KNOWN);
    let text = fs::read_to_string(&known).with_context(|| format!("{KNOWN} cannot be read"))?;
    check_known(&text, |file| folder.join(file).exists())?;
    let tool = || {
        let mut run = Command::new("python3");
        run.arg(folder.join("run")).args(["--endpoint", endpoint]);
        run
    };
    if !options.is_empty() {
        let mut run = tool();
        for (option, value) in [("--jobs", JOBS_DEFAULT.as_ref()), ("--known", known.as_os_str())] {
            if !options.iter().any(|given| given.split('=').next() == Some(option)) {
                run.arg(option).arg(value);
            }
        }
        return command::run(run.args(options)).context("the recorded cases and the server differ");
    }
    let results = tempfile(endpoint);
    let mut run = tool();
    run.args(["--jobs", JOBS_DEFAULT]).arg("--known").arg(&known).arg("--json").arg(&results);
    if command::run(&mut run).is_ok() {
        _ = fs::remove_file(&results);
        return Ok(());
    }
    let verdicts = fs::read_to_string(&results).context("the tool that replays the cases left no results")?;
    _ = fs::remove_file(&results);
    let mut surprises = surprises(&serde_json::from_str(&verdicts)?, &text);
    // Some answers hold what a run took, and with many cases at once on a small machine that is another figure.
    surprises.failures.retain(|file| command::run(tool().args(["--jobs", "1", "-k", file])).is_err());
    surprises.report()
}

/// Where the tool writes its results; one server is used by one run.
fn tempfile(endpoint: &str) -> PathBuf {
    let port = endpoint.rsplit(':').next().unwrap_or_default();
    std::env::temp_dir().join(format!("stepwell-conformance-{}-{port}.json", std::process::id()))
}

/// What differs from the list of known failures.
#[derive(Debug, Default, PartialEq, Eq)]
struct Surprises {
    failures: Vec<String>,
    passes: Vec<String>,
}

/// A known failure that depends on the clock may pass.
fn surprises(results: &Value, known: &str) -> Surprises {
    let known = reasons(known);
    let mut surprises = Surprises::default();
    for result in results.as_array().into_iter().flatten() {
        let file = result["file"].as_str().unwrap_or_default();
        match (result["verdict"].as_str(), known.get(file)) {
            (Some("failed"), None) => surprises.failures.push(file.to_owned()),
            (Some("passed"), Some(reason)) if !reason.starts_with(BY_THE_CLOCK) => {
                surprises.passes.push(file.to_owned());
            }
            _ => {}
        }
    }
    surprises
}

impl Surprises {
    fn report(&self) -> anyhow::Result<()> {
        let Surprises { failures, passes } = self;
        if failures.is_empty() && passes.is_empty() {
            return Ok(());
        }
        bail!(
            "the recorded cases and the server differ.\nNew failures: {failures:?}\nTo be taken off {KNOWN}, since they \
             pass: {passes:?}"
        )
    }
}

/// Each listed case with its reason.
fn reasons(text: &str) -> BTreeMap<&str, &str> {
    let mut group = "";
    let mut reasons = BTreeMap::new();
    for line in text.lines() {
        let (file, reason) = line.split_once('#').unwrap_or((line, ""));
        let (file, reason) = (file.trim(), reason.trim());
        if file.is_empty() {
            group = reason;
        } else {
            reasons.insert(file, if reason.is_empty() { group } else { reason });
        }
    }
    reasons
}

/// Each listed case is there once, and has a reason: in its line, or in the comment above its group.
fn check_known(text: &str, exists: impl Fn(&str) -> bool) -> anyhow::Result<()> {
    let mut lines = BTreeMap::new();
    let mut has_reason = false;
    for (number, line) in (1..).zip(text.lines()) {
        let (file, reason) = line.split_once('#').unwrap_or((line, ""));
        let file = file.trim();
        if file.is_empty() {
            has_reason = !reason.trim().is_empty();
            continue;
        }
        if !has_reason && reason.trim().is_empty() {
            bail!("{KNOWN}:{number}: {file} has no reason, neither after a '#' nor above its group");
        }
        if !exists(file) {
            bail!("{KNOWN}:{number}: there is no case {file}");
        }
        if let Some(first) = lines.insert(file, number) {
            bail!("{KNOWN}:{number}: {file} is listed in line {first} already");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_failures_are_there_once_with_a_reason() {
        let check = |text: &str, expected: Result<(), &str>| {
            let found = check_known(text, |file| file != "gone.json").map_err(|error| error.to_string());
            let (found, expected) = (found.as_ref().map_err(String::as_str), expected.as_ref());
            match expected {
                Ok(()) => assert_eq!(found, Ok(&())),
                Err(expected) => assert!(found.unwrap_err().ends_with(expected), "{found:?}"),
            }
        };
        check("# no JSONata\na.json\nb.json\n\nc.json # too old\n", Ok(()));
        check(
            "# no JSONata\na.json\n\nb.json\n",
            Err(":4: b.json has no reason, neither after a '#' nor above its group"),
        );
        check("# why\na.json\ngone.json\n", Err(":3: there is no case gone.json"));
        check("# why\na.json\na.json\n", Err(":3: a.json is listed in line 2 already"));
    }

    #[test]
    fn surprises_are_what_the_list_does_not_say() {
        let results = serde_json::json!([
            {"file": "new.json", "verdict": "failed"},
            {"file": "known.json", "verdict": "failed"},
            {"file": "mended.json", "verdict": "passed"},
            {"file": "timed.json", "verdict": "passed"},
            {"file": "fine.json", "verdict": "passed"},
            {"file": "skipped.json", "verdict": "skipped"}
        ]);
        let known =
            "# why\nknown.json\nmended.json\n\n# by the clock: it takes as long as it takes\ntimed.json\n";
        let expected = Surprises { failures: vec!["new.json".into()], passes: vec!["mended.json".into()] };
        assert_eq!(surprises(&results, known), expected);
        assert!(expected.report().is_err());
        assert!(Surprises::default().report().is_ok());
    }
}
