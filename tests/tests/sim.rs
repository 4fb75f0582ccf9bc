//! The simulation: seeds that hold every rule, and drivers with a mistake that must be found.
//!
//! `SEED=1234` runs one seed, `SEEDS=100000` that many.

use tests::sim::{Mutant, explain, run};

/// Seeds of a usual run.
const SEEDS: u64 = 1_000;
const PARTS: u64 = 4;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number of a seed, or how many"))
}

/// Failures that are listed; the first is explained.
const FAILURES_MAX: usize = 10;

/// Runs the seeds; gives the steps that they took, and how often an execution and a Map Run were redriven.
fn check(seeds: impl Iterator<Item = u64>) -> (u64, usize, usize) {
    let (mut steps, mut redrives, mut map_run_redrives) = (0, 0, 0);
    let mut failed = Vec::new();
    for seed in seeds {
        match run(seed, Mutant::Sound) {
            Ok(summary) => {
                steps += summary.steps;
                redrives += summary.redrives;
                map_run_redrives += summary.map_run_redrives;
            }
            Err(rule) => failed.push((seed, rule)),
        }
        if failed.len() == FAILURES_MAX {
            break;
        }
    }
    if let Some((first, _)) = failed.first() {
        let list: String = failed.iter().map(|(seed, rule)| format!("seed {seed}: {rule:.300}\n")).collect();
        panic!("{list}\n{}", explain(*first, Mutant::Sound));
    }
    (steps, redrives, map_run_redrives)
}

/// The seeds of one of the parts that run beside each other; gives how many there were.
fn check_part(part: u64) -> String {
    let count = variable("SEEDS").unwrap_or(SEEDS) / PARTS;
    let seeds = match variable("SEED") {
        Some(seed) => seed..seed + u64::from(part == 0),
        None => part * count..(part + 1) * count,
    };
    let ran = seeds.end - seeds.start;
    let (steps, redrives, map_runs) = check(seeds);
    assert!((redrives > 0 && map_runs > 0) || ran < SEEDS / PARTS, "nothing was redriven");
    format!("{ran} seeds, {steps} steps, {redrives} redrives, {map_runs} of Map Runs")
}

#[test]
fn seeds_of_the_first_part() {
    println!("{}", check_part(0));
}

#[test]
fn seeds_of_the_second_part() {
    println!("{}", check_part(1));
}

#[test]
fn seeds_of_the_third_part() {
    println!("{}", check_part(2));
}

#[test]
fn seeds_of_the_last_part() {
    println!("{}", check_part(3));
}

/// Every so many seeds one is run twice.
const TWICE_EVERY: usize = 20;

#[test]
fn the_same_seed_gives_the_same_histories() {
    for seed in (0..SEEDS).step_by(TWICE_EVERY) {
        let (first, second) = (run(seed, Mutant::Sound), run(seed, Mutant::Sound));
        assert_eq!(first, second, "SEED={seed}");
    }
}

/// Seeds that found something once, each with its reason.
const SAVED: &str = include_str!("../sim-seeds.txt");

#[test]
fn saved_seeds() {
    let lines = SAVED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let seeds = lines.map(|line| {
        let (seed, reason) = line.split_once(' ').expect("a seed has a reason");
        assert!(!reason.trim().is_empty(), "seed {seed} has a reason");
        seed.parse().expect("a seed is a number")
    });
    check(seeds);
}

/// Seeds in which a driver with a mistake must be found. The rarest, a timer that is withdrawn in the moment in which
/// it is due, comes up in the 365th.
const MUTANT_SEEDS: u64 = 400;

/// A simulation that finds nothing must prove that it can; gives what it finds.
fn found(mutant: Mutant) -> String {
    let failed = (0..variable("SEEDS").unwrap_or(MUTANT_SEEDS))
        .find_map(|seed| run(seed, mutant).err().map(|rule| (seed, rule)));
    let (seed, rule) = failed.unwrap_or_else(|| panic!("{mutant:?} is not found in {MUTANT_SEEDS} seeds"));
    assert!(run(seed, Mutant::Sound).is_ok(), "seed {seed} finds the mistake and nothing else");
    format!("{mutant:?} is found by seed {seed}: {rule:.200}")
}

#[test]
fn finds_a_driver_without_the_check_of_attempts() {
    println!("{}", found(Mutant::AnyAttempt));
}

#[test]
fn finds_a_recovery_that_forgets_running_tasks() {
    println!("{}", found(Mutant::ForgetsRunning));
}

#[test]
fn finds_a_driver_that_keeps_its_memory_after_a_failed_commit() {
    println!("{}", found(Mutant::KeepsMemory));
}

#[test]
fn finds_effects_of_a_failed_commit() {
    println!("{}", found(Mutant::EarlyEffects));
}

#[test]
fn finds_a_rebuild_that_does_not_wait_for_a_commit() {
    println!("{}", found(Mutant::AbandonsCommit));
}

#[test]
fn finds_a_driver_that_believes_cancelled_attempts() {
    println!("{}", found(Mutant::BelievesCancelled));
}

#[test]
fn finds_timers_that_are_forgotten_when_they_cannot_be_read() {
    println!("{}", found(Mutant::ForgetsTimers));
}

#[test]
fn finds_a_driver_that_spins_while_no_timer_is_due() {
    println!("{}", found(Mutant::SpinsOnTimers));
}
