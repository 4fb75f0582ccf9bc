//! The Lambda API on the wire: paths, statuses, headers and errors. What clients make of it is in `tests/clients`.

use axum::http::{HeaderMap, Method};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:f";

/// A component that writes `true`, which is JSON, and ends well; another one for each text.
fn component(text: &str) -> String {
    let mut bytes = wat::parse_str(include_str!("says_true.wat")).unwrap();
    bytes.extend([0, u8::try_from(text.len() + 2).unwrap(), 1, b'n']);
    bytes.extend(text.as_bytes());
    BASE64_STANDARD.encode(bytes)
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn ask(server: &Server, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(format!("/2015-03-31/functions{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header("host", "localhost").body(Body::from(body.to_owned())).unwrap();
    let response = server.router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert!(parts.headers.contains_key("x-amzn-requestid"), "{path}");
    let body = String::from_utf8(body.to_vec()).unwrap();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}

async fn create(server: &Server, text: &str) -> Answer {
    let code = json!({"ZipFile": component(text)});
    let members = json!({"FunctionName": "f", "Role": "r", "Code": code, "Publish": true});
    ask(server, Method::POST, "", &[], &members.to_string()).await
}

async fn check(
    server: &Server,
    method: Method,
    path: &str,
    body: &str,
    status: u16,
    code: &str,
    message: &str,
) {
    let answer = ask(server, method, path, &[], body).await;
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (status, Some(code)),
        "{path}: {}",
        answer.body
    );
    let told = answer.json();
    assert!(told["Message"].as_str().unwrap().contains(message), "{path}: {told}");
}

#[tokio::test]
async fn a_function_is_made_called_and_gone() {
    let server = Server::start().await;
    let made = create(&server, "one").await;
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert_eq!(
        (&made["FunctionArn"], &made["Version"], &made["State"]),
        (&json!(FUNCTION), &json!("1"), &json!("Active"))
    );
    let escaped = format!("/{}%3A1/configuration", FUNCTION.replace(':', "%3A"));
    let shown = ask(&server, Method::GET, &escaped, &[], "").await.json();
    assert_eq!((&shown["Version"], &shown["CodeSha256"]), (&json!("1"), &made["CodeSha256"]));

    let tail = [("x-amz-log-type", "Tail")];
    let answer = ask(&server, Method::POST, "/f/invocations", &tail, "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "true"));
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.header("x-amz-function-error"), None);
    let log = BASE64_STANDARD.decode(answer.header("x-amz-log-result").unwrap()).unwrap();
    assert!(String::from_utf8(log).unwrap().starts_with("START RequestId: "));
    let event = [("x-amz-invocation-type", "Event")];
    assert_eq!(ask(&server, Method::POST, "/f/invocations", &event, "{}").await.status, 202);
    let dry_run = [("x-amz-invocation-type", "DryRun")];
    assert_eq!(ask(&server, Method::POST, "/f/invocations?Qualifier=1", &dry_run, "").await.status, 204);

    assert_eq!(ask(&server, Method::DELETE, "/f", &[], "").await.status, 204);
    check(&server, Method::DELETE, "/f", "", 404, "ResourceNotFoundException", FUNCTION).await;
    check(&server, Method::POST, "/f/invocations", "", 404, "ResourceNotFoundException", FUNCTION).await;
}

#[tokio::test]
async fn an_alias_is_moved_and_listed() {
    let server = Server::start().await;
    create(&server, "one").await;
    let code = json!({"ZipFile": component("two"), "Publish": true}).to_string();
    assert_eq!(ask(&server, Method::PUT, "/f/code", &[], &code).await.json()["Version"], "2");
    let alias = json!({"Name": "live", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"2": 1}}});
    let made = ask(&server, Method::POST, "/f/aliases", &[], &alias.to_string()).await;
    assert_eq!((made.status, &made.json()["AliasArn"]), (201, &json!(format!("{FUNCTION}:live"))));
    let answer = ask(&server, Method::POST, "/f:live/invocations", &[], "").await;
    assert_eq!(answer.header("x-amz-executed-version"), Some("2"), "{}", answer.body);
    let moved = json!({"RoutingConfig": {}}).to_string();
    assert_eq!(ask(&server, Method::PUT, "/f/aliases/live", &[], &moved).await.status, 200);
    let answer = ask(&server, Method::POST, "/f/invocations?Qualifier=live", &[], "").await;
    assert_eq!(answer.header("x-amz-executed-version"), Some("1"));
    let listed = ask(&server, Method::GET, "/f/aliases?MaxItems=1", &[], "").await.json();
    assert_eq!((listed["Aliases"].as_array().unwrap().len(), &listed["NextMarker"]), (1, &Value::Null));
    let versions = ask(&server, Method::GET, "/f/versions?MaxItems=2", &[], "").await.json();
    assert_eq!((versions["Versions"].as_array().unwrap().len(), &versions["NextMarker"]), (2, &json!("2")));
    let versions = ask(&server, Method::GET, "/f/versions?Marker=2", &[], "").await.json();
    assert_eq!((&versions["Versions"][0]["Version"], &versions["NextMarker"]), (&json!("2"), &Value::Null));
}

#[tokio::test]
async fn what_cannot_be_is_refused_as_lambda_refuses() {
    let server = Server::start().await;
    create(&server, "one").await;
    let (invalid, validation) = ("InvalidParameterValueException", "ValidationException");
    let post = |path: &'static str| (Method::POST, path);
    let table = [
        (post(""), r#"{"FunctionName": "f", "Code": {"ZipFile": "AA=="}}"#, 400, invalid, "WebAssembly"),
        (post(""), r#"{"FunctionName": "g", "Code": {}}"#, 400, invalid, "provide a source"),
        (post(""), "{", 400, "SerializationException", "Could not read"),
        (post(""), r#"{"FunctionName": "a b"}"#, 400, validation, "functionName"),
        (post("/f/aliases"), r#"{"Name": "1", "FunctionVersion": "1"}"#, 400, validation, "'name'"),
        (
            post("/f/aliases"),
            r#"{"Name": "a", "FunctionVersion": "7"}"#,
            404,
            "ResourceNotFoundException",
            ":7",
        ),
        (post("/f/invocations"), "{", 400, "InvalidRequestContentException", "Could not parse"),
        (post("/f/nothing"), "", 404, "UnknownOperationException", "/f/nothing"),
        ((Method::PUT, "/f/configuration"), r#"{"Timeout": 0}"#, 400, validation, "'timeout'"),
        ((Method::GET, "?MaxItems=0"), "", 400, validation, "'maxItems'"),
        ((Method::GET, "?Marker=x"), "", 400, invalid, "NextMarker"),
        ((Method::GET, "/f?Qualifier=9"), "", 404, "ResourceNotFoundException", ":9"),
        ((Method::DELETE, "/f?Qualifier=live"), "", 400, invalid, "aliases"),
    ];
    for ((method, path), body, status, code, message) in table {
        check(&server, method, path, body, status, code, message).await;
    }
    let again = create(&server, "two").await;
    assert_eq!((again.status, again.header("x-amzn-errortype")), (409, Some("ResourceConflictException")));
}
