//! The HTTP client: one request, one answer of bounded size in bounded time, no redirects and no proxies.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use hyper::ext::ReasonPhrase;
use rustls::crypto::ring;

use crate::guard::Policy;
use crate::kept::Kept;
use crate::limits::{CONNECT_TIMEOUT, IDLE_CONNECTIONS_MAX, IDLE_TIMEOUT};
use crate::resolver::{Forbidden, GuardedResolver, Lookup, NotFound, SystemLookup, on_behalf_of};

/// Sends requests under one policy. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    policy: Arc<Policy>,
    kept: Kept,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the HTTP client cannot be made: {0}")]
    Http(#[from] reqwest::Error),
}

/// How long an answer may take and how long it may be.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From the look-up of the name to the last byte of the answer.
    pub timeout: Duration,
    pub body_bytes_max: usize,
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: StatusCode,
    /// The words beside the status.
    pub reason: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The policy does not let the request go there.
    #[error("{0}")]
    Forbidden(String),
    #[error("The connection failed: {0}")]
    Connect(NoConnection),
    #[error("No answer came within {} seconds.", .0.as_secs())]
    TimedOut(Duration),
    #[error("The answer is larger than {limit} bytes.")]
    TooLarge { limit: usize },
    /// The connection broke, or what came was no HTTP.
    #[error("The request failed: {0}")]
    Broken(String),
    #[error("The request cannot be sent: {0}")]
    Invalid(String),
}

/// A connection that was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NoConnection {
    pub stage: Stage,
    pub why: String,
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The name has no address, or it could not be looked up.
    Lookup,
    Connect,
    /// The two sides did not agree, or the other's certificate is not trusted.
    Tls,
}

impl Client {
    /// Trusts the certificates of the system, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    pub fn new(policy: Policy) -> Result<Client, ClientError> {
        Client::with_lookup(policy, Arc::new(SystemLookup))
    }

    /// The same, with names that somebody else looks up.
    pub fn with_lookup(policy: Policy, lookup: Arc<dyn Lookup>) -> Result<Client, ClientError> {
        let policy = Arc::new(policy);
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(GuardedResolver::new(Arc::clone(&policy), lookup))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build()?;
        Ok(Client { http, policy, kept: Kept::default() })
    }

    /// Sends a request and reads its answer. Dropping the future ends the connection. Of what all requests use together,
    /// those to one host have no more than a part.
    pub async fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Result<Response, SendError> {
        let host = request.uri().host().unwrap_or_default().into();
        self.send_for(host, request, bounds).await
    }

    /// The same, with a part for whoever it is sent for, whichever host it goes to.
    pub async fn send_for(
        &self,
        who: Arc<str>,
        request: Request<Bytes>,
        bounds: Bounds,
    ) -> Result<Response, SendError> {
        let mut request =
            reqwest::Request::try_from(request).map_err(|error| SendError::Invalid(chain(&error)))?;
        if let Policy::Guarded(guard) = &*self.policy
            && let Some(why) = guard.refuses(request.url())
        {
            tracing::warn!(
                origin = request.url().origin().ascii_serialization(),
                "a request of a workflow was not let through"
            );
            return Err(SendError::Forbidden(why));
        }
        let origin = request.url().origin().ascii_serialization();
        let kept = self.kept.enter(&who, &origin, Instant::now());
        if kept.is_none() {
            request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let exchange = on_behalf_of(who, self.exchange(request, bounds.body_bytes_max));
        match tokio::time::timeout(bounds.timeout, exchange).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(SendError::TimedOut(bounds.timeout)),
        }
    }

    async fn exchange(
        &self,
        request: reqwest::Request,
        body_bytes_max: usize,
    ) -> Result<Response, SendError> {
        let mut answer = self.http.execute(request).await.map_err(|error| send_error(&error))?;
        let too_large = || SendError::TooLarge { limit: body_bytes_max };
        if answer.content_length().is_some_and(|length| length > body_bytes_max as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| send_error(&error))? {
            if body.len() + chunk.len() > body_bytes_max {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let status = answer.status();
        let reason = answer.extensions().get::<ReasonPhrase>();
        let reason = match reason {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => status.canonical_reason().unwrap_or_default().to_owned(),
        };
        Ok(Response { status, reason, headers: std::mem::take(answer.headers_mut()), body: body.freeze() })
    }
}

fn tls() -> Result<rustls::ClientConfig, rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate of the system cannot be read");
    }
    let (added, _ignored) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        tracing::warn!(
            "no certificate authority is known, so no HTTPS request will succeed; set SSL_CERT_FILE"
        );
    }
    Ok(rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn send_error(error: &reqwest::Error) -> SendError {
    let mut stage = Stage::Connect;
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(Forbidden(why)) = cause.downcast_ref::<Forbidden>() {
            return SendError::Forbidden(why.clone());
        }
        if cause.is::<NotFound>() {
            stage = Stage::Lookup;
        } else if is_of_tls(cause) {
            stage = Stage::Tls;
        }
        source = cause.source();
    }
    let why = chain(error);
    if error.is_connect() { SendError::Connect(NoConnection { stage, why }) } else { SendError::Broken(why) }
}

/// An error of the system's kind hides the one that it is made of, once or more.
fn is_of_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    error.is::<rustls::Error>() || hidden.is_some_and(|hidden| is_of_tls(hidden))
}

/// What went wrong, down to its cause, without the URL, which may have secrets.
fn chain(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    if texts.is_empty() { "the request is not valid".to_owned() } else { texts.join(": ") }
}
