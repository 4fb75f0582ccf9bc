//! wasmtime and its WASI with nothing of ours: what a call cannot be cheaper than.

use wasm_host::limits::{
    MEMORIES_PER_MODULE_MAX, MEMORY_BYTES_MAX_DEFAULT, SLOTS_DEFAULT, TABLE_ELEMENTS_MAX,
    TABLES_PER_MODULE_MAX,
};
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker, ResourceTable,
};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

const FUEL: u64 = wasm_host::limits::FUEL_DEFAULT;
/// More ticks than there will be: a bare call never yields.
const TICKS: u64 = u64::MAX / 2;

pub(crate) struct Bare {
    pre: InstancePre<State>,
    handle: ComponentExportIndex,
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct TaskError {
    error: String,
    cause: String,
}

impl Bare {
    pub(crate) fn new(component: &[u8]) -> Bare {
        let engine = Engine::new(&config()).unwrap();
        let component = Component::new(&engine, component).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        let handle = component.get_export_index(None, "handle").unwrap();
        Bare { pre: linker.instantiate_pre(&component).unwrap(), handle }
    }

    pub(crate) async fn call(&self, input: &str) -> String {
        let state = State { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
        let mut store = Store::new(self.pre.engine(), state);
        store.set_fuel(FUEL).unwrap();
        store.set_epoch_deadline(TICKS);
        let instance = self.pre.instantiate_async(&mut store).await.unwrap();
        type Handle = (Result<String, TaskError>,);
        let handle = instance.get_typed_func::<(&str,), Handle>(&mut store, self.handle).unwrap();
        let (result,) = handle.call_async(&mut store, (input,)).await.unwrap();
        result.unwrap_or_else(|error| panic!("{}: {}", error.error, error.cause))
    }
}

/// That of the module host, whose reasons stand there.
fn config() -> Config {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(SLOTS_DEFAULT)
        .total_core_instances(SLOTS_DEFAULT * 64)
        .total_memories(SLOTS_DEFAULT * MEMORIES_PER_MODULE_MAX)
        .total_tables(SLOTS_DEFAULT * TABLES_PER_MODULE_MAX)
        .total_stacks(SLOTS_DEFAULT)
        .max_memories_per_component(MEMORIES_PER_MODULE_MAX)
        .max_memories_per_module(MEMORIES_PER_MODULE_MAX)
        .max_tables_per_component(TABLES_PER_MODULE_MAX)
        .max_tables_per_module(TABLES_PER_MODULE_MAX)
        .max_memory_size(MEMORY_BYTES_MAX_DEFAULT)
        .table_elements(TABLE_ELEMENTS_MAX)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(4 << 10)
        .async_stack_keep_resident(16 << 10)
        .pagemap_scan(Enabled::Yes);
    let mut config = Config::new();
    config
        .consume_fuel(true)
        .epoch_interruption(true)
        .memory_init_cow(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
