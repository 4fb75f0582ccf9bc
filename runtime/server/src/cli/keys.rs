//! `stepwell keys`: through a server that runs, or on a data folder on which none does.

use std::path::Path;

use anyhow::Context;
use engine::Offline;
use serde_json::{Value, json};
use store::{OpenError, RedbOptions, RedbStore};
use uuid::Uuid;

use super::arguments::{KeysCommand, KeysOptions};
use super::client::{Client, path_part};
use super::terminal::{Terminal, printable};
use super::{Failure, Verdict};
use crate::access::{Access, CreatedKey, ListedKey};
use crate::vault::Vault;

pub(crate) async fn run(
    client: impl FnOnce() -> Result<Client, Failure>,
    options: KeysOptions,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    match &options.data {
        Some(data) => on_folder(data, options.secret_key.as_deref(), options.command, terminal).await,
        None => through_server(&client()?, options.command, terminal).await,
    }
}

async fn through_server(
    client: &Client,
    command: KeysCommand,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    match command {
        KeysCommand::Create { description } => {
            let key = client.post("/keys", &json!({"description": description})).await?;
            show_created(&text(&key, "id"), &text(&key, "secret"), terminal);
        }
        KeysCommand::List => {
            let answer = client.get("/keys").await?;
            let keys = answer["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
            let row = |key: &Value| [text(key, "id"), text(key, "createdAt"), text(key, "description")];
            show_list(&keys.iter().map(row).collect::<Vec<_>>(), terminal);
        }
        KeysCommand::Remove { id } => {
            client.delete(&format!("/keys/{}", path_part(&id))).await?;
            terminal.note(&format!("Removed the access key {id}."));
        }
    }
    Ok(Verdict::Good)
}

/// Takes the folder as a server would, so that no other uses it meanwhile.
async fn on_folder(
    data: &Path,
    secret_key: Option<&str>,
    command: KeysCommand,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    if matches!(command, KeysCommand::Create { .. }) {
        std::fs::create_dir_all(data)
            .with_context(|| format!("the data folder {} cannot be made", data.display()))?;
    } else if !data.is_dir() {
        anyhow::bail!("there is no data folder {}", data.display());
    }
    let opened = RedbStore::open(&RedbOptions::new(data, Uuid::new_v4().as_u128()));
    let store = opened.map_err(|error| match error {
        OpenError::InUse { .. } => anyhow::anyhow!(
            "the data in {} is in use by a server. Leave out --data to ask the server, and name it with --endpoint.",
            data.display()
        ),
        other => anyhow::Error::new(other).context("the store cannot be opened"),
    })?;
    let secrets = Offline::new(store);
    let vault = Vault::of_store(data, secret_key, &secrets).await?;
    let keys = Access::load(secrets.store(), &vault, false).await?.keys;
    match command {
        KeysCommand::Create { description } => {
            let CreatedKey { key, secret } = keys.create(&secrets, &vault, &description).await?;
            show_created(&key.id, &secret, terminal);
        }
        KeysCommand::List => {
            let row =
                |key: &ListedKey| [key.id.clone(), key.created_at.to_string(), printable(&key.description)];
            show_list(&keys.list().iter().map(row).collect::<Vec<_>>(), terminal);
        }
        KeysCommand::Remove { id } => {
            keys.remove(&secrets, &id, false).await?;
            terminal.note(&format!("Removed the access key {id}."));
        }
    }
    Ok(Verdict::Good)
}

fn text(key: &Value, name: &str) -> String {
    printable(key[name].as_str().unwrap_or("?"))
}

/// In the form in which a shell and most tools take them.
fn show_created(id: &str, secret: &str, terminal: &Terminal) {
    terminal.answer(&format!("AWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}"));
    terminal.note(
        "The secret is shown this once. While there are access keys, every request must be signed with one of them.",
    );
}

fn show_list(rows: &[[String; 3]], terminal: &Terminal) {
    if rows.is_empty() {
        terminal.note("There are no access keys. Make one with `stepwell keys create`.");
        return;
    }
    terminal.answer(&table(rows));
}

fn table(rows: &[[String; 3]]) -> String {
    let heads = ["ID", "CREATED", "DESCRIPTION"].map(str::to_owned);
    let line = |[id, created, description]: &[String; 3]| {
        format!("{id:20}  {created:24}  {}", description.replace('\n', " ")).trim_end().to_owned()
    };
    std::iter::once(&heads).chain(rows).map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_in_columns() {
        let key = |id: &str, description: &str| {
            [id.to_owned(), "2026-01-01T00:00:00.000Z".to_owned(), description.to_owned()]
        };
        let expected = "\
ID                    CREATED                   DESCRIPTION
AKIA2222222222222222  2026-01-01T00:00:00.000Z  the build
AKIA3333333333333333  2026-01-01T00:00:00.000Z";
        let rows = [key("AKIA2222222222222222", "the\nbuild"), key("AKIA3333333333333333", "")];
        assert_eq!(table(&rows), expected);
    }
}
