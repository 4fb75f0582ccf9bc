//! The contract that every backend keeps: cases over any [`Store`], and random batches whose outcome must be
//! that of the store in memory.

mod catalog;
mod compare;
mod generate;
mod history;
mod listing;
mod random;
mod sample;
mod state;
mod write;

pub use catalog::*;
pub use generate::{Generator, Prng};
pub use history::*;
pub use listing::*;
pub use random::*;
pub use state::*;
pub use write::*;

pub use compare::assert_same_answers;

/// Makes a test of every case. `$make` is an expression that gives a new store and what must outlive it.
#[macro_export]
macro_rules! contract_tests {
    ($make:expr) => {
        $crate::contract_tests! { @each $make =>
            a_new_store_is_empty
            every_table_keeps_what_is_put
            deleted_rows_are_gone
            the_last_change_of_a_row_wins
            the_sequence_only_grows
            an_owner_that_lost_its_shard_is_refused
            changes_of_modules_are_counted
            names_do_not_run_into_each_other
            state_is_loaded_whole_and_alone
            state_without_its_header_is_corrupt
            timers_are_due_in_order
            work_under_way_is_found_in_slices
            queues_keep_their_order
            history_is_read_in_pages_of_any_size
            history_grows_while_it_is_read
            pages_of_large_events_end_early
            history_positions_are_checked
            removed_history_is_told_apart
            history_is_removed_in_slices
            lists_are_newest_first
            list_positions_are_checked
            counts_stop_at_their_limit
            names_are_listed_in_pages
            module_versions_are_listed_newest_first
            map_runs_are_listed_newest_first
            secrets_are_listed_by_kind
            random_batches_agree_with_the_model
        }
    };
    (@each $make:expr => $($case:ident)+) => {
        $(
            #[test]
            fn $case() {
                let (store, _guard) = $make;
                $crate::contract::block_on($crate::contract::$case(&store));
            }
        )+
    };
}

/// Runs a case. Stores need no runtime; what they wait for may be on other threads.
pub fn block_on<T>(case: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime without drivers needs nothing").block_on(case)
}
