//! The members of a request, read with the constraints of AWS's service model and refused in its words.
//!
//! A reader collects violations and goes on, as AWS does; [`Fields::finish`] answers with all of them. What was
//! read before it is only of use after it.

use serde_json::{Map, Value};

use super::error::ApiError;
use super::jackson;

/// The length that a text may have, in characters, and whether its value may be quoted in an error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextRule {
    characters_min: usize,
    characters_max: usize,
    secret: bool,
}

impl TextRule {
    pub(crate) const fn of(characters_min: usize, characters_max: usize) -> TextRule {
        TextRule { characters_min, characters_max, secret: false }
    }

    pub(crate) const fn secret(characters_min: usize, characters_max: usize) -> TextRule {
        TextRule { characters_min, characters_max, secret: true }
    }

    pub(crate) const ARN: TextRule = TextRule::of(1, 256);
    pub(crate) const LONG_ARN: TextRule = TextRule::of(1, 2_000);
    pub(crate) const NAME: TextRule = TextRule::of(1, 80);
    pub(crate) const DEFINITION: TextRule = TextRule::secret(1, asl::limits::DEFINITION_BYTES_MAX);
    pub(crate) const PAYLOAD: TextRule = TextRule::secret(0, asl::limits::PAYLOAD_BYTES_MAX);
    pub(crate) const ERROR: TextRule = TextRule::secret(0, asl::limits::ERROR_CHARACTERS_MAX);
    pub(crate) const CAUSE: TextRule = TextRule::secret(0, asl::limits::CAUSE_CHARACTERS_MAX);
    const TRACE_HEADER: TextRule = TextRule::of(0, 256);
    pub(crate) const STATE_NAME: TextRule = TextRule::secret(1, 80);
    pub(crate) const KEY_ID: TextRule = TextRule::of(1, 2_048);
    pub(crate) const DESCRIPTION: TextRule = TextRule::secret(0, 256);
    pub(crate) const TAG_KEY: TextRule = TextRule::of(1, 128);
    /// The model has no bound; ours is far above that of a UUID.
    pub(crate) const REVISION: TextRule = TextRule::of(0, 256);
    pub(crate) const CLIENT_TOKEN: TextRule = TextRule::of(1, 64);
    pub(crate) const TASK_TOKEN: TextRule = TextRule::secret(1, 2_048);
    pub(crate) const PAGE_TOKEN: TextRule = TextRule::of(1, 1_024);
    pub(crate) const EXECUTIONS_PAGE_TOKEN: TextRule = TextRule::of(1, 3_096);
}

/// The members of one request.
#[derive(Debug)]
pub(crate) struct Fields {
    members: Map<String, Value>,
    /// Where the members are in the request, for members of members: `loggingConfiguration.`.
    path: String,
    violations: Vec<String>,
    /// What is wrong beyond the constraints; AWS tells it only where they hold.
    refusal: Option<ApiError>,
}

impl Fields {
    /// The members of a request that a task makes.
    pub(crate) fn of(members: Map<String, Value>) -> Fields {
        Fields::new(members, String::new())
    }

    /// Reads a body. An empty one is a request without members, as some clients send it.
    pub(crate) fn parse(body: &[u8]) -> Result<Fields, ApiError> {
        if body.is_empty() {
            return Ok(Fields::new(Map::new(), String::new()));
        }
        let text = std::str::from_utf8(body)
            .map_err(|_| ApiError::serialization("The request body is not valid UTF-8."))?;
        match serde_json::from_str(text) {
            Ok(Value::Object(members)) => Ok(Fields::new(members, String::new())),
            Ok(_) => Err(ApiError::serialization("The request body must be a JSON object.")),
            Err(_) => {
                let reason = jackson::explain(text);
                Err(ApiError::serialization(format!("The request body is not valid JSON: {reason}")))
            }
        }
    }

    fn new(members: Map<String, Value>, path: String) -> Fields {
        Fields { members, path, violations: Vec::new(), refusal: None }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, name: &str, rule: TextRule) -> Result<Option<String>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::String(text) = value else { return Err(wrong_type(&value, "String")) };
        let length = text.chars().count();
        let value = if rule.secret { String::new() } else { format!(" '{text}'") };
        if length < rule.characters_min {
            self.violate(
                name,
                &value,
                &format!("have length greater than or equal to {}", rule.characters_min),
            );
        }
        if length > rule.characters_max {
            self.violate(name, &value, &format!("have length less than or equal to {}", rule.characters_max));
        }
        Ok(Some(text))
    }

    pub(crate) fn required_text(&mut self, name: &str, rule: TextRule) -> Result<String, ApiError> {
        let text = self.text(name, rule)?;
        if text.is_none() {
            self.violate(name, " null", "not be null");
        }
        Ok(text.unwrap_or_default())
    }

    /// A text whose characters the model restricts too. A text of a wrong length is refused for that alone.
    pub(crate) fn required_pattern(
        &mut self,
        name: &str,
        rule: TextRule,
        pattern: &str,
        matches: impl FnOnce(&str) -> bool,
    ) -> Result<String, ApiError> {
        let before = self.violations.len();
        let text = self.required_text(name, rule)?;
        if self.violations.len() == before && !matches(&text) {
            self.mismatch(name, &text, pattern);
        }
        Ok(text)
    }

    /// A text that need not be there, of characters that the model restricts.
    pub(crate) fn pattern(
        &mut self,
        name: &str,
        rule: TextRule,
        pattern: &str,
        matches: impl FnOnce(&str) -> bool,
    ) -> Result<Option<String>, ApiError> {
        let before = self.violations.len();
        let text = self.text(name, rule)?;
        if let Some(text) = text.as_deref().filter(|_| self.violations.len() == before)
            && !matches(text)
        {
            self.mismatch(name, text, pattern);
        }
        Ok(text)
    }

    fn mismatch(&mut self, name: &str, text: &str, pattern: &str) {
        self.violate(name, &format!(" '{text}'"), &format!("satisfy regular expression pattern: {pattern}"));
    }

    /// A list of structures of which there must be so many.
    pub(crate) fn bounded_list(
        &mut self,
        name: &str,
        min: usize,
        max: usize,
    ) -> Result<Option<Vec<Fields>>, ApiError> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        // AWS quotes the list; its members are quoted where they are wrong.
        if list.len() < min {
            self.violate(name, "", &format!("have length greater than or equal to {min}"));
        }
        if list.len() > max {
            self.violate(name, "", &format!("have length less than or equal to {max}"));
        }
        Ok(Some(list))
    }

    /// Notes that a member is missing, if it is.
    pub(crate) fn require(&mut self, name: &str) {
        if self.members.get(name).is_none_or(Value::is_null) {
            self.missing(name);
        }
    }

    /// A list of texts, which must be given.
    pub(crate) fn required_texts(&mut self, name: &str, rule: TextRule) -> Result<Vec<String>, ApiError> {
        self.require(name);
        let members = match self.take(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(members)) => members,
            Some(_) => return Err(ApiError::serialization("Expected a list but found another type.")),
        };
        let named = members.into_iter().zip(1..);
        let members = named.map(|(member, number)| (format!("{number}.member"), member)).collect();
        let mut list = Fields::new(members, format!("{}{name}.", self.path));
        let mut texts = Vec::new();
        for number in 1..=list.members.len() {
            texts.push(list.required_text(&format!("{number}.member"), rule)?);
        }
        self.absorb(list);
        Ok(texts)
    }

    /// `traceHeader` of a start.
    pub(crate) fn trace_header(&mut self) -> Result<Option<String>, ApiError> {
        self.pattern("traceHeader", TextRule::TRACE_HEADER, r"\p{ASCII}*", str::is_ascii)
    }

    /// Notes that a member is missing.
    pub(crate) fn missing(&mut self, name: &str) {
        self.violate(name, " null", "not be null");
    }

    /// One of several words, which must be given.
    pub(crate) fn required_choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ApiError> {
        self.require(name);
        self.choice(name, choices)
    }

    /// One of several words. The list is in the order in which AWS quotes it.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::String(text) = value else { return Err(wrong_type(&value, "String")) };
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
            let rule = format!("satisfy enum value set: [{}]", words.join(", "));
            self.violate(name, &format!(" '{text}'"), &rule);
        }
        Ok(found)
    }

    pub(crate) fn integer(&mut self, name: &str, min: u32, max: u32) -> Result<Option<u32>, ApiError> {
        self.whole_number(name, "Integer", min, max)
    }

    /// What the model has as a long, of which we take as much as an integer holds.
    pub(crate) fn long(&mut self, name: &str, min: u32, max: u32) -> Result<Option<u32>, ApiError> {
        self.whole_number(name, "Long", min, max)
    }

    fn whole_number(&mut self, name: &str, of: &str, min: u32, max: u32) -> Result<Option<u32>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Value::Number(number) = &value else { return Err(wrong_type(&value, of)) };
        let integer = number.as_i64().or_else(|| number.as_u64().map(|_| i64::MAX));
        let Some(integer) = integer else { return Err(wrong_type(&value, of)) };
        let value = format!(" '{number}'");
        if integer < i64::from(min) {
            self.violate(name, &value, &format!("have value greater than or equal to {min}"));
        }
        if integer > i64::from(max) {
            self.violate(name, &value, &format!("have value less than or equal to {max}"));
        }
        Ok(u32::try_from(integer).ok())
    }

    pub(crate) fn required_integer(&mut self, name: &str, min: u32, max: u32) -> Result<u32, ApiError> {
        self.require(name);
        Ok(self.integer(name, min, max)?.unwrap_or_default())
    }

    pub(crate) fn number(&mut self, name: &str, min: f64, max: f64) -> Result<Option<f64>, ApiError> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let Some(number) = value.as_f64() else { return Err(wrong_type(&value, "Float")) };
        let value = format!(" '{value}'");
        if number < min {
            self.violate(name, &value, &format!("have value greater than or equal to {min}"));
        }
        if number > max {
            self.violate(name, &value, &format!("have value less than or equal to {max}"));
        }
        Ok(Some(number))
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(wrong_type(&other, "Boolean")),
        }
    }

    /// A structure, to be read like the request itself and given back to [`Fields::absorb`].
    pub(crate) fn structure(&mut self, name: &str) -> Result<Option<Fields>, ApiError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Fields::new(members, format!("{}{name}.", self.path)))),
            Some(_) => Err(ApiError::serialization("Expected a structure but found another type.")),
        }
    }

    /// A list of structures. AWS counts the members of a list from 1.
    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<Fields>>, ApiError> {
        let members = match self.take(name) {
            None => return Ok(None),
            Some(Value::Array(members)) => members,
            Some(_) => return Err(ApiError::serialization("Expected a list but found another type.")),
        };
        let numbered = members.into_iter().zip(1..);
        let member = |(member, number): (Value, usize)| match member {
            Value::Object(members) => {
                Ok(Fields::new(members, format!("{}{name}.{number}.member.", self.path)))
            }
            _ => Err(ApiError::serialization("Expected a structure but found another type.")),
        };
        numbered.map(member).collect::<Result<_, _>>().map(Some)
    }

    /// Takes over the violations of a structure that was read.
    pub(crate) fn absorb(&mut self, inner: Fields) {
        self.violations.extend(inner.violations);
        self.refusal = self.refusal.take().or(inner.refusal);
    }

    /// Notes what is wrong beyond the constraints. The first is told, by [`Fields::finish`].
    pub(crate) fn refuse(&mut self, error: ApiError) {
        self.refusal.get_or_insert(error);
    }

    fn violate(&mut self, name: &str, value: &str, rule: &str) {
        let path = &self.path;
        self.violations
            .push(format!("Value{value} at '{path}{name}' failed to satisfy constraint: Member must {rule}"));
    }

    /// Refuses the request if a member broke a constraint. Members that nobody read are ignored, as AWS does.
    pub(crate) fn finish(self) -> Result<(), ApiError> {
        let errors = match self.violations.len() {
            0 => return self.refusal.map_or(Ok(()), Err),
            1 => "error",
            _several => "errors",
        };
        let (count, violations) = (self.violations.len(), self.violations.join("; "));
        Err(ApiError::validation(format!("{count} validation {errors} detected: {violations}")))
    }
}

fn wrong_type(found: &Value, wanted: &str) -> ApiError {
    let found = match found {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "FLOAT_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => return ApiError::serialization("Start of list found where not expected"),
        Value::Object(_) => {
            return ApiError::serialization("Start of structure or map found where not expected");
        }
    };
    ApiError::serialization(format!("{found} can not be converted to a {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a request of every kind of member and gives what was refused.
    fn check(body: &str, expected: &str) {
        let read = || {
            let mut fields = Fields::parse(body.as_bytes())?;
            fields.required_text("arn", TextRule::ARN)?;
            fields.text("nextToken", TextRule::PAGE_TOKEN)?;
            fields.text("input", TextRule::of(0, 3))?;
            fields.text("taskToken", TextRule::TASK_TOKEN)?;
            fields.integer("maxResults", 0, 1000)?;
            fields.choice("type", &[("STANDARD", 1), ("EXPRESS", 2)])?;
            fields.flag("publish")?;
            fields.trace_header()?;
            fields.long("count", 0, 9)?;
            if fields.structure("wrong")?.is_some() {
                fields.refuse(ApiError::new("InvalidWrong", "something else is wrong"));
            }
            for mut tag in fields.list("tags")?.unwrap_or_default() {
                tag.text("key", TextRule::of(1, 2))?;
                fields.absorb(tag);
            }
            fields.finish()
        };
        let actual = read()
            .map_or_else(|error| format!("{}: {}", error.code(), error.message()), |()| "ok".to_owned());
        assert_eq!(actual, expected, "{body}");
    }

    #[test]
    fn constraints_are_refused_in_the_words_of_aws() {
        const ONE: &str = "ValidationException: 1 validation error detected:";
        let check_one = |body: &str, expected: &str| check(body, &format!("{ONE} {expected}"));
        check(r#"{"arn": "a", "maxResults": 1000, "type": "EXPRESS", "publish": true, "other": 1}"#, "ok");
        check(r#"{"arn": "a", "nextToken": null, "tags": []}"#, "ok");
        check_one(
            r#"{"arn": "a", "maxResults": 1001}"#,
            "Value '1001' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to \
             1000",
        );
        check_one(
            r#"{"arn": "a", "maxResults": -1}"#,
            "Value '-1' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal \
             to 0",
        );
        check_one(
            r#"{"arn": "a", "type": "express"}"#,
            "Value 'express' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [STANDARD, \
             EXPRESS]",
        );
        check_one("{}", "Value null at 'arn' failed to satisfy constraint: Member must not be null");
        check_one("", "Value null at 'arn' failed to satisfy constraint: Member must not be null");
        check_one(
            r#"{"arn": "a", "input": "äöü?"}"#,
            "Value 'äöü?' at 'input' failed to satisfy constraint: Member must have length less than or equal to 3",
        );
        check_one(
            r#"{"arn": "a", "tags": [{"key": "k"}, {"key": ""}]}"#,
            "Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or \
             equal to 1",
        );
        check(
            r#"{"arn": "", "nextToken": ""}"#,
            "ValidationException: 2 validation errors detected: Value '' at 'arn' failed to satisfy constraint: \
             Member must have length greater than or equal to 1; Value '' at 'nextToken' failed to satisfy \
             constraint: Member must have length greater than or equal to 1",
        );
    }

    #[test]
    fn what_else_is_wrong_is_told_where_the_constraints_hold() {
        check(r#"{"arn": "a", "wrong": {}}"#, "InvalidWrong: something else is wrong");
        check(
            r#"{"wrong": {}}"#,
            "ValidationException: 1 validation error detected: Value null at 'arn' failed to satisfy constraint: \
             Member must not be null",
        );
    }

    #[test]
    fn a_trace_header_is_ascii() {
        check(r#"{"arn": "a", "traceHeader": "Root=1"}"#, "ok");
        check(
            r#"{"arn": "a", "traceHeader": "é"}"#,
            "ValidationException: 1 validation error detected: Value 'é' at 'traceHeader' failed to satisfy \
             constraint: Member must satisfy regular expression pattern: \\p{ASCII}*",
        );
    }

    #[test]
    fn secrets_are_not_quoted() {
        check(
            r#"{"arn": "a", "taskToken": ""}"#,
            "ValidationException: 1 validation error detected: Value at 'taskToken' failed to satisfy constraint: \
             Member must have length greater than or equal to 1",
        );
    }

    #[test]
    fn what_is_no_request_is_a_serialization_exception() {
        const CODE: &str = "SerializationException:";
        check("[]", &format!("{CODE} The request body must be a JSON object."));
        check(
            "{nope",
            &format!(
                "{CODE} The request body is not valid JSON: Unexpected character ('n' (code 110)): was expecting \
                 double-quote to start field name"
            ),
        );
        check(r#"{"arn": 5}"#, &format!("{CODE} NUMBER_VALUE can not be converted to a String"));
        check(r#"{"arn": {}}"#, &format!("{CODE} Start of structure or map found where not expected"));
        check(
            r#"{"arn": "a", "maxResults": "5"}"#,
            &format!("{CODE} STRING_VALUE can not be converted to a Integer"),
        );
        check(
            r#"{"arn": "a", "maxResults": 1.5}"#,
            &format!("{CODE} FLOAT_VALUE can not be converted to a Integer"),
        );
        check(r#"{"arn": "a", "count": 1.5}"#, &format!("{CODE} FLOAT_VALUE can not be converted to a Long"));
        check(
            r#"{"arn": "a", "publish": "true"}"#,
            &format!("{CODE} STRING_VALUE can not be converted to a Boolean"),
        );
        check(r#"{"arn": "a", "tags": {}}"#, &format!("{CODE} Expected a list but found another type."));
        assert_eq!(Fields::parse(b"\xff").unwrap_err().code(), "SerializationException");
    }
}
