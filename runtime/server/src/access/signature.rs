//! AWS Signature Version 4: what is signed of a request, and the signature.

use std::fmt::Write;

use asl::Timestamp;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::replays::ATTEMPT_HEADERS;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The last part of a scope.
pub(super) const TERMINATOR: &str = "aws4_request";
pub(super) const DATE_HEADER: &str = "x-amz-date";
/// The header that tells the digest of the body before the body.
pub(super) const DIGEST_HEADER: &str = "x-amz-content-sha256";
/// The one query parameter that cannot be signed.
pub(super) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";
/// The service that our own client names.
pub(super) const OWN_SERVICE: &str = "stepwell";
/// The region that our own client names; any will do.
const OWN_REGION: &str = "us-east-1";

/// What signs requests.
#[derive(Clone)]
pub struct Credentials {
    pub id: String,
    pub secret: Zeroizing<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

/// For what a signature is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scope {
    /// `YYYYMMDD`.
    pub(super) date: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// Signs a request whose `host` header is set: the host, the content type, what tells attempts apart, and every `x-amz-`
/// header.
pub fn sign(parts: &mut Parts, body: &[u8], credentials: &Credentials, now: Timestamp) {
    let at = compact(now);
    let digest = hex::encode(Sha256::digest(body));
    let ascii = |text: &str| HeaderValue::from_str(text).expect("digits and letters");
    parts.headers.insert(DATE_HEADER, ascii(&at));
    parts.headers.insert(DIGEST_HEADER, ascii(&digest));
    let is_signed = |name: &str| {
        matches!(name, "host" | "content-type")
            || name.starts_with("x-amz-")
            || ATTEMPT_HEADERS.contains(&name)
    };
    let mut signed: Vec<_> =
        parts.headers.keys().map(|name| name.as_str().to_owned()).filter(|name| is_signed(name)).collect();
    signed.sort_unstable();
    let scope =
        Scope { date: at[..8].to_owned(), region: OWN_REGION.to_owned(), service: OWN_SERVICE.to_owned() };
    let canonical = canonical(parts, &signed, &digest);
    let signature = hex::encode(mac(&credentials.secret, &at, &scope, &canonical).finalize().into_bytes());
    let Scope { date, region, service } = scope;
    let authorization = format!(
        "{ALGORITHM} Credential={}/{date}/{region}/{service}/{TERMINATOR}, SignedHeaders={}, Signature={signature}",
        credentials.id,
        signed.join(";"),
    );
    // An id with a character that no header takes is no id of ours; the server says that the signature is missing.
    if let Ok(authorization) = HeaderValue::from_str(&authorization) {
        parts.headers.insert(header::AUTHORIZATION, authorization);
    }
}

/// The code that authenticates a canonical request.
pub(super) fn mac(secret: &str, at: &str, scope: &Scope, canonical: &[u8]) -> Hmac<Sha256> {
    let Scope { date, region, service } = scope;
    let mut key = Zeroizing::new(format!("AWS4{secret}").into_bytes());
    for part in [date.as_str(), region, service, TERMINATOR] {
        key = Zeroizing::new(keyed(&key, part.as_bytes()).finalize().into_bytes().to_vec());
    }
    let digest = hex::encode(Sha256::digest(canonical));
    let text = format!("{ALGORITHM}\n{at}\n{date}/{region}/{service}/{TERMINATOR}\n{digest}");
    keyed(&key, text.as_bytes())
}

fn keyed(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("a key may have any length").chain_update(text)
}

/// The request as it is signed: method, path, query, the signed headers, and the digest of the body.
pub(super) fn canonical(parts: &Parts, signed: &[String], digest: &str) -> Vec<u8> {
    let mut text = format!("{}\n", parts.method);
    // The path as it was sent, encoded once more: so it is for every service but S3.
    encode(parts.uri.path().as_bytes(), b"/", &mut text);
    text.push('\n');
    text.push_str(&canonical_query(parts.uri.query().unwrap_or_default()));
    text.push('\n');
    let mut text = text.into_bytes();
    for name in signed {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        canonical_values(&parts.headers, name, &mut text);
        text.push(b'\n');
    }
    text.push(b'\n');
    text.extend_from_slice(signed.join(";").as_bytes());
    text.push(b'\n');
    text.extend_from_slice(digest.as_bytes());
    text
}

/// The values of a header, with runs of white space as one space.
fn canonical_values(headers: &HeaderMap, name: &str, text: &mut Vec<u8>) {
    for (index, value) in headers.get_all(name).iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        let words = value.as_bytes().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        for (index, word) in words.enumerate() {
            if index > 0 {
                text.push(b' ');
            }
            text.extend_from_slice(word);
        }
    }
}

fn canonical_query(query: &str) -> String {
    let mut parameters: Vec<(String, String)> = parameters(query)
        .filter(|(name, _)| name != SIGNATURE_PARAMETER.as_bytes())
        .map(|(name, value)| (encoded(&name), encoded(&value)))
        .collect();
    parameters.sort_unstable();
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The parameters of a query as the handlers read them.
pub(super) fn parameters(query: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = (*byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let mut value = [0];
        match escaped.map(|digits| hex::decode_to_slice(digits, &mut value)) {
            Some(Ok(())) => {
                decoded.push(value[0]);
                at += 3;
            }
            Some(Err(_)) | None => {
                decoded.push(if *byte == b'+' { b' ' } else { *byte });
                at += 1;
            }
        }
    }
    decoded
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    encode(bytes, b"", &mut text);
    text
}

/// AWS's percent-encoding, which leaves letters, digits, `-._~` and what is told.
fn encode(bytes: &[u8], kept: &[u8], text: &mut String) {
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) || kept.contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _written = write!(text, "%{byte:02X}");
        }
    }
}

/// `YYYYMMDDTHHMMSSZ`.
pub(super) fn compact(at: Timestamp) -> String {
    let text: String = at.to_string().chars().filter(|character| !matches!(character, '-' | ':')).collect();
    format!("{}Z", text.split('.').next().unwrap_or_default())
}

/// Reads `YYYYMMDDTHHMMSSZ`.
pub(super) fn parse_compact(text: &str) -> Option<Timestamp> {
    if text.len() != 16 || !text.is_ascii() {
        return None;
    }
    let [year, month, day] = [&text[..4], &text[4..6], &text[6..8]];
    let [hour, minute, second] = [&text[9..11], &text[11..13], &text[13..15]];
    if &text[8..9] != "T" || &text[15..] != "Z" {
        return None;
    }
    Timestamp::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const AT: &str = "20260102T030405Z";

    /// The expected signatures are those of `botocore.auth.SigV4Auth` and `SigV4QueryAuth` of botocore 1.44.8 for
    /// the same requests, keys and time.
    fn check(request: Request<&str>, region: &str, service: &str, signed: &str, expected: &str) {
        let (parts, body) = request.into_parts();
        let signed: Vec<_> = signed.split(';').map(str::to_owned).collect();
        let scope =
            Scope { date: AT[..8].to_owned(), region: region.to_owned(), service: service.to_owned() };
        let canonical = canonical(&parts, &signed, &hex::encode(Sha256::digest(body)));
        let signature = hex::encode(mac(SECRET, AT, &scope, &canonical).finalize().into_bytes());
        assert_eq!(signature, expected, "{}", String::from_utf8_lossy(&canonical));
    }

    #[test]
    fn signatures_are_those_of_botocore() {
        let request = Request::post("/")
            .header("host", "127.0.0.1:8083")
            .header("x-amz-target", "AWSStepFunctions.StartExecution")
            .header("content-type", "application/x-amz-json-1.0")
            .header("amz-sdk-invocation-id", "0a1b")
            .header("x-amz-date", AT);
        check(
            request
                .body(r#"{"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"}"#)
                .unwrap(),
            "us-east-1",
            "states",
            "amz-sdk-invocation-id;content-type;host;x-amz-date;x-amz-target",
            "a206179c9bb2945bfacede14c7a66f195e76f669fef538ef9a4192b6df6773ee",
        );
        let request = Request::put("/modules/m")
            .header("host", "localhost:8083")
            .header(
                "x-amz-content-sha256",
                "cd5d4935a48c0672cb06407bb443bc0087aff947c6b864bac886982c73b3027f",
            )
            .header("x-amz-date", AT);
        check(
            request.body("\0asm").unwrap(),
            "us-east-1",
            "stepwell",
            "host;x-amz-content-sha256;x-amz-date",
            "ffbd64e1ca046f88e932f5d88223d1a0eab62316a361db2c6d0ffd2a1291b482",
        );
    }

    #[test]
    fn paths_queries_and_headers_are_normalised_as_botocore_does() {
        let path = "/executions/arn:aws:states:us-east-1:1:execution:m:a%20b~%C3%BC/tasks";
        let request = Request::get(format!("{path}?from=%2Fx%2B&a=2&a=1&empty="))
            .header("host", "localhost:8083")
            .header("x-note", "  two   words ")
            .header("x-amz-date", AT);
        check(
            request.body("").unwrap(),
            "eu-central-1",
            "stepwell",
            "host;x-amz-date;x-note",
            "ad6bf8e34d589406771c042a46b3742179cd1ffc8a822925ee227f3970052bbe",
        );
    }

    #[test]
    fn a_presigned_request_is_signed_without_its_signature() {
        let query = "from=a%2Fb&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260102%2F\
                     us-east-1%2Fstepwell%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=600&X-Amz-SignedHeaders\
                     =host&X-Amz-Signature=6e17a2c904ea2e91a38da7b3b8d5501d80f2376c3b73f043b1d8b857d2368c0a";
        check(
            Request::get(format!("/modules?{query}")).header("host", "localhost:8083").body("").unwrap(),
            "us-east-1",
            "stepwell",
            "host",
            "6e17a2c904ea2e91a38da7b3b8d5501d80f2376c3b73f043b1d8b857d2368c0a",
        );
    }

    #[test]
    fn a_query_is_signed_as_it_is_read() {
        assert_eq!(canonical_query("b=%41+%2b&a&&%zz=1"), "%25zz=1&a=&b=A%20%2B");
        assert_eq!(canonical_query("X-Amz-Signature=ab&a=1"), "a=1");
        assert_eq!(canonical_query("%41=%C3%BC&A=%"), "A=%25&A=%C3%BC");
    }

    #[test]
    fn times_are_compact() {
        let at = parse_compact(AT).unwrap();
        assert_eq!((at.to_string().as_str(), compact(at).as_str()), ("2026-01-02T03:04:05.000Z", AT));
        for bad in [
            "",
            "20260102T030405",
            "2026-01-02T03:04",
            "20260102 030405Z",
            "20261302T030405Z",
            "ü0260102T03040Z",
        ] {
            assert_eq!(parse_compact(bad), None, "{bad}");
        }
    }
}
