//! The code of a function: how it comes in, and `UpdateFunctionCode`.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use engine::Expected;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;
use store::Store;

use super::answers::{code_sha256, latest, latest_configuration, latest_revision, version_configuration};
use super::error::LambdaError;
use super::members::Members;
use super::names::Function;
use crate::app::App;
use crate::limits::{INVOCATION_BYTES_MAX, LAMBDA_UPLOAD_BYTES_MAX, MODULE_BODY_TIMEOUT, REQUEST_BYTES_MAX};
use crate::registry::{self, Upload, Uploaded};

/// Whether a request carries the code of a function.
pub(crate) fn is_upload(method: &Method, path: &str) -> bool {
    match path.strip_prefix("/2015-03-31/functions").map(|rest| rest.trim_end_matches('/')) {
        Some("") => method == Method::POST,
        Some(rest) => method == Method::PUT && rest.ends_with("/code"),
        None => false,
    }
}

/// Reads the body of a request of Lambda's, within what its operation takes.
pub(crate) async fn read_body(parts: &Parts, body: Body) -> Result<Bytes, LambdaError> {
    let path = parts.uri.path();
    let bytes_max = if is_upload(&parts.method, path) {
        LAMBDA_UPLOAD_BYTES_MAX
    } else if path.ends_with("/invocations") {
        INVOCATION_BYTES_MAX
    } else {
        REQUEST_BYTES_MAX
    };
    read_within(body, bytes_max).await
}

pub(super) async fn read_within(body: Body, bytes_max: usize) -> Result<Bytes, LambdaError> {
    let body = Limited::new(body, bytes_max).collect();
    match tokio::time::timeout(MODULE_BODY_TIMEOUT, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(LambdaError::too_large(format!("Request must be smaller than {bytes_max} bytes.")))
        }
        Ok(Err(_cut_off)) => Err(LambdaError::invalid("The request was cut off on its way.")),
        Err(_too_slow) => Err(LambdaError::invalid(format!(
            "The request did not arrive within {} s.",
            MODULE_BODY_TIMEOUT.as_secs()
        ))),
    }
}

/// Takes the archive or the component out of the members of a request.
pub(super) fn take(members: &mut Members) -> Result<Bytes, LambdaError> {
    for member in ["ImageUri", "S3Bucket", "S3Key", "S3ObjectVersion"] {
        if members.text(member)?.is_some_and(|text| !text.is_empty()) {
            return Err(LambdaError::invalid(format!(
                "{member} is not supported here: send the component, or a zip archive with it, as ZipFile."
            )));
        }
    }
    let text = members.text("ZipFile")?.filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| {
        LambdaError::invalid(
            "Please provide a source for function code: the component, or a zip archive with it.",
        )
    })?;
    let bytes = BASE64_STANDARD.decode(text.as_bytes());
    Ok(bytes.map_err(|error| LambdaError::invalid(format!("ZipFile must be base64: {error}.")))?.into())
}

/// `UpdateFunctionCode`: another component for `$LATEST`, and with `Publish` a version of it.
pub(super) async fn update<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(function): Path<String>,
    request: Request<Body>,
) -> Result<Json<Value>, LambdaError> {
    let function = Function::parse_unqualified(&app, &function)?;
    let mut members = Members::parse(&read_within(request.into_body(), LAMBDA_UPLOAD_BYTES_MAX).await?)?;
    let bytes = take(&mut members)?;
    let (publish, dry_run) = (members.flag("Publish")?, members.flag("DryRun")?);
    let revision = members.revision()?;
    let _any = members.take("Architectures");
    members.end()?;
    let (head, record) = latest(&app, &function).await?;
    // Without a revision the last update counts.
    let seen = revision.is_some().then(|| head.pointers.as_ref().map(|pointers| pointers.last_upload));
    if revision.is_some_and(|revision| revision != latest_revision(&function, &head, &record)) {
        return Err(LambdaError::precondition());
    }
    if dry_run {
        return Ok(Json(latest_configuration(&function, &head, &record, function.arn.clone())));
    }
    let upload = Upload {
        name: function.name.clone(),
        bytes,
        expected: Expected::Something,
        configuration: None,
        keeps_package_digest: true,
        publish,
        description: None,
        tags: Vec::new(),
        if_upload: seen.flatten(),
    };
    let Uploaded { changed, .. } =
        registry::upload(&app, upload).await.map_err(|error| LambdaError::of_change(error, &function))?;
    let (head, record) = latest(&app, &function).await?;
    tracing::info!(function = %function.name, code = code_sha256(&record), "function code updated");
    Ok(Json(match changed.version.filter(|_| publish) {
        Some(version) => {
            let arn = function.qualified(&version.to_string());
            version_configuration(&function, version, &record, arn)
        }
        None => latest_configuration(&function, &head, &record, function.arn.clone()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_are_told_by_their_paths() {
        assert!(is_upload(&Method::POST, "/2015-03-31/functions"));
        assert!(is_upload(&Method::POST, "/2015-03-31/functions/"));
        assert!(is_upload(&Method::PUT, "/2015-03-31/functions/f/code"));
        assert!(!is_upload(&Method::GET, "/2015-03-31/functions/"));
        assert!(!is_upload(&Method::POST, "/2015-03-31/functions/f/invocations"));
        assert!(!is_upload(&Method::PUT, "/modules/f"));
    }

    #[test]
    fn code_comes_as_base64_and_no_other_way() {
        let take = |body: &str| super::take(&mut Members::parse(body.as_bytes()).unwrap());
        assert_eq!(take(r#"{"ZipFile": "AGFzbQ=="}"#).unwrap(), Bytes::from_static(b"\0asm"));
        for (body, expected) in [
            ("{}", "provide a source"),
            (r#"{"ZipFile": "?"}"#, "must be base64"),
            (r#"{"S3Bucket": "b", "S3Key": "k"}"#, "S3Bucket is not supported"),
            (r#"{"ImageUri": "i"}"#, "ImageUri is not supported"),
        ] {
            let error = format!("{:?}", take(body).unwrap_err());
            assert!(error.contains(expected), "{body}: {error}");
        }
    }
}
