//! The parameters of `http:invoke`, checked before anything is sent.

use asl::Data;
use asl::interpreter::ErrorOutput;
use outbound::Url;
use outbound::http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::failure::unusable;

use super::encode::{ArrayFormat, scalar};

const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::HEAD];
const FIELDS: [&str; 8] = [
    "ApiEndpoint",
    "Method",
    "Authentication",
    "InvocationConfig",
    "Headers",
    "QueryParameters",
    "RequestBody",
    "Transform",
];
/// AWS: headers that a task may not set.
const FORBIDDEN_HEADERS: [&str; 32] = [
    "a-im",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "cache-control",
    "connection",
    "content-encoding",
    // Ours: it follows from the body, and another value would let a request hide in a body.
    "content-length",
    "content-md5",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "referer",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
];
const FORBIDDEN_PREFIXES: [&str; 3] = ["x-forwarded-", "x-amz-", "x-amzn-"];

/// What a task asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HttpCall {
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) connection: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) encoding: Encoding,
}

/// `Transform`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Form(ArrayFormat),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ConnectionField {
    connection_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Transform {
    #[serde(default)]
    request_body_encoding: BodyEncoding,
    #[serde(default)]
    request_encoding_options: EncodingOptions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum BodyEncoding {
    #[default]
    None,
    UrlEncoded,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct EncodingOptions {
    #[serde(default)]
    array_format: ArrayFormat,
}

/// Reads the input of a task.
pub(crate) fn read(input: &Data) -> Result<HttpCall, ErrorOutput> {
    let Value::Object(members) = input.value() else {
        return Err(unusable(input, &["The parameters must be an object".to_owned()]));
    };
    let mut reader = Reader { members, problems: Vec::new() };
    let call = reader.call();
    match call {
        Some(call) if reader.problems.is_empty() => Ok(call),
        Some(_) | None => Err(unusable(input, &reader.problems)),
    }
}

/// The host that a task asks, if its parameters say so.
pub(crate) fn host(input: &Data) -> Option<String> {
    let url = endpoint(input.value().get("ApiEndpoint")?)?;
    // The root's dot makes no other host.
    Some(url.host_str()?.trim_end_matches('.').to_owned())
}

/// Gathers everything that is wrong.
struct Reader<'a> {
    members: &'a Map<String, Value>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn call(&mut self) -> Option<HttpCall> {
        let unknown = self.members.keys().filter(|name| !FIELDS.contains(&name.as_str()));
        self.problems
            .extend(unknown.map(|name| format!("The field \"{name}\" is not supported by Step Functions")));
        let url = self.required("ApiEndpoint", endpoint);
        let method = self.required("Method", |value| {
            METHODS.into_iter().find(|method| value.as_str() == Some(method.as_str()))
        });
        let connection =
            |value: &Value| ConnectionField::deserialize(value).ok().map(|field| field.connection_arn);
        let authentication = self.optional("Authentication", connection);
        let invocation = self.optional("InvocationConfig", connection);
        let headers = self.headers();
        let query = self.optional("QueryParameters", query).unwrap_or_default();
        let transform = self.optional("Transform", |value| Transform::deserialize(value).ok());
        let encoding = match transform {
            Some(Transform { request_body_encoding: BodyEncoding::UrlEncoded, request_encoding_options }) => {
                Encoding::Form(request_encoding_options.array_format)
            }
            Some(_) | None => Encoding::Json,
        };
        Some(HttpCall {
            url: url?,
            method: method?,
            connection: invocation.or(authentication),
            headers,
            query,
            body: self.members.get("RequestBody").filter(|body| !body.is_null()).cloned(),
            encoding,
        })
    }

    fn required<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        if self.members.get(name).is_none_or(Value::is_null) {
            self.problems.push(format!("The field '{name}' is required but was missing"));
            return None;
        }
        self.optional(name, read)
    }

    fn optional<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.members.get(name).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            self.problems.push(format!("The value of the field '{name}' has an invalid format"));
        }
        read
    }

    fn headers(&mut self) -> HeaderMap {
        let headers = self.optional("Headers", |value| {
            value.as_object()?.iter().map(|(name, value)| header(name, value)).collect::<Option<Vec<_>>>()
        });
        let headers: HeaderMap = headers.unwrap_or_default().into_iter().collect();
        for name in headers.keys().filter(|name| is_forbidden(name)) {
            self.problems.push(format!("The header '{name}' in the field 'Headers' is not allowed"));
        }
        headers
    }
}

fn endpoint(value: &Value) -> Option<Url> {
    let url = Url::parse(value.as_str()?).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_plain && url.has_host()).then_some(url)
}

fn header(name: &str, value: &Value) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some((name, HeaderValue::from_str(&simple(value)?).ok()?))
}

/// An array repeats its parameter.
fn query(value: &Value) -> Option<Vec<(String, String)>> {
    let mut query = Vec::new();
    for (name, value) in value.as_object()? {
        let one = std::slice::from_ref(value);
        for value in value.as_array().map_or(one, Vec::as_slice) {
            query.push((name.clone(), simple(value)?));
        }
    }
    Some(query)
}

fn simple(value: &Value) -> Option<String> {
    (!value.is_array() && !value.is_object()).then(|| scalar(value))
}

fn is_forbidden(name: &HeaderName) -> bool {
    let name = name.as_str();
    FORBIDDEN_HEADERS.contains(&name) || FORBIDDEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a request may not have a header of this name, or it is no name of one.
pub fn is_forbidden_header(name: &str) -> bool {
    HeaderName::from_bytes(name.as_bytes()).map_or(true, |name| is_forbidden(&name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(parameters: Value, expected: &[&str]) {
        let text = parameters.to_string();
        let error = read(&parameters.into()).unwrap_err();
        assert_eq!(error.error.as_deref(), Some("States.Runtime"));
        let problems = expected.join(", ");
        let expected = format!("The Parameters '{text}' could not be used to start the Task: [{problems}]");
        assert_eq!(error.cause.unwrap(), expected);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        refused(
            json!({}),
            &[
                "The field 'ApiEndpoint' is required but was missing",
                "The field 'Method' is required but was missing",
            ],
        );
        let base = |field: &str, value: Value| {
            let mut parameters = json!({"ApiEndpoint": "https://a.example/x", "Method": "GET"});
            parameters[field] = value;
            parameters
        };
        for (field, values) in [
            (
                "Headers",
                vec![
                    json!("Accept: */*"),
                    json!({"a": ["b"]}),
                    json!({"a b": "c"}),
                    json!({"a": "b\r\nc: d"}),
                ],
            ),
            ("QueryParameters", vec![json!("a=b"), json!({"a": {"b": 1}})]),
            ("Method", vec![json!("get"), json!("TRACE"), json!(1)]),
            (
                "ApiEndpoint",
                vec![json!("a.example"), json!("https://user:word@a.example"), json!("mailto:a@b"), json!(7)],
            ),
            ("Authentication", vec![json!("arn"), json!({}), json!({"ConnectionArn": "a", "Other": 1})]),
            (
                "Transform",
                vec![
                    json!("URL_ENCODED"),
                    json!({"RequestBodyEncoding": "FORM"}),
                    json!({"RequestEncodingOptions": {"ArrayFormat": "indices"}}),
                ],
            ),
        ] {
            for value in values {
                let problem = format!("The value of the field '{field}' has an invalid format");
                refused(base(field, value), &[&problem]);
            }
        }
        refused(base("Body", json!(1)), &["The field \"Body\" is not supported by Step Functions"]);
        for name in
            ["Host", "x-amz-target", "X-Amzn-Trace", "X-Forwarded-For", "Content-Length", "Transfer-Encoding"]
        {
            let problem =
                format!("The header '{}' in the field 'Headers' is not allowed", name.to_lowercase());
            refused(base("Headers", json!({name: "x"})), &[&problem]);
        }
    }

    #[test]
    fn a_host_is_the_same_however_it_is_written() {
        for endpoint in ["https://a.example/x", "https://A.example.:8443/y?z=1", "http://a.EXAMPLE"] {
            assert_eq!(host(&json!({"ApiEndpoint": endpoint}).into()).as_deref(), Some("a.example"));
        }
        for input in [json!({}), json!([]), json!({"ApiEndpoint": 1}), json!({"ApiEndpoint": "a.example"})] {
            assert_eq!(host(&input.into()), None);
        }
    }

    #[test]
    fn parameters_are_read() {
        let call = read(
            &json!({
                "ApiEndpoint": "https://a.example/x?y=1", "Method": "POST",
                "InvocationConfig": {"ConnectionArn": "c"}, "Headers": {"A": "b", "N": 1}, "RequestBody": null,
                "QueryParameters": {"q": ["1", 2], "t": true},
                "Transform": {"RequestBodyEncoding": "URL_ENCODED"},
            })
            .into(),
        )
        .unwrap();
        assert_eq!(call.connection.as_deref(), Some("c"));
        assert_eq!((&call.headers["a"], &call.headers["n"]), (&"b".parse().unwrap(), &"1".parse().unwrap()));
        let query: Vec<_> = call.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(query, ["q=1", "q=2", "t=true"]);
        assert_eq!((call.body, call.encoding), (None, Encoding::Form(ArrayFormat::Indices)));
    }
}
