//! Requests to the outside: `stepwell::http::get("https://api.example.com/rates").query("base", "EUR").send()?`.
//!
//! A request waits for its answer, whole. The module needs a grant for it, which `module.toml` asks for under
//! `[[grants.http]]`. Redirects are not followed: a grant is for one place. In a native test
//! [`testing::answer_http`](crate::testing::answer_http) answers.

mod error;
mod request;
mod response;
mod url;

pub use error::HttpError;
pub use request::{Request, delete, get, head, patch, post, put, request};
pub use response::Response;
pub(crate) use url::Url;

/// The host's limit on a body, and so the largest answer that a request can ask for.
pub const BODY_BYTES_MAX: usize = 8 << 20;
