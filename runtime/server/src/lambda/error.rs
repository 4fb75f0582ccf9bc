//! Errors as AWS Lambda gives them: the name in a header, the message in the body.

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use engine::{ModuleRefusal, Refusal};
use serde_json::json;
use store::ReadError;
use wasm_host::ModuleError;

use super::names::Function;
use super::pages::Page;
use crate::api::ApiError;
use crate::registry::ChangeError;

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

/// A refusal.
#[derive(Debug)]
pub(crate) struct LambdaError {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl LambdaError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> LambdaError {
        LambdaError { status, code, message: message.into() }
    }

    pub(super) fn invalid(message: impl Into<String>) -> LambdaError {
        LambdaError::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
    }

    /// What breaks a constraint of AWS's service model.
    pub(super) fn validation(value: &str, member: &str, constraint: &str) -> LambdaError {
        let message = format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must \
             satisfy {constraint}"
        );
        LambdaError::new(StatusCode::BAD_REQUEST, "ValidationException", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> LambdaError {
        LambdaError::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    }

    pub(super) fn no_function(arn: &str) -> LambdaError {
        LambdaError::not_found(format!("Function not found: {arn}"))
    }

    pub(super) fn no_alias(arn: &str) -> LambdaError {
        LambdaError::not_found(format!("Cannot find alias arn: {arn}"))
    }

    pub(super) fn conflict(message: impl Into<String>) -> LambdaError {
        LambdaError::new(StatusCode::CONFLICT, "ResourceConflictException", message)
    }

    pub(super) fn precondition() -> LambdaError {
        LambdaError::new(
            StatusCode::PRECONDITION_FAILED,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to \
             retrieve the latest Revision Id",
        )
    }

    /// What somebody else has changed meanwhile is a conflict for whoever has named no revision; clients try it again.
    pub(super) fn or_conflict(self, function: &Function, names_revision: bool) -> LambdaError {
        if names_revision || self.status != StatusCode::PRECONDITION_FAILED {
            return self;
        }
        LambdaError::conflict(format!(
            "The operation cannot be performed at this time. An update is in progress for resource: {}",
            function.arn
        ))
    }

    pub(super) fn too_many_tags() -> LambdaError {
        LambdaError::invalid("Number of tags exceeds resource tag limit.")
    }

    pub(super) fn too_large(message: impl Into<String>) -> LambdaError {
        LambdaError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message)
    }

    pub(crate) fn throttled(message: impl Into<String>) -> LambdaError {
        LambdaError::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", message)
    }

    pub(super) fn service(message: impl Into<String>) -> LambdaError {
        LambdaError::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", message)
    }

    pub(super) fn unknown_operation(message: impl Into<String>) -> LambdaError {
        LambdaError::new(StatusCode::NOT_FOUND, "UnknownOperationException", message)
    }

    /// The door is closed.
    pub(crate) fn forbidden(error: &ApiError) -> LambdaError {
        LambdaError::new(StatusCode::FORBIDDEN, error.code(), error.message())
    }

    /// Why a function was not changed.
    pub(super) fn of_change(error: ChangeError, function: &Function) -> LambdaError {
        match error {
            ChangeError::Package(error) => LambdaError::invalid(error.to_string()),
            ChangeError::Manifest(_) => LambdaError::invalid(error.to_string()),
            ChangeError::Module(error) => LambdaError::of_module(&error),
            ChangeError::Refused(refusal) => LambdaError::of_refusal(refusal, function),
            ChangeError::Read(error) => error.into(),
        }
    }

    fn of_module(error: &ModuleError) -> LambdaError {
        match error {
            ModuleError::Busy => LambdaError::throttled("Too many functions are being uploaded; try again."),
            ModuleError::Io(_) | ModuleError::Host(_) => {
                tracing::error!(error = error as &dyn std::error::Error, "the module host failed");
                LambdaError::service("The server could not keep the function; its log has the cause.")
            }
            ModuleError::NotWasm
            | ModuleError::CoreModule { .. }
            | ModuleError::MissingExport { .. }
            | ModuleError::UnknownImport { .. }
            | ModuleError::TooLarge { .. }
            | ModuleError::NeedsMore { .. }
            | ModuleError::Invalid(_)
            | ModuleError::NotFound => {
                LambdaError::invalid(format!("The component cannot be used as a function: {error}."))
            }
        }
    }

    fn of_refusal(refusal: Refusal, function: &Function) -> LambdaError {
        match refusal {
            Refusal::ModuleDoesNotExist { .. } => LambdaError::no_function(&function.arn),
            Refusal::Module(refusal) => LambdaError::of_module_refusal(refusal, function),
            Refusal::Overloaded => LambdaError::throttled("Rate exceeded"),
            Refusal::TooManyTags { .. } => LambdaError::too_many_tags(),
            other => {
                let error = ApiError::from(other);
                LambdaError::new(error.status(), "ServiceException", error.message())
            }
        }
    }

    fn of_module_refusal(refusal: ModuleRefusal, function: &Function) -> LambdaError {
        let qualified = |qualifier: &str| function.qualified(qualifier);
        match refusal {
            ModuleRefusal::Exists { name } => {
                LambdaError::conflict(format!("Function already exist: {name}"))
            }
            ModuleRefusal::Changed { .. } | ModuleRefusal::AliasChanged { .. } => LambdaError::precondition(),
            ModuleRefusal::NoVersion { version, .. } => {
                LambdaError::no_function(&qualified(&version.to_string()))
            }
            ModuleRefusal::VersionInUse { version, aliases, .. } => LambdaError::conflict(format!(
                "Unable to delete version {version} because the following aliases reference it: [{}]",
                aliases.join(", ")
            )),
            ModuleRefusal::NoAlias { alias, .. } => LambdaError::no_alias(&qualified(&alias)),
            ModuleRefusal::AliasExists { alias, .. } => {
                LambdaError::conflict(format!("Alias already exists: {}", qualified(&alias)))
            }
            ModuleRefusal::TooManyAliases { max } => {
                LambdaError::invalid(format!("A function has {max} aliases at most."))
            }
            ModuleRefusal::AliasOfOneVersion { version } => LambdaError::invalid(format!(
                "Invalid function version {version}. Function version {version} is already included in routing \
                 configuration."
            )),
            ModuleRefusal::AliasOfLatest => {
                LambdaError::invalid("$LATEST is not supported for an alias pointing to more than 1 version")
            }
        }
    }
}

/// The door's own words.
impl From<ApiError> for LambdaError {
    fn from(error: ApiError) -> LambdaError {
        LambdaError::new(error.status(), error.code(), error.message())
    }
}

impl From<ReadError> for LambdaError {
    fn from(error: ReadError) -> LambdaError {
        if let ReadError::InvalidPosition(_) = error {
            return Page::invalid_marker();
        }
        let error = ApiError::from(error);
        LambdaError::new(error.status(), "ServiceException", error.message())
    }
}

impl IntoResponse for LambdaError {
    fn into_response(self) -> Response {
        let kind = if self.status.is_server_error() { "Service" } else { "User" };
        let body = Json(json!({"Type": kind, "Message": self.message, "message": self.message}));
        (self.status, [(ERROR_TYPE, HeaderValue::from_static(self.code))], body).into_response()
    }
}
