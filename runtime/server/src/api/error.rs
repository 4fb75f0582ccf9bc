//! The one place where failures become answers: AWS's code and message to the client, the cause to the log.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::Refusal;
use engine::arn::{InvalidArn, InvalidName};
use engine::shard::TAGS_MAX;
use serde_json::json;

pub(crate) const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// An error as the AWS protocol has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// `reason` of a ValidationException.
    reason: Option<&'static str>,
    /// `resourceName` of a ResourceNotFound or a TooManyTags.
    resource: Option<String>,
}

impl ApiError {
    /// An error of the client's, with the status 400 that AWS gives nearly all of them.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> ApiError {
        ApiError {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
            reason: None,
            resource: None,
        }
    }

    pub(crate) fn validation(message: impl Into<String>) -> ApiError {
        ApiError::new("ValidationException", message)
    }

    pub(crate) fn validation_because(reason: &'static str, message: impl Into<String>) -> ApiError {
        ApiError { reason: Some(reason), ..ApiError::validation(message) }
    }

    pub(crate) fn serialization(message: impl Into<String>) -> ApiError {
        ApiError::new("SerializationException", message)
    }

    pub(crate) fn too_large(bytes_max: usize) -> ApiError {
        let message = format!("The request is larger than the {bytes_max} bytes that this server takes.");
        ApiError {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            ..ApiError::new("RequestEntityTooLargeException", message)
        }
    }

    pub(crate) fn invalid_name(name: &str) -> ApiError {
        ApiError::new("InvalidName", InvalidName(name.to_owned()).to_string())
    }

    pub(crate) fn invalid_token() -> ApiError {
        ApiError::new("InvalidToken", "Invalid Token: 'Invalid token'")
    }

    pub(crate) fn state_machine_does_not_exist(arn: &str) -> ApiError {
        ApiError::new("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
    }

    pub(crate) fn execution_does_not_exist(arn: &str) -> ApiError {
        ApiError::new("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
    }

    pub(crate) fn activity_does_not_exist(arn: &str) -> ApiError {
        ApiError::new("ActivityDoesNotExist", format!("Activity Does Not Exist: '{arn}'"))
    }

    pub(crate) fn resource_not_found(arn: &str) -> ApiError {
        let message = "Request references a resource that does not exist.";
        ApiError { resource: Some(arn.to_owned()), ..ApiError::new("ResourceNotFound", message) }
    }

    pub(crate) fn tagged_does_not_exist(arn: &str) -> ApiError {
        let message = format!("Resource not found: '{arn}'");
        ApiError { resource: Some(arn.to_owned()), ..ApiError::new("ResourceNotFound", message) }
    }

    pub(crate) fn too_many_tags(arn: Option<&str>) -> ApiError {
        let message = format!("A resource has at most {TAGS_MAX} tags.");
        ApiError { resource: arn.map(str::to_owned), ..ApiError::new("TooManyTags", message) }
    }

    fn conflict(message: impl Into<String>) -> ApiError {
        ApiError::new("ConflictException", message)
    }

    /// AWS gives this one the status 402.
    fn quota(message: &str) -> ApiError {
        ApiError {
            status: StatusCode::PAYMENT_REQUIRED,
            ..ApiError::new("ServiceQuotaExceededException", message)
        }
    }

    /// What only happens when something is broken on our side; SDKs try again.
    pub(crate) fn internal() -> ApiError {
        let message = "The server could not answer because of an internal error; its log has the cause.";
        ApiError { status: StatusCode::INTERNAL_SERVER_ERROR, ..ApiError::new("InternalFailure", message) }
    }

    fn unavailable(message: &str) -> ApiError {
        ApiError { status: StatusCode::SERVICE_UNAVAILABLE, ..ApiError::new("ServiceUnavailable", message) }
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    fn map_run_ended() -> ApiError {
        ApiError::validation_because(
            "CANNOT_UPDATE_COMPLETED_MAP_RUN",
            "Map Run has already completed and cannot be updated.",
        )
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<InvalidArn> for ApiError {
    fn from(error: InvalidArn) -> ApiError {
        ApiError::new("InvalidArn", error.to_string())
    }
}

impl From<InvalidName> for ApiError {
    fn from(error: InvalidName) -> ApiError {
        ApiError::new("InvalidName", error.to_string())
    }
}

impl From<store::ReadError> for ApiError {
    fn from(error: store::ReadError) -> ApiError {
        match error {
            store::ReadError::InvalidPosition(_) => ApiError::invalid_token(),
            store::ReadError::HistoryRemoved { .. }
            | store::ReadError::Corrupt { .. }
            | store::ReadError::Unavailable(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a read of the store failed");
                ApiError::internal()
            }
        }
    }
}

/// Refusals that are not of Step Functions, in the words of AWS's other services.
impl ApiError {
    fn exists_already(name: &str) -> ApiError {
        ApiError::new("ResourceAlreadyExistsException", format!("{name} already exists."))
    }

    fn no_test_case(machine: &str, test_case: &str) -> ApiError {
        let message = format!(
            "Invalid Arn: 'There is no test case {test_case} for the state machine {machine}: the file of --mock-config \
             has none of this name'"
        );
        ApiError::new("InvalidArn", message)
    }

    fn no_mocked_state(machine: &str, test_case: &str, state: &str) -> ApiError {
        ApiError::validation(format!(
            "The test case {test_case} names the state '{state}', which the state machine {machine} does not have."
        ))
    }

    fn no_module(name: &str) -> ApiError {
        ApiError::new("ResourceNotFound", format!("There is no module '{name}'."))
    }

    fn not_found(name: &str) -> ApiError {
        ApiError::new("ResourceNotFoundException", format!("{name} does not exist."))
    }
}

/// The words of refusals.
impl ApiError {
    fn activity_already_exists(arn: &str) -> ApiError {
        ApiError::new("ActivityAlreadyExists", format!("Activity Already Exists: '{arn}'"))
    }

    fn task_timed_out() -> ApiError {
        ApiError::new("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
    }

    fn stored_definition_invalid(why: &str) -> ApiError {
        ApiError::validation(format!("{why}. Update the state machine with a definition that is valid."))
    }

    fn execution_limit_exceeded() -> ApiError {
        ApiError::new(
            "ExecutionLimitExceeded",
            "The maximum number of running executions has been reached. Running executions must end or be stopped \
             before a new execution can be started.",
        )
    }

    fn task_does_not_exist() -> ApiError {
        ApiError::new("TaskDoesNotExist", "Task does not exist: 'Provided task does not exist'")
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> ApiError {
        match refusal {
            Refusal::StateMachineAlreadyExists { arn } => {
                ApiError::new("StateMachineAlreadyExists", format!("State Machine Already Exists: '{arn}'"))
            }
            Refusal::StateMachineDoesNotExist { arn } => ApiError::state_machine_does_not_exist(&arn),
            Refusal::StoredDefinitionInvalid { why } => ApiError::stored_definition_invalid(&why),
            Refusal::StateMachineDeleting { arn } => {
                ApiError::new("StateMachineDeleting", format!("State Machine is being deleted: '{arn}'"))
            }
            Refusal::RevisionConflict { wanted, current } => ApiError::conflict(format!(
                "Failed to publish the State Machine version for revision {wanted}. The current State Machine \
                 revision is {current}."
            )),
            Refusal::VersionLimitExceeded => ApiError::quota(
                "The state machine has 1000 versions, which is the maximum. Delete versions that are not needed.",
            ),
            Refusal::VersionInUse { aliases } => ApiError::conflict(format!(
                "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this \
                 version: [{}]",
                aliases.join(", ")
            )),
            Refusal::AliasAlreadyExists => ApiError::conflict(
                "Failed to create alias because an alias with the same name and a different routing configuration \
                 already exists.",
            ),
            Refusal::AliasLimitExceeded => ApiError::quota(
                "The state machine has 100 aliases, which is the maximum. Delete aliases that are not needed.",
            ),
            Refusal::TaggedDoesNotExist { arn } => ApiError::tagged_does_not_exist(&arn),
            Refusal::TooManyTags { arn } => ApiError::too_many_tags(Some(&arn)),
            Refusal::ResourceNotFound { arn } => ApiError::resource_not_found(&arn),
            Refusal::ExecutionAlreadyExists { arn } => {
                ApiError::new("ExecutionAlreadyExists", format!("Execution Already Exists: '{arn}'"))
            }
            Refusal::ExecutionDoesNotExist { arn } => ApiError::execution_does_not_exist(arn.as_str()),
            Refusal::ExecutionNotRedrivable(why) => ApiError::new("ExecutionNotRedrivable", why.to_string()),
            Refusal::ActivityDoesNotExist { arn } => ApiError::activity_does_not_exist(arn.as_str()),
            Refusal::ActivityAlreadyExists { arn } => ApiError::activity_already_exists(arn.as_str()),
            Refusal::ActivityWorkerLimitExceeded => ApiError::new(
                "ActivityWorkerLimitExceeded",
                "The maximum number of workers concurrently polling for activity tasks has been reached.",
            ),
            Refusal::ExecutionLimitExceeded => ApiError::execution_limit_exceeded(),
            Refusal::MapRunEnded => ApiError::map_run_ended(),
            Refusal::ExpressNotSupported => ApiError::new(
                "StateMachineTypeNotSupported",
                "This operation is not supported by this type of state machine",
            ),
            Refusal::InvalidToken => ApiError::invalid_token(),
            Refusal::TaskTimedOut => ApiError::task_timed_out(),
            Refusal::TaskDoesNotExist => ApiError::task_does_not_exist(),
            Refusal::SecretAlreadyExists { name } => ApiError::exists_already(&name),
            Refusal::SecretDoesNotExist { name } => ApiError::not_found(&name),
            Refusal::TestCaseDoesNotExist { machine, test_case } => {
                ApiError::no_test_case(&machine, &test_case)
            }
            Refusal::MockedStateDoesNotExist { machine, test_case, state } => {
                ApiError::no_mocked_state(&machine, &test_case, &state)
            }
            Refusal::ModuleDoesNotExist { name } => ApiError::no_module(&name),
            Refusal::Module(refusal) => ApiError::conflict(format!("{refusal}.")),
            Refusal::Overloaded => ApiError::new("ThrottlingException", "Rate exceeded"),
            Refusal::Unavailable => ApiError::unavailable(
                "The store could not be written. What was asked for may or may not have been done.",
            ),
            Refusal::Stopping => ApiError::unavailable("The server is stopping."),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut body = json!({"__type": self.code, "message": self.message});
        if let Some(reason) = self.reason {
            body["reason"] = reason.into();
        }
        if let Some(resource) = self.resource {
            body["resourceName"] = resource.into();
        }
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.code));
        response
    }
}

#[cfg(test)]
mod tests {
    use engine::arn::{ActivityArn, ExecutionArn, StateMachineArn};

    use super::*;

    fn check(refusal: Refusal, status: u16, code: &str, message: &str) {
        let error = ApiError::from(refusal);
        assert_eq!((error.status().as_u16(), error.code(), error.message()), (status, code, message));
    }

    #[test]
    fn refusals_get_the_recorded_texts() {
        let machine = StateMachineArn::new("us-east-1", "1", "m").unwrap();
        let execution: ExecutionArn = machine.execution("e").unwrap();
        let activity = ActivityArn::new("us-east-1", "1", "a").unwrap();
        check(
            Refusal::StateMachineDoesNotExist { arn: machine.to_string() },
            400,
            "StateMachineDoesNotExist",
            "State Machine Does Not Exist: 'arn:aws:states:us-east-1:1:stateMachine:m'",
        );
        check(
            Refusal::StateMachineAlreadyExists { arn: machine },
            400,
            "StateMachineAlreadyExists",
            "State Machine Already Exists: 'arn:aws:states:us-east-1:1:stateMachine:m'",
        );
        check(
            Refusal::ExecutionDoesNotExist { arn: execution.clone() },
            400,
            "ExecutionDoesNotExist",
            "Execution Does Not Exist: 'arn:aws:states:us-east-1:1:execution:m:e'",
        );
        check(
            Refusal::ExecutionAlreadyExists { arn: execution },
            400,
            "ExecutionAlreadyExists",
            "Execution Already Exists: 'arn:aws:states:us-east-1:1:execution:m:e'",
        );
        check(
            Refusal::ActivityDoesNotExist { arn: activity },
            400,
            "ActivityDoesNotExist",
            "Activity Does Not Exist: 'arn:aws:states:us-east-1:1:activity:a'",
        );
        check(
            Refusal::StoredDefinitionInvalid { why: "It is not".to_owned() },
            400,
            "ValidationException",
            "It is not. Update the state machine with a definition that is valid.",
        );
        check(Refusal::InvalidToken, 400, "InvalidToken", "Invalid Token: 'Invalid token'");
        check(Refusal::Overloaded, 400, "ThrottlingException", "Rate exceeded");
        check(Refusal::Stopping, 503, "ServiceUnavailable", "The server is stopping.");
    }

    #[test]
    fn the_answer_names_the_error_in_body_and_header() {
        let response = ApiError::invalid_name("a b").into_response();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["x-amzn-errortype"], "InvalidName");
        assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
    }
}
