//! `stepwell module`.

use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use serde_json::{Value, json};

use super::alias;
use super::arguments::ModuleCommand;
use super::client::{Client, path_part};
use super::logs;
use super::terminal::{Terminal, printable, read_text};
use super::upload::watcher;
use super::{Failure, Verdict};
use crate::limits::MANIFEST_BYTES_MAX;
use crate::package;

pub(crate) async fn run(
    client: &Client,
    command: ModuleCommand,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    match command {
        ModuleCommand::Push { name, file, manifest, replaces } => {
            let bytes = upload(&file, manifest.as_deref())?;
            let module = push(client, &name, bytes, replaces.as_deref()).await?;
            terminal.answer(&pushed(&module));
            for warning in module["warnings"].as_array().into_iter().flatten() {
                terminal.note(&format!("warning: {}", printable(warning.as_str().unwrap_or("?"))));
            }
        }
        ModuleCommand::List => {
            let modules = pages(client, "/modules", "modules").await?;
            if modules.is_empty() {
                terminal.note("There are no modules. Upload one with `stepwell module push NAME FILE`.");
            } else {
                terminal.answer(&table(&modules));
            }
        }
        ModuleCommand::Show { name } => {
            let path = module_path(&name);
            let mut versions = pages(client, &path, "versions").await?;
            let mut module = client.get(&path).await?;
            let newest = module["unpublished"].take();
            if newest.is_object() {
                versions.insert(0, newest);
            }
            terminal.answer(&format!("{}\n\n{}", table(&versions), rules(&module["rules"])));
        }
        ModuleCommand::Publish { name } => {
            let published = client.post(&format!("{}/versions", module_path(&name)), &json!({})).await?;
            terminal.answer(&format!("{name} version {}", published["version"]));
        }
        ModuleCommand::Logs { name, request, json } => {
            logs::of_module(client, &name, request.as_deref(), json, terminal).await?;
        }
        ModuleCommand::Alias(command) => alias::run(client, command, *terminal).await?,
        ModuleCommand::Remove { name, version: None } => {
            client.delete(&module_path(&name)).await?;
            terminal.note(&format!("Removed the module {name}."));
        }
        ModuleCommand::Remove { name, version: Some(version) } => {
            client.delete(&format!("{}/versions/{version}", module_path(&name))).await?;
            terminal.note(&format!("Removed version {version} of the module {name}."));
        }
    }
    Ok(Verdict::Good)
}

pub(super) fn module_path(name: &str) -> String {
    format!("/modules/{}", path_part(name))
}

/// Uploads a component or an archive, with a bar on a terminal.
pub(super) async fn push(
    client: &Client,
    name: &str,
    upload: Vec<u8>,
    replaces: Option<&str>,
) -> Result<Value, Failure> {
    let bytes = Bytes::from(upload);
    let content_type = if package::is_archive(&bytes) { "application/zip" } else { "application/wasm" };
    let watcher = watcher(name, bytes.len());
    client.upload(&module_path(name), bytes, content_type, replaces, watcher).await
}

/// What is sent: the component, or an archive with its manifest.
pub(super) fn upload(file: &Path, manifest: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let read =
        |file: &Path| std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()));
    let bytes = read(file)?;
    if package::is_archive(&bytes) {
        anyhow::ensure!(
            manifest.is_none(),
            "{} is an archive: put the manifest into it as module.toml, or push the component alone",
            file.display()
        );
        return Ok(bytes);
    }
    let beside = file.with_extension("toml");
    let Some(manifest) = manifest.or_else(|| beside.is_file().then_some(&*beside)) else { return Ok(bytes) };
    let text = read_text(manifest)?;
    anyhow::ensure!(
        text.len() <= MANIFEST_BYTES_MAX,
        "{} is larger than {} KiB",
        manifest.display(),
        MANIFEST_BYTES_MAX >> 10
    );
    package::pack(&bytes, &text).context("the component and its manifest cannot be packed")
}

/// All pages of a list.
pub(super) async fn pages(client: &Client, path: &str, items: &str) -> Result<Vec<Value>, Failure> {
    let mut all = Vec::new();
    let mut page = client.get(path).await?;
    loop {
        if let Value::Array(list) = page[items].take() {
            all.extend(list);
        }
        let Some(next) = page["next"].as_str() else { return Ok(all) };
        page = client.get(&format!("{path}?from={}", path_part(next))).await?;
    }
}

fn pushed(module: &Value) -> String {
    let text = |name: &str| printable(module[name].as_str().unwrap_or("?"));
    format!(
        "{} version {} ({}, {})",
        text("name"),
        module["version"],
        size(module["sizeBytes"].as_u64().unwrap_or(0)),
        text("digest")
    )
}

/// What the newest upload asks for, may have and gets.
fn rules(rules: &Value) -> String {
    if let Some(error) = rules["error"].as_str() {
        return printable(error);
    }
    let text = |name: &str, absent: &str| {
        let text = rules[name].as_str().filter(|text| !text.is_empty()).map(printable);
        text.unwrap_or_else(|| absent.to_owned()).trim_end().replace('\n', "\n  ")
    };
    let mut lines = vec![
        format!(
            "Requested by its manifest, and by Environment of the Lambda API:\n  {}",
            text("requested", "nothing; it has no manifest, or an empty one")
        ),
        format!(
            "Allowed by the operator's policy:\n  {}",
            text("allowed", "nothing is said; the server's own bounds hold")
        ),
        format!("In force:\n  {}", text("effective", "?")),
    ];
    let withheld: Vec<_> =
        rules["withheld"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !withheld.is_empty() {
        lines.push(format!("Withheld:\n  {}", printable(&withheld.join("\n  "))));
    }
    lines.join("\n\n")
}

/// One line for each version, in columns.
fn table(versions: &[Value]) -> String {
    let text = |version: &Value, name: &str| printable(version[name].as_str().unwrap_or("?"));
    let row = |version: &Value| {
        let size = size(version["sizeBytes"].as_u64().unwrap_or(0));
        [
            text(version, "name"),
            version["version"].as_u64().map_or_else(|| "$LATEST".to_owned(), |number| number.to_string()),
            size,
            text(version, "createdAt"),
            text(version, "digest"),
        ]
    };
    let heads = ["NAME", "VERSION", "SIZE", "CREATED", "DIGEST"].map(str::to_owned);
    let rows: Vec<_> = std::iter::once(heads).chain(versions.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// A size for people.
#[expect(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{:.1} kB", bytes as f64 / 1e3),
        10_000_000.. => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_manifest_is_taken_from_beside_the_component_or_as_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (component, beside, other) = (path("a.wasm"), path("a.toml"), path("b.toml"));
        std::fs::write(&component, "component").unwrap();
        assert_eq!(upload(&component, None).unwrap(), b"component");
        std::fs::write(&other, "other").unwrap();
        let with_other = package::pack(b"component", "other").unwrap();
        assert_eq!(upload(&component, Some(&other)).unwrap(), with_other);
        std::fs::write(&beside, "beside").unwrap();
        assert_eq!(upload(&component, None).unwrap(), package::pack(b"component", "beside").unwrap());
        assert_eq!(upload(&component, Some(&other)).unwrap(), with_other);

        std::fs::write(path("a.zip"), &with_other).unwrap();
        assert_eq!(upload(&path("a.zip"), None).unwrap(), with_other, "nothing is added to an archive");
        assert!(upload(&path("a.zip"), Some(&other)).unwrap_err().to_string().contains("as module.toml"));
        std::fs::write(&beside, "#".repeat(MANIFEST_BYTES_MAX + 1)).unwrap();
        assert!(upload(&component, None).unwrap_err().to_string().contains("larger than 64 KiB"));
    }

    #[test]
    fn modules_are_shown_in_columns() {
        let module = |name: &str, version: u32, size: u64| {
            json!({"name": name, "version": version, "sizeBytes": size, "digest": "sha256:ab",
                   "createdAt": "2026-01-01T00:00:00.000Z"})
        };
        let expected = "\
NAME    VERSION  SIZE      CREATED                   DIGEST
charge  12       123.5 kB  2026-01-01T00:00:00.000Z  sha256:ab
py      1        18.2 MB   2026-01-01T00:00:00.000Z  sha256:ab";
        assert_eq!(table(&[module("charge", 12, 123_456), module("py", 1, 18_200_000)]), expected);
        assert_eq!(pushed(&module("charge", 12, 950)), "charge version 12 (950 B, sha256:ab)");
    }

    #[test]
    fn rules_are_shown_beside_each_other() {
        let rules_of = |requested: Value| {
            rules(
                &json!({"requested": requested, "allowed": "", "effective": "[limits]\nfuel = 1\n", "withheld": ["a", "b"]}),
            )
        };
        let expected = "\
Requested by its manifest, and by Environment of the Lambda API:
  [limits]
  fuel = 2

Allowed by the operator's policy:
  nothing is said; the server's own bounds hold

In force:
  [limits]
  fuel = 1

Withheld:
  a
  b";
        assert_eq!(rules_of(json!("[limits]\nfuel = 2\n")), expected);
        assert!(rules_of(Value::Null).contains("of the Lambda API:\n  nothing; it has no manifest"));
    }
}
