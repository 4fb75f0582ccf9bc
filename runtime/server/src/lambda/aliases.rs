//! Aliases of a function.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Request, StatusCode};
use engine::arn::is_valid_alias;
use engine::{Expected, ModuleChange, ModuleChanged, PutModuleAlias};
use serde_json::{Map, Value, json};
use store::{MODULE_WEIGHT_WHOLE, ModuleAlias, ModuleHead, ModuleShare, Store};

use super::answers::{latest, revision_id};
use super::error::LambdaError;
use super::functions::change;
use super::members::Members;
use super::names::{Function, LATEST_NUMBER, qualifier_of};
use super::pages::Page;
use crate::app::App;
use crate::registry::{LATEST, weight_millionths};

/// AWS: what an alias may be called.
const ALIAS_PATTERN: &str = r"regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)";
/// AWS: what an alias may lead to.
const VERSION_PATTERN: &str = r"regular expression pattern: (\$LATEST|[0-9]+)";

type Answer = Result<Json<Value>, LambdaError>;

/// `CreateAlias`.
pub(super) async fn create<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), LambdaError> {
    let function = Function::parse_unqualified(&app, &function)?;
    let mut members = Members::read(request.into_body()).await?;
    let alias = members.text("Name")?.unwrap_or_default();
    if !is_valid_alias(&alias) {
        return Err(LambdaError::validation(&alias, "name", ALIAS_PATTERN));
    }
    let put = read(&mut members, &alias, Expected::Nothing)?;
    members.end()?;
    if put.version.is_none() {
        return Err(LambdaError::validation("null", "functionVersion", "constraint: not null"));
    }
    let changed = change(&app, &function, ModuleChange::PutAlias(put), None).await?;
    tracing::info!(function = %function.name, %alias, "function alias created");
    Ok((StatusCode::CREATED, Json(put_alias(&function, &changed))))
}

/// `UpdateAlias`: what is told changes.
pub(super) async fn update<S: Store + Clone>(
    State(app): State<App<S>>,
    Path((function, alias)): Path<(String, String)>,
    request: Request<Body>,
) -> Answer {
    let function = Function::parse_unqualified(&app, &function)?;
    let mut members = Members::read(request.into_body()).await?;
    let revision = members.revision()?;
    let mut put = read(&mut members, &alias, Expected::Something)?;
    members.end()?;
    if let Some(revision) = revision {
        let (head, _) = latest(&app, &function).await?;
        let existing = find(&head, &function, &alias)?;
        if revision != alias_revision(&function, existing) {
            return Err(LambdaError::precondition());
        }
        // Another change may come between.
        put.if_alias = Some(existing.clone());
    }
    let changed = change(&app, &function, ModuleChange::PutAlias(put), None).await?;
    tracing::info!(function = %function.name, %alias, "function alias updated");
    Ok(Json(put_alias(&function, &changed)))
}

/// `GetAlias`.
pub(super) async fn get<S: Store + Clone>(
    State(app): State<App<S>>,
    Path((function, alias)): Path<(String, String)>,
) -> Answer {
    let function = Function::parse_unqualified(&app, &function)?;
    let (head, _) = latest(&app, &function).await?;
    Ok(Json(describe(&function, find(&head, &function, &alias)?)))
}

/// `DeleteAlias`: one that is not there is deleted.
pub(super) async fn delete<S: Store + Clone>(
    State(app): State<App<S>>,
    Path((function, alias)): Path<(String, String)>,
) -> Result<StatusCode, LambdaError> {
    let function = Function::parse_unqualified(&app, &function)?;
    let (head, _) = latest(&app, &function).await?;
    if head.alias(&alias).is_some() {
        change(&app, &function, ModuleChange::DeleteAlias(alias), None).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `ListAliases`: by name.
pub(super) async fn list<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    Query(page): Query<Page>,
) -> Answer {
    let function = Function::parse_unqualified(&app, &function)?;
    let (head, _) = latest(&app, &function).await?;
    let from = page.marker.as_deref().unwrap_or_default();
    let leads = |alias: &&ModuleAlias| match page.function_version.as_deref() {
        None => true,
        Some(LATEST) => alias.target().names(LATEST_NUMBER),
        Some(version) => version.parse().is_ok_and(|version| alias.target().names(version)),
    };
    let mut aliases = page.list()?;
    for alias in head.aliases().iter().filter(|alias| *alias.name >= *from).filter(leads) {
        if !aliases.has_room_for(&*alias.name) {
            break;
        }
        aliases.items.push(describe(&function, alias));
    }
    Ok(aliases.answer("Aliases"))
}

/// The alias as this change has put it, though another change may have come after it.
fn put_alias(function: &Function, changed: &ModuleChanged) -> Value {
    describe(function, changed.alias.as_ref().expect("an alias was put"))
}

fn find<'a>(head: &'a ModuleHead, function: &Function, alias: &str) -> Result<&'a ModuleAlias, LambdaError> {
    head.alias(alias).ok_or_else(|| LambdaError::no_alias(&function.qualified(alias)))
}

fn describe(function: &Function, alias: &ModuleAlias) -> Value {
    let target = alias.target();
    let mut answer = json!({
        "AliasArn": function.qualified(&alias.name),
        "Name": &*alias.name,
        "FunctionVersion": qualifier_of(target.version),
        "Description": alias.description.as_deref().unwrap_or_default(),
        "RevisionId": alias_revision(function, alias),
    });
    if let Some(also) = target.also {
        let weight = f64::from(also.weight) / f64::from(MODULE_WEIGHT_WHOLE);
        answer["RoutingConfig"] = json!({"AdditionalVersionWeights": {also.version.to_string(): weight}});
    }
    answer
}

fn alias_revision(function: &Function, alias: &ModuleAlias) -> String {
    let made = alias.moves.first().map(|made| made.at.to_string()).unwrap_or_default();
    revision_id(&[&function.arn, &alias.name, &made, &alias.revision.to_string()])
}

fn read(members: &mut Members, alias: &str, expected: Expected) -> Result<PutModuleAlias, LambdaError> {
    let version = match members.text("FunctionVersion")?.as_deref() {
        None => None,
        Some(LATEST) => Some(LATEST_NUMBER),
        Some(text) => match text.parse() {
            Ok(version @ 1..) => Some(version),
            Ok(0) | Err(_) => return Err(LambdaError::validation(text, "functionVersion", VERSION_PATTERN)),
        },
    };
    let also = match members.take("RoutingConfig") {
        None => None,
        Some(routing) => Some(share(&routing)?),
    };
    Ok(PutModuleAlias {
        alias: alias.to_owned(),
        expected,
        if_alias: None,
        description: members.description()?,
        version,
        also,
    })
}

/// The second version of a routing configuration; an empty one leaves none.
fn share(routing: &Value) -> Result<Option<ModuleShare>, LambdaError> {
    let empty = Map::new();
    let weights = match &routing["AdditionalVersionWeights"] {
        Value::Null => &empty,
        Value::Object(weights) => weights,
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(LambdaError::invalid("AdditionalVersionWeights must be a structure of numbers."));
        }
    };
    if weights.len() > 1 {
        return Err(LambdaError::invalid(
            "Number of items in AdditionalVersionWeights cannot be greater than 1",
        ));
    }
    let Some((version, weight)) = weights.iter().next() else { return Ok(None) };
    let number = version.parse().ok().filter(|version| *version > 0);
    let number = number.ok_or_else(|| {
        LambdaError::validation(version, "additionalVersionWeights", "regular expression pattern: [0-9]+")
    })?;
    let millionths = weight.as_f64().and_then(weight_millionths);
    let weight = millionths.ok_or_else(|| {
        LambdaError::validation(&weight.to_string(), "additionalVersionWeights", "value between 0.0 and 1.0")
    })?;
    Ok(Some(ModuleShare { version: number, weight }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_has_one_more_version_or_none() {
        let share = |routing: Value| share(&json!({"AdditionalVersionWeights": routing}));
        assert_eq!(share(json!({"2": 0.25})).unwrap(), Some(ModuleShare { version: 2, weight: 250_000 }));
        assert_eq!(share(json!({})).unwrap(), None);
        for wrong in
            [json!({"2": 0.1, "3": 0.1}), json!({"x": 0.1}), json!({"2": 1.1}), json!({"2": "a"}), json!(1)]
        {
            assert!(share(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
