//! What `stepwell new` writes, kept in the program: templates, SDKs and the contract with the host.

/// A file by its path from the project's folder, and its text.
pub(super) type File = (&'static str, &'static str);

macro_rules! files {
    ($($path:literal),* $(,)?) => { &[$(($path, include_str!(concat!("../../../../../", $path)))),*] };
}

/// Where templates are; the next part of a path is the language.
pub(super) const TEMPLATES: &str = "sdk/templates/";

pub(super) const COMMON: &[File] = files!["sdk/templates/gitignore.template", "sdk/templates/input.json"];

pub(super) const WIT: &[File] = files![
    "wit/stepwell-task/task.wit",
    "wit/stepwell-task-http/deps/clocks.wit",
    "wit/stepwell-task-http/deps/http.wit",
    "wit/stepwell-task-http/deps/io.wit",
    "wit/stepwell-task-http/task.wit",
];

/// The manifest from which the Rust SDK inherits its versions and lints.
pub(super) const WORKSPACE: &str = include_str!("../../../../../Cargo.toml");

pub(super) const RUST: &[File] = files![
    "sdk/templates/rust/Cargo.toml.template",
    "sdk/templates/rust/README.md",
    "sdk/templates/rust/src/lib.rs",
];

pub(super) const RUST_SDK: &[File] = files![
    "sdk/rust/Cargo.toml",
    "sdk/rust/macro/Cargo.toml",
    "sdk/rust/macro/src/lib.rs",
    "sdk/rust/macro/src/task.rs",
    "sdk/rust/macro/src/task_error.rs",
    "sdk/rust/macro/src/testing.rs",
    "sdk/rust/src/context.rs",
    "sdk/rust/src/error.rs",
    "sdk/rust/src/executor.rs",
    "sdk/rust/src/export.rs",
    "sdk/rust/src/host/mod.rs",
    "sdk/rust/src/host/native.rs",
    "sdk/rust/src/host/wasm.rs",
    "sdk/rust/src/host/wasm_http.rs",
    "sdk/rust/src/http/error.rs",
    "sdk/rust/src/http/mod.rs",
    "sdk/rust/src/http/request.rs",
    "sdk/rust/src/http/response.rs",
    "sdk/rust/src/http/url.rs",
    "sdk/rust/src/lib.rs",
    "sdk/rust/src/log.rs",
    "sdk/rust/src/secret.rs",
    "sdk/rust/src/testing.rs",
];

pub(super) const PYTHON: &[File] = files![
    "sdk/templates/python/README.md",
    "sdk/templates/python/requirements.txt.template",
    "sdk/templates/python/task.py",
    "sdk/templates/python/test_task.py",
];

pub(super) const PYTHON_SDK: &[File] = files![
    "sdk/python/pyproject.toml",
    "sdk/python/requirements.txt",
    "sdk/python/src/stepwell_sdk/__init__.py",
    "sdk/python/src/stepwell_sdk/_component.py",
    "sdk/python/src/stepwell_sdk/_host.py",
    "sdk/python/src/stepwell_sdk/_wasi_http.py",
    "sdk/python/src/stepwell_sdk/build.py",
    "sdk/python/src/stepwell_sdk/context.py",
    "sdk/python/src/stepwell_sdk/errors.py",
    "sdk/python/src/stepwell_sdk/http.py",
    "sdk/python/src/stepwell_sdk/log.py",
    "sdk/python/src/stepwell_sdk/task.py",
    "sdk/python/src/stepwell_sdk/testing.py",
    "sdk/python/src/stepwell_sdk/typed.py",
];

pub(super) const JAVASCRIPT: &[File] = files![
    "sdk/templates/javascript/README.md",
    "sdk/templates/javascript/package.json.template",
    "sdk/templates/javascript/task.js",
    "sdk/templates/javascript/task.test.js",
];

pub(super) const JAVASCRIPT_MANIFEST: &str = include_str!("../../../../../sdk/javascript/package.json");

pub(super) const JAVASCRIPT_SDK: &[File] = files![
    "sdk/javascript/package.json",
    "sdk/javascript/src/build.js",
    "sdk/javascript/src/context.js",
    "sdk/javascript/src/errors.js",
    "sdk/javascript/src/guest.js",
    "sdk/javascript/src/host.js",
    "sdk/javascript/src/index.d.ts",
    "sdk/javascript/src/index.js",
    "sdk/javascript/src/log.js",
    "sdk/javascript/src/task.js",
    "sdk/javascript/src/testing.d.ts",
    "sdk/javascript/src/testing.js",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// What is built or installed beside the sources, and tests of the SDKs themselves.
    const LEFT_OUT: &[&str] = &["tests", "target", "node_modules", "__pycache__", "stepwell_sdk.egg-info"];

    fn found(folder: &str) -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut found = BTreeSet::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root.join(&folder)).unwrap().flatten() {
                let name = entry.file_name().into_string().unwrap();
                let path = format!("{folder}/{name}");
                if !entry.path().is_dir() {
                    found.insert(path);
                } else if !LEFT_OUT.contains(&name.as_str()) {
                    folders.push(path);
                }
            }
        }
        found
    }

    fn check(folder: &str, files: &[File]) {
        let kept: BTreeSet<_> = files.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(kept, found(folder), "the table and {folder}");
    }

    #[test]
    fn every_file_of_an_sdk_is_kept() {
        check("sdk/rust", RUST_SDK);
        check("sdk/python", PYTHON_SDK);
        check("sdk/javascript", JAVASCRIPT_SDK);
        check("wit", WIT);
        check("sdk/templates/rust", RUST);
        check("sdk/templates/python", PYTHON);
        check("sdk/templates/javascript", JAVASCRIPT);
    }
}
