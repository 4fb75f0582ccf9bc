//! What the project asks of its own files, beyond what the compiler and clippy check.
//!
//! It reads files and needs no other crate, so it runs in the first seconds of `cargo xtask test`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Ours: a file that is longer has more than one subject.
const FILE_LINES_MAX: usize = 800;

/// The crates of the runtime and the crates of ours that each may use.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("asl", &[]),
    ("store", &["asl"]),
    ("engine", &["asl", "store"]),
    ("wasm-host", &[]),
    ("outbound", &[]),
    ("executors", &["asl", "engine", "outbound", "wasm-host"]),
    ("server", &["asl", "store", "engine", "wasm-host", "outbound", "executors"]),
    ("stepwell-sdk", &["stepwell-sdk-macro"]),
    ("stepwell-sdk-macro", &[]),
    ("xtask", &[]),
];

/// Libraries that only one crate knows. Names that end with `*` stand for all that begin so.
const KNOWN_ONLY_TO: &[(&str, &[&str])] = &[
    ("redb", &["store"]),
    ("wasmtime*", &["wasm-host"]),
    ("axum", &["server"]),
    ("hyper*", &["outbound", "server"]),
    ("reqwest", &["outbound"]),
    ("rustls*", &["outbound", "server"]),
    ("tokio*", &["store", "engine", "wasm-host", "outbound", "executors", "server"]),
    ("clap", &["server"]),
    ("jsonata-core", &["asl"]),
];

/// Words that no source file may have, and why.
const BANNED: &[(&str, &str)] = &[
    (concat!("#[", "ignore"), "a test runs or is not there"),
    (concat!("should", "_panic"), "assert what is returned, or the panic's message in a closure"),
    (concat!("todo", "!("), "finish it, or refuse what is not supported"),
    (concat!("unimplemented", "!("), "finish it, or refuse what is not supported"),
    (concat!("dbg", "!("), "use tracing"),
];

/// Words that would make the pure parts depend on more than their arguments.
const IMPURE: &[&str] = &["SystemTime", "Instant", "thread::", "tokio::", "rand::rng"];
const PURE: &[&str] = &["runtime/asl/src", "runtime/engine/src/shard"];
/// Words that bring in an order which differs from run to run. The shard only looks things up in such maps.
const UNORDERED: &[&str] = &["HashMap", "HashSet"];

/// Folders of some machine, which are not there on another.
const MACHINE_FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

const UNSAFE_FORMS: &[&str] = &["{", "fn ", "impl ", "extern ", "trait "];

struct Source {
    /// From the project's folder, with slashes.
    path: String,
    text: String,
    is_test: bool,
}

impl Source {
    fn new(path: String, text: String) -> Source {
        let is_test = path.split('/').any(|part| part == "tests" || part == "tests.rs");
        Source { path, text, is_test }
    }

    fn is(&self, extensions: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, extension)| extensions.contains(&extension))
    }

    fn is_in(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The lines that belong to tests.
    fn test_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let before = |at: usize| self.text[..at].lines().count();
        let begin =
            if self.is_test { Some(0) } else { self.text.find("#[cfg(test)]\nmod tests {").map(before) };
        self.lines().filter(move |(number, _)| begin.is_some_and(|begin| *number > begin))
    }

    /// The lines that belong to the program, without comments.
    fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self.test_lines().next().map_or(usize::MAX, |(number, _)| number);
        let code = self.lines().take_while(move |(number, _)| *number < end);
        code.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// Modules that are only compiled for tests, as paths without the extension.
    fn test_modules(&self) -> Vec<String> {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let folder = match file {
            "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
            other => format!("{folder}/{}", other.trim_end_matches(".rs")),
        };
        let after = self.text.split("#[cfg(test)]\n").skip(1);
        let name = |text: &str| {
            text.trim_start().strip_prefix("mod ")?.split_once(';').map(|(name, _)| name.to_owned())
        };
        after
            .filter_map(name)
            .filter(|name| !name.contains(' '))
            .map(|name| format!("{folder}/{name}"))
            .collect()
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// `path:line`, for editors that follow it.
    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// Every text file that is written by hand.
fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    collect(root(), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).ok()?;
        let path = path.strip_prefix(root()).ok()?.to_string_lossy().replace('\\', "/");
        Some(Source::new(path, text))
    };
    let mut sources: Vec<_> = paths.into_iter().filter_map(read).collect();
    let modules: Vec<_> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        let is_of = |module: &String| {
            source
                .path
                .strip_prefix(module.as_str())
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        source.is_test |= modules.iter().any(is_of);
    }
    sources
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    const SKIPPED: &[&str] = &["target", ".git", "node_modules", "fixtures", "corpus"];
    const READ: &[&str] = &["rs", "ts", "js", "py", "md", "toml", "json", "wit", "sh", "yml", "html", "css"];
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if !SKIPPED.contains(&&*name) {
                collect(&path, paths);
            }
        } else if READ.iter().any(|extension| name.ends_with(&format!(".{extension}")))
            || path.ends_with(".ci/run")
        {
            paths.push(path);
        }
    }
}

fn rust() -> Vec<Source> {
    sources().into_iter().filter(|source| source.is(&["rs"])).collect()
}

fn assert_none(problems: &[String], what: &str) {
    assert!(problems.is_empty(), "{what}:\n  {}", problems.join("\n  "));
}

/// A package: its name, its folder, and its dependencies by section.
struct Package {
    path: String,
    name: String,
    sections: BTreeMap<String, Vec<(String, String)>>,
}

impl Package {
    /// Reads as much of TOML as manifests here use: one entry on one line.
    fn read(manifest: &Source) -> Package {
        let mut sections: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        let mut section = String::new();
        for line in manifest.text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name.trim_matches(['[', ']']).to_owned();
                sections.entry(section.clone()).or_default();
            } else if let Some((key, value)) = line.split_once('=') {
                let entry = (key.trim().to_owned(), value.trim().to_owned());
                sections.entry(section.clone()).or_default().push(entry);
            }
        }
        let name = sections.get("package").and_then(|package| package.iter().find(|(key, _)| key == "name"));
        let name = name.map(|(_, name)| name.trim_matches('"').to_owned()).unwrap_or_default();
        Package { path: manifest.path.clone(), name, sections }
    }

    /// The name and the value of each dependency; `dev-dependencies` only if asked for.
    fn dependencies(&self, dev: bool) -> impl Iterator<Item = (&str, &str)> {
        let wanted = move |section: &str| {
            let last = section.rsplit('.').next().unwrap_or_default();
            last == "dependencies" || last == "build-dependencies" || (dev && last == "dev-dependencies")
        };
        let sections = self.sections.iter().filter(move |(section, _)| wanted(section));
        sections
            .flat_map(|(_, entries)| entries)
            .map(|(key, value)| (key.trim_end_matches(".workspace"), value.as_str()))
    }
}

/// Folders with workspaces of their own: their packages are built for another target or by another tool.
const OTHER_WORKSPACES: &[&str] = &["guest-examples", "tests/fuzz"];

/// The packages of the workspace.
fn packages() -> Vec<Package> {
    let manifests = sources()
        .into_iter()
        .filter(|source| source.path.ends_with("/Cargo.toml") && !source.is_in(OTHER_WORKSPACES));
    manifests.map(|manifest| Package::read(&manifest)).collect()
}

#[test]
fn crates_depend_on_each_other_as_the_architecture_says() {
    let packages = packages();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut problems = Vec::new();
    for package in &packages {
        // Tests may use everything.
        if package.name == "tests" {
            continue;
        }
        let Some((_, allowed)) = MAY_DEPEND_ON.iter().find(|(name, _)| *name == package.name) else {
            problems.push(format!("{} is not in the table", package.path));
            continue;
        };
        for (name, _) in package.dependencies(false) {
            if ours.contains(name) && !allowed.contains(&name) {
                problems.push(format!("{} depends on {name}", package.path));
            }
        }
    }
    assert_none(&problems, "a dependency that docs/architecture.md does not allow");
}

#[test]
fn a_library_is_known_to_the_crates_that_it_is_for() {
    let mut problems = Vec::new();
    for package in packages().iter().filter(|package| package.path.starts_with("runtime/")) {
        for (name, _) in package.dependencies(false) {
            let is_meant = |pattern: &str| match pattern.strip_suffix('*') {
                Some(beginning) => name.starts_with(beginning),
                None => name == pattern,
            };
            for (library, users) in KNOWN_ONLY_TO {
                if is_meant(library) && !users.contains(&package.name.as_str()) {
                    problems.push(format!("{} depends on {name}", package.path));
                }
            }
        }
    }
    assert_none(&problems, "a library where it does not belong");
}

#[test]
fn versions_and_lints_are_those_of_the_workspace() {
    let mut problems = Vec::new();
    for package in packages() {
        for (name, value) in package.dependencies(true) {
            if value != "true" && !value.contains("workspace = true") {
                problems
                    .push(format!("{}: the version of {name} belongs into the root manifest", package.path));
            }
        }
        // wasm-host has the workspace's list with `unsafe` denied instead of forbidden.
        if package.name != "wasm-host" && !package.sections.contains_key("lints") {
            problems.push(format!("{}: [lints] workspace = true is missing", package.path));
        }
    }
    assert_none(&problems, "manifests that go their own way");
}

#[test]
fn the_pure_parts_see_no_clock_no_hash_order_and_no_threads() {
    let mut problems = Vec::new();
    for source in rust().iter().filter(|source| source.is_in(PURE)) {
        let unordered = if source.is_in(&["runtime/asl"]) { UNORDERED } else { &[] };
        for (number, line) in source.code_lines() {
            for word in IMPURE.iter().chain(unordered).filter(|word| contains_word(line, word)) {
                problems.push(format!("{}: {word}", source.place(number)));
            }
        }
    }
    assert_none(&problems, "asl and engine::shard get time, ids and chance as arguments");
}

/// Whether a word stands there by itself and not as a part of another.
fn contains_word(line: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !is_part(before) && (word.ends_with(':') || !is_part(after))
    })
}

#[test]
fn files_are_of_a_length_that_can_be_read() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines", source.path))
    };
    let problems: Vec<_> =
        sources().iter().filter(|source| source.is(&["rs", "ts"])).filter_map(long).collect();
    assert_none(&problems, "files of more than 800 lines; split them by subject");
}

#[test]
fn banned_words_are_not_there() {
    let mut problems = Vec::new();
    for source in rust() {
        for (number, line) in source.lines().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for (word, why) in BANNED.iter().filter(|(word, _)| line.contains(word)) {
                problems.push(format!("{}: {word}: {why}", source.place(number)));
            }
        }
    }
    assert_none(&problems, "banned words");
}

#[test]
fn tests_do_not_sleep() {
    let sleep = concat!("thread::", "sleep");
    let mut problems = Vec::new();
    for source in rust() {
        let sleeps = source.test_lines().filter(|(_, line)| line.contains(sleep));
        problems.extend(sleeps.map(|(number, _)| source.place(number)));
    }
    assert_none(&problems, "tests that sleep; wait for what is to happen instead");
}

#[test]
fn no_file_names_a_folder_of_some_machine() {
    let mut problems = Vec::new();
    for source in sources() {
        for (number, line) in source.lines() {
            // A module path such as `/executions/` is none of them.
            if MACHINE_FOLDERS.iter().any(|folder| line.contains(folder)) {
                problems.push(source.place(number));
            }
        }
    }
    assert_none(&problems, "paths that are only on one machine");
}

#[test]
fn source_files_begin_with_what_they_are_for() {
    let problems: Vec<_> = rust()
        .iter()
        .filter(|source| source.is_in(&["runtime", "sdk", "xtask", "tests", "guest-examples"]))
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path.clone())
        .collect();
    assert_none(&problems, "files whose first line is not a `//!` comment");
}

#[test]
fn only_the_module_host_is_unsafe() {
    let keyword = concat!("un", "safe ");
    let mut problems = Vec::new();
    for source in rust().iter().filter(|source| !source.is_in(&["runtime/wasm-host"])) {
        for (number, line) in source.lines().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let is_code = |form: &&str| {
                let at = line.find(&format!("{keyword}{form}"));
                at.is_some_and(|at| !line[..at].ends_with(['"', '`']))
            };
            if UNSAFE_FORMS.iter().any(is_code) {
                problems.push(source.place(number));
            }
        }
    }
    assert_none(&problems, "unsafe code outside runtime/wasm-host");
}

/// What a Markdown text links to, without addresses on the web, anchors and code.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    let mut in_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let target = line[at + 2..].split([')', ' ']).next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                links.push(file.to_owned());
            }
        }
    }
    links
}

#[test]
fn links_lead_to_files() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| source.is(&["md"])) {
        let folder = root().join(&source.path).parent().map(Path::to_owned).unwrap_or_default();
        let broken = links(&source.text).into_iter().filter(|link| !folder.join(link).exists());
        problems.extend(broken.map(|link| format!("{}: {link}", source.path)));
    }
    assert_none(&problems, "links to files that are not there");
}

#[test]
fn every_page_can_be_found_from_the_readme() {
    let sources = sources();
    let pages = sources.iter().filter(|source| source.is_in(&["docs"]) && source.is(&["md"]));
    let linked: BTreeSet<String> = sources
        .iter()
        .filter_map(|source| match source.path.as_str() {
            "README.md" => Some(links(&source.text)),
            "docs/README.md" => Some(links(&source.text).iter().map(|link| format!("docs/{link}")).collect()),
            _other => None,
        })
        .flatten()
        .collect();
    let problems: Vec<_> = pages
        .map(|page| page.path.clone())
        .filter(|path| path != "docs/README.md" && !linked.contains(path))
        .collect();
    assert_none(&problems, "pages that neither README.md nor docs/README.md links to");
}

#[test]
fn this_test_can_fail() {
    let source = |path: &str, text: &str| Source::new(path.to_owned(), text.to_owned());
    let manifest = source(
        "runtime/a/Cargo.toml",
        "[package]\nname = \"a\"\n\n[dependencies]\nb.workspace = true\nc = { workspace = true, features = [] }\n\n\
         [dev-dependencies]\nd = \"1\"\n",
    );
    let package = Package::read(&manifest);
    let names = |dev| package.dependencies(dev).map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(
        (package.name.as_str(), names(false), names(true)),
        ("a", vec!["b", "c"], vec!["b", "c", "d"])
    );

    let code = source("runtime/a/src/lib.rs", "fn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n");
    assert_eq!(code.test_lines().map(|(number, _)| number).collect::<Vec<_>>(), [3, 4, 5, 6]);
    assert_eq!(code.code_lines().count(), 2);
    assert_eq!(source("a/tests/b.rs", "x").test_lines().count(), 1);
    let parent = source("a/b.rs", "mod c;\n#[cfg(test)]\nmod hostile;\n#[cfg(test)]\nuse x::y;\n");
    assert_eq!(parent.test_modules(), ["a/b/hostile"]);

    assert!(
        contains_word("let now = Instant::now();", "Instant") && contains_word("tokio::spawn", "tokio::")
    );
    assert!(!contains_word("struct Instantiated;", "Instant"));
    assert_eq!(links("[a](b.md#c) [d](https://e.f) `x`\n```\n[g](h)\n```\n![i](j.png)"), ["b.md", "j.png"]);
}
