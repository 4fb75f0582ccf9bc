//! Real definitions, from the public collection of Step Functions workflows: what people write must parse.

use std::fs;
use std::path::{Path, PathBuf};

use asl::definition::{MachineType, Parsed, parse};
use asl::validate::Severity;
use asl::validate::position::locate;

/// Beside the work tree, not in it.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/workflows");
const DEFINITIONS: usize = 164;
/// Its author wrote `QueryLanguage` inside `States`.
const MALFORMED: &str = "125__shared-fallback-state-jsonata__statemachine-asl.json";

/// The definitions in order of their names; none where the folder is not there.
#[expect(clippy::print_stdout, reason = "a test that checks nothing says so")]
fn definitions() -> Vec<PathBuf> {
    if !Path::new(FOLDER).is_dir() {
        println!("SKIPPED: there is no folder {FOLDER}, so no real definition was parsed");
        return Vec::new();
    }
    let entries = fs::read_dir(FOLDER).expect("the folder can be listed");
    let entries = entries.map(|entry| entry.expect("the folder can be listed").path());
    let mut files: Vec<PathBuf> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter(|path| path.file_name().is_some_and(|name| name != "index.json"))
        .collect();
    files.sort();
    assert_eq!(files.len(), DEFINITIONS);
    files
}

fn errors(parsed: &Parsed) -> Vec<String> {
    let errors = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    errors.map(ToString::to_string).collect()
}

#[test]
fn all_but_the_malformed_one_parse() {
    for file in definitions() {
        let text = fs::read_to_string(&file).unwrap();
        let parsed = parse(&text, MachineType::Standard);
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name == MALFORMED {
            assert!(parsed.definition.is_none());
        } else {
            assert_eq!(errors(&parsed), [""; 0], "{name}");
            assert!(parsed.definition.is_some(), "{name}");
        }
    }
}

#[test]
fn the_malformed_one_is_refused_with_its_place() {
    for file in definitions().iter().filter(|file| file.ends_with(MALFORMED)) {
        let text = fs::read_to_string(file).unwrap();
        let parsed = parse(&text, MachineType::Standard);
        let first = &parsed.diagnostics[0];
        assert_eq!(first.location.as_deref(), Some("/States/QueryLanguage"));
        assert_eq!(
            first.message,
            "A state should be an object; the field 'QueryLanguage' belongs to the machine: move it out of 'States'"
        );
        let line = text.lines().position(|line| line.contains("QueryLanguage")).unwrap() + 1;
        assert_eq!(locate(&text, "/States/QueryLanguage").map(|(line, _)| line), Some(line));
    }
}

/// What a validator tells must be found in the author's own text, warnings too.
#[test]
fn every_finding_has_its_place_in_the_text() {
    let mut findings = 0;
    for file in definitions() {
        let text = fs::read_to_string(&file).unwrap();
        for machine_type in [MachineType::Standard, MachineType::Express] {
            for diagnostic in parse(&text, machine_type).diagnostics {
                let location = diagnostic.location.as_deref().unwrap_or_default();
                assert!(locate(&text, location).is_some(), "{}: {diagnostic}", file.display());
                findings += 1;
            }
        }
    }
    assert!(findings > 0 || definitions().is_empty());
}
