//! What Lambda's clients say about a function besides its code. Limits are held to; the rest is kept and told again, for
//! tools that compare.

use asl::Data;
use serde_json::{Map, Value, json};

use super::error::LambdaError;
use super::members::Members;

/// AWS: seconds that a function may be given.
const TIMEOUT_SECONDS_MAX: u64 = 900;
/// AWS: MiB that a function may be given.
const MEMORY_MIB_MIN: u64 = 128;
const MEMORY_MIB_MAX: u64 = 10_240;
/// AWS: the names and values of a function's variables together.
const ENVIRONMENT_BYTES_MAX: usize = 4 << 10;

/// Texts that are kept as they are told.
const TEXTS: [&str; 3] = ["Role", "Runtime", "Handler"];
/// Members of which only the default is supported, with that default.
const FIXED: [(&str, &str, &str); 4] = [
    ("TracingConfig", "Mode", "PassThrough"),
    ("SnapStart", "ApplyOn", "None"),
    ("EphemeralStorage", "Size", "512"),
    ("LoggingConfig", "LogFormat", "Text"),
];

/// Takes the configuration out of the members of a request; what is not told stays as it was.
pub(super) fn read(members: &mut Members, existing: Option<&Data>) -> Result<Data, LambdaError> {
    let mut told = match existing.map(Data::value) {
        Some(Value::Object(existing)) => existing.clone(),
        Some(_) | None => Map::new(),
    };
    if let Some(description) = members.description()? {
        told.insert("Description".to_owned(), json!(description));
    }
    for member in TEXTS {
        if let Some(text) = members.text(member)? {
            told.insert(member.to_owned(), json!(text));
        }
    }
    let limits = [("Timeout", 1, TIMEOUT_SECONDS_MAX), ("MemorySize", MEMORY_MIB_MIN, MEMORY_MIB_MAX)];
    for (member, min, max) in limits {
        if let Some(value) = members.take(member) {
            told.insert(member.to_owned(), json!(within(member, &value, min, max)?));
        }
    }
    for (member, part, default) in FIXED {
        let Some(value) = members.take(member) else { continue };
        let told = value[part].as_str().map_or_else(|| value[part].to_string(), str::to_owned);
        if !value[part].is_null() && told != default {
            return Err(LambdaError::invalid(format!("{member}: only {part} {default} is supported here.")));
        }
    }
    if let Some(architectures) = members.take("Architectures") {
        told.insert("Architectures".to_owned(), architectures);
    }
    if let Some(environment) = members.take("Environment") {
        told.insert("Environment".to_owned(), json!({"Variables": variables(&environment)?}));
    }
    Ok(Data::from(Value::Object(told)))
}

/// What a function shall find in its environment, as AWS lets it be told; the operator's policy bounds it when it is called.
fn variables(environment: &Value) -> Result<Map<String, Value>, LambdaError> {
    let variables = match &environment["Variables"] {
        Value::Object(variables) => variables.clone(),
        Value::Null => Map::new(),
        _ => return Err(LambdaError::invalid("Environment.Variables must be a structure of strings.")),
    };
    let mut size = 0;
    for (name, value) in &variables {
        let is_name = name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        let Some(text) = value.as_str().filter(|text| is_name && !text.contains('\0')) else {
            return Err(LambdaError::invalid(format!(
                "Environment.Variables: '{name}' must have a string, and a name of at least two letters, digits and \
                 underscores that begins with a letter."
            )));
        };
        size += name.len() + text.len();
    }
    if size > ENVIRONMENT_BYTES_MAX {
        return Err(LambdaError::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             exceeded the 4KB limit. They have {size} bytes."
        )));
    }
    Ok(variables)
}

fn within(member: &str, value: &Value, min: u64, max: u64) -> Result<u64, LambdaError> {
    match value.as_u64() {
        Some(number) if (min..=max).contains(&number) => Ok(number),
        Some(number) if number > max => Err(LambdaError::validation(
            &number.to_string(),
            &camel(member),
            &format!("value less than or equal to {max}"),
        )),
        _ => Err(LambdaError::validation(
            &value.to_string(),
            &camel(member),
            &format!("value greater than or equal to {min}"),
        )),
    }
}

/// A member as AWS's messages write it.
fn camel(member: &str) -> String {
    let mut letters = member.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(body: &Value) -> Members {
        Members::parse(body.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn what_is_not_told_stays() {
        let first = json!({"Description": "one", "Timeout": 3, "Role": "r", "TracingConfig": {"Mode": "PassThrough"}});
        let first = read(&mut members(&first), None).unwrap();
        assert_eq!(*first.value(), json!({"Description": "one", "Role": "r", "Timeout": 3}));
        let second = read(&mut members(&json!({"Timeout": 5, "MemorySize": 256})), Some(&first)).unwrap();
        let expected = json!({"Description": "one", "Role": "r", "Timeout": 5, "MemorySize": 256});
        assert_eq!(*second.value(), expected);
        let variables = json!({"Environment": {"Variables": {"MODE": "test"}}});
        let third = read(&mut members(&variables), Some(&second)).unwrap();
        assert_eq!(third.value()["Environment"], variables["Environment"]);
        let emptied = read(&mut members(&json!({"Environment": {}})), Some(&third)).unwrap();
        assert_eq!(emptied.value()["Environment"], json!({"Variables": {}}));
    }

    #[test]
    fn what_cannot_be_held_to_is_refused() {
        let check = |body: Value, expected: &str| {
            let error = format!("{:?}", read(&mut members(&body), None).unwrap_err());
            assert!(error.contains(expected), "{body}: {error}");
        };
        check(json!({"Timeout": 0}), "Value '0' at 'timeout'");
        check(json!({"Timeout": 901}), "less than or equal to 900");
        check(json!({"MemorySize": "large"}), "at 'memorySize'");
        check(json!({"TracingConfig": {"Mode": "Active"}}), "only Mode");
        check(json!({"EphemeralStorage": {"Size": 1024}}), "only Size 512");
        check(
            json!({"Environment": {"Variables": {"A": "b"}}}),
            "'A' must have a string, and a name of at least two",
        );
        check(json!({"Environment": {"Variables": {"MODE": 1}}}), "'MODE' must have a string");
        check(json!({"Environment": {"Variables": {"MODE": "x".repeat(4_093)}}}), "exceeded the 4KB limit");
    }
}
