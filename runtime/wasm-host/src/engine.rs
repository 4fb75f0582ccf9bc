//! The one configuration of the WebAssembly engine, with its fallbacks. The reasons are measurements.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::HostError;
use crate::options::{
    CORE_INSTANCES_PER_MODULE_MAX, MEMORIES_PER_MODULE_MAX, Options, TABLE_ELEMENTS_MAX,
    TABLES_PER_MODULE_MAX,
};

/// Kept resident of each memory when resetting it costs only the pages that changed.
const MEMORY_KEEP_RESIDENT_WITH_SCAN: usize = 1 << 20;
/// Without the scan, reset writes the whole range and so makes all of it resident: 1 MiB would cost 1 GiB.
const MEMORY_KEEP_RESIDENT_WITHOUT_SCAN: usize = 64 << 10;
const TABLE_KEEP_RESIDENT: usize = 4 << 10;
const STACK_KEEP_RESIDENT: usize = 16 << 10;
/// Slots that stay bound to the module that used them last.
const WARM_SLOTS_MAX: u32 = 100;
/// Runtime structures of one core instance, which are in our memory: a component has up to 64 of them.
const CORE_INSTANCE_BYTES_MAX: usize = 1 << 20;
/// Runtime structures of one component; those of Python and JavaScript are larger than the engine's default.
const COMPONENT_INSTANCE_BYTES_MAX: usize = 8 << 20;

/// How instances get their memory, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allocation {
    /// From a pool whose reset asks the kernel which pages changed (Linux 6.7): three times the calls per second.
    PoolWithScan,
    Pool,
    /// For where the pool's terabytes of address space cannot be reserved, as under `ulimit -v`.
    OnDemand,
}

/// The best engine that this machine lets us have.
pub(crate) fn build(options: &Options) -> Result<(Engine, Allocation), HostError> {
    first_that_builds(|allocation| Engine::new(&config(options, allocation)))
}

fn first_that_builds<E>(
    build: impl Fn(Allocation) -> wasmtime::Result<E>,
) -> Result<(E, Allocation), HostError> {
    let mut reason = String::new();
    for allocation in [Allocation::PoolWithScan, Allocation::Pool, Allocation::OnDemand] {
        match build(allocation) {
            Ok(engine) => {
                if !reason.is_empty() {
                    tracing::warn!(?allocation, reason, "the WebAssembly engine falls back");
                }
                return Ok((engine, allocation));
            }
            Err(error) => reason = format!("{error:#}"),
        }
    }
    Err(HostError::Engine(reason))
}

fn config(options: &Options, allocation: Allocation) -> Config {
    let strategy = match allocation {
        Allocation::PoolWithScan => InstanceAllocationStrategy::Pooling(pool(options, true)),
        Allocation::Pool => InstanceAllocationStrategy::Pooling(pool(options, false)),
        Allocation::OnDemand => InstanceAllocationStrategy::OnDemand,
    };
    let mut config = Config::new();
    config.consume_fuel(true).epoch_interruption(true).memory_init_cow(true).allocation_strategy(strategy);
    config
}

/// Every total is the share of one component times the slots, so a call with a slot always finds room.
fn pool(options: &Options, scan: bool) -> PoolingAllocationConfig {
    let slots = options.slots;
    let memory_keep = if scan { MEMORY_KEEP_RESIDENT_WITH_SCAN } else { MEMORY_KEEP_RESIDENT_WITHOUT_SCAN };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(CORE_INSTANCES_PER_MODULE_MAX))
        .total_memories(slots.saturating_mul(MEMORIES_PER_MODULE_MAX))
        .total_tables(slots.saturating_mul(TABLES_PER_MODULE_MAX))
        .total_stacks(slots)
        .max_core_instances_per_component(CORE_INSTANCES_PER_MODULE_MAX)
        .max_memories_per_component(MEMORIES_PER_MODULE_MAX)
        .max_memories_per_module(MEMORIES_PER_MODULE_MAX)
        .max_tables_per_component(TABLES_PER_MODULE_MAX)
        .max_tables_per_module(TABLES_PER_MODULE_MAX)
        .max_memory_size(options.memory_bytes_max)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_core_instance_size(CORE_INSTANCE_BYTES_MAX)
        .max_component_instance_size(COMPONENT_INSTANCE_BYTES_MAX)
        .linear_memory_keep_resident(memory_keep)
        .table_keep_resident(TABLE_KEEP_RESIDENT)
        .async_stack_keep_resident(STACK_KEEP_RESIDENT)
        .max_unused_warm_slots(WARM_SLOTS_MAX)
        .pagemap_scan(if scan { Enabled::Yes } else { Enabled::No });
    pool
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn check(works: &[Allocation], tried: &[Allocation], chosen: Option<Allocation>) {
        let calls = RefCell::new(Vec::new());
        let built = first_that_builds(|allocation| {
            calls.borrow_mut().push(allocation);
            if works.contains(&allocation) { Ok(()) } else { Err(wasmtime::format_err!("not here")) }
        });
        assert_eq!(calls.into_inner(), tried);
        assert_eq!(built.ok().map(|((), allocation)| allocation), chosen);
    }

    #[test]
    fn the_best_allocation_that_works_is_chosen() {
        use Allocation::{OnDemand, Pool, PoolWithScan};
        check(&[PoolWithScan, Pool, OnDemand], &[PoolWithScan], Some(PoolWithScan));
        check(&[Pool, OnDemand], &[PoolWithScan, Pool], Some(Pool));
        check(&[OnDemand], &[PoolWithScan, Pool, OnDemand], Some(OnDemand));
        check(&[], &[PoolWithScan, Pool, OnDemand], None);
    }

    #[test]
    fn more_address_space_than_there_is_ends_on_demand() {
        let options = Options { slots: 1_000_000, ..Options::default() };
        assert_eq!(build(&options).unwrap().1, Allocation::OnDemand);
    }
}
