//! `PUT /modules/{name}`: a component or a package becomes the newest version.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, Request, StatusCode, header};
use bytes::Bytes;
use engine::Expected;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::json;
use store::Store;
use wasm_host::Digest;

use super::{Answer, check_name};
use crate::app::App;
use crate::limits::{MODULE_BODY_TIMEOUT, MODULE_BYTES_MAX};
use crate::problem::Problem;
use crate::registry::{self, Upload, Uploaded};

/// Checks and compiles the component, then makes it the newest version. With `If-Match` and a digest only in the place of
/// that component, or of itself, so that it can be sent again; with `If-None-Match: *` only under a new name.
pub(crate) async fn put<S: Store + Clone>(
    State(app): State<App<S>>,
    Path(name): Path<String>,
    request: Request<Body>,
) -> Answer {
    check_name(&name)?;
    let expected = expected(request.headers())?;
    let upload = Upload {
        name: name.clone(),
        bytes: read_body(request.into_body()).await?,
        expected,
        configuration: None,
        keeps_package_digest: false,
        publish: true,
        description: None,
        tags: Vec::new(),
        if_upload: None,
    };
    let Uploaded { info, changed, warnings } = registry::upload(&app, upload).await?;
    let version = changed.version;
    tracing::info!(module = %name, version, digest = %info.digest, "module put");
    Ok(Json(json!({
        "name": name,
        "version": version,
        "digest": info.digest.to_string(),
        "sizeBytes": info.size_bytes,
        "exports": info.exports,
        "imports": info.imports,
        "warnings": warnings,
    })))
}

/// What the conditions of a request say that it finds.
fn expected(headers: &HeaderMap) -> Result<Expected, Problem> {
    let condition = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let invalid = |message: &str| Err(Problem::new(StatusCode::BAD_REQUEST, "InvalidCondition", message));
    match (condition(header::IF_MATCH), condition(header::IF_NONE_MATCH)) {
        (None, None) => Ok(Expected::Anything),
        (None, Some("*")) => Ok(Expected::Nothing),
        (Some("*"), None) => Ok(Expected::Something),
        (Some(digest), None) => match digest.trim_matches('"').parse::<Digest>() {
            Ok(digest) => Ok(Expected::Digest(digest.to_string())),
            Err(error) => {
                invalid(&format!("If-Match must be * or the digest of the newest component: {error}."))
            }
        },
        (_, Some(_)) => invalid("If-None-Match can be * alone, and not beside If-Match."),
    }
}

pub(crate) async fn read_body(body: Body) -> Result<Bytes, Problem> {
    let body = Limited::new(body, MODULE_BYTES_MAX);
    match tokio::time::timeout(MODULE_BODY_TIMEOUT, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "ModuleTooLarge",
            format!(
                "The component is larger than {} MiB; build it for release and strip it.",
                MODULE_BYTES_MAX >> 20
            ),
        )),
        Ok(Err(_cut_off)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "IncompleteBody",
            "The component was cut off on its way.",
        )),
        Err(_too_slow) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "IncompleteBody",
            format!("The component did not arrive within {} s.", MODULE_BODY_TIMEOUT.as_secs()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn conditions_are_read_as_http_has_them() {
        let read = |headers: &[(&'static str, &'static str)]| {
            let headers = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            expected(&headers.collect())
        };
        let digest = "\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";
        assert_eq!(read(&[]).unwrap(), Expected::Anything);
        assert_eq!(read(&[("if-none-match", "*")]).unwrap(), Expected::Nothing);
        assert_eq!(read(&[("if-match", "*")]).unwrap(), Expected::Something);
        let bare = digest.trim_matches('"').to_owned();
        assert_eq!(read(&[("if-match", digest)]).unwrap(), Expected::Digest(bare));
        for wrong in [
            &[("if-match", "\"abc\"")][..],
            &[("if-none-match", digest)],
            &[("if-match", "*"), ("if-none-match", "*")],
        ] {
            assert_eq!(read(wrong).unwrap_err().status(), StatusCode::BAD_REQUEST, "{wrong:?}");
        }
    }
}
