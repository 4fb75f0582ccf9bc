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

/// Asks at a path below the functions, or at one that begins with its own date.
async fn ask(server: &Server, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let path = if path.starts_with("/20") { path.to_owned() } else { format!("/2015-03-31/functions{path}") };
    let mut request = Request::builder().method(method).uri(&path);
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
async fn an_alias_is_updated_once_from_a_revision() {
    let server = Server::start().await;
    create(&server, "one").await;
    let alias = json!({"Name": "live", "FunctionVersion": "1"}).to_string();
    let made = ask(&server, Method::POST, "/f/aliases", &[], &alias).await.json();
    let update = |text: &str| json!({"Description": text, "RevisionId": made["RevisionId"]}).to_string();
    let (first, second) = (update("first"), update("second"));
    let ask = |body| ask(&server, Method::PUT, "/f/aliases/live", &[], body);
    let (first, second) = tokio::join!(ask(&first), ask(&second));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412], "{} {}", first.body, second.body);
    let refused = if first.status == 412 { first } else { second };
    assert_eq!(refused.header("x-amzn-errortype"), Some("PreconditionFailedException"));
}

#[tokio::test]
async fn updates_at_once_without_a_revision_are_no_failed_preconditions() {
    let server = Server::start().await;
    create(&server, "one").await;
    let ask = |path, body| ask(&server, Method::PUT, path, &[], body);
    let code = |text: &str| json!({"ZipFile": component(text)}).to_string();
    let (two, three) = (code("two"), code("three"));
    let (first, second) = tokio::join!(ask("/f/code", &two), ask("/f/code", &three));
    assert_eq!((first.status, second.status), (200, 200), "{} {}", first.body, second.body);
    // One of them would undo the other.
    let (timeout, memory) = (r#"{"Timeout": 7}"#, r#"{"MemorySize": 256}"#);
    let (first, second) = tokio::join!(ask("/f/configuration", timeout), ask("/f/configuration", memory));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", first.body, second.body);
    let refused = if first.status == 409 { first } else { second };
    assert_eq!(refused.header("x-amzn-errortype"), Some("ResourceConflictException"));
    assert!(refused.body.contains("An update is in progress"), "{}", refused.body);
}

#[tokio::test]
async fn tags_are_added_listed_and_removed() {
    let server = Server::start().await;
    let code = json!({"ZipFile": component("one")});
    let members = json!({"FunctionName": "f", "Role": "r", "Code": code, "Tags": {"team": "red"}});
    let made = ask(&server, Method::POST, "", &[], &members.to_string()).await.json();
    let tags = format!("/2017-03-31/tags/{FUNCTION}");
    let added = json!({"Tags": {"team": "blue", "env": "dev"}}).to_string();
    let answer = ask(&server, Method::POST, &tags, &[], &added).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let listed = ask(&server, Method::GET, &tags.replace(':', "%3A"), &[], "").await.json();
    assert_eq!(listed, json!({"Tags": {"team": "blue", "env": "dev"}}));
    let shown = ask(&server, Method::GET, "/f", &[], "").await.json();
    assert_eq!(
        (&shown["Tags"], &shown["Configuration"]["RevisionId"]),
        (&listed["Tags"], &made["RevisionId"])
    );
    let removed = format!("{tags}?tagKeys=env&tagKeys=te%61m&tagKeys=none");
    assert_eq!(ask(&server, Method::DELETE, &removed, &[], "").await.status, 204);
    assert_eq!(ask(&server, Method::GET, &tags, &[], "").await.json(), json!({"Tags": {}}));
    assert_eq!(ask(&server, Method::GET, "/f", &[], "").await.json()["Tags"], Value::Null);

    let (invalid, validation) = ("InvalidParameterValueException", "ValidationException");
    let missing = tags.replace("function:f", "function:g");
    let many: Value = (0..51).map(|number| (number.to_string(), json!(""))).collect();
    let many = json!({"Tags": many}).to_string();
    let reserved = r#"{"Tags": {"AWS:team": "x"}}"#;
    let table = [
        (Method::GET, "/2017-03-31/tags/f", "", 400, validation, "'resource'"),
        (Method::GET, &*format!("{tags}:1"), "", 400, invalid, "aliases and versions"),
        (Method::GET, &*missing, "", 404, "ResourceNotFoundException", "function:g"),
        (Method::POST, &*missing, added.as_str(), 404, "ResourceNotFoundException", "function:g"),
        (Method::POST, &*tags, "{}", 400, invalid, "at least one"),
        (Method::POST, &*tags, &*many, 400, invalid, "exceeds resource tag limit"),
        (Method::POST, &*tags, reserved, 400, invalid, "reserved"),
        (Method::DELETE, &*tags, "", 400, validation, "'tagKeys'"),
    ];
    for (method, path, body, status, code, message) in table {
        check(&server, method, path, body, status, code, message).await;
    }
    let fifty: Value = (0..50).map(|number| (number.to_string(), json!(""))).collect();
    let fifty = json!({"Tags": fifty}).to_string();
    assert_eq!(ask(&server, Method::POST, &tags, &[], &fifty).await.status, 204);
    check(&server, Method::POST, &tags, &added, 400, invalid, "exceeds resource tag limit").await;
}

#[tokio::test]
async fn all_versions_of_all_functions_are_listed_in_pages() {
    let server = Server::start().await;
    for name in ["a", "b", "c"] {
        let members =
            json!({"FunctionName": name, "Role": "r", "Code": {"ZipFile": component(name)}, "Publish": true});
        assert_eq!(ask(&server, Method::POST, "", &[], &members.to_string()).await.status, 201);
    }
    let code = json!({"ZipFile": component("two"), "Publish": true}).to_string();
    ask(&server, Method::PUT, "/b/code", &[], &code).await;
    for max in [1, 2, 3, 50] {
        let (mut listed, mut marker) = (Vec::new(), String::new());
        loop {
            let path = format!("?FunctionVersion=ALL&MasterRegion=ALL&MaxItems={max}{marker}");
            let page = ask(&server, Method::GET, &path, &[], "").await.json();
            let functions = page["Functions"].as_array().unwrap();
            assert!((1..=max).contains(&functions.len()), "{page}");
            let arn = |one: &Value| one["FunctionArn"].as_str().unwrap().replace(FUNCTION, "");
            listed.extend(functions.iter().map(|one| {
                assert!(one["FunctionArn"].as_str().unwrap().ends_with(one["Version"].as_str().unwrap()));
                arn(one)
            }));
            let Some(next) = page["NextMarker"].as_str() else { break };
            marker = format!("&Marker={next}");
        }
        let names: Vec<_> = listed.iter().map(|arn| arn.rsplit_once("function:").unwrap().1).collect();
        assert_eq!(
            names,
            ["a:$LATEST", "a:1", "b:$LATEST", "b:1", "b:2", "c:$LATEST", "c:1"],
            "{max} at once"
        );
    }
    let none = ask(&server, Method::GET, "?FunctionVersion=ALL&MasterRegion=us-east-1", &[], "").await.json();
    assert_eq!(none, json!({"Functions": [], "NextMarker": null}), "none is replicated");
    let (invalid, validation) = ("InvalidParameterValueException", "ValidationException");
    for (path, code, message) in [
        ("?FunctionVersion=1", validation, "'functionVersion'"),
        ("?MasterRegion=ALL", invalid, "FunctionVersion must be ALL"),
        ("?FunctionVersion=ALL&Marker=x", invalid, "NextMarker"),
        ("?FunctionVersion=ALL&Marker=.x", invalid, "NextMarker"),
        ("?FunctionVersion=ALL&Marker=00.1", invalid, "NextMarker"),
    ] {
        check(&server, Method::GET, path, "", 400, code, message).await;
    }
}

#[tokio::test]
async fn what_a_function_has_not_is_told_as_lambda_tells_it() {
    let server = Server::start().await;
    create(&server, "one").await;
    let at = |date: &str, rest: &str| format!("/{date}/functions/f/{rest}");
    for (path, expected) in [
        (at("2019-09-30", "concurrency"), json!({})),
        (at("2019-09-25", "event-invoke-config/list"), json!({"FunctionEventInvokeConfigs": []})),
        (at("2019-09-30", "provisioned-concurrency?List=ALL"), json!({"ProvisionedConcurrencyConfigs": []})),
        (at("2021-10-31", "urls"), json!({"FunctionUrlConfigs": []})),
        (
            at("2021-07-20", "runtime-management-config"),
            json!({"UpdateRuntimeOn": "Auto", "FunctionArn": FUNCTION}),
        ),
        (at("2020-06-30", "code-signing-config"), json!({"CodeSigningConfigArn": "", "FunctionName": "f"})),
        ("/2015-03-31/event-source-mappings/".to_owned(), json!({"EventSourceMappings": []})),
    ] {
        let answer = ask(&server, Method::GET, &path, &[], "").await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{path}");
    }
    for path in [at("2017-10-31", "concurrency"), at("2020-06-30", "code-signing-config")] {
        assert_eq!(ask(&server, Method::DELETE, &path, &[], "").await.status, 204, "{path}");
    }
    let missing = "ResourceNotFoundException";
    let provisioned = "ProvisionedConcurrencyConfigNotFoundException";
    for (method, path, status, code, message) in [
        (Method::GET, "/f/policy".to_owned(), 404, missing, "does not exist"),
        (Method::GET, "/g/policy".to_owned(), 404, missing, "Function not found"),
        (Method::DELETE, "/f/policy/s".to_owned(), 404, missing, "No policy"),
        (Method::GET, at("2021-10-31", "url"), 404, missing, "does not exist"),
        (Method::GET, at("2019-09-25", "event-invoke-config"), 404, missing, "EventInvokeConfig"),
        (Method::GET, at("2019-09-30", "provisioned-concurrency?Qualifier=1"), 404, provisioned, "No Prov"),
        (Method::PUT, at("2017-10-31", "concurrency"), 400, "InvalidParameterValueException", "[limits]"),
        (Method::POST, "/f/policy".to_owned(), 400, "InvalidParameterValueException", "access key"),
        (Method::POST, at("2021-10-31", "url"), 400, "InvalidParameterValueException", "Invoke"),
        (Method::PATCH, "/f".to_owned(), 404, "UnknownOperationException", "PATCH /2015-03-31/functions/f"),
    ] {
        check(&server, method, &path, "{}", status, code, message).await;
    }
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
