//! A project as it is found on disk: its language, its name, and the commands that build it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use engine::arn::{FUNCTION_NAME_CHARACTERS_MAX, is_valid_function_name};

use super::super::Failure;

/// The target of modules in Rust.
const WASM: &str = "wasm32-wasip2";
/// Where `stepwell new` puts the SDK of Python.
const PYTHON_SDK: &str = "stepwell/sdk/python/src";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    Python,
    /// With the file of the task.
    JavaScript(&'static str),
}

#[derive(Debug)]
pub(super) struct Project {
    folder: PathBuf,
    language: Language,
    name: String,
}

/// A command of a build, and what is said before it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) about: Option<&'static str>,
    pub(super) command: Command,
}

/// Where the component is after the build.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Component {
    At(PathBuf),
    /// In what cargo says, for the package of this manifest.
    ToldByCargo(PathBuf),
}

impl Project {
    pub(super) fn find(folder: &Path, name: Option<&str>) -> Result<Project, Failure> {
        let shown = folder.display();
        let folder = folder.canonicalize().with_context(|| format!("the folder {shown} cannot be read"))?;
        let has = |file: &str| folder.join(file).is_file();
        let language = if has("Cargo.toml") {
            Language::Rust
        } else if has("task.py") {
            Language::Python
        } else if has("package.json") && has("task.js") {
            Language::JavaScript("task.js")
        } else if has("package.json") && has("task.ts") {
            Language::JavaScript("task.ts")
        } else {
            anyhow::bail!(
                "{shown} has no task: no Cargo.toml, no task.py, and no package.json with a task.js or task.ts. Make a \
                 project with `stepwell new --lang rust|python|js NAME`."
            );
        };
        let own = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = name.unwrap_or(own).to_owned();
        if !is_valid_function_name(&name) {
            anyhow::bail!(
                "'{name}' cannot be the name of a module: give one with --name, of 1 to {FUNCTION_NAME_CHARACTERS_MAX} \
                 letters, digits, hyphens and underscores"
            );
        }
        Ok(Project { folder, language, name })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn language(&self) -> &'static str {
        match self.language {
            Language::Rust => "Rust",
            Language::Python => "Python",
            Language::JavaScript("task.ts") => "TypeScript",
            Language::JavaScript(_) => "JavaScript",
        }
    }

    /// The commands that build it, in order, and where the component is then.
    pub(super) fn build(&self) -> (Vec<Step>, Component) {
        let output = self.folder.join("build").join(format!("{}.wasm", self.name));
        match self.language {
            Language::Rust => {
                let mut cargo = self.command("cargo");
                cargo.args([
                    "build",
                    "--release",
                    "--target",
                    WASM,
                    "--message-format=json-render-diagnostics",
                ]);
                let manifest = self.folder.join("Cargo.toml");
                (vec![Step { about: None, command: cargo }], Component::ToldByCargo(manifest))
            }
            Language::Python => {
                let mut steps = self.install_python();
                let mut build = self.command(".venv/bin/python");
                build.args(["-B", "-m", "stepwell_sdk.build", "task", "--output"]).arg(&output);
                if self.folder.join(PYTHON_SDK).is_dir() {
                    build.env("PYTHONPATH", self.folder.join(PYTHON_SDK));
                }
                steps.push(Step { about: None, command: build });
                (steps, Component::At(output))
            }
            Language::JavaScript(file) => {
                let mut steps = self.install_javascript();
                let mut build = self.command("node");
                build.args(["node_modules/stepwell-sdk/src/build.js", file, "--output"]).arg(&output);
                steps.push(Step { about: None, command: build });
                (steps, Component::At(output))
            }
        }
    }

    fn install_python(&self) -> Vec<Step> {
        if self.folder.join(".venv/bin/componentize-py").exists() {
            return Vec::new();
        }
        let mut venv = self.command("python3");
        venv.args(["-m", "venv", ".venv"]);
        let mut pip = self.command(".venv/bin/python");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
            "requirements.txt",
        ]);
        let about = Some("Installing what requirements.txt names into .venv, this once …");
        vec![Step { about, command: venv }, Step { about: None, command: pip }]
    }

    fn install_javascript(&self) -> Vec<Step> {
        let modules = self.folder.join("node_modules");
        let needed = ["stepwell-sdk", "rolldown", "@bytecodealliance/componentize-js"];
        if needed.iter().all(|name| modules.join(name).exists()) {
            return Vec::new();
        }
        let mut npm = self.command("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund"]);
        vec![Step { about: Some("Installing what package.json names, this once …"), command: npm }]
    }

    fn command(&self, program: &str) -> Command {
        // A path is one from the project's folder.
        let mut command = if program.contains('/') {
            Command::new(self.folder.join(program))
        } else {
            Command::new(program)
        };
        command.current_dir(&self.folder);
        command
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(files: &[&str], language: &str, commands: &[&str]) {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("order");
        for file in files {
            let file = folder.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        let project = Project::find(&folder, None).unwrap();
        assert_eq!((project.name(), project.language()), ("order", language));
        let (steps, _) = project.build();
        let spoken = |step: &Step| {
            let folder = format!("{}/", project.folder().display());
            let parts = std::iter::once(step.command.get_program()).chain(step.command.get_args());
            parts.map(|part| part.to_string_lossy().replace(&folder, "")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(steps.iter().map(spoken).collect::<Vec<_>>(), commands);
    }

    #[test]
    fn a_project_is_known_by_its_files() {
        let cargo = "cargo build --release --target wasm32-wasip2 --message-format=json-render-diagnostics";
        check(&["Cargo.toml"], "Rust", &[cargo]);
        let build = ".venv/bin/python -B -m stepwell_sdk.build task --output build/order.wasm";
        let pip = ".venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt";
        check(&["task.py"], "Python", &["python3 -m venv .venv", pip, build]);
        check(&["task.py", ".venv/bin/componentize-py"], "Python", &[build]);
        let build = |file: &str| {
            format!("node node_modules/stepwell-sdk/src/build.js {file} --output build/order.wasm")
        };
        let npm = "npm install --silent --no-audit --no-fund";
        check(&["package.json", "task.js"], "JavaScript", &[npm, &build("task.js")]);
        check(&["package.json", "task.ts"], "TypeScript", &[npm, &build("task.ts")]);
    }

    #[test]
    fn what_is_no_project_is_told_with_the_fix() {
        let folder = tempfile::tempdir().unwrap();
        let error = format!("{:#}", Project::find(folder.path(), None).unwrap_err());
        assert!(error.contains("has no task: no Cargo.toml, no task.py"), "{error}");
        fs::write(folder.path().join("task.py"), "").unwrap();
        let error = format!("{:#}", Project::find(folder.path(), Some("a b")).unwrap_err());
        assert!(error.contains("'a b' cannot be the name of a module: give one with --name"), "{error}");
        let error = format!("{:#}", Project::find(Path::new("no-such-folder"), None).unwrap_err());
        assert!(error.contains("the folder no-such-folder cannot be read"), "{error}");
    }
}
