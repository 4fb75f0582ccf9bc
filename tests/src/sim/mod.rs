//! A deterministic simulation of the shard and its store, under faults that a seed picks.
//!
//! The shard is the real one; clock, driver, executors, clients and workers are the simulation's own. Time jumps
//! from one event to the next, and the same seed gives the same run.

mod clients;
mod commits;
mod dispatch;
mod ending;
mod env;
mod faults;
mod functions;
mod history;
mod node;
mod promises;
pub(crate) mod random;
mod recovery;
mod reference;
mod storage;
mod timers;
mod workers;
mod workload;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use faults::Mutant;
use world::World;

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    pub steps: u64,
    pub executions: usize,
    pub redrives: usize,
    pub map_run_redrives: usize,
    /// Of all histories.
    pub hash: u64,
}

/// Runs a seed to its end; gives the rule that was broken, if one was.
pub fn run(seed: u64, mutant: Mutant) -> Result<Summary, String> {
    run_world(&mut World::new(seed, mutant, false))
}

/// What a run that failed looked like: it is run again with its events written down.
pub fn explain(seed: u64, mutant: Mutant) -> String {
    let mut world = World::new(seed, mutant, true);
    let rule = run_world(&mut world).err().unwrap_or_else(|| "the run does not fail again".to_owned());
    format!("SEED={seed} cargo test -p tests --test sim\n{rule}\n{}", world.env.report())
}

fn run_world(world: &mut World) -> Result<Summary, String> {
    let ran = catch_unwind(AssertUnwindSafe(|| world.run()));
    let hash = ran.unwrap_or_else(|panic| Err(panic_message(panic.as_ref())))?;
    let (steps, store) = (world.env.steps, &world.env.store);
    let (redrives, map_run_redrives) = store.histories.all_redrives();
    Ok(Summary { steps, executions: store.executions.len(), redrives, map_run_redrives, hash })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a message"))
}
