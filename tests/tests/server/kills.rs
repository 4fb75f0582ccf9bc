//! SIGKILL at random moments under load: what was acknowledged is there afterwards, once, and ends well.

use std::time::{Duration, Instant};
use std::{env, thread};

use tests::process::{Home, PATIENCE, Server, pause, wait_for};

use crate::load::Load;

/// Kills in all tests of this file together; `STEPWELL_KILL_ROUNDS` is another number.
const ROUNDS: usize = 20;
const ROUNDS_VARIABLE: &str = "STEPWELL_KILL_ROUNDS";
/// `STEPWELL_KILL_SEED` makes the moments of the kills other ones.
const SEED_VARIABLE: &str = "STEPWELL_KILL_SEED";
/// Tests among which the rounds are divided, each with a store of its own.
const STORES: usize = 4;
const CLIENTS: usize = 4;
/// The latest kill, in acknowledged starts of a round.
const STARTS_MAX: u64 = 80;
/// What is added to that moment, so that it doesn't always fall just behind an answer.
const DELAY_MICROSECONDS_MAX: u64 = 60_000;
/// Loading the store and starting take some tens of milliseconds.
const START_MICROSECONDS_MAX: u64 = 80_000;
/// One round in so many kills a server while it starts.
const KILLED_AT_START: u64 = 4;

#[test]
fn the_first_store_survives_kills() {
    check(1);
}

#[test]
fn the_second_store_survives_kills() {
    check(2);
}

#[test]
fn the_third_store_survives_kills() {
    check(3);
}

#[test]
fn the_fourth_store_survives_kills() {
    check(4);
}

fn check(store: u64) {
    let begun = Instant::now();
    let rounds = number(ROUNDS_VARIABLE).map_or(ROUNDS, |rounds| usize::try_from(rounds).unwrap());
    let rounds = rounds.div_ceil(STORES);
    let seed = number(SEED_VARIABLE).unwrap_or_default();
    let mut chance = Chance(seed.wrapping_mul(1_000).wrapping_add(store));
    let home = Home::new();
    let mut server = home.start();
    let load = Load::prepare(server.client());
    for _ in 0..rounds {
        run_round(server, &load, &mut chance);
        if chance.up_to(KILLED_AT_START) == 0 {
            let mut child = home.spawn();
            pause(Duration::from_micros(chance.up_to(START_MICROSECONDS_MAX)));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        server = home.start();
    }
    let client = server.client();
    wait_for("all executions to end", PATIENCE, || (load.running(client) == 0).then_some(()));
    let problems = load.problems(client);
    let count = load.acknowledged();
    assert!(
        problems.is_empty(),
        "{SEED_VARIABLE}={seed}, {count} executions:\n{}\n{}",
        problems.join("\n"),
        home.log_tail()
    );
    assert!(count >= rounds, "only {count} executions were acknowledged in {rounds} rounds");
    println!("{rounds} kills, {count} acknowledged executions, {:.1} s", begun.elapsed().as_secs_f32());
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().expect("the variable is a number"))
}

/// Keeps the server busy and kills it in the middle of that.
fn run_round(mut server: Server, load: &Load, chance: &mut Chance) {
    let client = server.client();
    let enough = load.acknowledged() + usize::try_from(chance.up_to(STARTS_MAX)).unwrap();
    let delay = Duration::from_micros(chance.up_to(DELAY_MICROSECONDS_MAX));
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| load.run_client(client));
        }
        wait_for("executions to be started", PATIENCE, || (load.acknowledged() >= enough).then_some(()));
        pause(delay);
        server.assert_alive();
        server.kill();
    });
}

/// SplitMix64: the same numbers for the same seed.
struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn up_to(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
