//! Looks at a component before its first call: is it a task, and can it ever run here?

use wasmtime::Engine;
use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre, Linker, Type};

use crate::adapt;
use crate::digest::Digest;
use crate::error::ModuleError;
use crate::habit::Habit;
use crate::imports;
use crate::nesting;
use crate::options::{MEMORIES_PER_MODULE_MAX, TABLE_ELEMENTS_MAX, TABLES_PER_MODULE_MAX};
use crate::state::GuestState;

const PAGE_BYTES: u64 = 65_536;
/// Ours: components within each other. Those that are composed of others have a few; the engine's time grows with the square.
const NESTING_MAX: usize = 100;
/// Finds every version of WASI 0.2.
const RUN_INTERFACE: &str = "wasi:cli/run@0.2.0";
const HTTP_INTERFACE: &str = "wasi:http/incoming-handler@0.2.0";

/// What a module exports that makes it a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryPoint {
    /// `handle` of the world `stepwell:task/task`.
    Task,
    /// `wasi:cli/run`: a program that reads JSON from standard input and writes JSON to standard output.
    Command,
    /// `wasi:http/incoming-handler`: an HTTP server, for which the task is a POST.
    Http,
}

/// What is known of a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleInfo {
    pub digest: Digest,
    pub size_bytes: u64,
    pub entry: EntryPoint,
    pub exports: Vec<String>,
    pub imports: Vec<String>,
    /// The largest memory that it begins with; a smaller limit lets no call start.
    pub memory_bytes_min: u64,
}

/// A module that is ready to be called.
pub(crate) struct Loaded {
    pub(crate) info: ModuleInfo,
    pub(crate) pre: InstancePre<GuestState>,
    /// The function to call.
    pub(crate) function: ComponentExportIndex,
    /// What its calls lately took.
    pub(crate) habit: Habit,
}

/// Refuses what is no WebAssembly by its first eight bytes.
pub(crate) fn check_preamble(bytes: &[u8], bytes_max: usize) -> Result<(), ModuleError> {
    if bytes.len() > bytes_max {
        return Err(ModuleError::TooLarge { size: bytes.len(), max: bytes_max });
    }
    match bytes.get(..8) {
        // Four bytes of magic, two of version, two of layer: 0 is a core module, 1 a component.
        Some([b'\0', b'a', b's', b'm', _, _, 0 | 1, 0]) => Ok(()),
        _ => Err(ModuleError::NotWasm),
    }
}

/// Compiles; runs for seconds on a large component.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, ModuleError> {
    if nesting::is_deeper_than(NESTING_MAX, bytes) {
        let what = format!("components in components, more than {NESTING_MAX} deep");
        return Err(ModuleError::NeedsMore { what });
    }
    let bytes = adapt::component(bytes)?;
    Component::new(engine, &bytes).map_err(|error| {
        let text = format!("{error:#}");
        // The pool checks each component while it is built and has no type for its refusal.
        if text.contains("pooling allocator") {
            ModuleError::NeedsMore { what: text }
        } else {
            ModuleError::Invalid(text)
        }
    })
}

/// Checks types and needs, and links.
pub(crate) fn prepare(
    linker: &Linker<GuestState>,
    component: &Component,
    digest: Digest,
    size_bytes: u64,
    memory_bytes_max: usize,
) -> Result<Loaded, ModuleError> {
    let engine = component.engine();
    let component_type = component.component_type();
    let names = |(name, _): (&str, _)| name.to_owned();
    let exports: Vec<String> = component_type.exports(engine).map(names).collect();
    let imports: Vec<String> = component_type.imports(engine).map(names).collect();

    let memory_bytes_min = check_needs(component, memory_bytes_max)?;
    let (entry, function) = find_entry(component, &exports)?;
    let pre = linker.instantiate_pre(component).map_err(|error| {
        match imports.iter().find(|name| !imports::is_offered(name)) {
            Some(name) => ModuleError::UnknownImport { name: name.clone() },
            None => ModuleError::Invalid(format!("{error:#}")),
        }
    })?;
    let info = ModuleInfo { digest, size_bytes, entry, exports, imports, memory_bytes_min };
    Ok(Loaded { info, pre, function, habit: Habit::default() })
}

/// The pool has checked most of this already; without a pool nobody else does.
fn check_needs(component: &Component, memory_bytes_max: usize) -> Result<u64, ModuleError> {
    let needs_more = |what: String| Err(ModuleError::NeedsMore { what });
    let Some(needs) = component.resources_required() else {
        return Err(ModuleError::Invalid("it imports core modules or components".to_owned()));
    };
    let memory_bytes_min = needs.max_initial_memory_size.unwrap_or(0).saturating_mul(PAGE_BYTES);
    let table_elements_min = needs.max_initial_table_size.unwrap_or(0);
    if memory_bytes_min > memory_bytes_max as u64 {
        return needs_more(format!("{memory_bytes_min} bytes of memory; the limit is {memory_bytes_max}"));
    }
    if table_elements_min > TABLE_ELEMENTS_MAX as u64 {
        return needs_more(format!("{table_elements_min} table elements; the limit is {TABLE_ELEMENTS_MAX}"));
    }
    if needs.num_memories > MEMORIES_PER_MODULE_MAX {
        return needs_more(format!(
            "{} memories; the limit is {MEMORIES_PER_MODULE_MAX}",
            needs.num_memories
        ));
    }
    if needs.num_tables > TABLES_PER_MODULE_MAX {
        return needs_more(format!("{} tables; the limit is {TABLES_PER_MODULE_MAX}", needs.num_tables));
    }
    Ok(memory_bytes_min)
}

fn find_entry(
    component: &Component,
    exports: &[String],
) -> Result<(EntryPoint, ComponentExportIndex), ModuleError> {
    if let Some((item, function)) = component.get_export(None, "handle") {
        return match item {
            ComponentItem::ComponentFunc(func) if is_handle(&func) => Ok((EntryPoint::Task, function)),
            _ => Err(ModuleError::Invalid(
                "its export `handle` is not `func(input: string) -> result<string, task-error>`".to_owned(),
            )),
        };
    }
    let exported = |interface: &str, name: &str| {
        let interface = component.get_export_index(None, interface)?;
        component.get_export(Some(&interface), name)
    };
    if let Some((ComponentItem::ComponentFunc(func), function)) = exported(RUN_INTERFACE, "run")
        && is_run(&func)
    {
        return Ok((EntryPoint::Command, function));
    }
    match exported(HTTP_INTERFACE, "handle") {
        Some((ComponentItem::ComponentFunc(func), function)) if is_http_handle(&func) => {
            Ok((EntryPoint::Http, function))
        }
        _ => Err(ModuleError::MissingExport { found: exports.to_vec() }),
    }
}

/// `func(input: string) -> result<string, record { error: string, cause: string }>`
fn is_handle(func: &ComponentFunc) -> bool {
    let is_string = |ty: Option<Type>| ty == Some(Type::String);
    let (mut params, mut results) = (func.params(), func.results());
    let Some(Type::Result(result)) = results.next() else { return false };
    let Some(Type::Record(error)) = result.err() else { return false };
    let fields: Vec<_> = error.fields().map(|field| (field.name.to_owned(), field.ty)).collect();
    let expected = ["error", "cause"].map(|name| (name.to_owned(), Type::String));
    !func.async_()
        && is_string(params.next().map(|(_, ty)| ty))
        && params.next().is_none()
        && is_string(result.ok())
        && fields == expected
}

/// `func() -> result`
fn is_run(func: &ComponentFunc) -> bool {
    let result = func.results().next();
    !func.async_()
        && func.params().len() == 0
        && matches!(result, Some(Type::Result(result)) if result.ok().is_none() && result.err().is_none())
}

/// `func(request: own<incoming-request>, response-out: own<response-outparam>)`
fn is_http_handle(func: &ComponentFunc) -> bool {
    let are_owned = func.params().all(|(_, ty)| matches!(ty, Type::Own(_)));
    !func.async_() && func.params().len() == 2 && are_owned && func.results().len() == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_what_a_file_is() {
        let check = |bytes: &[u8], expected: &str| {
            let message = check_preamble(bytes, 16).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(message.starts_with(expected) && message.is_empty() == expected.is_empty(), "{message}");
        };
        check(b"\0asm\x0d\0\x01\0", "");
        check(b"\0asm\x01\0\0\0", "");
        check(b"\0asm", "this is not WebAssembly");
        check(b"", "this is not WebAssembly");
        check(b"\x7fELF\x02\x01\x01\0\0\0", "this is not WebAssembly");
        check(&[0; 17], "the component has 17 bytes; the limit is 16");
    }
}
