//! The mock configuration file of Step Functions Local: test cases, and the answers that they use.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use asl::interpreter::{Answers, ErrorOutput, Mock, TestCase};
use asl::{Data, Text};
use engine::shard::Mocks;
use serde_json::{Map, Value};

/// Ours: the largest file. It is kept in memory as a whole.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Reads the file. The error says where it is wrong and how it should be.
pub(crate) fn read(file: &Path) -> Result<Mocks, String> {
    let name = file.display();
    let unreadable = |error: std::io::Error| format!("{name} cannot be read: {error}");
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > FILE_BYTES_MAX {
        return Err(format!("{name} has {size} bytes; a mock configuration has at most {FILE_BYTES_MAX}"));
    }
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    parse(&text).map_err(|why| format!("{name}: {why}"))
}

fn parse(text: &str) -> Result<Mocks, String> {
    let file: Value = serde_json::from_str(text)
        .map_err(|error| format!("line {}, column {}: {error}", error.line(), error.column()))?;
    let top = Place(String::new());
    let file = top.only(&file, &["StateMachines", "MockedResponses"])?;
    let mut responses = BTreeMap::new();
    let place = top.field("MockedResponses");
    for (name, response) in place.object(file.get("MockedResponses"))? {
        responses.insert(name.as_str(), answers(&place.field(name), response)?);
    }
    let mut machines = BTreeMap::new();
    let place = top.field("StateMachines");
    for (machine, value) in place.object(file.get("StateMachines"))? {
        let place = place.field(machine);
        let cases = place.only(value, &["TestCases"])?;
        let place = place.field("TestCases");
        let mut found = BTreeMap::new();
        for (name, states) in place.object(cases.get("TestCases"))? {
            let case = test_case(&place.field(name), name, states, &responses)?;
            found.insert(Text::from(name.as_str()), Arc::new(case));
        }
        machines.insert(machine.clone(), found);
    }
    Ok(Mocks { machines })
}

fn test_case(
    place: &Place,
    name: &str,
    states: &Value,
    responses: &BTreeMap<&str, Answers>,
) -> Result<TestCase, String> {
    if name.is_empty() || name.contains('#') {
        return Err(place.wrong("the name of a test case must not be empty or have a '#'"));
    }
    let mut answers = BTreeMap::new();
    for (state, response) in place.object(Some(states))? {
        let place = place.field(state);
        let response = response
            .as_str()
            .ok_or_else(|| place.wrong("must be the name of an entry of MockedResponses, a text"))?;
        let found = responses.get(response).ok_or_else(|| {
            let known: Vec<_> = responses.keys().copied().collect();
            place.wrong(&format!(
                "there is no entry '{response}' in MockedResponses; there are: {}",
                known.join(", ")
            ))
        })?;
        answers.insert(Text::from(state.as_str()), found.clone());
    }
    Ok(TestCase::new(name.into(), answers))
}

/// `{"0": {"Return": …}, "1-2": {"Throw": …}}`
fn answers(place: &Place, response: &Value) -> Result<Answers, String> {
    let mut answers = Answers::default();
    for (calls, answer) in place.object(Some(response))? {
        let place = place.field(calls);
        let (first, last) = range(calls).ok_or_else(|| {
            place.wrong("must be the number of a call, such as \"0\", or a range of them, such as \"1-2\"")
        })?;
        if !answers.add(first, last, mock(&place, answer)?) {
            return Err(place.wrong("another entry answers one of these calls already"));
        }
    }
    Ok(answers)
}

fn mock(place: &Place, answer: &Value) -> Result<Mock, String> {
    let members = place.only(answer, &["Return", "Throw"])?;
    match (members.get("Return"), members.get("Throw")) {
        (Some(result), None) => Ok(Mock::Result(Data::from(result.clone()))),
        (None, Some(error)) => {
            let place = place.field("Throw");
            let members = place.only(error, &["Error", "Cause"])?;
            let text = |name: &str| match members.get(name) {
                None => Ok(None),
                Some(Value::String(text)) => Ok(Some(text.clone())),
                Some(_) => Err(place.field(name).wrong("must be a text")),
            };
            let error = text("Error")?
                .ok_or_else(|| place.wrong("Error is missing: the name that Retry and Catch see"))?;
            Ok(Mock::Error(ErrorOutput { error: Some(error), cause: text("Cause")? }))
        }
        (Some(_), Some(_)) | (None, None) => Err(place.wrong("must have either Return or Throw")),
    }
}

fn range(calls: &str) -> Option<(u32, u32)> {
    let number = |text: &str| text.trim().parse::<u32>().ok();
    match calls.split_once('-') {
        None => number(calls).map(|call| (call, call)),
        Some((first, last)) => Some((number(first)?, number(last)?)).filter(|(first, last)| first <= last),
    }
}

/// A place in the file, as a JSON Pointer.
struct Place(String);

impl Place {
    fn field(&self, name: &str) -> Place {
        Place(format!("{}/{}", self.0, name.replace('~', "~0").replace('/', "~1")))
    }

    fn wrong(&self, why: &str) -> String {
        format!("at {}: {why}", if self.0.is_empty() { "/" } else { &self.0 })
    }

    fn object<'a>(&self, value: Option<&'a Value>) -> Result<&'a Map<String, Value>, String> {
        match value {
            Some(Value::Object(members)) => Ok(members),
            Some(_) => Err(self.wrong("must be an object")),
            None => Err(self.wrong("is missing; it must be an object")),
        }
    }

    /// An object without other members than these.
    fn only<'a>(&self, value: &'a Value, names: &[&str]) -> Result<&'a Map<String, Value>, String> {
        let members = self.object(Some(value))?;
        match members.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(members),
            Some(unknown) => {
                Err(self.field(unknown).wrong(&format!("is not known; here may be {}", names.join(" and "))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, expected: &str) {
        let error = parse(text).unwrap_err();
        assert_eq!(error, expected, "{text}");
    }

    #[test]
    fn a_wrong_file_is_told_where_and_why() {
        refused("{\n  \"StateMachines\": }", "line 2, column 20: expected value at line 2 column 20");
        refused("[]", "at /: must be an object");
        refused("{}", "at /MockedResponses: is missing; it must be an object");
        refused(
            r#"{"StateMachines": {}, "MockedResponses": {}, "Mocks": {}}"#,
            "at /Mocks: is not known; here may be StateMachines and MockedResponses",
        );
        let response = |response: &str| {
            format!(r#"{{"StateMachines": {{}}, "MockedResponses": {{"a/b": {response}}}}}"#)
        };
        refused(&response("7"), "at /MockedResponses/a~1b: must be an object");
        refused(
            &response(r#"{"first": {"Return": 1}}"#),
            "at /MockedResponses/a~1b/first: must be the number of a call, such as \"0\", or a range of them, such as \
             \"1-2\"",
        );
        refused(
            &response(r#"{"2-1": {"Return": 1}}"#),
            "at /MockedResponses/a~1b/2-1: must be the number of a call, \
             such as \"0\", or a range of them, such as \"1-2\"",
        );
        refused(
            &response(r#"{"0-2": {"Return": 1}, "1": {"Return": 2}}"#),
            "at /MockedResponses/a~1b/1: another entry answers one of these calls already",
        );
        refused(&response(r#"{"0": {}}"#), "at /MockedResponses/a~1b/0: must have either Return or Throw");
        refused(
            &response(r#"{"0": {"Throw": {"Cause": "c"}}}"#),
            "at /MockedResponses/a~1b/0/Throw: Error is missing: the name that Retry and Catch see",
        );
        let case = |case: &str| {
            format!(
                r#"{{"StateMachines": {{"m": {{"TestCases": {{"T": {case}}}}}}}, "MockedResponses": {{"A": {{}}, "B": {{}}}}}}"#
            )
        };
        refused(
            &case(r#"{"S": 1}"#),
            "at /StateMachines/m/TestCases/T/S: must be the name of an entry of \
             MockedResponses, a text",
        );
        refused(
            &case(r#"{"S": "C"}"#),
            "at /StateMachines/m/TestCases/T/S: there is no entry 'C' in MockedResponses; there are: A, B",
        );
    }

    #[test]
    fn the_example_of_step_functions_local_is_read() {
        let mocks = parse(
            r#"{"StateMachines": {"LambdaSQSIntegration": {"TestCases": {
                "HappyPath": {"LambdaState": "Success", "SQSState": "Sent"}, "RetryPath": {"LambdaState": "Retry"}}}},
              "MockedResponses": {
                "Success": {"0": {"Return": {"StatusCode": 200, "Payload": {"StatusCode": 200}}}},
                "Sent": {"0": {"Return": {"MessageId": "m"}}},
                "Retry": {"0": {"Throw": {"Error": "Lambda.ResourceNotReadyException", "Cause": "c"}},
                  "1-2": {"Throw": {"Error": "Lambda.TimeoutException", "Cause": "c"}}, "3": {"Return": {}}}}}"#,
        )
        .unwrap();
        let cases: Vec<_> =
            mocks.machines["LambdaSQSIntegration"].keys().map(|name| name.to_string()).collect();
        assert_eq!(cases, ["HappyPath", "RetryPath"]);
    }
}
