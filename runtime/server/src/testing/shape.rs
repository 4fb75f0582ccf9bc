//! Holds a mocked result against the shape of what a service answers.

use serde_json::Value;

/// The shape of a value in a service's answer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Anything: a document, or a shape that is not known here.
    Any,
    /// A string, a timestamp or bytes in base 64, with the bounds of its length.
    Text {
        length_min: usize,
        length_max: usize,
    },
    Word(&'static [&'static str]),
    Number {
        min: f64,
        max: f64,
    },
    Boolean,
    List(&'static Shape),
    /// Names of the caller's choice.
    Map(&'static Shape),
    Structure(&'static [Member]),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

impl Shape {
    /// Gives AWS's words for the first fault. Members that the shape does not have are let pass, as AWS does;
    /// `complete` asks for the required ones.
    pub(crate) fn check(&self, field: &str, value: &Value, complete: bool) -> Result<(), String> {
        let must_be = |kind: &str| Err(format!("Field '{field}' must be {kind}"));
        match (self, value) {
            (Shape::Any, _) | (Shape::Boolean, Value::Bool(_)) => Ok(()),
            (Shape::Text { length_min, length_max }, Value::String(text)) => {
                let length = text.chars().count();
                if length < *length_min {
                    return Err(format!("Field '{field}' is smaller than the minimum length"));
                }
                if length > *length_max {
                    return Err(format!("Field '{field}' exceeds the maximum length"));
                }
                Ok(())
            }
            (Shape::Word(words), Value::String(word)) if words.contains(&word.as_str()) => Ok(()),
            (Shape::Word(_), Value::String(_)) => Err(format!("Field '{field}' is not an expected value")),
            (Shape::Number { min, max }, Value::Number(number)) => match number.as_f64() {
                Some(number) if number < *min => {
                    Err(format!("Field '{field}' is less than the minimum value"))
                }
                Some(number) if number > *max => Err(format!("Field '{field}' exceeds the maximum value")),
                Some(_) | None => Ok(()),
            },
            (Shape::List(item), Value::Array(items)) => {
                items.iter().try_for_each(|value| item.check(field, value, complete))
            }
            (Shape::Map(shape), Value::Object(members)) => {
                members.iter().try_for_each(|(name, value)| shape.check(name, value, complete))
            }
            (Shape::Structure(members), Value::Object(given)) => {
                members.iter().try_for_each(|member| match given.get(member.name) {
                    Some(value) => member.shape.check(member.name, value, complete),
                    None if member.required && complete => {
                        Err(format!("Required field '{}' is missing", member.name))
                    }
                    None => Ok(()),
                })
            }
            (Shape::Boolean, _) => must_be("a boolean"),
            (Shape::Text { .. } | Shape::Word(_), _) => must_be("a string"),
            (Shape::Number { .. }, _) => must_be("a number"),
            (Shape::List(_), _) => must_be("an array"),
            (Shape::Map(_) | Shape::Structure(_), _) => must_be("an object"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::shapes;
    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "the tables below read better with values")]
    fn check(resource: &str, value: Value, complete: bool, expected: &str) {
        let (service, action) = resource.rsplit_once(':').unwrap();
        let shape = shapes::find(service, action).unwrap();
        let actual = shape.check("", &value, complete).err().unwrap_or_else(|| "ok".to_owned());
        assert_eq!(actual, expected, "{resource} {value}");
    }

    #[test]
    fn tells_the_fault_in_the_recorded_words() {
        for complete in [true, false] {
            let check =
                |resource: &str, value: Value, expected: &str| check(resource, value, complete, expected);
            check(
                "aws-sdk:kms:encrypt",
                json!({"CiphertextBlob": ""}),
                "Field 'CiphertextBlob' is smaller than the minimum length",
            );
            let function = |size: u32| json!({"Configuration": {"MemorySize": size}});
            check(
                "aws-sdk:lambda:getFunction",
                function(127),
                "Field 'MemorySize' is less than the minimum value",
            );
            check("aws-sdk:lambda:getFunction", function(128), "ok");
            check(
                "aws-sdk:lambda:getFunction",
                function(32_769),
                "Field 'MemorySize' exceeds the maximum value",
            );
            check(
                "aws-sdk:s3:getObject",
                json!({"StorageClass": "Papyrus"}),
                "Field 'StorageClass' is not an expected value",
            );
            check(
                "aws-sdk:s3:getObject",
                json!({"ContentLength": "9000"}),
                "Field 'ContentLength' must be a number",
            );
            check(
                "dynamodb:putItem",
                json!({"ConsumedCapacity": {"CapacityUnits": "123.45"}}),
                "Field 'CapacityUnits' must be a number",
            );
            check(
                "events:putEvents",
                json!({"Entries": [{"EventId": ["list"]}]}),
                "Field 'EventId' must be a string",
            );
            check("events:putEvents", json!({"Entries": "text"}), "Field 'Entries' must be an array");
            check("events:putEvents", json!({"Unknown": 1}), "ok");
            check("lambda:invoke", json!({"StatusCode": "200"}), "Field 'StatusCode' must be a number");
            check("lambda:invoke", json!({"Payload": {"any": [1]}}), "ok");
            check(
                "aws-sdk:s3:getObject",
                json!({"DeleteMarker": 1}),
                "Field 'DeleteMarker' must be a boolean",
            );
            check("aws-sdk:s3:getObject", json!({"Metadata": {"a": 1}}), "Field 'a' must be a string");
        }
    }

    #[test]
    fn required_members_are_asked_for_when_all_is_checked() {
        let given = json!({"executionArn": "e", "startDate": "now"});
        check("states:startExecution", given.clone(), true, "Required field 'ExecutionArn' is missing");
        check("states:startExecution", given, false, "ok");
        let given = json!({"ExecutionArn": "e", "StartDate": 1_764_103_483});
        check("states:startExecution", given, true, "Field 'StartDate' must be a string");
        check(
            "states:startExecution",
            json!({"StartDate": true}),
            false,
            "Field 'StartDate' must be a string",
        );
        check(
            "states:startExecution",
            json!({"ExecutionArn": "e"}),
            true,
            "Required field 'StartDate' is missing",
        );
    }
}
