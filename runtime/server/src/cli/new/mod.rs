//! `stepwell new`: a project with a task in it that builds and whose tests pass.

mod files;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use engine::arn::{FUNCTION_NAME_CHARACTERS_MAX, is_valid_function_name};
use serde_json::Value;

use super::terminal::Terminal;
use super::{Failure, Verdict};
use files::{File, TEMPLATES};

/// Where a project has the SDK and the contract with the host, in the same places as in Stepwell's own repository.
const SDK_FOLDER: &str = "stepwell";
const TEMPLATE: &str = ".template";

/// In what a task is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    Python,
    /// JavaScript or TypeScript.
    #[value(name = "js", alias = "javascript")]
    JavaScript,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The folder has the SDK in it, so that nothing else of Stepwell is needed to build. What builds a task is installed by \
`stepwell dev` the first time: componentize-py for Python, componentize-js for JavaScript.

Example:
  stepwell new --lang python loyalty-points
  stepwell dev loyalty-points")]
pub(crate) struct NewOptions {
    /// Language of the task
    #[arg(long, value_enum)]
    lang: Language,
    /// Folder to make; its name is the module's: letters, digits, - and _
    folder: PathBuf,
}

pub(crate) fn run(options: &NewOptions, terminal: &Terminal) -> Result<Verdict, Failure> {
    let name = name(&options.folder, options.lang)?;
    let folder = options.folder.display();
    fs::create_dir(&options.folder).with_context(|| format!("the folder {folder} cannot be made"))?;
    for (path, text) in project(&name, options.lang)? {
        write(&options.folder.join(path), &text)?;
    }
    terminal.note(&format!("Made {folder}; its README.md says how to test and to upload it."));
    terminal.note(&format!("Next: stepwell dev {folder}"));
    Ok(Verdict::Good)
}

/// The name of the module, which is that of the folder.
fn name(folder: &Path, language: Language) -> Result<String, Failure> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !is_valid_function_name(name) {
        anyhow::bail!(
            "'{name}' cannot be the name of a module: use 1 to {FUNCTION_NAME_CHARACTERS_MAX} letters, digits, hyphens and \
             underscores"
        );
    }
    if language == Language::Rust && !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        anyhow::bail!("'{name}' cannot be the name of a Rust package: it must begin with a letter");
    }
    Ok(name.to_owned())
}

/// Every file of a project, by its path in it.
fn project(name: &str, language: Language) -> Result<Vec<(String, String)>, Failure> {
    let (folder, template, sdk) = match language {
        Language::Rust => ("rust/", files::RUST, files::RUST_SDK),
        Language::Python => ("python/", files::PYTHON, files::PYTHON_SDK),
        Language::JavaScript => ("javascript/", files::JAVASCRIPT, files::JAVASCRIPT_SDK),
    };
    let tools = tools()?;
    let fill = |text: &str| {
        text.replace("{{name}}", name)
            .replace("{{artifact}}", &name.replace('-', "_"))
            .replace("{{package}}", &name.to_lowercase())
            .replace("{{tools}}", &tools)
    };
    let own = |(path, text): &File| {
        let path = path.trim_start_matches(TEMPLATES).trim_start_matches(folder).trim_end_matches(TEMPLATE);
        let path = if path == "gitignore" { ".gitignore" } else { path };
        (path.to_owned(), fill(text))
    };
    let kept = |(path, text): &File| (format!("{SDK_FOLDER}/{path}"), (*text).to_owned());
    let mut all: Vec<_> = files::COMMON.iter().chain(template).map(own).collect();
    all.extend(sdk.iter().chain(files::WIT).map(kept));
    if language == Language::Rust {
        all.push((format!("{SDK_FOLDER}/Cargo.toml"), workspace_of_sdk()));
    }
    Ok(all)
}

/// What a project in JavaScript installs to be built, as JSON within its manifest.
fn tools() -> Result<String, Failure> {
    let manifest: Value = serde_json::from_str(files::JAVASCRIPT_MANIFEST)?;
    Ok(serde_json::to_string_pretty(&manifest["devDependencies"])?.replace('\n', "\n  "))
}

/// The manifest above the Rust SDK: of the project's own what a package inherits.
fn workspace_of_sdk() -> String {
    let mut text = "[workspace]\nresolver = \"3\"\nmembers = [\"sdk/rust\", \"sdk/rust/macro\"]\n".to_owned();
    let mut is_inherited = false;
    for line in files::WORKSPACE.lines().filter(|line| !line.trim_start().starts_with('#')) {
        if line.starts_with('[') {
            is_inherited = line.starts_with("[workspace.");
            text.push_str(if is_inherited { "\n" } else { "" });
        }
        if is_inherited && !line.is_empty() {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(path);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_has_its_name_and_the_sdk() {
        for (language, own, sdk) in [
            (Language::Rust, "src/lib.rs", "stepwell/sdk/rust/src/lib.rs"),
            (Language::Python, "task.py", "stepwell/sdk/python/src/stepwell_sdk/task.py"),
            (Language::JavaScript, "task.js", "stepwell/sdk/javascript/src/task.js"),
        ] {
            let files = project("Order-2", language).unwrap();
            for path in
                [own, sdk, ".gitignore", "input.json", "README.md", "stepwell/wit/stepwell-task/task.wit"]
            {
                assert!(files.iter().any(|(found, _)| found == path), "{language:?} {path}");
            }
            for (path, text) in files.iter().filter(|(path, _)| !path.starts_with("stepwell/")) {
                assert!(!text.contains("{{name") && !text.contains("{{tools"), "{path}");
                assert!(!path.contains("template"), "{path}");
            }
        }
        let files = project("Order-2", Language::JavaScript).unwrap();
        let (_, manifest) = files.iter().find(|(path, _)| path == "package.json").unwrap();
        let manifest: Value = serde_json::from_str(manifest).unwrap();
        assert_eq!(manifest["name"], "order-2");
        assert!(manifest["devDependencies"]["rolldown"].is_string());
    }

    #[test]
    fn the_rust_sdk_inherits_what_it_names() {
        let text = workspace_of_sdk();
        let lines: Vec<_> = text.lines().collect();
        for line in [
            "[workspace.package]",
            "edition = \"2024\"",
            "[workspace.dependencies]",
            "stepwell-sdk-macro = { path = \"sdk/rust/macro\" }",
            "[workspace.lints.rust]",
        ] {
            assert!(lines.contains(&line), "{line} is not in:\n{text}");
        }
        assert!(!text.contains("profile") && !text.contains("exclude"), "{text}");
    }

    #[test]
    fn a_folder_has_the_name_of_a_module() {
        assert_eq!(name(Path::new("some/where/order_2"), Language::Python).unwrap(), "order_2");
        for (folder, language) in
            [("a b", Language::Python), ("..", Language::Python), ("2nd", Language::Rust)]
        {
            assert!(name(Path::new(folder), language).is_err(), "{folder}");
        }
        assert!(name(Path::new("2nd"), Language::JavaScript).is_ok());
    }

    #[test]
    fn what_is_there_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("order");
        let options = NewOptions { lang: Language::Python, folder: project.clone() };
        assert_eq!(run(&options, &Terminal).unwrap(), Verdict::Good);
        fs::write(project.join("task.py"), "mine").unwrap();
        let error = format!("{:#}", run(&options, &Terminal).unwrap_err());
        assert!(error.contains("order cannot be made: "), "{error}");
        assert_eq!(fs::read_to_string(project.join("task.py")).unwrap(), "mine");
    }
}
