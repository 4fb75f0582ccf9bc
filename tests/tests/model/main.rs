//! The service against its model: clients that call by chance, each with names of its own, over the router in this process.
//!
//! `MODEL_SEED=1234` runs another seed, `MODEL_CALLS=1000000` so many calls in all.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests too")]

mod races;
mod service;

use std::thread;

use store::{MemoryStore, RedbOptions, RedbStore, Store};
use tests::model::{Client, MUTANTS, Mutant, Mutated, Options, Ran};

use service::Service;

const SEED: u64 = 1;
/// Calls of a usual run in all, over both stores.
const CALLS: u64 = 120_000;
const CLIENTS: usize = 4;
/// The server is stopped and started again between two rounds.
const ROUNDS: u64 = 10;
/// One in so many calls is made over the store on disk, where each change is flushed.
const ON_DISK: u64 = 10;
const CALLS_TO_FIND_A_MUTANT: u64 = 20_000;

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number of a seed, or how many"))
}

fn client(number: usize, seed: u64) -> Client {
    let own = format!("c{number}-");
    let options = Options { own, always_named: false, polls_when_idle: true, has_broken_function: true };
    Client::new(options, seed.wrapping_mul(1_000).wrapping_add(number as u64))
}

/// Lets several clients call at once until they have made so many calls in all, with restarts between. Gives the calls.
fn check(store: &(impl Store + Clone), seed: u64, calls: u64) -> u64 {
    let mut clients: Vec<Client> = (0..CLIENTS).map(|number| client(number, seed)).collect();
    for round in 1..=ROUNDS {
        let service = Service::start(store.clone());
        let until = calls * round / ROUNDS / CLIENTS as u64;
        thread::scope(|scope| {
            let service = &service;
            let running: Vec<_> =
                clients.iter_mut().map(|client| scope.spawn(move || client.run(service, until))).collect();
            for client in running {
                let ran = client.join().unwrap();
                assert_eq!(
                    ran.unwrap_or_else(|different| panic!("MODEL_SEED={seed}: {different}")),
                    Ran::All
                );
            }
        });
        service.stop();
    }
    clients.iter().map(Client::calls).sum()
}

#[test]
fn the_service_in_memory_agrees_with_its_model() {
    let calls = variable("MODEL_CALLS", CALLS);
    let made = check(&MemoryStore::new(1), variable("MODEL_SEED", SEED), calls - calls / ON_DISK);
    println!("{made} calls of {CLIENTS} clients, {ROUNDS} starts");
}

#[test]
fn the_service_on_disk_agrees_with_its_model() {
    let folder = tempfile::tempdir().unwrap();
    let store = RedbStore::open(&RedbOptions::new(folder.path(), 1)).unwrap();
    let calls = variable("MODEL_CALLS", CALLS) / ON_DISK;
    let made = check(&store, variable("MODEL_SEED", SEED), calls);
    println!("{made} calls of {CLIENTS} clients, {ROUNDS} starts");
}

/// Clients that find nothing must prove that they can; gives after how many calls.
fn found(mutant: Mutant) -> u64 {
    let service = Mutated::new(Service::start(MemoryStore::new(1)), mutant);
    let mut client = client(0, SEED);
    match client.run(&service, CALLS_TO_FIND_A_MUTANT) {
        Err(_difference) => client.calls(),
        Ok(_) => panic!("{mutant:?} is not found in {CALLS_TO_FIND_A_MUTANT} calls"),
    }
}

#[test]
fn finds_services_with_a_mistake() {
    for mutant in MUTANTS {
        println!("{mutant:?} is found after {} calls", found(mutant));
    }
}
