//! The names under which Retry and Catch see what went wrong with a module.
//!
//! What a retry cannot cure has names of the style of Lambda's runtimes. What a retry may cure has the names
//! that Retry blocks written for Lambda list already.

use asl::Data;
use asl::interpreter::ErrorOutput;
use engine::arn::FunctionArn;
use serde_json::{Value, json};
use uuid::Uuid;
use wasm_host::Failure;
use wasm_host::limits::CAUSE_CHARS_MAX;

/// The member of a cause that says what the sandbox refused.
const DENIED: &str = "deniedAccess";

/// What a module was refused for want of a grant.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Denied<'a> {
    accesses: &'a [String],
    withheld: &'a [String],
}

impl<'a> Denied<'a> {
    pub(crate) fn of(accesses: &'a [String]) -> Denied<'a> {
        Denied { accesses, withheld: &[] }
    }

    /// What the operator's policy withholds may be the reason, if anything was refused at all.
    pub(crate) fn also(self, withheld: &'a [String]) -> Denied<'a> {
        Denied { withheld: if self.accesses.is_empty() { &[] } else { withheld }, ..self }
    }

    fn list(&self) -> Option<Value> {
        let all: Vec<&String> = self.accesses.iter().chain(self.withheld).collect();
        (!all.is_empty()).then(|| json!(all))
    }
}

/// The error output of a call that failed. `task` is what history calls the task: the function's ARN or a service.
pub(crate) fn error_output(
    failure: &Failure,
    denied: &Denied<'_>,
    function: &FunctionArn,
    task: &str,
) -> ErrorOutput {
    let name = match failure {
        Failure::Task { error, cause } => return with_denied(guest_error(error, cause), denied),
        Failure::Trap { message, trace } => {
            return with_denied(runtime_error("Runtime.Trap", message, trace), denied);
        }
        Failure::OutputTooLarge { .. } => return too_large(task),
        Failure::NotFound(_) => return not_found(function),
        Failure::OutOfFuel { .. } => "Runtime.OutOfFuel",
        Failure::OutOfMemory { .. } => "Runtime.OutOfMemory",
        Failure::InvalidOutput(_) => "Runtime.InvalidOutput",
        Failure::Exited { .. } => "Runtime.ExitError",
        Failure::TimedOut { .. } => "Sandbox.Timedout",
        Failure::Overloaded => "Lambda.TooManyRequestsException",
        Failure::Cancelled | Failure::Host(_) => "Lambda.ServiceException",
    };
    with_denied(runtime_error(name, &failure.to_string(), &[]), denied)
}

/// What Retry and Catch see of a call that failed and was refused so much.
pub fn call_error(failure: &Failure, denied: &[String], function: &FunctionArn) -> ErrorOutput {
    error_output(failure, &Denied::of(denied), function, function.name())
}

/// Adds to a cause what was refused, unless that would make it too long.
fn with_denied(mut error: ErrorOutput, denied: &Denied<'_>) -> ErrorOutput {
    let Some(list) = denied.list() else { return error };
    let Some(cause) = &mut error.cause else { return error };
    let Ok(Value::Object(mut object)) = serde_json::from_str(cause) else { return error };
    object.entry(DENIED).or_insert(list);
    let longer = Value::Object(object).to_string();
    if longer.chars().count() <= CAUSE_CHARS_MAX {
        *cause = longer;
    }
    error
}

/// AWS's words for parameters with which a task cannot be started.
pub(crate) fn unusable(input: &Data, problems: &[String]) -> ErrorOutput {
    let (input, problems) = (input.text(), problems.join(", "));
    ErrorOutput::new(
        "States.Runtime",
        format!("The Parameters '{input}' could not be used to start the Task: [{problems}]"),
    )
}

/// AWS's own error, in the words in which the interpreter says it of a result that it measures itself.
pub(crate) fn too_large(task: &str) -> ErrorOutput {
    ErrorOutput::new(
        "States.DataLimitExceeded",
        format!(
            "The state/task '{task}' returned a result with a size exceeding the maximum number of bytes service limit."
        ),
    )
}

/// No module has the function's name, or not in this version.
pub(crate) fn not_found(function: &FunctionArn) -> ErrorOutput {
    let arn = match function.qualifier() {
        Some(_) => function.to_string(),
        None => format!("{function}:$LATEST"),
    };
    let message = format!("Function not found: {arn}");
    service_error(404, Some("ResourceNotFoundException"), &message, &Uuid::new_v4().to_string())
}

/// What Lambda itself refuses, in the words of AWS's SDK.
pub(crate) fn service_error(status: u16, code: Option<&str>, message: &str, request: &str) -> ErrorOutput {
    ErrorOutput::new(
        format!("Lambda.{}", code.unwrap_or("AWSLambdaException")),
        format!(
            "{message} (Service: AWSLambda; Status Code: {status}; Error Code: {}; Request ID: {request}; Proxy: null)",
            code.unwrap_or("null")
        ),
    )
}

/// The guest's own error keeps its name, unless it is one that only the engine may give.
pub(crate) fn guest_error(error: &str, cause: &str) -> ErrorOutput {
    if error.starts_with("States.") {
        let message = format!("The module failed with the reserved error name '{error}': {cause}");
        return runtime_error("Runtime.ReservedErrorName", &message, &[]);
    }
    let is_object = serde_json::from_str::<Value>(cause).is_ok_and(|value| value.is_object());
    if is_object {
        return ErrorOutput::new(error, cause);
    }
    runtime_error(error, cause, &[])
}

/// An error whose cause has the shape that Lambda gives it.
fn runtime_error(error: &str, message: &str, trace: &[String]) -> ErrorOutput {
    let cause = json!({ "errorType": error, "errorMessage": message, "trace": trace });
    ErrorOutput::new(error, cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(failure: &Failure, name: &str, cause_has: &str) {
        let function = FunctionArn::parse("arn:aws:lambda:us-east-1:123456789012:function:f").unwrap();
        let ErrorOutput { error, cause } = error_output(failure, &Denied::default(), &function, "lambda");
        assert_eq!(error.as_deref(), Some(name));
        let cause = cause.unwrap();
        assert!(cause.contains(cause_has), "{cause}");
    }

    #[test]
    fn every_failure_has_its_name() {
        let task =
            |error: &str, cause: &str| Failure::Task { error: error.to_owned(), cause: cause.to_owned() };
        check(&task("PriceUnavailable", "no price"), "PriceUnavailable", r#""errorMessage":"no price""#);
        check(&task("Own", r#"{"sku":"A1"}"#), "Own", r#"{"sku":"A1"}"#);
        check(&task("States.Timeout", "mine"), "Runtime.ReservedErrorName", "States.Timeout");
        check(&Failure::OutOfFuel { fuel: 7 }, "Runtime.OutOfFuel", "7 units");
        let too_large = Failure::OutputTooLarge { size: 300_000, limit: 262_144 };
        check(&too_large, "States.DataLimitExceeded", "The state/task 'lambda' returned a result");
        check(&Failure::OutOfMemory { limit: 10, requested: 20 }, "Runtime.OutOfMemory", "limit is 10");
        check(&Failure::Overloaded, "Lambda.TooManyRequestsException", "free slot");
        check(&Failure::Host("disk".to_owned()), "Lambda.ServiceException", "disk");
        check(
            &Failure::NotFound(wasm_host::Digest::of(b"")),
            "Lambda.ResourceNotFoundException",
            "function:f:$LATEST",
        );
    }

    #[test]
    fn a_cause_names_what_was_refused() {
        let denied = ["reading /etc/passwd: it needs a grant".to_owned()];
        let withheld = ["grants.http has no rule".to_owned()];
        let function = FunctionArn::parse("arn:aws:lambda:us-east-1:123456789012:function:f").unwrap();
        let cause = |failure: &Failure, denied: &Denied<'_>| {
            let cause = error_output(failure, denied, &function, "lambda").cause.unwrap();
            serde_json::from_str::<Value>(&cause).unwrap()
        };
        let task = |cause: &str| Failure::Task { error: "Own".to_owned(), cause: cause.to_owned() };
        let both = Denied::of(&denied).also(&withheld);
        assert_eq!(cause(&task("no file"), &both)[DENIED], json!([denied[0], withheld[0]]));
        assert_eq!(
            cause(&task(r#"{"sku": "A1"}"#), &both),
            json!({"sku": "A1", DENIED: [denied[0], withheld[0]]})
        );
        let exited = Failure::Exited { code: 1, stderr: String::new() };
        assert_eq!(cause(&exited, &Denied::of(&denied))[DENIED], json!(denied));
        assert_eq!(cause(&exited, &Denied::of(&[]).also(&withheld)).get(DENIED), None);
        let long = format!(r#"{{"sku": "{}"}}"#, "x".repeat(CAUSE_CHARS_MAX - 20));
        assert_eq!(cause(&task(&long), &both).get(DENIED), None);
    }
}
