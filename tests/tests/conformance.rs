//! The interpreter against golden fixtures and against what AWS answered.
//!
//! `CASE=map/` runs the fixtures and recordings with that text in their names; `UPDATE_GOLDEN=1` writes
//! `expected.json` anew.

use std::collections::BTreeSet;
use std::env;

use tests::fixture::{self, Fixture};
use tests::recorded;

const DIFFERENCES_SHOWN: usize = 4;

fn is_chosen(name: &str) -> bool {
    env::var("CASE").map_or(true, |part| name.contains(&part))
}

fn fixtures() -> impl Iterator<Item = Fixture> {
    fixture::all().into_iter().filter(|fixture| is_chosen(&fixture.name()))
}

/// How many fixtures ran, and every failure.
fn check_fixtures(restart: bool) -> (usize, Vec<String>) {
    let update = env::var_os("UPDATE_GOLDEN").is_some() && !restart;
    let (mut count, mut failures) = (0, Vec::new());
    for fixture in fixtures() {
        count += 1;
        let name = fixture.name();
        match fixture.run(restart) {
            Err(why) => failures.push(format!("{name}: {why}")),
            Ok(text) if update => fixture.write_expected(&text),
            Ok(text) => failures
                .extend(first_difference(&fixture.expected(), &text).map(|why| format!("{name}: {why}"))),
        }
    }
    (count, failures)
}

fn first_difference(expected: &str, got: &str) -> Option<String> {
    if expected == got {
        return None;
    }
    let (mut expected, mut got) = (expected.lines(), got.lines());
    loop {
        match (expected.next(), got.next()) {
            (Some(left), Some(right)) if left == right => {}
            (left, right) => {
                let shown = |line: Option<&str>| line.unwrap_or("nothing").trim().to_owned();
                return Some(format!("\n  expected {}\n  got      {}", shown(left), shown(right)));
            }
        }
    }
}

#[test]
fn fixtures_run_as_written_down() {
    let (count, failures) = check_fixtures(false);
    println!("{count} fixtures ran");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn fixtures_survive_a_restart_before_every_event() {
    let (count, failures) = check_fixtures(true);
    println!("{count} fixtures ran");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn recorded_cases_agree_with_aws() {
    let Some(cases) = recorded::all() else {
        println!("SKIPPED: there is no folder of recorded cases, so nothing was compared with AWS");
        return;
    };
    let known = recorded::known();
    let files: BTreeSet<&str> = cases.iter().map(|case| case.file.as_str()).collect();
    let mut failures: Vec<String> = known
        .keys()
        .filter(|file| !files.contains(*file))
        .map(|file| format!("{file}: listed as known, but there is no such case"))
        .collect();
    let chosen: Vec<_> = cases.iter().filter(|case| is_chosen(&case.file)).collect();
    let mut passed = 0;
    for case in &chosen {
        let mut found = case.differences(false);
        if found.is_empty() {
            found = case.differences(true);
        }
        found.truncate(DIFFERENCES_SHOWN);
        match (known.get(case.file.as_str()), found.is_empty()) {
            (None, true) => passed += 1,
            (Some(_), false) => {}
            (Some(why), true) => {
                failures.push(format!("{}: passes, though listed as known: {why}", case.file))
            }
            (None, false) => failures.push(format!("{}:\n  {}", case.file, found.join("\n  "))),
        }
    }
    println!("{passed} of {} recorded cases agree, {} are known to differ", chosen.len(), known.len());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
