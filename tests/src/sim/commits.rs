//! A batch on its way to the store, and what becomes of it.

use store::{Batch, CommitError};

use super::env::{Env, Happening};

/// Sends a batch to the store. What changes nothing needs no commit.
pub(super) fn submit(node: u64, commit: u64, batch: Batch, env: &mut Env) {
    if batch.rows() == 0 {
        return env.after(0, Happening::Committed { node, commit, result: Ok(()) });
    }
    env.trace(|| format!("commit {commit} of {} rows", batch.rows()));
    let mut wait = env.random.between(0..=4);
    if env.fault("a commit is slow", |faults| faults.commit_slow) {
        wait += env.random.between(10..=3_000);
    }
    let end = wait + env.random.between(0..=3);
    let (result, is_written) = if env.fault("a commit is lost", |faults| faults.commit_lost) {
        (Err(CommitError::Unavailable), false)
    } else if env.fault("a commit is unknown and written", |faults| faults.commit_unknown) {
        (Err(CommitError::Unknown), true)
    } else if env.fault("a commit is unknown and lost", |faults| faults.commit_unknown_lost) {
        (Err(CommitError::Unknown), false)
    } else {
        (Ok(()), true)
    };
    if is_written {
        env.store.submit(commit, batch);
        env.after(wait, Happening::Apply { commit });
    }
    env.after(end, Happening::Committed { node, commit, result });
}
