//! Errors of Stepwell's own endpoints: `{"error": "Name", "message": "what to do"}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::{ModuleRefusal, Refusal};
use serde_json::json;
use wasm_host::ModuleError;

use crate::api::ApiError;
use crate::package::PackageError;
use crate::registry::ChangeError;

#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    error: &'static str,
    message: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, error: &'static str, message: impl Into<String>) -> Problem {
        Problem { status, error, message: message.into() }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    pub(crate) fn no_module(name: &str) -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "ModuleNotFound",
            format!("There is no module '{name}'. `stepwell module list` shows those that there are."),
        )
    }

    pub(crate) fn no_version(name: &str, version: &str) -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "VersionNotFound",
            format!(
                "The module '{name}' has no version '{version}'. `stepwell module show {name}` shows those that it has."
            ),
        )
    }

    pub(crate) fn no_alias(name: &str, alias: &str) -> Problem {
        Problem::new(
            StatusCode::NOT_FOUND,
            "AliasNotFound",
            format!(
                "The module '{name}' has no alias '{alias}'. `stepwell module alias list {name}` shows those that it has."
            ),
        )
    }
}

impl From<ModuleError> for Problem {
    fn from(error: ModuleError) -> Problem {
        let (status, name) = match &error {
            ModuleError::NotWasm => (StatusCode::BAD_REQUEST, "NotWebAssembly"),
            ModuleError::CoreModule { .. } => (StatusCode::BAD_REQUEST, "CoreModule"),
            ModuleError::MissingExport { .. } => (StatusCode::BAD_REQUEST, "MissingExport"),
            ModuleError::UnknownImport { .. } => (StatusCode::BAD_REQUEST, "UnknownImport"),
            ModuleError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "ModuleTooLarge"),
            ModuleError::NeedsMore { .. } => (StatusCode::BAD_REQUEST, "ModuleNeedsMore"),
            ModuleError::Invalid(_) => (StatusCode::BAD_REQUEST, "InvalidModule"),
            ModuleError::NotFound => (StatusCode::NOT_FOUND, "ModuleNotFound"),
            ModuleError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "Busy"),
            ModuleError::Io(_) | ModuleError::Host(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the module host failed");
                let message = "The server could not keep the module; its log has the cause.";
                return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", message);
            }
        };
        Problem::new(status, name, error.to_string())
    }
}

/// The API's own words serve here as well.
impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Problem {
        let status =
            if error.code().ends_with("DoesNotExist") { StatusCode::NOT_FOUND } else { error.status() };
        Problem::new(status, error.code(), error.message())
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        match refusal {
            Refusal::ModuleDoesNotExist { name } => Problem::no_module(&name),
            Refusal::Module(refusal) => refusal.into(),
            other => ApiError::from(other).into(),
        }
    }
}

impl From<ModuleRefusal> for Problem {
    fn from(refusal: ModuleRefusal) -> Problem {
        let (status, error, message) = match refusal {
            ModuleRefusal::NoVersion { name, version } => {
                return Problem::no_version(&name, &version.to_string());
            }
            ModuleRefusal::NoAlias { name, alias } => return Problem::no_alias(&name, &alias),
            ModuleRefusal::Exists { name } => (
                StatusCode::PRECONDITION_FAILED,
                "ModuleExists",
                format!("There is a module '{name}' already."),
            ),
            ModuleRefusal::Changed { name, digest } => (
                StatusCode::PRECONDITION_FAILED,
                "ModuleChanged",
                format!("The newest component of '{name}' is {digest}, and not the one that was expected."),
            ),
            ModuleRefusal::VersionInUse { name, version, aliases } => (
                StatusCode::CONFLICT,
                "VersionInUse",
                format!(
                    "Version {version} of '{name}' is where {} leads; move or remove that alias first.",
                    aliases.join(", ")
                ),
            ),
            ModuleRefusal::AliasExists { name, alias } => {
                (StatusCode::CONFLICT, "AliasExists", format!("'{name}' has an alias '{alias}' already."))
            }
            ModuleRefusal::AliasChanged { name, alias } => (
                StatusCode::PRECONDITION_FAILED,
                "AliasChanged",
                format!("The alias '{alias}' of '{name}' is not what it was expected to be."),
            ),
            ModuleRefusal::AliasOfOneVersion { version } => (
                StatusCode::BAD_REQUEST,
                "InvalidAlias",
                format!("'also' must name another version than {version}."),
            ),
            ModuleRefusal::AliasOfLatest => (
                StatusCode::BAD_REQUEST,
                "InvalidAlias",
                "'also' can only be beside the number of a version, not beside $LATEST.".to_owned(),
            ),
            ModuleRefusal::TooManyAliases { max } => (
                StatusCode::CONFLICT,
                "TooManyAliases",
                format!("A module has {max} aliases at most; remove one that is not needed."),
            ),
        };
        Problem::new(status, error, message)
    }
}

impl From<PackageError> for Problem {
    fn from(error: PackageError) -> Problem {
        let (status, name) = match error {
            PackageError::Invalid(_) => (StatusCode::BAD_REQUEST, "InvalidPackage"),
            PackageError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "ModuleTooLarge"),
        };
        Problem::new(status, name, error.to_string())
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Problem {
        match error {
            ChangeError::Package(error) => error.into(),
            ChangeError::Manifest(_) => {
                Problem::new(StatusCode::BAD_REQUEST, "InvalidManifest", error.to_string())
            }
            ChangeError::Module(error) => error.into(),
            ChangeError::Refused(refusal) => refusal.into(),
            ChangeError::Read(error) => error.into(),
        }
    }
}

impl From<store::ReadError> for Problem {
    fn from(error: store::ReadError) -> Problem {
        ApiError::from(error).into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.error, "message": self.message}))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_module_is_told_the_fix() {
        let problem = Problem::from(ModuleError::CoreModule { why: "it is empty".to_owned() });
        assert_eq!((problem.status.as_u16(), problem.error), (400, "CoreModule"));
        assert!(problem.message.contains("wasm-tools component new"), "{}", problem.message);
        let problem = Problem::from(ModuleError::TooLarge { size: 2, max: 1 });
        assert_eq!((problem.status.as_u16(), problem.error), (413, "ModuleTooLarge"));
    }

    #[test]
    fn what_does_not_exist_is_not_found() {
        let problem = Problem::from(ApiError::execution_does_not_exist("arn"));
        assert_eq!((problem.status.as_u16(), problem.error), (404, "ExecutionDoesNotExist"));
    }
}
