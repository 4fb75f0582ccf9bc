//! The task modules of `guest-examples` in other languages than Rust: their tests, and their modules in `target/guests`
//! beside those in Rust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::guests::source_key;
use crate::{command, toolchains, workspace};

/// In what a task is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    JavaScript,
    /// Without an SDK, as C: standard input and output.
    Go,
    C,
}

use Language::{C, Go, JavaScript, Python};

pub(crate) const LANGUAGES: [Language; 4] = [Python, JavaScript, Go, C];

impl Language {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Python => "Python",
            JavaScript => "JavaScript",
            Go => "Go",
            C => "C",
        }
    }

    /// The file that makes a folder a task of this language.
    fn task(self) -> &'static str {
        match self {
            Python => "task.py",
            JavaScript => "task.js",
            Go => "task.go",
            C => "task.c",
        }
    }

    fn sdk(self) -> Option<&'static str> {
        match self {
            Python => Some("sdk/python"),
            JavaScript => Some("sdk/javascript"),
            Go | C => None,
        }
    }

    /// The folders of its examples, by name; each is a module.
    pub(crate) fn examples(self) -> anyhow::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(workspace::guests()).context("guest-examples cannot be read")?;
        let folders = entries.flatten().map(|entry| entry.path());
        let mut examples: Vec<_> = folders.filter(|folder| folder.join(self.task()).is_file()).collect();
        examples.sort();
        Ok(examples)
    }

    /// Whether tests can run here, which need no WebAssembly; why not, if they can't.
    pub(crate) fn can_test(self) -> anyhow::Result<()> {
        match self {
            Python => toolchains::has_python(),
            JavaScript => toolchains::has_node(),
            // Its compiler is what runs them.
            Go => toolchains::go().map(drop),
            C => Ok(()),
        }
    }

    /// The folder of what builds modules, installed if it is not there; an error says why it cannot be.
    pub(crate) fn toolchain(self) -> anyhow::Result<PathBuf> {
        match self {
            Python => toolchains::python(),
            JavaScript => toolchains::javascript(),
            Go => toolchains::go(),
            C => toolchains::c(),
        }
    }

    /// The tests of its SDK and its examples.
    pub(crate) fn tests(self) -> anyhow::Result<Vec<Command>> {
        if self == Go {
            let toolchain = self.toolchain()?;
            let test = |folder| {
                let mut go = go(&toolchain, folder);
                go.args(["test", "-v", "task.go", "task_test.go"]);
                go
            };
            return Ok(self.examples()?.iter().map(|folder| test(folder)).collect());
        }
        let Some(sdk) = self.sdk() else { return Ok(Vec::new()) };
        let sdk = workspace::root().join(sdk);
        let mut tests = Vec::new();
        for folder in std::iter::once(sdk.clone()).chain(self.examples()?) {
            let mut command = Command::new(if self == Python { "python3" } else { "node" });
            command.current_dir(&folder);
            if self == Python {
                let start = if folder == sdk { "tests" } else { "." };
                command.args(["-B", "-m", "unittest", "discover", "-s", start]);
                command.env("PYTHONPATH", sdk.join("src"));
            } else {
                toolchains::npm_link(&folder, &sdk)?;
                command.args(["--test", "--test-reporter=tap"]);
            }
            tests.push(command);
        }
        Ok(tests)
    }
}

/// What was built, and whether there was nothing to do.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) names: Vec<String>,
    pub(crate) fresh: bool,
}

impl Built {
    pub(crate) fn told(&self, language: Language) -> String {
        let state = if self.fresh { "unchanged" } else { "built" };
        format!("{} in {}, {state}", self.names.join(", "), language.name())
    }
}

/// Builds the examples of a language that have changed, with what is installed for it.
pub(crate) fn build(language: Language, toolchain: &Path) -> anyhow::Result<Built> {
    let guests = workspace::target(&workspace::root())?.join("guests");
    fs::create_dir_all(&guests).context("target/guests cannot be made")?;
    let mut built = Built { names: Vec::new(), fresh: true };
    for folder in language.examples()? {
        let name = folder.file_name().context("an example has a name")?.to_string_lossy().into_owned();
        let (module, key_file) = (guests.join(format!("{name}.wasm")), guests.join(format!("{name}.key")));
        let own = format!("guest-examples/{name}");
        let sources: Vec<&str> = [own.as_str(), "wit"].into_iter().chain(language.sdk()).collect();
        let key = source_key(&workspace::root(), &sources)?;
        if !module.exists() || !fs::read_to_string(&key_file).is_ok_and(|found| found == key) {
            build_one(language, toolchain, &folder, &module)?;
            fs::write(&key_file, &key)
                .with_context(|| format!("{} cannot be written", key_file.display()))?;
            built.fresh = false;
        }
        built.names.push(name);
    }
    Ok(built)
}

fn build_one(language: Language, toolchain: &Path, folder: &Path, module: &Path) -> anyhow::Result<()> {
    let sdk = workspace::root().join(language.sdk().unwrap_or_default());
    let mut command = match language {
        Python => {
            let mut python = Command::new(toolchain.join("bin/python"));
            python.args(["-B", "-m", "stepwell_sdk.build", "task", "--folder"]).arg(folder);
            python.env("PYTHONPATH", sdk.join("src"));
            python
        }
        JavaScript => {
            let mut node = Command::new("node");
            node.arg(sdk.join("src/build.js")).arg(folder.join(language.task()));
            node.arg("--toolchain").arg(toolchain);
            node
        }
        Go => {
            let mut go = go(toolchain, folder);
            go.args(["build", "-trimpath", "-ldflags=-s -w"]).env("GOOS", "wasip1").env("GOARCH", "wasm");
            // Its options stand before its files.
            go.arg("-o").arg(module).arg(language.task());
            command::output(&mut go)?;
            return Ok(());
        }
        C => {
            let mut compiler = Command::new(toolchain.join("bin/python"));
            compiler.args(["-m", "ziglang", "cc", "-target", "wasm32-wasi", "-O2", "-s", "-Wall", "-Werror"]);
            compiler.arg(folder.join(language.task()));
            compiler
        }
    };
    command::output(command.arg("-o").arg(module))?;
    Ok(())
}

/// Go's own tool, which looks nothing up on the network and keeps what it compiles with itself.
fn go(toolchain: &Path, folder: &Path) -> Command {
    let mut go = Command::new(toolchain.join("bin/go"));
    go.current_dir(folder).envs([
        ("GOTOOLCHAIN", "local"),
        ("GOPROXY", "off"),
        ("GOENV", "off"),
        ("GOFLAGS", ""),
    ]);
    go.env("GOCACHE", toolchain.join("cache"));
    go
}
