//! Finds the program under test, and builds it when its sources are newer.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;
use std::{env, fs};

/// Names another program to test, such as one of a release.
const PROGRAM_VARIABLE: &str = "STEPWELL_PROGRAM";

/// The project's folder.
pub fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// The folder of what is built, which is also that of this test.
pub fn target() -> PathBuf {
    // target/debug/deps/server-…
    let target = env::current_exe().ok().and_then(|test| test.ancestors().nth(3).map(Path::to_owned));
    target.unwrap_or_else(|| root().join("target"))
}

/// The program `stepwell`, not older than its sources.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(program) = env::var_os(PROGRAM_VARIABLE) {
            return PathBuf::from(program);
        }
        let program = target().join("debug/stepwell");
        if !is_fresh(&program) {
            build();
        }
        program
    })
}

/// Whether no source is newer, by the list that cargo keeps beside the program. Asking cargo itself would wait for
/// every other cargo on the machine.
fn is_fresh(program: &Path) -> bool {
    let Some(built) = modified(program) else { return false };
    let Ok(sources) = fs::read_to_string(program.with_extension("d")) else { return false };
    let sources = sources.split_once(": ").map_or("", |(_, sources)| sources);
    let lock = root().join("Cargo.lock");
    let is_older = |source: &Path| modified(source).is_some_and(|changed| changed <= built);
    is_older(&lock) && sources.split_whitespace().all(|source| is_older(Path::new(source)))
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

fn build() {
    // The whole workspace with its tests, since any smaller selection has other features and builds wasmtime anew.
    const HOW: &str = "the program under test cannot be built; see `cargo build --workspace --bins --tests`";
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(["build", "--quiet", "--workspace", "--bins", "--tests"]);
    let built = cargo.arg("--target-dir").arg(target()).output().expect(HOW);
    assert!(built.status.success(), "{HOW}\n{}", String::from_utf8_lossy(&built.stderr));
}
