//! What can go wrong outside a call: setting up a host, and adding or removing a module.

use std::io;

/// Why a host could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("the module folder cannot be used: {0}")]
    DataDir(io::Error),
    #[error("the WebAssembly engine cannot be set up: {0}")]
    Engine(String),
    #[error("the threads that run guests cannot be started: {0}")]
    Threads(io::Error),
}

/// Why a module was not added, found or removed.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    #[error("this is not WebAssembly: the file must begin with \"\\0asm\"")]
    NotWasm,
    /// A core module for something else than WASI preview 1, or a damaged one.
    #[error(
        "this is a core module, and a task is a component; it could not be adapted: {why}. Build it for wasm32-wasip2, or \
         convert it with `wasm-tools component new MODULE.wasm --adapt wasi_snapshot_preview1.wasm -o COMPONENT.wasm`"
    )]
    CoreModule { why: String },
    #[error(
        "a task exports `handle: func(input: string) -> result<string, task-error>`, `wasi:cli/run` or \
         `wasi:http/incoming-handler`; this component exports {}",
        list(found)
    )]
    MissingExport { found: Vec<String> },
    #[error("this host does not offer the import `{name}`")]
    UnknownImport { name: String },
    #[error("the component has {size} bytes; the limit is {max}")]
    TooLarge { size: usize, max: usize },
    /// The component could never be instantiated here.
    #[error("the component needs more than this host gives: {what}")]
    NeedsMore { what: String },
    #[error("the component is not valid: {0}")]
    Invalid(String),
    #[error("there is no such module")]
    NotFound,
    /// Too many modules wait to be compiled. A later try may succeed.
    #[error("too many modules wait to be compiled")]
    Busy,
    #[error("module file: {0}")]
    Io(#[from] io::Error),
    /// A part of the host stopped working.
    #[error("{0}")]
    Host(String),
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
