//! What a request says of its own signature, in its `Authorization` header or in its query.

use asl::Timestamp;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::refusals::{incomplete, incomplete_header, invalid, missing, session_token};
use super::replays::Signature;
use super::signature::{
    ALGORITHM, DATE_HEADER, SIGNATURE_PARAMETER, Scope, TERMINATOR, parameters, parse_compact,
};
use crate::api::ApiError;
use crate::limits::{PRESIGNED_SECONDS_MAX, SIGNED_HEADERS_MAX};

/// A signature and what is needed to check it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) key_id: String,
    pub(super) scope: Scope,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: Signature,
    pub(super) at: Timestamp,
    /// The time as it was written, which is what is signed.
    pub(super) at_text: String,
    /// For how long the URL of a presigned request is good.
    pub(super) presigned_seconds: Option<i64>,
}

/// The texts of which both forms are made.
#[derive(Default)]
struct Texts {
    credential: Option<String>,
    signed_headers: Option<String>,
    signature: Option<String>,
}

impl Claim {
    pub(super) fn read(parts: &Parts) -> Result<Claim, ApiError> {
        if parts.headers.contains_key("x-amz-security-token") {
            return Err(session_token());
        }
        let mut headers = parts.headers.get_all(header::AUTHORIZATION).iter();
        match (headers.next(), headers.next()) {
            (Some(authorization), None) => from_header(authorization.as_bytes(), &parts.headers),
            (Some(_), Some(_)) => Err(incomplete("The request has more than one Authorization header.")),
            (None, _) => from_query(parts.uri.query().unwrap_or_default()),
        }
    }
}

fn from_header(authorization: &[u8], headers: &HeaderMap) -> Result<Claim, ApiError> {
    let refused = |problems: &str| incomplete_header(problems, authorization);
    let text = std::str::from_utf8(authorization).unwrap_or_default();
    let (algorithm, fields) = text.split_once(' ').unwrap_or((text, ""));
    if algorithm != ALGORITHM {
        return Err(refused("Unsupported AWS 'algorithm'; use AWS4-HMAC-SHA256."));
    }
    let mut texts = Texts::default();
    for field in fields.split(',').map(str::trim).filter(|field| !field.is_empty()) {
        let Some((name, value)) = field.split_once('=') else {
            return Err(refused("Invalid key=value pair (missing equal-sign) in Authorization header."));
        };
        let place = match name {
            "Credential" => &mut texts.credential,
            "SignedHeaders" => &mut texts.signed_headers,
            "Signature" => &mut texts.signature,
            _other => continue,
        };
        if place.replace(value.to_owned()).is_some() {
            return Err(refused(&format!("Authorization header has more than one '{name}' parameter.")));
        }
    }
    let date = headers.get(DATE_HEADER).or_else(|| headers.get(header::DATE));
    let date = date.and_then(|date| date.to_str().ok());
    let (Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (&texts.credential, &texts.signature, &texts.signed_headers, date)
    else {
        let mut problems: Vec<_> = [
            ("Credential", &texts.credential),
            ("Signature", &texts.signature),
            ("SignedHeaders", &texts.signed_headers),
        ]
        .iter()
        .filter(|(_, text)| text.is_none())
        .map(|(name, _)| format!("Authorization header requires '{name}' parameter."))
        .collect();
        if date.is_none() {
            problems.push(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
                    .to_owned(),
            );
        }
        return Err(refused(&problems.join(" ")));
    };
    claim(credential, signed_headers, signature, date, None)
}

fn from_query(query: &str) -> Result<Claim, ApiError> {
    const NAMES: [&str; 6] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        SIGNATURE_PARAMETER,
        "X-Amz-SignedHeaders",
        "X-Amz-Date",
        "X-Amz-Expires",
    ];
    let mut found: [Option<String>; 6] = Default::default();
    for (name, value) in parameters(query) {
        if name == b"X-Amz-Security-Token" {
            return Err(session_token());
        }
        let Some(index) = NAMES.iter().position(|known| known.as_bytes() == name) else { continue };
        let value = String::from_utf8_lossy(&value).into_owned();
        if found[index].replace(value).is_some() {
            return Err(incomplete(format!(
                "AWS query-string parameters must have one '{}'. Re-examine the query-string parameters.",
                NAMES[index]
            )));
        }
    }
    if found.iter().all(Option::is_none) {
        return Err(missing());
    }
    let [Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date), Some(expires)] =
        &found
    else {
        let missing = NAMES.iter().zip(&found).filter(|(_, value)| value.is_none());
        let problems: Vec<_> =
            missing.map(|(name, _)| format!("AWS query-string parameters must include '{name}'.")).collect();
        return Err(incomplete(format!("{} Re-examine the query-string parameters.", problems.join(" "))));
    };
    if algorithm != ALGORITHM {
        return Err(incomplete("Unsupported AWS 'algorithm'; use AWS4-HMAC-SHA256."));
    }
    let expires = expires.parse().ok().filter(|seconds| (1..=PRESIGNED_SECONDS_MAX).contains(seconds));
    let Some(expires) = expires else {
        return Err(incomplete(format!(
            "X-Amz-Expires must be a number of seconds from 1 to {PRESIGNED_SECONDS_MAX}."
        )));
    };
    claim(credential, signed_headers, signature, date, Some(expires))
}

fn claim(
    credential: &str,
    signed_headers: &str,
    signature: &str,
    date: &str,
    presigned_seconds: Option<i64>,
) -> Result<Claim, ApiError> {
    let parts: Vec<_> = credential.split('/').collect();
    let [key_id, scope_date, region, service, terminator] = parts.as_slice() else {
        return Err(incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.",
        ));
    };
    let at = parse_compact(date).ok_or_else(|| {
        incomplete("Date must be in ISO-8601 'basic format', such as X-Amz-Date: 20260102T030405Z.")
    })?;
    if *terminator != TERMINATOR {
        return Err(invalid(format!("Credential should be scoped with a valid terminator: '{TERMINATOR}'.")));
    }
    if *scope_date != &date[..8] {
        return Err(invalid(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.",
        ));
    }
    let mut bytes = Signature::default();
    if hex::decode_to_slice(signature, &mut bytes).is_err() {
        return Err(super::refusals::mismatch());
    }
    let signed_headers: Vec<_> = signed_headers.split(';').map(str::to_ascii_lowercase).collect();
    if signed_headers.len() > SIGNED_HEADERS_MAX {
        return Err(incomplete(format!("At most {SIGNED_HEADERS_MAX} headers can be signed.")));
    }
    Ok(Claim {
        key_id: (*key_id).to_owned(),
        scope: Scope {
            date: (*scope_date).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
        },
        signed_headers,
        signature: bytes,
        at,
        at_text: date.to_owned(),
        presigned_seconds,
    })
}
