//! Asks the server over plain HTTP/1.1, one connection for each request.

use anyhow::Context;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::HeaderValue;
use hyper::http::response;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::Failure;
use super::upload::{Upload, Watcher};
use crate::access::{Credentials, sign};
use crate::app::now;
use crate::limits::{CLIENT_ANSWER_BYTES_MAX, CLIENT_ANSWER_TIMEOUT, CLIENT_CONNECT_TIMEOUT};

/// The server refused the request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
}

#[derive(Debug)]
pub(crate) struct Client {
    /// `HOST:PORT`.
    authority: String,
    endpoint: String,
    credentials: Option<Credentials>,
}

impl Client {
    pub(crate) fn new(endpoint: &str) -> Result<Client, Failure> {
        let uri: hyper::Uri =
            endpoint.parse().with_context(|| format!("the endpoint {endpoint} is not a URL"))?;
        if uri.scheme_str() != Some("http") {
            anyhow::bail!("the endpoint {endpoint} must begin with http://; this client has no TLS");
        }
        let authority = uri.authority().context("the endpoint has no host")?;
        let authority = match authority.port() {
            Some(_) => authority.to_string(),
            None => format!("{authority}:80"),
        };
        Ok(Client { authority, endpoint: endpoint.trim_end_matches('/').to_owned(), credentials: None })
    }

    /// Signs every request, if there is something to sign with.
    pub(crate) fn signed_with(self, credentials: Option<Credentials>) -> Client {
        Client { credentials, ..self }
    }

    /// Calls an operation of the AWS API.
    pub(crate) async fn call(&self, operation: &str, members: &Value) -> Result<Value, Failure> {
        self.call_target(&format!("AWSStepFunctions.{operation}"), members).await
    }

    /// Calls an operation of EventBridge's API.
    pub(crate) async fn call_events(&self, operation: &str, members: &Value) -> Result<Value, Failure> {
        self.call_target(&format!("AWSEvents.{operation}"), members).await
    }

    async fn call_target(&self, target: &str, members: &Value) -> Result<Value, Failure> {
        let request = self
            .request(Method::POST, "/")
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .header("x-amz-target", target)
            .body(Bytes::from(members.to_string()))?;
        self.send(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        let request = self.request(Method::GET, path).body(Bytes::new())?;
        self.send(request).await
    }

    pub(crate) async fn post(&self, path: &str, members: &Value) -> Result<Value, Failure> {
        let request = self.request(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Bytes::from(members.to_string()))?).await
    }

    pub(crate) async fn put(&self, path: &str, members: &Value) -> Result<Value, Failure> {
        let request = self.request(Method::PUT, path).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Bytes::from(members.to_string()))?).await
    }

    /// Sends a file in the place of one of which the digest is told, or of any.
    pub(crate) async fn upload(
        &self,
        path: &str,
        body: Bytes,
        content_type: &str,
        replaces: Option<&str>,
        watcher: Watcher,
    ) -> Result<Value, Failure> {
        let mut request = self.request(Method::PUT, path).header(header::CONTENT_TYPE, content_type);
        if let Some(digest) = replaces {
            request = request.header(header::IF_MATCH, format!("\"{digest}\""));
        }
        self.send_watched(request.body(body)?, watcher).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        let request = self.request(Method::DELETE, path).body(Bytes::new())?;
        self.send(request).await
    }

    /// The ARN of a state machine by its name; an ARN stays as it is.
    pub(crate) async fn state_machine_arn(&self, machine: &str) -> Result<String, Failure> {
        if machine.starts_with("arn:") {
            return Ok(machine.to_owned());
        }
        let (region, account) = self.account().await?;
        Ok(format!("arn:aws:states:{region}:{account}:stateMachine:{machine}"))
    }

    /// The ARN of an execution by `MACHINE:EXECUTION`; an ARN stays as it is.
    pub(crate) async fn execution_arn(&self, execution: &str) -> Result<String, Failure> {
        if execution.starts_with("arn:") {
            return Ok(execution.to_owned());
        }
        if !execution.contains(':') {
            anyhow::bail!("'{execution}' does not name an execution: give its ARN, or MACHINE:EXECUTION");
        }
        let (region, account) = self.account().await?;
        Ok(format!("arn:aws:states:{region}:{account}:execution:{execution}"))
    }

    async fn account(&self) -> Result<(String, String), Failure> {
        let health = self.get("/health").await?;
        match (health["region"].as_str(), health["account"].as_str()) {
            (Some(region), Some(account)) => Ok((region.to_owned(), account.to_owned())),
            _other => {
                anyhow::bail!("{} does not answer like a Stepwell server; use the full ARN", self.endpoint)
            }
        }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        Request::builder().method(method).uri(path).header(header::HOST, &self.authority)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Value, Failure> {
        self.send_watched(request, Box::new(|_| {})).await
    }

    async fn send_watched(&self, request: Request<Bytes>, watcher: Watcher) -> Result<Value, Failure> {
        self.exchange(request, watcher).await.map(|(_, body)| body)
    }

    /// The head and the body of an answer that is no refusal.
    pub(super) async fn exchange(
        &self,
        request: Request<Bytes>,
        watcher: Watcher,
    ) -> Result<(response::Parts, Value), Failure> {
        let lost = || self.lost();
        let answer = timeout(CLIENT_ANSWER_TIMEOUT, async {
            let (head, body, _connection) = self.open(request, watcher).await?;
            let body = Limited::new(body, CLIENT_ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow::anyhow!(error)).with_context(lost)?;
            Ok::<_, Failure>((head, body.to_bytes()))
        });
        let (head, body) = answer.await.with_context(lost)??;
        let body = self.read(&body)?;
        if head.status.is_success() { Ok((head, body)) } else { Err(refused(head.status, &body).into()) }
    }

    /// Sends a request, and gives the answer as it begins. The connection is closed when it is dropped.
    pub(super) async fn open(
        &self,
        request: Request<Bytes>,
        watcher: Watcher,
    ) -> Result<(response::Parts, Incoming, AbortOnDropHandle<()>), Failure> {
        let (mut parts, body) = request.into_parts();
        if let Some(credentials) = &self.credentials {
            // Signed too, so that nobody else can send this request once more.
            let id = HeaderValue::from_str(&Uuid::new_v4().to_string()).expect("digits, letters and hyphens");
            parts.headers.insert("amz-sdk-invocation-id", id);
            parts.headers.insert("amz-sdk-request", HeaderValue::from_static("attempt=1"));
            sign(&mut parts, &body, credentials, now());
        }
        let request = Request::from_parts(parts, Upload::new(body, watcher));
        let lost = || self.lost();
        let stream = self.connect().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.with_context(lost)?;
        let driver = AbortOnDropHandle::new(tokio::spawn(async { _ = connection.await }));
        let (head, body) = sender.send_request(request).await.with_context(lost)?.into_parts();
        Ok((head, body, driver))
    }

    fn lost(&self) -> String {
        format!("the server at {} did not answer", self.endpoint)
    }

    pub(super) fn read(&self, body: &[u8]) -> Result<Value, Failure> {
        serde_json::from_slice(body)
            .with_context(|| format!("{} does not answer like a Stepwell server", self.endpoint))
    }

    async fn connect(&self) -> Result<TcpStream, Failure> {
        let connected = timeout(CLIENT_CONNECT_TIMEOUT, TcpStream::connect(&self.authority)).await;
        let problem = match connected {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => error.to_string(),
            Err(_too_slow) => format!("no connection within {} s", CLIENT_CONNECT_TIMEOUT.as_secs()),
        };
        anyhow::bail!(
            "there is no server at {}: {problem}\nStart one with `stepwell serve --data DIR`, or name another with \
             --endpoint or STEPWELL_ENDPOINT.",
            self.endpoint
        )
    }
}

/// The error in an answer of the AWS API, of Lambda's, or of Stepwell's own.
pub(super) fn refused(status: StatusCode, body: &Value) -> Refused {
    let code = body["__type"].as_str().or_else(|| body["error"].as_str());
    let code = code.map_or_else(|| status.to_string(), str::to_owned);
    let message = body["message"].as_str().or_else(|| body["Message"].as_str());
    Refused { code, message: message.unwrap_or("no message").to_owned() }
}

/// A name as one part of a path.
pub(crate) fn path_part(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b':');
    name.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// All items of a listing, page after page.
pub(crate) async fn all_pages(
    client: &Client,
    operation: &str,
    mut members: Value,
    items: &str,
) -> Result<Vec<Value>, Failure> {
    let mut all = Vec::new();
    loop {
        let mut page = client.call(operation, &members).await?;
        if let Value::Array(list) = page[items].take() {
            all.extend(list);
        }
        match page["nextToken"].take() {
            Value::String(token) => members["nextToken"] = json!(token),
            _last_page => return Ok(all),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_plain_http_url() {
        assert_eq!(Client::new("http://127.0.0.1:8083/").unwrap().authority, "127.0.0.1:8083");
        assert_eq!(Client::new("http://localhost").unwrap().authority, "localhost:80");
        let error = Client::new("https://localhost").unwrap_err().to_string();
        assert_eq!(error, "the endpoint https://localhost must begin with http://; this client has no TLS");
        assert!(Client::new("no url").is_err());
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_told_with_the_fix() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let client = Client::new(&format!("http://{address}")).unwrap();
        let error = client.get("/health").await.unwrap_err().to_string();
        assert!(error.contains(&format!("there is no server at http://{address}: ")), "{error}");
        assert!(error.contains("stepwell serve --data DIR"), "{error}");
    }

    #[test]
    fn errors_of_both_apis_are_read() {
        let check = |body: Value, expected: &str| {
            assert_eq!(refused(StatusCode::BAD_REQUEST, &body).to_string(), expected);
        };
        check(
            json!({"__type": "InvalidName", "message": "Invalid Name: 'a b'"}),
            "InvalidName: Invalid Name: 'a b'",
        );
        check(json!({"error": "CoreModule", "message": "wrap it"}), "CoreModule: wrap it");
        check(json!({}), "400 Bad Request: no message");
    }

    #[test]
    fn names_are_escaped_in_paths() {
        assert_eq!(path_part("arn:aws:states:x"), "arn:aws:states:x");
        assert_eq!(path_part("a/ü?"), "a%2F%C3%BC%3F");
    }
}
