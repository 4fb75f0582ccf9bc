//! The members of a request's body: JSON in the shapes of AWS's service model.

use axum::body::Body;
use serde_json::{Map, Value};

use super::error::LambdaError;
use crate::api;
use crate::limits::MODULE_DESCRIPTION_CHARACTERS_MAX;

/// A body whose members are taken out one by one.
#[derive(Debug, Default)]
pub(super) struct Members(Map<String, Value>);

impl Members {
    pub(super) async fn read(body: Body) -> Result<Members, LambdaError> {
        Members::parse(&api::read_body(body).await?)
    }

    pub(super) fn parse(body: &[u8]) -> Result<Members, LambdaError> {
        if body.is_empty() {
            return Ok(Members::default());
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Members(members)),
            Ok(_) => Err(serialization("it is no object")),
            Err(error) => Err(serialization(&error.to_string())),
        }
    }

    /// A member that may be absent.
    pub(super) fn take(&mut self, member: &str) -> Option<Value> {
        self.0.shift_remove(member).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, member: &str) -> Result<Option<String>, LambdaError> {
        match self.take(member) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => {
                Err(serialization(&format!("{member} must be a string, and not {}", kind(&other))))
            }
        }
    }

    pub(super) fn flag(&mut self, member: &str) -> Result<bool, LambdaError> {
        match self.take(member) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(other) => {
                Err(serialization(&format!("{member} must be a boolean, and not {}", kind(&other))))
            }
        }
    }

    /// The revision that must be the current one, if one must.
    pub(super) fn revision(&mut self) -> Result<Option<String>, LambdaError> {
        Ok(self.text("RevisionId")?.filter(|revision| !revision.is_empty()))
    }

    pub(super) fn description(&mut self) -> Result<Option<String>, LambdaError> {
        let text = self.text("Description")?;
        match &text {
            Some(long) if long.chars().count() > MODULE_DESCRIPTION_CHARACTERS_MAX => {
                let constraint = format!("length less than or equal to {MODULE_DESCRIPTION_CHARACTERS_MAX}");
                Err(LambdaError::validation(long, "description", &constraint))
            }
            _ => Ok(text),
        }
    }

    /// Refuses what nobody has taken, unless it says nothing.
    pub(super) fn end(self) -> Result<(), LambdaError> {
        match self.0.into_iter().find(|(_, value)| !says_nothing(value)) {
            None => Ok(()),
            Some((member, _)) => Err(LambdaError::invalid(format!(
                "{member} is not supported here: a function is a WebAssembly component. Leave it out."
            ))),
        }
    }
}

/// Whether a value is a default that tools send though nobody asked for it.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(says_nothing),
        Value::Object(members) => members.values().all(says_nothing),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a structure",
    }
}

fn serialization(what: &str) -> LambdaError {
    LambdaError::new(
        axum::http::StatusCode::BAD_REQUEST,
        "SerializationException",
        format!("Could not read the body of the request: {what}."),
    )
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    #[test]
    fn what_is_not_supported_is_named_unless_it_says_nothing() {
        let end = |body: &str| Members::parse(body.as_bytes()).unwrap().end();
        assert!(
            end(r#"{"VpcConfig": {"SubnetIds": [], "Ipv6": false}, "Layers": [], "KMSKeyArn": ""}"#).is_ok()
        );
        let error = end(r#"{"Layers": ["arn"]}"#).unwrap_err();
        assert!(format!("{error:?}").contains("Layers is not supported"), "{error:?}");
    }

    #[test]
    fn members_have_their_types() {
        for body in ["[]", "{", r#"{"Description": 1}"#] {
            let read = Members::parse(body.as_bytes()).and_then(|mut members| members.description());
            assert_eq!(read.unwrap_err().into_response().status().as_u16(), 400, "{body}");
        }
        let long = format!(r#"{{"Description": "{}"}}"#, "x".repeat(257));
        assert!(Members::parse(long.as_bytes()).unwrap().description().is_err());
        assert_eq!(Members::parse(b"").unwrap().text("a").unwrap(), None);
    }
}
