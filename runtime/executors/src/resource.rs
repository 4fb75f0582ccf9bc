//! Which function a task calls, and with what.

use asl::interpreter::ErrorOutput;
use asl::{Data, Text};
use engine::arn::FunctionArn;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::Account;
use crate::failure::{service_error, unusable};

/// How a task calls its function.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FunctionCall {
    pub(crate) function: FunctionArn,
    pub(crate) payload: Data,
    pub(crate) form: Form,
    /// What only a function at an endpoint hears: base64 of JSON.
    pub(crate) client_context: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The function's ARN is the Resource: the result is the module's output.
    Plain,
    /// `lambda:invoke`: the result is AWS's envelope around it.
    Envelope { invocation: Invocation, log: LogType },
}

/// `LogType` of `lambda:invoke`: whether the answer has the end of the function's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(crate) enum LogType {
    #[default]
    None,
    Tail,
}

/// `InvocationType` of `lambda:invoke`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(crate) enum Invocation {
    #[default]
    RequestResponse,
    /// The function runs on its own; nobody waits for it.
    Event,
    /// Only checks that it could be called.
    DryRun,
}

impl LogType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            LogType::None => "None",
            LogType::Tail => "Tail",
        }
    }
}

impl Invocation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Invocation::RequestResponse => "RequestResponse",
            Invocation::Event => "Event",
            Invocation::DryRun => "DryRun",
        }
    }
}

/// The parameters of `lambda:invoke` that mean something here; AWS's others change nothing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InvokeParameters {
    function_name: String,
    qualifier: Option<String>,
    payload: Option<Value>,
    #[serde(default)]
    invocation_type: Invocation,
    #[serde(default)]
    log_type: LogType,
    client_context: Option<String>,
}

const INVOKE: [&str; 2] =
    ["arn:aws:states:::lambda:invoke", "arn:aws:states:::lambda:invoke.waitForTaskToken"];

/// Reads a task's Resource and input.
pub(crate) fn read(resource: &str, input: &Data, account: &Account) -> Result<FunctionCall, ErrorOutput> {
    if INVOKE.contains(&resource) {
        return read_invoke(input, account);
    }
    match FunctionArn::parse(resource) {
        Ok(function) => {
            Ok(FunctionCall { function, payload: input.clone(), form: Form::Plain, client_context: None })
        }
        Err(_) => Err(ErrorOutput::new(
            "States.TaskFailed",
            format!("This server has no integration for the resource {resource}."),
        )),
    }
}

/// The name of the function that a task calls, whichever way it does; none if it calls none.
pub(crate) fn function_name(resource: &str, input: &Data, account: &Account) -> Option<Text> {
    let function = if INVOKE.contains(&resource) {
        let name = input.value().get("FunctionName")?.as_str()?;
        FunctionArn::parse_name(name, &account.region, &account.id)
    } else {
        FunctionArn::parse(resource)
    };
    Some(function.ok()?.name().into())
}

fn read_invoke(input: &Data, account: &Account) -> Result<FunctionCall, ErrorOutput> {
    if input.value().get("FunctionName").is_none() {
        return Err(unusable(input, &["The field 'FunctionName' is required but was missing".to_owned()]));
    }
    let parameters = InvokeParameters::deserialize(input.value()).map_err(|error| {
        ErrorOutput::new("States.Runtime", format!("The parameters of lambda:invoke cannot be used: {error}"))
    })?;
    let name = match &parameters.qualifier {
        Some(qualifier) => format!("{}:{qualifier}", parameters.function_name),
        None => parameters.function_name,
    };
    let function = FunctionArn::parse_name(&name, &account.region, &account.id).map_err(|error| {
        ErrorOutput::new(
            "Lambda.ValidationException",
            format!("The FunctionName '{name}' is not valid: {error}"),
        )
    })?;
    Ok(FunctionCall {
        function,
        payload: payload(parameters.payload)?,
        form: Form::Envelope { invocation: parameters.invocation_type, log: parameters.log_type },
        client_context: parameters.client_context,
    })
}

/// A text is the payload itself, as it goes over the wire; any other value is written as JSON.
fn payload(payload: Option<Value>) -> Result<Data, ErrorOutput> {
    match payload {
        None | Some(Value::Null) => Ok(Data::empty_object()),
        Some(Value::String(text)) => Data::parse(&text).map_err(|error| {
            let message = format!("Could not parse request body into json: {error}");
            let request = Uuid::new_v4().to_string();
            service_error(400, Some("InvalidRequestContentException"), &message, &request)
        }),
        Some(value) => Ok(Data::from(value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn account() -> Account {
        Account { id: "123456789012".to_owned(), region: "us-east-1".to_owned() }
    }

    fn check(resource: &str, input: Value, expected: Result<(&str, Value, Form), &str>) {
        let read = read(resource, &input.into(), &account());
        let read = read
            .map(|call| (call.function.to_string(), call.payload.value().clone(), call.form))
            .map_err(|error| error.error.unwrap());
        assert_eq!(
            read,
            expected.map(|(arn, payload, form)| (arn.to_owned(), payload, form)).map_err(str::to_owned)
        );
    }

    const F: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

    #[test]
    fn a_function_arn_takes_the_input_as_it_is() {
        check(F, json!({"a": 1}), Ok((F, json!({"a": 1}), Form::Plain)));
    }

    #[test]
    fn invoke_takes_names_qualifiers_and_payloads() {
        let invoke = "arn:aws:states:::lambda:invoke";
        let form = |invocation| Form::Envelope { invocation, log: LogType::None };
        let envelope = form(Invocation::RequestResponse);
        check(invoke, json!({"FunctionName": "f", "Payload": null}), Ok((F, json!({}), envelope)));
        check(invoke, json!({"FunctionName": F, "Payload": [1]}), Ok((F, json!([1]), envelope)));
        let qualified = "arn:aws:lambda:us-east-1:123456789012:function:f:3";
        check(invoke, json!({"FunctionName": "f", "Qualifier": "3"}), Ok((qualified, json!({}), envelope)));
        let event = form(Invocation::Event);
        check(invoke, json!({"FunctionName": "f", "InvocationType": "Event"}), Ok((F, json!({}), event)));
        let tail = Form::Envelope { invocation: Invocation::RequestResponse, log: LogType::Tail };
        check(invoke, json!({"FunctionName": "f", "LogType": "Tail"}), Ok((F, json!({}), tail)));
    }

    #[test]
    fn a_function_has_one_name_however_it_is_called() {
        let name = |resource: &str, input: Value| function_name(resource, &input.into(), &account());
        let echo = Some(Text::from("f"));
        assert_eq!(name(F, json!({})), echo);
        assert_eq!(name(&format!("{F}:3"), json!({})), echo);
        for called in ["f", "f:live", F] {
            assert_eq!(name(INVOKE[1], json!({"FunctionName": called, "Payload": {}})), echo, "{called}");
        }
        for (resource, input) in [
            ("arn:aws:states:::http:invoke", json!({})),
            (INVOKE[0], json!([])),
            (INVOKE[0], json!({"FunctionName": 1})),
        ] {
            assert_eq!(name(resource, input), None, "{resource}");
        }
    }

    #[test]
    fn a_text_is_the_payload_itself() {
        let envelope = Form::Envelope { invocation: Invocation::RequestResponse, log: LogType::None };
        for (text, payload) in [("\"a\"", json!("a")), ("0.5", json!(0.5)), ("{\"a\": 1}", json!({"a": 1}))] {
            let input = json!({"FunctionName": "f", "Payload": text});
            check(INVOKE[0], input, Ok((F, payload, envelope)));
        }
        let input = json!({"FunctionName": "f", "Payload": "no JSON"});
        check(INVOKE[0], input, Err("Lambda.InvalidRequestContentException"));
    }

    #[test]
    fn what_cannot_be_called_is_named() {
        check("arn:aws:states:::lambda:invoke", json!({"FunctionName": 1}), Err("States.Runtime"));
        let missing = read("arn:aws:states:::lambda:invoke", &json!({"Payload": 1}).into(), &account());
        let expected = ErrorOutput::new(
            "States.Runtime",
            "The Parameters '{\"Payload\":1}' could not be used to start the Task: [The field 'FunctionName' is required \
             but was missing]",
        );
        assert_eq!(missing, Err(expected));
        check(
            "arn:aws:states:::lambda:invoke",
            json!({"FunctionName": "no good"}),
            Err("Lambda.ValidationException"),
        );
        check("arn:aws:states:::sns:publish", json!({}), Err("States.TaskFailed"));
    }
}
