//! Tags of functions.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{Request, StatusCode};
use engine::ModuleChange;
use engine::arn::FunctionArn;
use engine::shard::TAGS_MAX;
use serde_json::{Map, Value, json};
use store::{ModuleHead, ModuleRecord, Store};

use super::answers::latest;
use super::error::LambdaError;
use super::functions::change;
use super::members::Members;
use super::names::Function;
use crate::api::tag_problem;
use crate::app::App;

/// AWS: characters of a tag's key and of its value.
const KEY_CHARACTERS_MAX: usize = 128;
const VALUE_CHARACTERS_MAX: usize = 256;
/// AWS: what has tags.
const RESOURCE_PATTERN: &str = r"regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:[a-z]{2}(-gov)?-[a-z]+-\d{1}:\d{12}:function:[a-zA-Z0-9-_]+(:(\$LATEST|[a-zA-Z0-9-_]+))?";

type Tags = Vec<(String, String)>;

/// `TagResource`: a tag whose key is there gets the new value.
pub(super) async fn add<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(arn): Path<String>,
    request: Request<Body>,
) -> Result<StatusCode, LambdaError> {
    let function = resource(&app, &arn)?;
    let mut members = Members::read(request.into_body()).await?;
    let told = read(&mut members)?.filter(|tags| !tags.is_empty());
    let told = told.ok_or_else(|| LambdaError::invalid("Tags must have at least one tag."))?;
    members.end()?;
    let mut tags = from_before(&app, &function).await?;
    tags.extend(told);
    change(&app, &function, ModuleChange::Tag(tags), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `UntagResource`: one that is not there is removed.
pub(super) async fn remove<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(arn): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<StatusCode, LambdaError> {
    let function = resource(&app, &arn)?;
    let keys = query.into_iter().filter(|(name, _)| name == "tagKeys").map(|(_, key)| key);
    let keys: Vec<String> = keys.collect();
    if keys.is_empty() {
        return Err(LambdaError::validation("null", "tagKeys", "constraint: not null"));
    }
    let tags = from_before(&app, &function).await?;
    if !tags.is_empty() {
        change(&app, &function, ModuleChange::Tag(tags), None).await?;
    }
    change(&app, &function, ModuleChange::Untag(keys), None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `ListTags`.
pub(super) async fn list<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(arn): Path<String>,
) -> Result<Json<Value>, LambdaError> {
    let function = resource(&app, &arn)?;
    let (head, record) = latest(&app, &function).await?;
    Ok(Json(json!({"Tags": answer(of(&head, &record))})))
}

/// Takes `Tags` out of the members of a request.
pub(super) fn read(members: &mut Members) -> Result<Option<Tags>, LambdaError> {
    let Some(told) = members.take("Tags") else { return Ok(None) };
    let Value::Object(told) = told else {
        return Err(LambdaError::invalid("Tags must be a structure of strings."));
    };
    if told.len() > TAGS_MAX {
        return Err(LambdaError::too_many_tags());
    }
    let tag = |(key, value): (String, Value)| match value {
        Value::String(value) => match problem(&key, &value) {
            None => Ok((key, value)),
            Some(problem) => Err(LambdaError::invalid(format!("Tags: {problem}"))),
        },
        _ => Err(LambdaError::invalid(format!("Tags: '{key}' must have a string."))),
    };
    told.into_iter().map(tag).collect::<Result<_, _>>().map(Some)
}

fn problem(key: &str, value: &str) -> Option<String> {
    if !(1..=KEY_CHARACTERS_MAX).contains(&key.chars().count()) {
        return Some(format!("The tag key '{key}' must have 1 to {KEY_CHARACTERS_MAX} characters."));
    }
    if value.chars().count() > VALUE_CHARACTERS_MAX {
        return Some(format!(
            "The value of the tag '{key}' may have {VALUE_CHARACTERS_MAX} characters at most."
        ));
    }
    tag_problem(&[], key, value)
}

/// The tags of a function.
pub(super) fn of(head: &ModuleHead, record: &ModuleRecord) -> Tags {
    head.tags.clone().unwrap_or_else(|| of_configuration(record))
}

/// Tags in the configuration, where they were kept before functions had them on their own.
fn of_configuration(record: &ModuleRecord) -> Tags {
    let told = record.configuration.as_ref().and_then(|told| told.value()["Tags"].as_object());
    let tag = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
    told.into_iter().flatten().filter_map(tag).collect()
}

/// The tags of a function that has none on its own yet.
async fn from_before<S: Store + Clone>(app: &App<S>, function: &Function) -> Result<Tags, LambdaError> {
    let (head, record) = latest(app, function).await?;
    Ok(if head.tags.is_some() { Vec::new() } else { of_configuration(&record) })
}

pub(super) fn answer(tags: Tags) -> Value {
    tags.into_iter().map(|(key, value)| (key, json!(value))).collect::<Map<_, _>>().into()
}

/// What an ARN names. Only a function as a whole has tags.
fn resource<S: Store + Clone>(app: &App<S>, arn: &str) -> Result<Function, LambdaError> {
    let parsed = FunctionArn::parse(arn);
    let parsed = parsed.map_err(|_| LambdaError::validation(arn, "resource", RESOURCE_PATTERN))?;
    if parsed.qualifier().is_some() {
        return Err(LambdaError::invalid(
            "Tags on function aliases and versions are not supported. Please specify either a function, code signing \
             config, or event source mapping ARN.",
        ));
    }
    Function::parse_unqualified(app, arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_body(body: &Value) -> Result<Option<Tags>, LambdaError> {
        read(&mut Members::parse(body.to_string().as_bytes()).unwrap())
    }

    #[test]
    fn tags_of_before_are_in_the_configuration() {
        let configuration = asl::Data::parse(r#"{"Role": "r", "Tags": {"team": "red"}}"#).unwrap();
        let record = ModuleRecord {
            digest: "sha256:00".into(),
            size_bytes: 1,
            exports: Vec::new(),
            created_at: asl::Timestamp::from_milliseconds(0),
            description: None,
            manifest: None,
            configuration: Some(configuration),
            package_digest: None,
        };
        let head = |tags| ModuleHead { latest_version: 1, pointers: None, tags };
        assert_eq!(answer(of(&head(None), &record)), json!({"team": "red"}));
        assert_eq!(answer(of(&head(Some(Vec::new())), &record)), json!({}), "all were removed");
    }

    #[test]
    fn tags_are_texts_within_their_limits() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let told = read_body(&json!({"Tags": {"team": "red", "größe": "", "a b_.:/=+-@1": "x"}})).unwrap();
        assert_eq!(told, Some(vec![pair("team", "red"), pair("größe", ""), pair("a b_.:/=+-@1", "x")]));
        assert_eq!(read_body(&json!({})).unwrap(), None);
        let many = |count: usize| (0..count).map(|number| (format!("k{number}"), json!(""))).collect();
        let many = |count: usize| json!({"Tags": Value::Object(many(count))});
        assert!(read_body(&many(TAGS_MAX)).is_ok());
        for (tags, expected) in [
            (many(TAGS_MAX + 1), "exceeds resource tag limit"),
            (json!({"Tags": ["team"]}), "structure of strings"),
            (json!({"Tags": {"team": 1}}), "'team' must have a string"),
            (json!({"Tags": {"": "x"}}), "must have 1 to 128"),
            (json!({"Tags": {"x".repeat(129): "x"}}), "must have 1 to 128"),
            (json!({"Tags": {"team": "x".repeat(257)}}), "256 characters at most"),
            (json!({"Tags": {"aws:team": "x"}}), "are reserved"),
            (json!({"Tags": {"a*b": "x"}}), "other characters"),
        ] {
            let error = format!("{:?}", read_body(&tags).unwrap_err());
            assert!(error.contains(expected), "{tags}: {error}");
        }
    }
}
