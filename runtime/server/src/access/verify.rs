//! Checks the signature of a request: its key, its time, what it covers, and that it is right.

use std::sync::Arc;

use asl::Timestamp;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use hmac::Mac;

use super::Access;
use super::claim::Claim;
use super::keys::AccessKey;
use super::refusals::{before_start, incomplete, invalid, mismatch, replayed, unknown_key};
use super::replays::{ATTEMPT_HEADERS, attempt};
use super::signature::{DIGEST_HEADER, canonical, compact, mac};
use crate::api::ApiError;
use crate::limits::CLOCK_SKEW_SECONDS;

/// The services in whose name a request may be signed. Any region will do.
const SERVICES: &[&str] = &["states", "lambda", "events", "stepwell"];
/// Operations that change nothing, by how their names begin.
const READING: &[&str] = &["Describe", "List", "GetExecutionHistory", "ValidateStateMachineDefinition"];

/// A claim whose key and time are good. Its signature is not checked yet.
#[derive(Debug)]
pub(super) struct Plausible {
    claim: Claim,
    key: Arc<AccessKey>,
    /// The digest of the body, if it was told and signed.
    pub(super) digest: Option<String>,
}

/// Checks all that can be checked before the body is read and anything is computed.
pub(super) fn examine(access: &Access, parts: &Parts, now: Timestamp) -> Result<Plausible, ApiError> {
    let claim = Claim::read(parts)?;
    let key = access.keys.find(&claim.key_id).ok_or_else(unknown_key)?;
    check_time(&claim, now)?;
    if claim.scope.region.is_empty() {
        return Err(invalid("Credential should be scoped to a valid region."));
    }
    if !SERVICES.contains(&claim.scope.service.as_str()) {
        return Err(invalid("Credential should be scoped to correct service: 'states'."));
    }
    check_coverage(&claim, &parts.headers)?;
    let digest = told_digest(&parts.headers)?;
    Ok(Plausible { claim, key, digest })
}

impl Plausible {
    /// Checks the signature over a request with a body of this digest.
    pub(super) fn check(&self, parts: &Parts, digest: &str) -> Result<(), ApiError> {
        let Claim { signed_headers, at_text, scope, signature, .. } = &self.claim;
        let canonical = canonical(parts, signed_headers, digest);
        // The comparison takes the same time wherever the difference is.
        mac(self.key.secret(), at_text, scope, &canonical).verify_slice(signature).map_err(|_| mismatch())
    }

    /// Makes sure that a changing request is done once. Presigned URLs are made to be used again.
    pub(super) fn admit(&self, access: &Access, parts: &Parts, now: Timestamp) -> Result<(), ApiError> {
        let Claim { signature, at, presigned_seconds, signed_headers, .. } = &self.claim;
        if presigned_seconds.is_some() || is_reading(parts) {
            return Ok(());
        }
        // What the server had seen before its start it does not know.
        if *at < access.since {
            return Err(before_start(access.since));
        }
        let is_signed = |name: &&str| signed_headers.iter().any(|signed| signed == name);
        let is_unique = ATTEMPT_HEADERS.iter().all(is_signed);
        let attempt = (!is_unique).then(|| attempt(signature, &parts.headers));
        let until = at.saturating_add_seconds(CLOCK_SKEW_SECONDS);
        if access.replays.admit(signature, until, attempt, now) { Ok(()) } else { Err(replayed()) }
    }
}

fn check_time(claim: &Claim, now: Timestamp) -> Result<(), ApiError> {
    let minutes = CLOCK_SKEW_SECONDS / 60;
    let at = &claim.at_text;
    let latest = now.saturating_add_seconds(CLOCK_SKEW_SECONDS);
    if claim.at > latest {
        return Err(invalid(format!(
            "Signature not yet current: {at} is still later than {} ({} + {minutes} min.)",
            compact(latest),
            compact(now)
        )));
    }
    let (lifetime, name) = match claim.presigned_seconds {
        None => (CLOCK_SKEW_SECONDS, format!("{minutes} min.")),
        Some(seconds) => (seconds, format!("{seconds} s.")),
    };
    let earliest = now.saturating_add_seconds(-lifetime);
    if claim.at < earliest {
        return Err(invalid(format!(
            "Signature expired: {at} is now earlier than {} ({} - {name})",
            compact(earliest),
            compact(now)
        )));
    }
    Ok(())
}

/// The host and all of AWS's headers must be signed, since they decide what is asked for.
fn check_coverage(claim: &Claim, headers: &HeaderMap) -> Result<(), ApiError> {
    let is_signed = |name: &str| claim.signed_headers.iter().any(|signed| signed == name);
    if !is_signed("host") {
        return Err(invalid("'Host' must be a 'SignedHeader' in the AWS Authorization."));
    }
    let uncovered =
        headers.keys().map(|name| name.as_str()).find(|name| name.starts_with("x-amz-") && !is_signed(name));
    if let Some(name) = uncovered {
        return Err(invalid(format!("'{name}' must be a 'SignedHeader' in the AWS Authorization.")));
    }
    if claim.signed_headers.iter().all(|name| headers.contains_key(name)) { Ok(()) } else { Err(mismatch()) }
}

fn told_digest(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(told) = headers.get(DIGEST_HEADER) else { return Ok(None) };
    let told = told.to_str().unwrap_or_default();
    let is_digest = told.len() == 64 && told.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_digest {
        return Ok(Some(told.to_owned()));
    }
    Err(incomplete(
        "X-Amz-Content-Sha256 must be the SHA-256 of the body in lower-case hexadecimal digits. A payload that is not \
         signed, such as UNSIGNED-PAYLOAD, is not taken.",
    ))
}

/// Whether a request changes nothing, so that it may be sent again.
fn is_reading(parts: &Parts) -> bool {
    if parts.method != Method::POST {
        return matches!(parts.method, Method::GET | Method::HEAD);
    }
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.split_once('.')).map(|(_, operation)| operation);
    operation.is_some_and(|operation| READING.iter().any(|reading| operation.starts_with(reading)))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};
    use sha2::{Digest, Sha256};

    use super::super::keys::Keys;
    use super::super::signature::parse_compact;
    use super::*;

    const AT: &str = "20260102T030405Z";
    const BODY: &str = r#"{"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"}"#;
    /// The first request of the tests of `signature`, as botocore has signed it.
    const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260102/us-east-1/states/aws4_request, \
                                 SignedHeaders=amz-sdk-invocation-id;content-type;host;x-amz-date;x-amz-target, \
                                 Signature=a206179c9bb2945bfacede14c7a66f195e76f669fef538ef9a4192b6df6773ee";
    const PRESIGNED: &str = "/modules?from=a%2Fb&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=\
                             AKIAIOSFODNN7EXAMPLE%2F20260102%2Fus-east-1%2Fstepwell%2Faws4_request&X-Amz-Date=\
                             20260102T030405Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=\
                             6e17a2c904ea2e91a38da7b3b8d5501d80f2376c3b73f043b1d8b857d2368c0a";
    const MISMATCH: &str = "InvalidSignatureException: The request signature we calculated does not match";

    fn access() -> Access {
        let keys = Keys::with("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        Access::new(keys, parse_compact(AT).unwrap().saturating_add_seconds(-300), false)
    }

    fn signed(authorization: &str) -> Parts {
        let request = Request::post("/")
            .header("host", "127.0.0.1:8083")
            .header("x-amz-target", "AWSStepFunctions.StartExecution")
            .header("content-type", "application/x-amz-json-1.0")
            .header("amz-sdk-invocation-id", "0a1b")
            .header("x-amz-date", AT)
            .header("authorization", authorization);
        request.body(()).unwrap().into_parts().0
    }

    fn presigned(uri: &str) -> Parts {
        Request::get(uri).header("host", "localhost:8083").body(()).unwrap().into_parts().0
    }

    /// What is said `late` seconds after the request was signed; empty if it is let in.
    fn verdict(parts: &Parts, body: &str, late: i64) -> String {
        let now = parse_compact(AT).unwrap().saturating_add_seconds(late);
        let digest = hex::encode(Sha256::digest(body));
        match examine(&access(), parts, now).and_then(|plausible| plausible.check(parts, &digest)) {
            Ok(()) => String::new(),
            Err(error) => format!("{}: {}", error.code(), error.message()),
        }
    }

    #[track_caller]
    fn refused(parts: &Parts, body: &str, late: i64, expected: &str) {
        let verdict = verdict(parts, body, late);
        assert!(verdict.starts_with(expected), "{verdict:?}");
    }

    #[test]
    fn what_botocore_has_signed_is_let_in() {
        assert_eq!(verdict(&signed(AUTHORIZATION), BODY, 0), "");
        assert_eq!(verdict(&presigned(PRESIGNED), "", 0), "");
        // Lists of fields may be written tighter, and what is not signed may change.
        let mut parts = signed(&AUTHORIZATION.replace(", ", ","));
        parts.headers.insert("user-agent", HeaderValue::from_static("a proxy"));
        assert_eq!(verdict(&parts, BODY, 0), "");
    }

    #[test]
    fn whatever_is_signed_cannot_be_altered() {
        refused(&signed(AUTHORIZATION), &BODY.replace(":m", ":n"), 0, MISMATCH);
        for (name, value) in [
            ("host", "127.0.0.1:8084"),
            ("x-amz-target", "AWSStepFunctions.DeleteStateMachine"),
            ("content-type", "application/json"),
            ("amz-sdk-invocation-id", "0a1c"),
            ("x-amz-date", "20260102T030406Z"),
        ] {
            let mut parts = signed(AUTHORIZATION);
            parts.headers.insert(name, HeaderValue::from_static(value));
            refused(&parts, BODY, 0, MISMATCH);
            parts.headers.remove(name);
            assert_ne!(verdict(&parts, BODY, 0), "", "{name}");
        }
        for uri in ["/keys", "/?a=1", "//"] {
            let mut parts = signed(AUTHORIZATION);
            parts.uri = uri.parse().unwrap();
            refused(&parts, BODY, 0, MISMATCH);
        }
        let mut parts = signed(AUTHORIZATION);
        parts.method = Method::PUT;
        refused(&parts, BODY, 0, MISMATCH);
        for (old, new) in
            [("us-east-1", "us-east-2"), ("states/aws4", "lambda/aws4"), ("Signature=a2", "Signature=a3")]
        {
            refused(&signed(&AUTHORIZATION.replace(old, new)), BODY, 0, MISMATCH);
        }
        for (old, new) in
            [("a%2Fb", "a%2Fc"), ("=600", "=601"), ("from=", "form="), ("68c0a", "68c0b"), ("?", "?b&")]
        {
            refused(&presigned(&PRESIGNED.replace(old, new)), "", 0, MISMATCH);
        }
        refused(&presigned(PRESIGNED), "a body", 0, MISMATCH);
        // The value of a parameter may be written in another way that reads the same.
        assert_eq!(verdict(&presigned(&PRESIGNED.replace("a%2Fb", "a/b")), "", 0), "");
    }

    #[test]
    fn clocks_may_be_five_minutes_apart() {
        let parts = signed(AUTHORIZATION);
        for late in [-300, 300] {
            assert_eq!(verdict(&parts, BODY, late), "");
        }
        let expired = "InvalidSignatureException: Signature expired: 20260102T030405Z is now earlier than \
                       20260102T030406Z (20260102T030906Z - 5 min.)";
        assert_eq!(verdict(&parts, BODY, 301), expired);
        let early = "InvalidSignatureException: Signature not yet current: 20260102T030405Z is still later than \
                     20260102T030404Z (20260102T025904Z + 5 min.)";
        assert_eq!(verdict(&parts, BODY, -301), early);
        assert_eq!(verdict(&presigned(PRESIGNED), "", 600), "");
        let expired = "InvalidSignatureException: Signature expired: 20260102T030405Z is now earlier than \
                       20260102T030406Z (20260102T031406Z - 600 s.)";
        assert_eq!(verdict(&presigned(PRESIGNED), "", 601), expired);
        refused(&presigned(PRESIGNED), "", -301, "InvalidSignatureException: Signature not yet current");
    }

    #[test]
    fn what_is_missing_or_malformed_is_told() {
        let check = |old: &str, new: &str, expected: &str| {
            refused(&signed(&AUTHORIZATION.replace(old, new)), BODY, 0, expected);
        };
        check(
            "Signature=",
            "Signed=",
            "IncompleteSignatureException: Authorization header requires 'Signature' parameter. (Hashed with SHA-256 \
             and encoded with Base64) Authorization=",
        );
        check("Credential=", "Credential", "IncompleteSignatureException: Invalid key=value pair");
        check(
            "/us-east-1",
            "",
            "IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements",
        );
        check("AWS4-HMAC-SHA256", "Bearer", "IncompleteSignatureException: Unsupported AWS 'algorithm'");
        check(
            "Signature=",
            "Signature=1, Signature=",
            "IncompleteSignatureException: Authorization header has more",
        );
        check("Signature=a2", "Signature=", MISMATCH);
        check(
            "AKIAIOSF",
            "AKIAXOSF",
            "UnrecognizedClientException: The security token included in the request is invalid.",
        );
        check("us-east-1", "", "InvalidSignatureException: Credential should be scoped to a valid region.");
        check(
            "/states/",
            "/s3/",
            "InvalidSignatureException: Credential should be scoped to correct service: 'states'.",
        );
        check(
            "aws4_request",
            "aws5",
            "InvalidSignatureException: Credential should be scoped with a valid terminator",
        );
        check(
            "20260102",
            "20260103",
            "InvalidSignatureException: Date in Credential scope does not match YYYYMMDD",
        );
        check("host;", "", "InvalidSignatureException: 'Host' must be a 'SignedHeader'");
        check(";x-amz-target", "", "InvalidSignatureException: 'x-amz-target' must be a 'SignedHeader'");
        check("x-amz-target", "x-amz-target;x-other", MISMATCH);
    }

    #[test]
    fn headers_and_parameters_that_do_not_fit_are_told() {
        let mut parts = signed(AUTHORIZATION);
        parts.headers.remove("authorization");
        refused(&parts, BODY, 0, "MissingAuthenticationTokenException: Missing Authentication Token");
        let mut parts = signed(AUTHORIZATION);
        parts.headers.insert("x-amz-date", HeaderValue::from_static("Fri, 02 Jan 2026"));
        refused(&parts, BODY, 0, "IncompleteSignatureException: Date must be in ISO-8601 'basic format'");
        let mut parts = signed(AUTHORIZATION);
        parts.headers.insert("x-amz-security-token", HeaderValue::from_static("session"));
        refused(
            &parts,
            BODY,
            0,
            "UnrecognizedClientException: The security token included in the request is invalid.",
        );
        let mut parts = signed(AUTHORIZATION);
        parts.headers.insert("x-amz-content-sha256", HeaderValue::from_static("UNSIGNED-PAYLOAD"));
        refused(
            &parts,
            BODY,
            0,
            "InvalidSignatureException: 'x-amz-content-sha256' must be a 'SignedHeader'",
        );
        for (old, new, expected) in [
            ("&X-Amz-Expires=600", "", "AWS query-string parameters must include 'X-Amz-Expires'."),
            ("=600", "=604801", "X-Amz-Expires must be a number of seconds from 1 to 604800."),
            ("=600", "=0", "X-Amz-Expires must be"),
            ("from=a%2Fb", "X-Amz-Expires=1", "AWS query-string parameters must have one 'X-Amz-Expires'."),
        ] {
            let parts = presigned(&PRESIGNED.replace(old, new));
            refused(&parts, "", 0, &format!("IncompleteSignatureException: {expected}"));
        }
    }

    #[test]
    fn a_payload_that_is_not_signed_is_refused() {
        let authorization = AUTHORIZATION.replace(";x-amz-date", ";x-amz-content-sha256;x-amz-date");
        let mut parts = signed(&authorization);
        for told in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", ""] {
            parts.headers.insert("x-amz-content-sha256", HeaderValue::from_static(told));
            refused(
                &parts,
                BODY,
                0,
                "IncompleteSignatureException: X-Amz-Content-Sha256 must be the SHA-256",
            );
        }
    }

    #[test]
    fn a_changing_request_is_done_once() {
        let (access, mut parts) = (access(), signed(AUTHORIZATION));
        let now = |late| parse_compact(AT).unwrap().saturating_add_seconds(late);
        let admit = |parts: &Parts, late| {
            examine(&access, parts, now(late)).unwrap().admit(&access, parts, now(late)).is_ok()
        };
        // An attempt number that is not signed, as botocore has it, tells another attempt for a minute.
        let numbered = |number: &'static str| {
            let mut parts = signed(AUTHORIZATION);
            parts.headers.insert("amz-sdk-request", HeaderValue::from_static(number));
            parts
        };
        let (first, second, third) = (numbered("attempt=1"), numbered("attempt=2"), numbered("attempt=3"));
        for (parts, late, expected) in [
            (&parts, 0, true),
            (&parts, 0, false),
            (&first, 1, true),
            (&first, 1, false),
            (&second, 60, true),
            (&parts, 60, false),
            (&third, 61, false),
            (&parts, 300, false),
        ] {
            assert_eq!(admit(parts, late), expected, "{late}");
        }
        parts.headers.insert("x-amz-target", HeaderValue::from_static("AWSStepFunctions.ListActivities"));
        assert!(admit(&parts, 300) && admit(&parts, 300));
        // A poll takes a task away.
        parts.headers.insert("x-amz-target", HeaderValue::from_static("AWSStepFunctions.GetActivityTask"));
        assert!(!admit(&parts, 300));
        let parts = presigned(PRESIGNED);
        assert!(admit(&parts, 0) && admit(&parts, 300));
    }

    #[test]
    fn what_was_signed_before_the_start_may_have_been_done() {
        let mut parts = signed(AUTHORIZATION);
        let at = parse_compact(AT).unwrap();
        let mut access = access();
        let mut verdict = |parts: &Parts, start: i64| {
            access.since = at.saturating_add_seconds(start);
            let answer = examine(&access, parts, at).unwrap().admit(&access, parts, at);
            answer.err().map(|error| error.message().to_owned()).unwrap_or_default()
        };
        let refused = "The request was signed before 20260102T030406Z, when this server started";
        assert!(verdict(&parts, 1).starts_with(refused), "{}", verdict(&parts, 1));
        assert_eq!(verdict(&parts, 0), "");
        // Reading it again does no harm.
        parts.headers.insert("x-amz-target", HeaderValue::from_static("AWSStepFunctions.ListActivities"));
        assert_eq!(verdict(&parts, 1), "");
    }
}
