//! Access keys and what is refused without them, through the router.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use asl::Timestamp;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use futures::FutureExt;
use serde_json::{Value, json};
use server::{Credentials, sign};
use tower::ServiceExt;

use super::Server;

const PATIENCE: Duration = Duration::from_secs(60);

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_milliseconds(i64::try_from(since.as_millis()).unwrap())
}

fn credentials(key: &Value) -> Credentials {
    let text = |name: &str| key[name].as_str().unwrap().to_owned();
    Credentials { id: text("id"), secret: text("secret").into() }
}

fn request(method: &str, path: &str, body: &str) -> Request<String> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost:8083");
    request.body(body.to_owned()).unwrap()
}

fn call(operation: &str, body: &Value) -> Request<String> {
    let mut request = request("POST", "/", &body.to_string());
    let target = format!("AWSStepFunctions.{operation}");
    request.headers_mut().insert("x-amz-target", HeaderValue::from_str(&target).unwrap());
    request
}

fn signed_at(request: Request<String>, credentials: &Credentials, at: Timestamp) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    sign(&mut parts, body.as_bytes(), credentials, at);
    Request::from_parts(parts, Body::from(body))
}

fn signed(request: Request<String>, credentials: &Credentials) -> Request<Body> {
    signed_at(request, credentials, now())
}

impl Server {
    async fn first_key(&self) -> Credentials {
        let (status, key) = self.send(request("POST", "/keys", "").map(Body::from)).await;
        assert_eq!(status, 200, "{key}");
        credentials(&key)
    }

    #[track_caller]
    fn assert_refused(answer: &(StatusCode, Value), status: u16, code: &str) {
        let (found, body) = answer;
        let name = body["__type"].as_str().or_else(|| body["error"].as_str()).unwrap_or_default();
        assert_eq!((found.as_u16(), name), (status, code), "{body}");
    }
}

#[tokio::test]
async fn the_first_key_closes_the_door() {
    let server = Server::start().await;
    let list = || call("ListStateMachines", &json!({}));
    assert_eq!(server.send(list().map(Body::from)).await.0, 200);
    let key = server.first_key().await;
    Server::assert_refused(
        &server.send(list().map(Body::from)).await,
        400,
        "MissingAuthenticationTokenException",
    );
    for (method, path) in
        [("GET", "/modules"), ("GET", "/keys"), ("POST", "/keys"), ("GET", "/nothing"), ("GET", "/")]
    {
        let (status, body) = server.send(request(method, path, "").map(Body::from)).await;
        let status_expected = if path == "/" { 400 } else { 403 };
        Server::assert_refused(&(status, body), status_expected, "MissingAuthenticationTokenException");
    }
    assert_eq!(server.send(request("GET", "/health", "").map(Body::from)).await.0, 200);

    assert_eq!(server.send(signed(list(), &key)).await.0, 200);
    assert_eq!(server.send(signed(request("GET", "/modules", ""), &key)).await.0, 200);
    assert_eq!(server.send(signed(request("GET", "/nothing", ""), &key)).await.0, 404);
}

#[tokio::test]
async fn keys_are_made_listed_and_removed() {
    let server = Server::start().await;
    let first = server.first_key().await;
    let new = request("POST", "/keys", r#"{"description": "the build"}"#);
    let (status, second) = server.send(signed(new, &first)).await;
    assert_eq!((status.as_u16(), &second["description"]), (200, &json!("the build")));
    let second = credentials(&second);
    let (_, listed) = server.send(signed(request("GET", "/keys", ""), &second)).await;
    let mut ids: Vec<_> = listed["keys"].as_array().unwrap().iter().map(|key| key["id"].clone()).collect();
    ids.sort_by_key(Value::to_string);
    let mut expected = vec![json!(first.id), json!(second.id)];
    expected.sort_by_key(Value::to_string);
    assert_eq!(ids, expected);
    assert!(!listed.to_string().contains(second.secret.as_str()) && !listed.to_string().contains("secret"));

    let bad = request("POST", "/keys", r#"{"descripton": "a slip"}"#);
    Server::assert_refused(&server.send(signed(bad, &second)).await, 400, "InvalidKey");
    let none = request("DELETE", "/keys/AKIANONE", "");
    Server::assert_refused(&server.send(signed(none, &second)).await, 404, "KeyNotFound");
    let remove = |id: &str| request("DELETE", &format!("/keys/{id}"), "");
    assert_eq!(server.send(signed(remove(&first.id), &second)).await.0, 200);
    let gone = server.send(signed(request("GET", "/keys", ""), &first)).await;
    Server::assert_refused(&gone, 403, "UnrecognizedClientException");
    assert_eq!(server.send(signed(remove(&second.id), &second)).await.0, 200);
    assert_eq!(server.send(request("GET", "/keys", "").map(Body::from)).await.1, json!({"keys": []}));
}

/// Until there are so many keys, as the server knows them without a restart.
async fn until_known(server: &Server, key: &Credentials, count: usize) -> Vec<Value> {
    let known = async {
        loop {
            let (_, listed) = server.send(signed(request("GET", "/keys", ""), key)).await;
            let keys = listed["keys"].as_array().unwrap().clone();
            if keys.len() == count {
                return keys;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, known).await.unwrap_or_else(|_| panic!("there are not {count} keys"))
}

#[tokio::test]
async fn a_change_is_finished_although_its_client_hangs_up() {
    let server = Server::start().await;
    let first = server.first_key().await;
    // The client is there until its change is on the way, and no longer.
    let hang_up = |request| {
        let answer = server.router.clone().oneshot(signed(request, &first)).now_or_never();
        assert!(answer.is_none(), "it takes more than one turn");
    };
    hang_up(request("POST", "/keys", ""));
    let keys = until_known(&server, &first, 2).await;
    let second = keys.iter().find(|key| key["id"] != *first.id).unwrap();
    hang_up(request("DELETE", &format!("/keys/{}", second["id"].as_str().unwrap()), ""));
    until_known(&server, &first, 1).await;
}

#[tokio::test]
async fn a_changing_request_is_done_once() {
    let server = Server::start().await;
    let key = server.first_key().await;
    let create = |attempt: &'static str| {
        let mut request = call("CreateActivity", &json!({"name": "a"}));
        request.headers_mut().insert("amz-sdk-invocation-id", HeaderValue::from_static("0a1b"));
        request.headers_mut().insert("amz-sdk-request", HeaderValue::from_static(attempt));
        request
    };
    let at = now();
    assert_eq!(server.send(signed_at(create("attempt=1"), &key, at)).await.0, 200);
    let again = server.send(signed_at(create("attempt=1"), &key, at)).await;
    Server::assert_refused(&again, 400, "InvalidSignatureException");
    assert_eq!(server.send(signed_at(create("attempt=2"), &key, at)).await.0, 200);
    // It may have been done by the server that ran before this one.
    let early = server.send(signed_at(create("attempt=3"), &key, at.saturating_add_seconds(-299))).await;
    Server::assert_refused(&early, 400, "InvalidSignatureException");
    assert!(early.1["message"].as_str().unwrap().contains("when this server started"), "{}", early.1);
}

#[tokio::test]
async fn a_server_for_other_machines_keeps_its_last_key() {
    let server = Server::start_listening(true).await;
    let key = server.first_key().await;
    let remove = request("DELETE", &format!("/keys/{}", key.id), "");
    Server::assert_refused(&server.send(signed(remove, &key)).await, 409, "LastKey");
    assert_eq!(server.send(signed(request("GET", "/keys", ""), &key)).await.0, 200);
}

#[tokio::test]
async fn a_wrong_key_time_or_body_is_refused() {
    let server = Server::start().await;
    let key = server.first_key().await;
    let list = || call("ListStateMachines", &json!({}));
    let wrong = Credentials { secret: "wrong".to_owned().into(), ..key.clone() };
    Server::assert_refused(&server.send(signed(list(), &wrong)).await, 400, "InvalidSignatureException");
    let unknown = Credentials { id: "AKIANONE".to_owned(), ..key.clone() };
    Server::assert_refused(&server.send(signed(list(), &unknown)).await, 400, "UnrecognizedClientException");
    for seconds in [-301, 303] {
        let at = now().saturating_add_seconds(seconds);
        let answer = server.send(signed_at(list(), &key, at)).await;
        Server::assert_refused(&answer, 400, "InvalidSignatureException");
    }
    let mut altered = signed(list(), &key);
    *altered.body_mut() = Body::from(r#"{"maxResults": 1}"#);
    Server::assert_refused(&server.send(altered).await, 400, "InvalidSignatureException");

    let mut upload = signed(request("PUT", "/modules/m", "a"), &key);
    *upload.body_mut() = Body::from("b");
    Server::assert_refused(&server.send(upload).await, 403, "InvalidSignatureException");
    let upload = signed(request("PUT", "/modules/m", "no component"), &key);
    Server::assert_refused(&server.send(upload).await, 400, "NotWebAssembly");
}

#[tokio::test]
async fn a_body_is_read_after_its_signature_was_checked() {
    let server = Server::start().await;
    let key = server.first_key().await;
    let never = || Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let wrong = Credentials { secret: "wrong".to_owned().into(), ..key.clone() };
    let upload = signed(request("PUT", "/modules/m", "a"), &wrong).map(|_| never());
    Server::assert_refused(&server.send(upload).await, 403, "InvalidSignatureException");
    let unsigned = request("PUT", "/modules/m", "a").map(|_| never());
    Server::assert_refused(&server.send(unsigned).await, 403, "MissingAuthenticationTokenException");
}

#[tokio::test]
async fn pages_in_browsers_are_refused_while_there_are_no_keys() {
    let server = Server::start().await;
    let with = |mut request: Request<String>, lines: &[(header::HeaderName, &str)]| {
        let lines = lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
        let lines: HeaderMap = lines.collect();
        for (name, value) in lines {
            request.headers_mut().insert(name.unwrap(), value);
        }
        request.map(Body::from)
    };
    let list = || call("ListStateMachines", &json!({}));
    let site = header::HeaderName::from_static("sec-fetch-site");
    let foreign = with(list(), &[(header::ORIGIN, "http://example.com")]);
    Server::assert_refused(&server.send(foreign).await, 400, "AccessDeniedException");
    let rebound =
        [(header::HOST, "example.com"), (header::ORIGIN, "http://example.com"), (site, "same-origin")];
    Server::assert_refused(&server.send(with(list(), &rebound)).await, 400, "AccessDeniedException");
    let make = with(request("POST", "/keys", ""), &rebound);
    Server::assert_refused(&server.send(make).await, 403, "AccessDeniedException");
    let read = with(request("GET", "/keys", ""), &rebound[..1]);
    Server::assert_refused(&server.send(read).await, 403, "AccessDeniedException");
    let own = [(header::ORIGIN, "http://localhost:8083")];
    assert_eq!(server.send(with(list(), &own)).await.0, 200);
    assert_eq!(server.send(with(list(), &[(header::HOST, "sync-localhost:8083")])).await.0, 200);
}
