//! `stepwell connection`.

use std::io;

use anyhow::Context;
use serde_json::{Value, json};

use super::arguments::{ConnectionCommand, CreateConnectionOptions};
use super::client::Client;
use super::terminal::{Terminal, printable, read_text};
use super::{Failure, Verdict};

pub(crate) async fn run(
    client: &Client,
    command: ConnectionCommand,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    match command {
        ConnectionCommand::Create(options) => {
            let made = client.call_events("CreateConnection", &members(&options, secret)?).await?;
            terminal.answer(&printable(made["ConnectionArn"].as_str().unwrap_or("?")));
        }
        ConnectionCommand::List => {
            let connections = all(client).await?;
            if connections.is_empty() {
                terminal.note("There are no connections. Make one with `stepwell connection create`.");
            } else {
                terminal.answer(&lines(&connections));
            }
        }
        ConnectionCommand::Show { name } => {
            let shown = client.call_events("DescribeConnection", &json!({"Name": name})).await?;
            terminal.answer(&serde_json::to_string_pretty(&shown)?);
        }
        ConnectionCommand::Remove { name } => {
            client.call_events("DeleteConnection", &json!({"Name": name})).await?;
            terminal.note(&format!("Removed the connection {name}."));
        }
    }
    Ok(Verdict::Good)
}

/// The members of CreateConnection. The secret is only read where there is one.
fn members(
    options: &CreateConnectionOptions,
    secret: impl FnOnce() -> Result<String, Failure>,
) -> Result<Value, Failure> {
    let mut members = if let Some(user) = &options.basic {
        let parameters = json!({"BasicAuthParameters": {"Username": user, "Password": secret()?}});
        json!({"AuthorizationType": "BASIC", "AuthParameters": parameters})
    } else if let Some(header) = &options.api_key {
        let parameters = json!({"ApiKeyAuthParameters": {"ApiKeyName": header, "ApiKeyValue": secret()?}});
        json!({"AuthorizationType": "API_KEY", "AuthParameters": parameters})
    } else {
        let file = options.file.as_deref().context("give --basic, --api-key or --file")?;
        let text = read_text(file)?;
        let members: Value =
            serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
        anyhow::ensure!(members.is_object(), "{} is not a JSON object", file.display());
        members
    };
    members["Name"] = options.name.as_str().into();
    if let Some(description) = &options.description {
        members["Description"] = description.as_str().into();
    }
    Ok(members)
}

/// One line of standard input.
fn secret() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).context("standard input cannot be read as text")?;
    let secret = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!secret.is_empty(), "the secret is missing: give it as one line of standard input");
    Ok(secret.to_owned())
}

async fn all(client: &Client) -> Result<Vec<Value>, Failure> {
    let (mut connections, mut request) = (Vec::new(), json!({}));
    loop {
        let mut page = client.call_events("ListConnections", &request).await?;
        if let Value::Array(list) = page["Connections"].take() {
            connections.extend(list);
        }
        match page["NextToken"].take() {
            Value::String(token) => request["NextToken"] = json!(token),
            _last_page => return Ok(connections),
        }
    }
}

/// Type and ARN of each.
fn lines(connections: &[Value]) -> String {
    let text = |connection: &Value, name: &str| printable(connection[name].as_str().unwrap_or("?"));
    let line = |connection: &Value| {
        format!("{:24}  {}", text(connection, "AuthorizationType"), text(connection, "ConnectionArn"))
    };
    connections.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(basic: Option<&str>, api_key: Option<&str>) -> CreateConnectionOptions {
        CreateConnectionOptions {
            name: "bank".to_owned(),
            basic: basic.map(str::to_owned),
            api_key: api_key.map(str::to_owned),
            file: None,
            description: Some("for tests".to_owned()),
        }
    }

    #[test]
    fn the_secret_is_put_where_it_belongs() {
        let word = || Ok("w0rd".to_owned());
        let basic = members(&options(Some("ann"), None), word).unwrap();
        let expected = json!({"AuthorizationType": "BASIC", "Name": "bank", "Description": "for tests",
            "AuthParameters": {"BasicAuthParameters": {"Username": "ann", "Password": "w0rd"}}});
        assert_eq!(basic, expected);
        let key = members(&options(None, Some("X-Key")), word).unwrap();
        assert_eq!(key["AuthParameters"]["ApiKeyAuthParameters"]["ApiKeyValue"], "w0rd");
        assert!(members(&options(None, None), word).is_err());
    }
}
