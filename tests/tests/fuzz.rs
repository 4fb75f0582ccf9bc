//! The corpus of each fuzz target, and mutations of it, through the same code as in live fuzzing.
//!
//! `SEED=7 cargo test --package tests --test fuzz` tries other mutations.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests too")]

use std::path::Path;
use std::{env, fs, panic};

use tests::fixture;
use tests::fuzz::{Mutator, TARGETS, Target};

/// Changed variants of each piece of the corpus. Live fuzzing tries millions.
const MUTATIONS: usize = 40;

fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut pieces: Vec<_> =
        files.iter().map(|file| (file.display().to_string(), fs::read(file).unwrap())).collect();
    if matches!(name, "definition" | "interpreter") {
        let definitions = fixture::all();
        let texts =
            definitions.iter().map(|fixture| (fixture.name(), fixture.definition_text().into_bytes()));
        pieces.extend(texts);
    }
    pieces
}

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

fn replay(target: &Target) {
    let seed = env::var("SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut mutator = Mutator::new(seed);
    let pieces = corpus(target.name);
    assert!(!pieces.is_empty(), "{} has a corpus", target.name);
    let mut runs = 0;
    for (name, bytes) in &pieces {
        run(target, name, bytes);
        for _ in 0..MUTATIONS {
            run(target, name, &mutator.mutate(bytes));
            runs += 1;
        }
    }
    println!("{}: {} pieces and {runs} mutations", target.name, pieces.len());
}

/// A finding shows the bytes, so that they can be put into the corpus.
fn run(target: &Target, name: &str, bytes: &[u8]) {
    let run = panic::AssertUnwindSafe(|| (target.run)(bytes));
    if panic::catch_unwind(run).is_err() {
        panic!("{} fails on a variant of {name}:\n{}", target.name, bytes.escape_ascii());
    }
}

#[test]
fn no_corpus_is_without_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &Path| {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let targets: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(names(&folder.join("corpus")), targets);
    assert_eq!(names(&folder.join("fuzz_targets")), targets);
}

#[test]
fn hostile_bytes_for_boundary() {
    replay(target("boundary"));
}

#[test]
fn hostile_bytes_for_definition() {
    replay(target("definition"));
}

#[test]
fn hostile_bytes_for_interpreter() {
    replay(target("interpreter"));
}

#[test]
fn hostile_bytes_for_intrinsic() {
    replay(target("intrinsic"));
}

#[test]
fn hostile_bytes_for_jsonata() {
    replay(target("jsonata"));
}

#[test]
fn hostile_bytes_for_jsonpath() {
    replay(target("jsonpath"));
}

#[test]
fn hostile_bytes_for_template() {
    replay(target("template"));
}

#[test]
fn hostile_bytes_for_upload() {
    replay(target("upload"));
}
