//! The result of an `http:invoke`, or its error.

use asl::Data;
use asl::interpreter::ErrorOutput;
use outbound::http::header::CONTENT_TYPE;
use outbound::{Response, SendError};
use serde_json::{Map, Value, json};

use super::request::is_json_type;
use crate::failure::too_large;

/// What history calls the service.
const SERVICE: &str = "http";
/// AWS: the longest cause.
const CAUSE_CHARACTERS_MAX: usize = 32_768;
/// AWS: content that it takes no text from.
const BINARY_TYPES: [&str; 4] = ["application/octet-stream", "image/", "video/", "audio/"];

/// What the task gets from an answer.
pub(crate) fn result(answer: &Response) -> Result<Data, ErrorOutput> {
    let media = answer.headers.get(CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    if !answer.status.is_success() {
        let text = text(media, &answer.body);
        let cause = if text.is_empty() { answer.reason.clone() } else { text };
        let cause: String = cause.chars().take(CAUSE_CHARACTERS_MAX).collect();
        return Err(ErrorOutput::new(format!("States.Http.StatusCode.{}", answer.status.as_u16()), cause));
    }
    Ok(json!({
        "Headers": headers(answer),
        "ResponseBody": body(media, &answer.body)?,
        "StatusCode": answer.status.as_u16(),
        "StatusText": answer.reason,
    })
    .into())
}

pub(crate) fn error(error: &SendError) -> ErrorOutput {
    match error {
        SendError::Forbidden(why) => ErrorOutput::new("States.Permissions", why.clone()),
        SendError::TooLarge { .. } => too_large(SERVICE),
        SendError::Invalid(_) => ErrorOutput::new("States.Runtime", error.to_string()),
        SendError::Connect(_) | SendError::TimedOut(_) | SendError::Broken(_) => {
            ErrorOutput::new("States.Http.Socket", error.to_string())
        }
    }
}

fn headers(answer: &Response) -> Map<String, Value> {
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        let values = headers.entry(name.as_str()).or_insert_with(|| json!([]));
        if let Value::Array(values) = values {
            values.push(String::from_utf8_lossy(value.as_bytes()).into());
        }
    }
    headers
}

fn body(media: &str, body: &[u8]) -> Result<Value, ErrorOutput> {
    let kind = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !body.is_empty() && BINARY_TYPES.iter().any(|binary| kind.starts_with(binary)) {
        return Err(ErrorOutput::new(
            "States.Runtime",
            format!("The response body has the content type '{kind}', which is not supported."),
        ));
    }
    let text = text(media, body);
    if is_json_type(media)
        && let Ok(data) = Data::parse(&text)
    {
        return Ok(data.value().clone());
    }
    Ok(text.into())
}

/// The text in the encoding that the content type names, UTF-8 if it names none. What is no text in it is replaced.
pub(crate) fn text(media: &str, body: &[u8]) -> String {
    let charset = media.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let encoding = charset.and_then(|charset| encoding_rs::Encoding::for_label(charset.as_bytes()));
    let (text, _, _) = encoding.unwrap_or(encoding_rs::UTF_8).decode(body);
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use outbound::http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn answer(status: u16, media: &str, body: &[u8]) -> Response {
        let mut headers = HeaderMap::new();
        headers.append("x-two", HeaderValue::from_static("a"));
        headers.append("x-two", HeaderValue::from_static("b"));
        if !media.is_empty() {
            headers.insert(CONTENT_TYPE, media.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        Response { status, reason: "Reason".to_owned(), headers, body: body.to_vec().into() }
    }

    fn check(media: &str, body: &[u8], expected: &Value) {
        let result = result(&answer(200, media, body)).unwrap();
        assert_eq!(result.value()["ResponseBody"], *expected, "{media}");
    }

    #[test]
    fn a_body_is_read_by_its_type() {
        check("application/json", b"{\"a\": [1.0]}", &json!({"a": [1.0]}));
        check("application/problem+json; charset=utf-8", b"[]", &json!([]));
        check("application/json", b"no json", &json!("no json"));
        check("text/plain", b"{}", &json!("{}"));
        check("", b"", &json!(""));
        check("text/plain; charset=ISO-8859-1", b"\xfc", &json!("\u{fc}"));
        check("text/plain; Charset=\"utf-16le\"", b"h\0i\0", &json!("hi"));
        check("text/plain; charset=nothing", b"a\xffb", &json!("a\u{fffd}b"));
        let binary = result(&answer(200, "image/png", b"\x89PNG")).unwrap_err();
        assert_eq!(binary.error.as_deref(), Some("States.Runtime"));
        assert!(binary.cause.unwrap().contains("'image/png'"));
    }

    #[test]
    fn an_answer_has_the_members_of_aws() {
        let result = result(&answer(201, "text/plain", b"made")).unwrap();
        assert_eq!(
            result.value(),
            &json!({"Headers": {"x-two": ["a", "b"], "content-type": ["text/plain"]}, "ResponseBody": "made",
                "StatusCode": 201, "StatusText": "Reason"})
        );
    }

    #[test]
    fn other_statuses_are_errors() {
        let check = |status, body: &[u8], expected: (&str, &str)| {
            let error = result(&answer(status, "text/plain", body)).unwrap_err();
            assert_eq!((error.error.as_deref().unwrap(), error.cause.as_deref().unwrap()), expected);
        };
        check(404, b"nothing here", ("States.Http.StatusCode.404", "nothing here"));
        check(302, b"", ("States.Http.StatusCode.302", "Reason"));
        let long = result(&answer(500, "", "ü".repeat(40_000).as_bytes())).unwrap_err();
        assert_eq!(long.cause.unwrap().chars().count(), CAUSE_CHARACTERS_MAX);
    }
}
