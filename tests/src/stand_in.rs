//! Stand-ins for the Lambda functions that the recorded cases call, and for the two services around them.

use std::collections::BTreeMap;

use asl::Data;
use asl::interpreter::{ErrorOutput, TaskRequest};
use serde_json::{Value, json};

use crate::worker::{Attempt, Workers};

/// Function names with the behaviour of each.
#[derive(Debug, Default)]
pub(crate) struct Functions {
    behaviours: BTreeMap<String, Behaviour>,
    calls: u64,
}

#[derive(Debug, Clone, Copy)]
enum Behaviour {
    Echo,
    EchoAfterAMinute,
    LargeText,
    JsonText,
    RaiseException,
    RaiseCustomException,
}

impl Functions {
    /// False if there is no stand-in for the handler.
    pub(crate) fn add(&mut self, name: &str, handler: &str) -> bool {
        let behaviour = match handler {
            "id_function" => Behaviour::Echo,
            "wait_60_seconds" => Behaviour::EchoAfterAMinute,
            "large_output_string" => Behaviour::LargeText,
            "return_bytes_str" => Behaviour::JsonText,
            "raise_exception" => Behaviour::RaiseException,
            "raise_custom_exception" => Behaviour::RaiseCustomException,
            _ => return false,
        };
        self.behaviours.insert(name.to_owned(), behaviour);
        true
    }

    /// A call by the function's ARN: the error is the function's own text.
    fn call(&mut self, name: &str, input: &Value) -> Result<Value, ErrorOutput> {
        self.calls += 1;
        match self.behaviours.get(name) {
            None => Err(no_such_function(name)),
            Some(Behaviour::Echo | Behaviour::EchoAfterAMinute) => Ok(input.clone()),
            Some(Behaviour::LargeText) => Ok("a".repeat(263_168).into()),
            Some(Behaviour::JsonText) => Ok("HelloWorld!".into()),
            Some(Behaviour::RaiseException) => Err(self.raised(
                "Exception",
                "Some exception was raised.",
                "  File \"/var/task/handler.py\", line 2, in handler\n    raise Exception(\"Some exception was raised.\")\n",
            )),
            Some(Behaviour::RaiseCustomException) => Err(self.raised(
                "CustomException",
                "",
                "  File \"/var/task/handler.py\", line 9, in handler\n    raise CustomException()\n",
            )),
        }
    }

    fn raised(&self, name: &str, message: &str, trace: &str) -> ErrorOutput {
        let id = format!("00000000-0000-4000-8000-{:012}", self.calls);
        let cause =
            json!({ "errorMessage": message, "errorType": name, "requestId": id, "stackTrace": [trace] });
        ErrorOutput::new(name, spaced(&cause))
    }

    /// The service `lambda:invoke`: the function's result inside the answer of the SDK.
    fn invoke(&mut self, parameters: &Value) -> (String, Result<Value, ErrorOutput>) {
        // An ARN does as well as a name.
        let name = parameters["FunctionName"].as_str().unwrap_or_default();
        let name = name.split_once(":function:").map_or(name, |(_, name)| name).to_owned();
        let payload = match parameters.get("Payload") {
            None | Some(Value::Null) => json!({}),
            // A text is sent as it is.
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
            Some(payload) => payload.clone(),
        };
        let mut result = self.call(&name, &payload).map(|result| invocation(parameters, &result));
        if let Err(ErrorOutput { cause: Some(cause), .. }) = &mut result
            && let Ok(value) = serde_json::from_str::<Value>(cause)
        {
            *cause = value.to_string();
        }
        (name, result)
    }
}

impl Workers for Functions {
    fn attempt(&mut self, request: &TaskRequest) -> Attempt {
        let input = request.input.value();
        let (name, result) = if let Some((_, name)) = request.resource.split_once(":function:") {
            (name.to_owned(), self.call(name, input))
        } else if request.resource.ends_with(":lambda:invoke") {
            self.invoke(input)
        } else if request.resource.ends_with(":aws-sdk:sfn:sendTaskSuccess") {
            (String::new(), Err(no_such_token()))
        } else {
            panic!("no stand-in for {}", request.resource);
        };
        let mut attempt = Attempt::new(Some(result.map(Data::from)));
        if let Some(Behaviour::EchoAfterAMinute) = self.behaviours.get(&name) {
            attempt.after = 60_000;
        }
        attempt
    }
}

fn no_such_function(name: &str) -> ErrorOutput {
    ErrorOutput::new(
        "Lambda.ResourceNotFoundException",
        format!(
            "Function not found: arn:aws:lambda:us-east-1:123456789012:function:{name}:$LATEST (Service: AWSLambda; \
             Status Code: 404; Error Code: ResourceNotFoundException; Request ID: 1; Proxy: null)"
        ),
    )
}

fn no_such_token() -> ErrorOutput {
    ErrorOutput::new(
        "Sfn.InvalidTokenException",
        "Invalid Token: 'Invalid token' (Service: Sfn, Status Code: 400, Request ID: 1) (SDK Attempt Count: 1)",
    )
}

/// JSON as the functions write it: Python puts a space after each comma and colon.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                format!("{}: {}", Value::from(name.as_str()), spaced(value))
            };
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// What the SDK tells about a call; the recordings show its headers.
fn invocation(parameters: &Value, payload: &Value) -> Value {
    let length = spaced(payload).len().to_string();
    let mut headers = vec![
        ("Connection", "keep-alive"),
        ("Content-Length", &length),
        ("Content-Type", "application/json"),
        ("Date", "date"),
        ("X-Amz-Executed-Version", "$LATEST"),
        ("x-amzn-Remapped-Content-Length", "0"),
        ("x-amzn-RequestId", "1"),
        ("X-Amzn-Trace-Id", "1"),
    ];
    let log = parameters.get("LogType").map(|_| "log");
    headers.extend(log.map(|log| ("X-Amz-Log-Result", log)));
    let one = |(name, value): &(&str, &str)| ((*name).to_owned(), Value::from(*value));
    let listed = |(name, value): &(&str, &str)| match *name {
        "Date" | "X-Amzn-Trace-Id" => ((*name).to_owned(), Value::from(*value)),
        _ => ((*name).to_owned(), json!([value])),
    };
    let mut answer = json!({
        "ExecutedVersion": "$LATEST",
        "Payload": payload,
        "SdkHttpMetadata": {
            "AllHttpHeaders": headers.iter().map(listed).collect::<serde_json::Map<_, _>>(),
            "HttpHeaders": headers.iter().map(one).collect::<serde_json::Map<_, _>>(),
            "HttpStatusCode": 200,
        },
        "SdkResponseMetadata": { "RequestId": "1" },
        "StatusCode": 200,
    });
    if let Some(log) = log {
        answer["LogResult"] = log.into();
    }
    answer
}
