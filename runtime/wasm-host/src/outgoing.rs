//! Requests to the outside, as whoever makes them for guests is asked. This crate opens no connection itself.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

/// What is sent and comes back, whole.
pub type OutgoingRequest = http::Request<Bytes>;
/// See [`OutgoingRequest`].
pub type OutgoingResponse = http::Response<Bytes>;
/// What [`Outgoing::send`] answers with. Dropping it ends the connection.
pub type OutgoingFuture = Pin<Box<dyn Future<Output = Result<OutgoingResponse, OutgoingError>> + Send>>;

/// Makes requests. The grants of the call have let the request through; what no module may reach, and what a name means
/// once it is looked up, is for this to decide.
pub trait Outgoing: fmt::Debug + Send + Sync {
    /// The module has no more than a part of what requests of all modules use together.
    fn send(&self, module: &Arc<str>, request: OutgoingRequest, bounds: OutgoingBounds) -> OutgoingFuture;
}

/// How long an answer may take and how long it may be.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingBounds {
    pub timeout: Duration,
    pub body_bytes_max: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// The place may not be reached; the text says what would change that.
    #[error("{0}")]
    Forbidden(String),
    /// The name has no address.
    #[error("{0}")]
    Lookup(String),
    #[error("{0}")]
    Connect(String),
    #[error("{0}")]
    Tls(String),
    #[error("no answer came in time")]
    TimedOut,
    #[error("the answer is too large")]
    TooLarge,
    #[error("{0}")]
    Broken(String),
    #[error("{0}")]
    Invalid(String),
}
