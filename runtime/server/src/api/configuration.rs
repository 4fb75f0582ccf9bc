//! The configurations of a state machine or activity, read and completed with AWS's defaults.

use asl::Data;
use engine::Publish;
use engine::shard::TAGS_MAX;
use serde_json::{Value, json};

use super::error::ApiError;
use super::fields::{Fields, TextRule};

/// AWS service model: how long a data key of a customer managed key is used.
const DATA_KEY_SECONDS_MIN: u32 = 60;
const DATA_KEY_SECONDS_MAX: u32 = 900;

/// The configurations as they are stored: none where the request has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Configuration {
    pub(crate) logging: Option<Data>,
    pub(crate) tracing: Option<Data>,
    pub(crate) encryption: Option<Data>,
}

impl Configuration {
    pub(crate) fn read(fields: &mut Fields) -> Result<Configuration, ApiError> {
        Ok(Configuration {
            logging: logging(fields)?,
            tracing: tracing(fields)?,
            encryption: encryption(fields)?,
        })
    }

    /// Leaves out what says no more than the default, so that a machine with the default written out is the same
    /// as one without.
    pub(crate) fn without_defaults(self) -> Configuration {
        let unless = |data: Option<Data>, default: Value| data.filter(|data| *data.value() != default);
        Configuration {
            logging: unless(self.logging, logging_default()),
            tracing: unless(self.tracing, tracing_default()),
            encryption: unless(self.encryption, encryption_default()),
        }
    }

    /// The configurations as an update has them: outside none where the request has none, within none for the
    /// default.
    pub(crate) fn into_changes(self) -> (Change, Change, Change) {
        let (logging, tracing, encryption) =
            (self.logging.is_some(), self.tracing.is_some(), self.encryption.is_some());
        let plain = self.without_defaults();
        (
            logging.then_some(plain.logging),
            tracing.then_some(plain.tracing),
            encryption.then_some(plain.encryption),
        )
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Configuration::default()
    }
}

pub(crate) type Change = Option<Option<Data>>;

/// `publish` and `versionDescription`, the latter only with the former.
pub(crate) fn publish(fields: &mut Fields) -> Result<Option<Publish>, ApiError> {
    let publish = fields.flag("publish")?.unwrap_or(false);
    let description = fields.text("versionDescription", TextRule::DESCRIPTION)?;
    if description.is_some() && !publish {
        fields.refuse(ApiError::validation("Version description can only be set when publish is true"));
    }
    Ok(publish.then_some(Publish { description }))
}

pub(crate) fn logging_default() -> Value {
    json!({"level": "OFF", "includeExecutionData": false})
}

pub(crate) fn tracing_default() -> Value {
    json!({"enabled": false})
}

pub(crate) fn encryption_default() -> Value {
    json!({"type": "AWS_OWNED_KEY"})
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    All,
    Error,
    Fatal,
    Off,
}

fn logging(fields: &mut Fields) -> Result<Option<Data>, ApiError> {
    const LEVELS: &[(&str, Level)] =
        &[("ALL", Level::All), ("ERROR", Level::Error), ("FATAL", Level::Fatal), ("OFF", Level::Off)];
    let Some(mut logging) = fields.structure("loggingConfiguration")? else { return Ok(None) };
    let level = logging.choice("level", LEVELS)?.unwrap_or(Level::Off);
    let include = logging.flag("includeExecutionData")?.unwrap_or(false);
    let destinations = match logging.list("destinations")? {
        Some(list) => {
            let list: Result<Vec<_>, _> =
                list.into_iter().map(|member| destination(member, fields)).collect();
            Some(list?)
        }
        None => None,
    };
    fields.absorb(logging);
    let count = destinations.as_ref().map_or(0, Vec::len);
    if count > 1 || (count == 0 && level != Level::Off) {
        const MESSAGE: &str = "Invalid Logging Configuration: Must specify exactly one Log Destination.";
        fields.refuse(ApiError::new("InvalidLoggingConfiguration", MESSAGE));
    }
    let level = LEVELS.iter().find(|(_, found)| *found == level).map_or("OFF", |(name, _)| name);
    let mut value = json!({"level": level, "includeExecutionData": include});
    if let Some(destinations) = destinations {
        value["destinations"] = destinations.into();
    }
    Ok(Some(value.into()))
}

fn destination(mut member: Fields, fields: &mut Fields) -> Result<Value, ApiError> {
    let mut value = json!({});
    if let Some(mut group) = member.structure("cloudWatchLogsLogGroup")? {
        let arn = group.text("logGroupArn", TextRule::ARN)?;
        member.absorb(group);
        value = json!({"cloudWatchLogsLogGroup": {"logGroupArn": arn}});
    }
    fields.absorb(member);
    Ok(value)
}

fn tracing(fields: &mut Fields) -> Result<Option<Data>, ApiError> {
    let Some(mut tracing) = fields.structure("tracingConfiguration")? else { return Ok(None) };
    let enabled = tracing.flag("enabled")?.unwrap_or(false);
    Ok(Some(json!({"enabled": enabled}).into()))
}

/// Also for activities.
pub(crate) fn encryption(fields: &mut Fields) -> Result<Option<Data>, ApiError> {
    let Some(mut encryption) = fields.structure("encryptionConfiguration")? else { return Ok(None) };
    let owned = encryption
        .required_choice("type", &[("AWS_OWNED_KEY", true), ("CUSTOMER_MANAGED_KMS_KEY", false)])?
        .unwrap_or(true);
    let key = encryption.text("kmsKeyId", TextRule::KEY_ID)?;
    encryption.integer("kmsDataKeyReusePeriodSeconds", DATA_KEY_SECONDS_MIN, DATA_KEY_SECONDS_MAX)?;
    fields.absorb(encryption);
    let refusal = match (owned, key) {
        (false, _) => Some("Stepwell has no customer managed keys; use the type AWS_OWNED_KEY."),
        (true, Some(_)) => {
            Some("kmsKeyId is for the type CUSTOMER_MANAGED_KMS_KEY, which Stepwell does not have.")
        }
        (true, None) => None,
    };
    if let Some(refusal) = refusal {
        let message = format!("Invalid Encryption Configuration: {refusal}");
        fields.refuse(ApiError::new("InvalidEncryptionConfiguration", message));
    }
    Ok(Some(encryption_default().into()))
}

/// `tags` of a new resource.
pub(crate) fn tags(fields: &mut Fields) -> Result<Vec<(String, String)>, ApiError> {
    let tags = read_tags(fields)?;
    if tags.len() > TAGS_MAX {
        fields.refuse(ApiError::too_many_tags(None));
    }
    Ok(tags)
}

fn read_tags(fields: &mut Fields) -> Result<Vec<(String, String)>, ApiError> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for mut tag in fields.list("tags")?.unwrap_or_default() {
        let key = tag.required_text("key", TextRule::TAG_KEY)?;
        let value = tag.text("value", TextRule::of(0, 256))?.unwrap_or_default();
        fields.absorb(tag);
        if let Some(problem) = tag_problem(&tags, &key, &value) {
            fields.refuse(ApiError::validation(problem));
        }
        tags.push((key, value));
    }
    Ok(tags)
}

/// What is wrong with a tag, also beside those before it.
pub(crate) fn tag_problem(before: &[(String, String)], key: &str, value: &str) -> Option<String> {
    if key.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:")) {
        return Some("Tag keys that begin with 'aws:' are reserved.".to_owned());
    }
    if let Some(text) = [key, value].into_iter().find(|text| !text.chars().all(is_tag_character)) {
        return Some(format!(
            "The tag text '{text}' has other characters than letters, digits, white space and _ . : / = + - @."
        ));
    }
    let is_known = before.iter().any(|(known, _)| known == key);
    is_known.then(|| format!("The tag key '{key}' is given more than once."))
}

/// `tags` that a resource gets in addition; how many it may have the engine knows.
pub(crate) fn added_tags(fields: &mut Fields) -> Result<Vec<(String, String)>, ApiError> {
    fields.require("tags");
    read_tags(fields)
}

/// AWS: letters and digits of every language, white space, and a few signs.
fn is_tag_character(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "_.:/=+-@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &Value) -> Result<Configuration, ApiError> {
        let mut fields = Fields::parse(body.to_string().as_bytes())?;
        let configuration = Configuration::read(&mut fields)?;
        fields.finish()?;
        Ok(configuration)
    }

    fn check_logging(logging: &Value, expected: &str) {
        let actual = match read(&json!({"loggingConfiguration": logging})) {
            Ok(configuration) => configuration.logging.unwrap().text().to_owned(),
            Err(error) => error.message().to_owned(),
        };
        assert_eq!(actual, expected);
    }

    #[test]
    fn logging_is_completed_and_has_one_destination() {
        const ONE: &str = "Invalid Logging Configuration: Must specify exactly one Log Destination.";
        let group = json!({"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:r:1:log-group:g:*"}});
        check_logging(&json!({}), r#"{"level":"OFF","includeExecutionData":false}"#);
        check_logging(
            &json!({"destinations": []}),
            r#"{"level":"OFF","includeExecutionData":false,"destinations":[]}"#,
        );
        check_logging(&json!({"level": "ALL"}), ONE);
        check_logging(&json!({"level": "ERROR", "destinations": []}), ONE);
        check_logging(&json!({"level": "ALL", "destinations": [group, group]}), ONE);
        check_logging(
            &json!({"level": "ALL", "includeExecutionData": true, "destinations": [group]}),
            "{\"level\":\"ALL\",\"includeExecutionData\":true,\"destinations\":[{\"cloudWatchLogsLogGroup\":\
             {\"logGroupArn\":\"arn:aws:logs:r:1:log-group:g:*\"}}]}",
        );
    }

    #[test]
    fn the_default_written_out_is_the_default() {
        let body = json!({
            "loggingConfiguration": {"level": "OFF"},
            "tracingConfiguration": {"enabled": false},
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        });
        let configuration = read(&body).unwrap();
        assert!(!configuration.is_empty());
        assert!(configuration.without_defaults().is_empty());
        let traced = read(&json!({"tracingConfiguration": {"enabled": true}})).unwrap().without_defaults();
        assert_eq!(traced.tracing, Some(json!({"enabled": true}).into()));
    }

    #[test]
    fn keys_of_the_customer_are_refused() {
        let error =
            read(&json!({"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY"}})).unwrap_err();
        assert_eq!(error.code(), "InvalidEncryptionConfiguration");
    }

    #[test]
    fn tags_have_their_characters() {
        let check = |key: &str, value: &str, expected: &str| {
            let body = json!({"tags": [{"key": key, "value": value}]}).to_string();
            let mut fields = Fields::parse(body.as_bytes()).unwrap();
            let read = tags(&mut fields).and_then(|_| fields.finish());
            let actual = read.map_or_else(|error| error.message().to_owned(), |()| "ok".to_owned());
            assert_eq!(actual, expected);
        };
        check("größe 1", "a_b.c:d/e=f+g-h@i", "ok");
        check("k", "", "ok");
        check("aws:k", "v", "Tag keys that begin with 'aws:' are reserved.");
        check("AWS:k", "v", "Tag keys that begin with 'aws:' are reserved.");
        check("aw", "s:", "ok");
        check(
            "k",
            "a*b",
            "The tag text 'a*b' has other characters than letters, digits, white space and _ . : / = + - @.",
        );
        check(
            "",
            "v",
            "1 validation error detected: Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must \
             have length greater than or equal to 1",
        );
    }

    #[test]
    fn a_resource_has_at_most_fifty_tags() {
        let check = |count: usize| {
            let list: Vec<_> = (0..count).map(|n| json!({"key": format!("k{n}"), "value": "v"})).collect();
            let mut fields = Fields::parse(json!({"tags": list}).to_string().as_bytes()).unwrap();
            let count = tags(&mut fields).unwrap().len();
            fields.finish().map(|()| count).map_err(|error| error.code())
        };
        assert_eq!(check(50), Ok(50));
        assert_eq!(check(51), Err("TooManyTags"));
    }
}
