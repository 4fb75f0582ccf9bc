//! The request of an `http:invoke`: what the task asks for, with what its connection adds.

use bytes::Bytes;
use outbound::Url;
use outbound::http::header::{AUTHORIZATION, CONTENT_TYPE, RANGE, USER_AGENT};
use outbound::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use serde_json::{Map, Value};

use super::connection::{Authorization, Connection, Parameter};
use super::encode;
use super::parameters::{Encoding, HttpCall};

/// AWS: what it asks of a server that could send more than a state can take.
const RANGE_ASKED: &str = "bytes=0-262144";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Builds the request. The error says which of the task's fields cannot be sent, and why.
pub(crate) fn build(
    call: &HttpCall,
    connection: Option<&Connection>,
    token: Option<&str>,
    region: &str,
) -> Result<Request<Bytes>, String> {
    let mut headers = call.headers.clone();
    default(&mut headers, USER_AGENT, &format!("Stepwell|StepFunctions|HttpInvoke|{region}"));
    if call.method == Method::GET {
        default(&mut headers, RANGE, RANGE_ASKED);
    }
    let none = Vec::new();
    let added = connection.map(|connection| &connection.parameters);
    for Parameter { key, value, .. } in added.map_or(&none, |added| &added.headers) {
        headers.insert(name(key)?, self::value(key, value)?);
    }
    let body = merged_body(call, added.map_or(&none, |added| &added.body))?;
    let body = body.map(|body| written_body(&body, call, &mut headers)).transpose()?;
    if let Some(connection) = connection {
        authorize(&mut headers, connection, token)?;
    }
    let url = url(call, added.map_or(&none, |added| &added.query));
    let mut request = Request::builder()
        .method(call.method.clone())
        .uri(url.as_str())
        .body(body.unwrap_or_default())
        .map_err(|error| format!("The value of the field 'ApiEndpoint' has an invalid format: {error}"))?;
    *request.headers_mut() = headers;
    Ok(request)
}

fn default(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.entry(name).or_insert(value);
    }
}

fn authorize(headers: &mut HeaderMap, connection: &Connection, token: Option<&str>) -> Result<(), String> {
    let (name, text) = match &connection.authorization {
        Authorization::Basic { username, password } => (AUTHORIZATION, basic(username, password)),
        Authorization::ApiKey { name: key, value } => (name(key)?, value.clone()),
        Authorization::OAuth(_) => (AUTHORIZATION, token.unwrap_or_default().to_owned()),
    };
    let mut value = self::value(name.as_str(), &text)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

pub(crate) fn basic(username: &str, password: &str) -> String {
    use base64::Engine as _;
    let pair = format!("{username}:{password}");
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
}

pub(crate) fn name(key: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(key.as_bytes())
        .map_err(|_| format!("The connection's header '{key}' cannot be sent"))
}

pub(crate) fn value(key: &str, value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value)
        .map_err(|_| format!("The value of the connection's header '{key}' cannot be sent"))
}

/// Where both have a parameter, the connection's value is sent.
fn url(call: &HttpCall, added: &[Parameter]) -> Url {
    let mut url = call.url.clone();
    let is_added = |name: &str| added.iter().any(|parameter| parameter.key == name);
    let own = call.query.iter().filter(|(name, _)| !is_added(name));
    let pairs: Vec<(&str, &str)> = own
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .chain(added.iter().map(|parameter| (parameter.key.as_str(), parameter.value.as_str())))
        .collect();
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url
}

fn merged_body(call: &HttpCall, added: &[Parameter]) -> Result<Option<Value>, String> {
    if added.is_empty() {
        return Ok(call.body.clone());
    }
    let mut body = match &call.body {
        None => Map::new(),
        Some(Value::Object(body)) => body.clone(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            return Err(
                "The value of the field 'RequestBody' must be an object, because the connection has \
                        parameters for the body"
                    .to_owned(),
            );
        }
    };
    for Parameter { key, value, .. } in added {
        body.insert(key.clone(), value.as_str().into());
    }
    Ok(Some(Value::Object(body)))
}

fn written_body(body: &Value, call: &HttpCall, headers: &mut HeaderMap) -> Result<Bytes, String> {
    let text = match (call.encoding, body) {
        (Encoding::Form(format), Value::Object(members)) => {
            default(headers, CONTENT_TYPE, FORM);
            encode::form(members, format).ok_or_else(|| {
                "The value of the field 'RequestBody' is too large when it is encoded".to_owned()
            })?
        }
        (Encoding::Form(_), Value::String(text)) => {
            default(headers, CONTENT_TYPE, FORM);
            text.clone()
        }
        (Encoding::Form(_), Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => {
            return Err("The value of the field 'RequestBody' has an invalid format".to_owned());
        }
        // What is not JSON, such as XML, is sent as it is.
        (Encoding::Json, Value::String(text)) if !is_json(headers) => text.clone(),
        (Encoding::Json, body) => {
            default(headers, CONTENT_TYPE, JSON);
            body.to_string()
        }
    };
    Ok(text.into())
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(media) = headers.get(CONTENT_TYPE) else { return true };
    media.to_str().is_ok_and(is_json_type)
}

/// `application/json`, and types that are JSON beneath.
pub(crate) fn is_json_type(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media == JSON || media.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::connection::Parameters;
    use super::super::parameters;
    use super::*;

    fn call(more: &Value) -> HttpCall {
        let mut input = json!({"ApiEndpoint": "https://a.example/x?y=1", "Method": "POST"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        parameters::read(&input.into()).unwrap()
    }

    fn parameter(key: &str, value: &str) -> Parameter {
        Parameter { key: key.to_owned(), value: value.to_owned(), is_secret: false }
    }

    fn connection(parameters: Parameters) -> Connection {
        let authorization = Authorization::Basic { username: "ann".to_owned(), password: "word".to_owned() };
        Connection { revision: "1".to_owned(), authorization, parameters }
    }

    fn sent(more: &Value, connection: Option<&Connection>) -> (String, HeaderMap, String) {
        let request = build(&call(more), connection, None, "us-east-1").unwrap();
        let (uri, headers) = (request.uri().to_string(), request.headers().clone());
        (uri, headers, String::from_utf8(request.into_body().to_vec()).unwrap())
    }

    #[test]
    fn the_connection_goes_before_the_task() {
        let connection = connection(Parameters {
            headers: vec![parameter("X-Who", "connection")],
            query: vec![parameter("q", "connection"), parameter("r", "&")],
            body: vec![parameter("mode", "connection")],
        });
        let task = json!({"Headers": {"x-who": "task", "x-own": "task"}, "QueryParameters": {"q": ["a", "b"], "s": 1},
            "RequestBody": {"mode": "task", "own": [1]}});
        let (uri, headers, body) = sent(&task, Some(&connection));
        assert_eq!(uri, "https://a.example/x?y=1&s=1&q=connection&r=%26");
        assert_eq!(
            (&headers["x-who"], &headers["x-own"]),
            (&"connection".parse().unwrap(), &"task".parse().unwrap())
        );
        assert_eq!(headers["authorization"], "Basic YW5uOndvcmQ=");
        assert!(headers["authorization"].is_sensitive());
        assert_eq!(body, r#"{"mode":"connection","own":[1]}"#);
        let error = build(&call(&json!({"RequestBody": "text"})), Some(&connection), None, "r").unwrap_err();
        assert!(error.contains("'RequestBody' must be an object"), "{error}");
    }

    #[test]
    fn a_body_is_written_by_its_type() {
        let check = |more: Value, content_type: &str, expected: &str| {
            let (_, headers, body) = sent(&more, None);
            assert_eq!(
                (headers["content-type"].to_str().unwrap(), body.as_str()),
                (content_type, expected),
                "{more}"
            );
        };
        check(json!({"RequestBody": {"a": 1.0}}), "application/json", r#"{"a":1.0}"#);
        check(json!({"RequestBody": "a"}), "application/json", "\"a\"");
        check(json!({"RequestBody": "<a/>", "Headers": {"Content-Type": "text/xml"}}), "text/xml", "<a/>");
        let form = json!({"RequestBodyEncoding": "URL_ENCODED", "RequestEncodingOptions": {"ArrayFormat": "REPEAT"}});
        check(
            json!({"RequestBody": {"a": [1, 2]}, "Transform": form}),
            "application/x-www-form-urlencoded",
            "a=1&a=2",
        );
        check(json!({"RequestBody": "a=1", "Transform": form}), "application/x-www-form-urlencoded", "a=1");
        let refused = call(&json!({"RequestBody": [1], "Transform": form}));
        assert!(build(&refused, None, None, "r").unwrap_err().contains("'RequestBody'"));
        let (_, headers, body) = sent(&json!({}), None);
        assert!(body.is_empty() && headers.get("content-type").is_none());
    }

    #[test]
    fn the_server_tells_who_it_is() {
        let get = |more: &Value| {
            let mut call = call(more);
            call.method = Method::GET;
            build(&call, None, None, "us-east-1").unwrap().headers().clone()
        };
        let headers = get(&json!({}));
        assert_eq!(headers["user-agent"], "Stepwell|StepFunctions|HttpInvoke|us-east-1");
        assert_eq!(headers["range"], "bytes=0-262144");
        let headers = get(&json!({"Headers": {"User-Agent": "mine", "Range": "bytes=0-9"}}));
        assert_eq!(
            (&headers["user-agent"], &headers["range"]),
            (&"mine".parse().unwrap(), &"bytes=0-9".parse().unwrap())
        );
    }
}
