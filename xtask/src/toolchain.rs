//! What must be on the machine before anything can be built.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::command;
use crate::workspace;

/// The target of task modules.
pub(crate) const WASM: &str = "wasm32-wasip2";

/// Checks for a linker and for the WebAssembly target, and adds the target where rustup can. Gives the compiler's
/// version.
pub(crate) fn prepare() -> anyhow::Result<String> {
    let root = workspace::root();
    if !runs("cc") && !runs("gcc") && !runs("clang") {
        bail!(
            "a C compiler is needed to link programs, and none was found. Install one: `apt-get install gcc libc6-dev` \
             on Debian and Ubuntu, `dnf install gcc` on Fedora, `xcode-select --install` on macOS."
        );
    }
    let version = command::output(Command::new("rustc").arg("--version").current_dir(&root))?;
    if !has_wasm_target(&root)? {
        add_wasm_target(&root)?;
    }
    Ok(version.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

fn runs(program: &str) -> bool {
    command::output(Command::new(program).arg("--version")).is_ok()
}

fn has_wasm_target(root: &Path) -> anyhow::Result<bool> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", WASM]).current_dir(root);
    let folder = command::output(&mut rustc)?;
    Ok(Path::new(folder.trim()).read_dir().is_ok_and(|mut files| files.next().is_some()))
}

fn add_wasm_target(root: &Path) -> anyhow::Result<()> {
    if !runs("rustup") {
        bail!(
            "Rust's target {WASM} is not installed, and rustup, which could add it, was not found. Install rustup \
             (https://rustup.rs), or the package of your system that brings the target."
        );
    }
    command::run(Command::new("rustup").args(["target", "add", WASM]).current_dir(root))
}
