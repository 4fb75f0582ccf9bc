//! `stepwell module alias`.

use anyhow::Context;
use serde_json::{Value, json};

use super::Failure;
use super::arguments::AliasCommand;
use super::client::{Client, path_part};
use super::module::module_path;
use super::terminal::{Terminal, printable};

pub(super) async fn run(client: &Client, command: AliasCommand, terminal: Terminal) -> Result<(), Failure> {
    match command {
        AliasCommand::Set { module, alias, version, also, description } => {
            let members = members(&version, also.as_deref(), description.as_deref())?;
            let set = client.put(&alias_path(&module, &alias), &members).await?;
            terminal.answer(&line(&set));
        }
        AliasCommand::List { module } => {
            let mut list = client.get(&format!("{}/aliases", module_path(&module))).await?;
            let Value::Array(aliases) = list["aliases"].take() else { return Ok(()) };
            if aliases.is_empty() {
                let how = format!("Make one with `stepwell module alias set {module} ALIAS VERSION`.");
                terminal.note(&format!("The module {module} has no aliases. {how}"));
            }
            aliases.iter().for_each(|alias| terminal.answer(&line(alias)));
        }
        AliasCommand::Remove { module, alias } => {
            client.delete(&alias_path(&module, &alias)).await?;
            terminal.note(&format!("Removed the alias {alias} of the module {module}."));
        }
    }
    Ok(())
}

fn alias_path(module: &str, alias: &str) -> String {
    format!("{}/aliases/{}", module_path(module), path_part(alias))
}

fn members(version: &str, also: Option<&str>, description: Option<&str>) -> Result<Value, Failure> {
    let version = version.parse::<u32>().map_or_else(|_| json!(version), |number| json!(number));
    let also = match also {
        None => Value::Null,
        Some(also) => {
            let parts = also.split_once('=').and_then(|(version, weight)| {
                Some((version.parse::<u32>().ok()?, weight.parse::<f64>().ok()?))
            });
            let (version, weight) = parts.with_context(|| {
                format!(
                    "--also takes a version and its part of the executions, such as 4=0.1, and not '{also}'"
                )
            })?;
            json!({"version": version, "weight": weight})
        }
    };
    Ok(json!({"version": version, "also": also, "description": description}))
}

fn line(alias: &Value) -> String {
    let version = |version: &Value| version.as_str().map_or_else(|| version.to_string(), printable);
    let name = printable(alias["alias"].as_str().unwrap_or("?"));
    let mut line = format!("{name} -> {}", version(&alias["version"]));
    if let Some(weight) = alias["also"]["weight"].as_f64() {
        line.push_str(&format!(
            ", and {} for {weight} of the executions",
            version(&alias["also"]["version"])
        ));
    }
    if let Some(description) = alias["description"].as_str() {
        line.push_str(&format!("  {}", printable(description)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_version_has_a_weight() {
        let expected = json!({"version": 3, "also": {"version": 4, "weight": 0.25}, "description": null});
        assert_eq!(members("3", Some("4=0.25"), None).unwrap(), expected);
        let expected = json!({"version": "$LATEST", "also": null, "description": "words"});
        assert_eq!(members("$LATEST", None, Some("words")).unwrap(), expected);
        for wrong in ["4", "4=", "=0.1", "x=0.1", "4=x"] {
            assert!(members("3", Some(wrong), None).unwrap_err().to_string().contains("4=0.1"), "{wrong}");
        }
    }

    #[test]
    fn aliases_are_lines() {
        assert_eq!(line(&json!({"alias": "live", "version": 3, "also": null})), "live -> 3");
        let alias =
            json!({"alias": "live", "version": 3, "also": {"version": 4, "weight": 0.1}, "description": "d"});
        assert_eq!(line(&alias), "live -> 3, and 4 for 0.1 of the executions  d");
        assert_eq!(line(&json!({"alias": "dev", "version": "$LATEST"})), "dev -> $LATEST");
    }
}
