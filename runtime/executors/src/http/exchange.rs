//! What a test is told of a request and its answer, with the connection's secrets hidden unless they were asked for.

use bytes::Bytes;
use engine::{Exchange, ExchangeSide};
use outbound::Response;
use outbound::http::header::CONTENT_TYPE;
use outbound::http::{HeaderMap, Request, Uri};

use super::response::text;

/// What stands in the place of a secret.
const HIDDEN: &str = "[HIDDEN]";
/// Ours: a shorter text is too common to be looked for in what an API answers; where it was put it is hidden.
const SOUGHT_BYTES_MIN: usize = 4;

/// The request as it goes out. It is told before there is an answer, so a failed one is seen too.
pub(crate) fn request(request: &Request<Bytes>, secrets: Option<&[String]>) -> ExchangeSide {
    let show = |text: String| hidden(text, secrets);
    ExchangeSide {
        protocol: request.uri().scheme_str().unwrap_or_default().to_owned(),
        first: request.method().to_string(),
        second: show(request.uri().to_string()),
        headers: show(headers(request.headers(), secrets.is_some(), Some(request.uri()))),
        body: show(String::from_utf8_lossy(request.body()).into_owned()),
    }
}

pub(crate) fn response(answer: &Response, protocol: &str, secrets: Option<&[String]>) -> ExchangeSide {
    let media = answer.headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    let show = |text: String| hidden(text, secrets);
    ExchangeSide {
        protocol: protocol.to_owned(),
        first: answer.status.as_u16().to_string(),
        second: answer.reason.clone(),
        headers: show(headers(&answer.headers, false, None)),
        body: show(text(media, &answer.body)),
    }
}

pub(crate) fn pair(request: ExchangeSide, response: Option<ExchangeSide>) -> Exchange {
    Exchange { request, response }
}

/// As AWS writes them: `[accept: */*, host: a.example]`.
fn headers(headers: &HeaderMap, hides: bool, uri: Option<&Uri>) -> String {
    let mut texts: Vec<_> = headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let is_hidden = hides && headers.get(name).is_some_and(outbound::http::HeaderValue::is_sensitive);
            format!("{name}: {}", if is_hidden { HIDDEN } else { &value })
        })
        .collect();
    texts.extend(uri.and_then(Uri::authority).map(|authority| format!("host: {authority}")));
    format!("[{}]", texts.join(", "))
}

/// Without the secrets, in the clear, as a URL writes them, and as JSON does.
fn hidden(mut text: String, secrets: Option<&[String]>) -> String {
    for secret in secrets.unwrap_or_default().iter().filter(|secret| secret.len() >= SOUGHT_BYTES_MIN) {
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let json = serde_json::Value::from(secret.as_str()).to_string();
        for form in [secret.as_str(), encoded.as_str(), json.trim_matches('"')] {
            text = text.replace(form, HIDDEN);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use outbound::http::HeaderValue;

    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let mut sent = Request::post("https://a.example/x?key=s%26cret")
            .body(Bytes::from("{\"k\":\"s&cret\"}"))
            .unwrap();
        let mut value = HeaderValue::from_static("Basic abc");
        value.set_sensitive(true);
        sent.headers_mut().insert("authorization", value);
        sent.headers_mut().insert("accept", HeaderValue::from_static("*/*"));
        let side = request(&sent, Some(&["s&cret".to_owned(), "k".to_owned()]));
        assert_eq!(side.second, "https://a.example/x?key=[HIDDEN]");
        assert_eq!(side.headers, "[authorization: [HIDDEN], accept: */*, host: a.example]");
        assert_eq!(side.body, "{\"k\":\"[HIDDEN]\"}");
        let side = request(&sent, None);
        assert_eq!(side.second, "https://a.example/x?key=s%26cret");
        assert!(side.headers.contains("authorization: Basic abc"));
    }
}
