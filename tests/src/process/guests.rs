//! The example modules, which are built apart because they are built for another target.

use super::program::target;

/// The component of an example module.
pub fn guest(name: &str) -> Vec<u8> {
    let file = target().join("guests").join(name).with_extension("wasm");
    std::fs::read(&file).unwrap_or_else(|error| {
        panic!(
            "{} cannot be read: {error}\nBuild the example modules with `cargo xtask guests`.",
            file.display()
        )
    })
}
