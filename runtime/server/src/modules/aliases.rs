//! `/modules/{name}/aliases`: names that lead to a version, or to two with a weight.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use engine::arn::is_valid_alias;
use engine::{Expected, ModuleChange, PutModuleAlias};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{MODULE_WEIGHT_WHOLE, ModuleAlias, ModuleShare, Store};

use super::{Answer, change};
use crate::api;
use crate::app::App;
use crate::limits::MODULE_DESCRIPTION_CHARACTERS_MAX;
use crate::problem::Problem;
use crate::registry::{version_name, weight_millionths};

/// What an alias is to be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewAlias {
    version: Version,
    also: Option<Also>,
    description: Option<String>,
}

/// A number, or `$LATEST`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Version {
    Number(u32),
    Name(String),
}

/// A second version, and its part of the executions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Also {
    version: u32,
    weight: f64,
}

/// `GET /modules/{name}/aliases`: all of them, by name.
pub(crate) async fn alias_list<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(name): Path<String>,
) -> Answer {
    let head = app.store().module_head(&name).await?.ok_or_else(|| Problem::no_module(&name))?;
    Ok(Json(json!({"name": name, "aliases": head.aliases().iter().map(describe).collect::<Vec<_>>()})))
}

/// `PUT /modules/{name}/aliases/{alias}`: makes it, or moves it.
pub(crate) async fn alias_put<S: Store + Clone>(
    State(app): State<App<S>>,
    Path((name, alias)): Path<(String, String)>,
    request: Request<Body>,
) -> Answer {
    let body = api::read_body(request.into_body()).await?;
    let new = parse(&alias, &body)?;
    let changed = change(&app, &name, ModuleChange::PutAlias(new)).await?;
    let put = changed.alias.expect("an alias was put");
    tracing::info!(module = %name, %alias, version = put.target().version, "module alias put");
    Ok(Json(describe(&put)))
}

/// `DELETE /modules/{name}/aliases/{alias}`.
pub(crate) async fn alias_remove<S: Store + Clone>(
    State(app): State<App<S>>,
    Path((name, alias)): Path<(String, String)>,
) -> Answer {
    change(&app, &name, ModuleChange::DeleteAlias(alias.clone())).await?;
    tracing::info!(module = %name, %alias, "module alias removed");
    Ok(Json(json!({"name": name, "alias": alias})))
}

pub(super) fn describe(alias: &ModuleAlias) -> Value {
    let target = alias.target();
    let also = target.also.map(|also| {
        let weight = f64::from(also.weight) / f64::from(MODULE_WEIGHT_WHOLE);
        json!({"version": also.version, "weight": weight})
    });
    json!({
        "alias": &*alias.name,
        "version": version_name(target.version),
        "also": also,
        "description": alias.description,
        "movedAt": alias.moves.last().map(|made| made.at.to_string()),
    })
}

fn parse(alias: &str, body: &[u8]) -> Result<PutModuleAlias, Problem> {
    let invalid = |message: String| Problem::new(StatusCode::BAD_REQUEST, "InvalidAlias", message);
    if !is_valid_alias(alias) {
        return Err(invalid(format!(
            "'{alias}' cannot be the name of an alias: use letters, digits, hyphens and underscores, and not only digits."
        )));
    }
    let new: NewAlias = serde_json::from_slice(body).map_err(|error| {
        invalid(format!(
            "The body must be like {{\"version\": 3}} or {{\"version\": 3, \"also\": {{\"version\": 4, \"weight\": \
             0.1}}}}: {error}."
        ))
    })?;
    let version = match &new.version {
        Version::Number(number) if *number > 0 => *number,
        Version::Name(name) if name == crate::registry::LATEST => 0,
        Version::Number(_) | Version::Name(_) => {
            return Err(invalid("'version' must be the number of a version, or \"$LATEST\".".to_owned()));
        }
    };
    let also = match new.also {
        None => None,
        Some(Also { version: second, .. }) if second == version || second == 0 || version == 0 => {
            return Err(invalid(
                "'also' must name another version by its number, beside a number.".to_owned(),
            ));
        }
        Some(Also { version, weight }) => {
            let millionths = weight_millionths(weight);
            let weight =
                millionths.ok_or_else(|| invalid("'weight' must be between 0.0 and 1.0.".to_owned()))?;
            Some(ModuleShare { version, weight })
        }
    };
    let is_long = |text: &String| text.chars().count() > MODULE_DESCRIPTION_CHARACTERS_MAX;
    if new.description.as_ref().is_some_and(is_long) {
        return Err(invalid(format!(
            "'description' may have {MODULE_DESCRIPTION_CHARACTERS_MAX} characters at most."
        )));
    }
    Ok(PutModuleAlias {
        alias: alias.to_owned(),
        expected: Expected::Anything,
        if_alias: None,
        description: new.description,
        version: Some(version),
        also: Some(also),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(alias: &str, body: &str, expected: &str) {
        let problem = parse(alias, body.as_bytes()).unwrap_err();
        assert!(problem.message().contains(expected), "{body}: {}", problem.message());
    }

    #[test]
    fn an_alias_leads_to_a_version_or_two() {
        let put = parse("live", br#"{"version": 3, "also": {"version": 4, "weight": 0.1}}"#).unwrap();
        assert_eq!(
            (put.version, put.also),
            (Some(3), Some(Some(ModuleShare { version: 4, weight: 100_000 })))
        );
        let put = parse("live", br#"{"version": "$LATEST"}"#).unwrap();
        assert_eq!((put.version, put.also), (Some(0), Some(None)));
    }

    #[test]
    fn what_is_no_alias_is_refused_with_the_fix() {
        check("12", r#"{"version": 3}"#, "not only digits");
        check("a b", r#"{"version": 3}"#, "cannot be the name");
        check("live", "", "must be like");
        check("live", r#"{"version": 3, "weight": 1}"#, "unknown field `weight`");
        check("live", r#"{"version": 0}"#, "number of a version");
        check("live", r#"{"version": "three"}"#, "number of a version");
        check("live", r#"{"version": 3, "also": {"version": 3, "weight": 0.5}}"#, "another version");
        check("live", r#"{"version": 3, "also": {"version": 4, "weight": 1.5}}"#, "between 0.0 and 1.0");
        let long = format!(r#"{{"version": 3, "description": "{}"}}"#, "x".repeat(257));
        check("live", &long, "256 characters");
    }
}
