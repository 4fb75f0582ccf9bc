//! `stepwell secret`.

use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::arguments::SecretCommand;
use super::client::{Client, path_part};
use super::module::pages;
use super::terminal::{Terminal, printable, read_text};
use super::{Failure, Verdict};

pub(crate) async fn run(
    client: &Client,
    command: SecretCommand,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    match command {
        SecretCommand::Put { name, file, module } => {
            let value = value(&file)?;
            let mut members = json!({"value": *value});
            if !module.is_empty() {
                members["modules"] = json!(module);
            }
            let secret = client.put(&format!("/secrets/{}", path_part(&name)), &members).await?;
            terminal.note(&format!("Put the secret {name} for {}.", modules(&secret)));
        }
        SecretCommand::List => {
            let secrets = pages(client, "/secrets", "secrets").await?;
            if secrets.is_empty() {
                terminal
                    .note("There are no secrets. Make one with `stepwell secret put NAME --module MODULE`.");
            } else {
                terminal.answer(&table(&secrets));
            }
        }
        SecretCommand::Remove { name } => {
            client.delete(&format!("/secrets/{}", path_part(&name))).await?;
            terminal.note(&format!("Removed the secret {name}."));
        }
    }
    Ok(Verdict::Good)
}

/// The text without the line's end that editors and `echo` put behind it.
fn value(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = Zeroizing::new(read_text(file)?);
    let value = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    if value.is_empty() {
        return Err(Failure::msg("the value is empty")).context("give it on standard input, or with --file");
    }
    Ok(Zeroizing::new(value.to_owned()))
}

fn modules(secret: &Value) -> String {
    let modules = secret["modules"].as_array().map(Vec::as_slice).unwrap_or_default();
    let modules: Vec<_> = modules.iter().map(|module| printable(module.as_str().unwrap_or("?"))).collect();
    if modules.is_empty() { "no module".to_owned() } else { modules.join(", ") }
}

fn table(secrets: &[Value]) -> String {
    let text = |secret: &Value, name: &str| printable(secret[name].as_str().unwrap_or("?"));
    let line = |name: &str, updated: &str, modules: &str| format!("{name:24}  {updated:24}  {modules}");
    let lines = secrets
        .iter()
        .map(|secret| line(&text(secret, "name"), &text(secret, "updatedAt"), &modules(secret)));
    std::iter::once(line("NAME", "UPDATED", "MODULES")).chain(lines).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_line_is_no_part_of_a_value() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("value");
        for (text, expected) in
            [("a\n", Some("a")), ("a\r\n", Some("a")), ("a\n\n", Some("a\n")), ("\n", None)]
        {
            std::fs::write(&file, text).unwrap();
            assert_eq!(value(&file).ok().map(|value| value.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn secrets_are_shown_in_columns() {
        let secret = json!({"name": "payment-key", "modules": ["charge", "refund"],
            "updatedAt": "2026-01-01T00:00:00.000Z"});
        let expected = "\
NAME                      UPDATED                   MODULES
payment-key               2026-01-01T00:00:00.000Z  charge, refund";
        assert_eq!(table(&[secret]), expected);
    }
}
