//! A module called by a client of the Lambda API, and not by a task.

use std::sync::Arc;

use asl::Timestamp;
use asl::interpreter::ExecutionId;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::arn::FunctionArn;
use serde_json::{Value, json};
use uuid::Uuid;
use wasm_host::{Context, Failure};

use crate::call_log::LogCaller;
use crate::failure::{Denied, error_output};
use crate::invoke::{Cost, log_tail};
use crate::module::{Caller, Found, ModuleExecutor, ModuleVersion, Modules, SERVICE};

/// One invocation.
#[derive(Debug, Clone)]
pub struct DirectCall {
    pub function: FunctionArn,
    /// JSON text.
    pub payload: String,
    pub began_at: Timestamp,
    pub request_id: Uuid,
}

/// What a module answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectAnswer {
    /// The version that ran.
    pub version: String,
    /// JSON text: the output, or the error of the function.
    pub result: Result<String, String>,
    /// The end of its log, in base64.
    pub log: String,
}

/// Why there is no answer of the function's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectError {
    #[error("there is no such function")]
    NotFound,
    #[error("no slot is free")]
    Busy,
    #[error("{0}")]
    Failed(String),
}

/// A module that was found, ready to be called.
#[derive(Debug, Clone)]
pub struct DirectTarget(Arc<ModuleVersion>);

impl DirectTarget {
    /// The version that will run.
    pub fn version(&self) -> String {
        self.0.version_name()
    }
}

impl<M: Modules> ModuleExecutor<M> {
    /// Looks for what a call would run.
    pub async fn find_directly(&self, call: &DirectCall) -> Result<DirectTarget, DirectError> {
        let caller = Caller::execution(ExecutionId(call.request_id.as_u128()), call.began_at);
        let (name, qualifier) = (call.function.name(), call.function.qualifier());
        match self.modules().find(name, qualifier, caller).await {
            Ok(Found::Version(module)) => Ok(DirectTarget(module)),
            Ok(Found::NoVersion | Found::NoModule) => Err(DirectError::NotFound),
            Err(why) => Err(DirectError::Failed(why)),
        }
    }

    /// Calls what was found, under the limits that a task would have.
    pub async fn call_directly(
        &self,
        target: &DirectTarget,
        call: DirectCall,
    ) -> Result<DirectAnswer, DirectError> {
        let (version, module) = (target.version(), &target.0);
        let context = Context { seed: call.request_id.as_u128(), ..Context::default() };
        let guest = self.module_call(module, &call.payload, context);
        let memory_bytes = guest.limits.memory_bytes;
        let mut log_target = self.log_target(LogCaller::Request(call.request_id), &module.name, &version);
        let outcome = log_target.call(self.host(), guest).await;
        let request = call.request_id.to_string();
        let cost = Cost { usage: outcome.usage, memory_bytes };
        let log = BASE64_STANDARD.encode(log_tail(&request, &version, &outcome.log, cost));
        log_target.finish(outcome.log);
        let result = match outcome.result {
            Ok(output) => Ok(output),
            Err(Failure::NotFound(_)) => return Err(DirectError::NotFound),
            Err(Failure::Overloaded) => return Err(DirectError::Busy),
            Err(Failure::Cancelled) => return Err(DirectError::Failed("the call was cancelled".to_owned())),
            Err(Failure::Host(why)) => return Err(DirectError::Failed(why)),
            Err(failure) => {
                let denied = Denied::of(&outcome.denied).also(&module.permits.withheld);
                Err(function_error(&failure, &denied, &call.function))
            }
        };
        Ok(DirectAnswer { version, result, log })
    }
}

/// What Lambda's runtimes write of a function that failed.
fn function_error(failure: &Failure, denied: &Denied<'_>, function: &FunctionArn) -> String {
    if let Failure::OutputTooLarge { limit, .. } = failure {
        let message = format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
        return json!({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}).to_string();
    }
    let error = error_output(failure, denied, function, SERVICE);
    let cause = error.cause.unwrap_or_default();
    if serde_json::from_str::<Value>(&cause).is_ok_and(|value| value.is_object()) {
        return cause;
    }
    json!({"errorMessage": cause, "errorType": error.error}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_fails_says_so_as_lambda_does() {
        let function = FunctionArn::new("us-east-1", "123456789012", "f").unwrap();
        let failure = Failure::Task { error: "NoPrice".to_owned(), cause: "none".to_owned() };
        let told = |failure: &Failure| function_error(failure, &Denied::default(), &function);
        let error: Value = serde_json::from_str(&told(&failure)).unwrap();
        assert_eq!((&error["errorType"], &error["errorMessage"]), (&json!("NoPrice"), &json!("none")));
        let failure = Failure::OutputTooLarge { size: 7 << 20, limit: 262_144 };
        let error: Value = serde_json::from_str(&told(&failure)).unwrap();
        assert_eq!(error["errorType"], "Function.ResponseSizeTooLarge");
    }
}
