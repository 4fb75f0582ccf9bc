//! The refusals of AWS's JSON protocol for requests that are not signed as they should be.

use asl::Timestamp;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::signature::compact;
use crate::api::ApiError;

pub(super) fn missing() -> ApiError {
    ApiError::new("MissingAuthenticationTokenException", "Missing Authentication Token")
}

pub(super) fn incomplete(message: impl Into<String>) -> ApiError {
    ApiError::new("IncompleteSignatureException", message)
}

/// AWS shows a digest of the header, so that it can be found in a log, and not the header.
pub(super) fn incomplete_header(problems: &str, authorization: &[u8]) -> ApiError {
    let digest = BASE64_STANDARD.encode(Sha256::digest(authorization));
    incomplete(format!("{problems} (Hashed with SHA-256 and encoded with Base64) Authorization={digest}"))
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidSignatureException", message)
}

pub(super) fn mismatch() -> ApiError {
    invalid(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details.",
    )
}

pub(super) fn unknown_key() -> ApiError {
    ApiError::new("UnrecognizedClientException", "The security token included in the request is invalid.")
}

pub(super) fn session_token() -> ApiError {
    ApiError::new(
        "UnrecognizedClientException",
        "The security token included in the request is invalid. Stepwell has no temporary credentials: unset \
         AWS_SESSION_TOKEN and use a key that `stepwell keys create` has made.",
    )
}

pub(super) fn replayed() -> ApiError {
    invalid("Signature already used: sign every request anew.")
}

pub(super) fn before_start(start: Timestamp) -> ApiError {
    invalid(format!(
        "The request was signed before {}, when this server started, so it may have been done already. Sign it anew, by a \
         clock that is right.",
        compact(start)
    ))
}

pub(super) fn page(message: impl Into<String>) -> ApiError {
    ApiError::new("AccessDeniedException", message)
}
