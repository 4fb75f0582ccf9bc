//! The host's side of a task in a native test: what the task is told, and what it told the host.
//!
//! Everything here belongs to the current thread. `cargo test` gives each test its own thread, except with
//! `--test-threads=1`: a test that reads the log begins with [`reset`].
//!
//! ```
//! use stepwell::{Context, testing};
//!
//! testing::reset();
//! testing::set_context(Context { attempt: 2, ..Context::default() });
//! stepwell::log::warn!("attempt {}", Context::current().attempt);
//! stepwell::heartbeat();
//! assert_eq!(testing::log_lines()[0].message, "attempt 2");
//! assert_eq!(testing::heartbeats(), 1);
//! testing::set_secret("payment-key", "s3cret");
//! assert_eq!(stepwell::secret("payment-key").as_deref(), Ok("s3cret"));
//!
//! testing::answer_http(|request| match request.url() {
//!     "https://api.example.com/rates?base=EUR" => Ok(stepwell::http::Response::new(200, r#"{"USD":1.1}"#)),
//!     _ => Ok(stepwell::http::Response::new(404, "")),
//! });
//! let rates = stepwell::http::get("https://api.example.com/rates").query("base", "EUR").send();
//! assert_eq!(rates.unwrap().text(), r#"{"USD":1.1}"#);
//! assert_eq!(testing::http_requests()[0].method(), "GET");
//! ```

use std::rc::Rc;

use crate::host::native;
use crate::http::{HttpError, Request, Response};
use crate::{Context, log};

/// Makes `context` the one that tasks on this thread are given.
pub fn set_context(context: Context) {
    native::set_context(context);
}

/// What was logged on this thread since the last [`reset`], oldest first.
#[must_use]
pub fn log_lines() -> Vec<log::Line> {
    native::lines()
}

/// How often [`crate::heartbeat`] was called on this thread since the last [`reset`].
#[must_use]
pub fn heartbeats() -> u32 {
    native::heartbeats()
}

/// Grants a secret to tasks on this thread.
pub fn set_secret(name: &str, value: &str) {
    native::set_secret(name, value);
}

/// Lets a function answer the requests of tasks on this thread. Without one no request is granted.
pub fn answer_http(answer: impl Fn(&Request) -> Result<Response, HttpError> + 'static) {
    native::set_answer(Rc::new(answer));
}

/// The requests that were sent on this thread since the last [`reset`], oldest first.
#[must_use]
pub fn http_requests() -> Vec<Request> {
    native::requests()
}

/// Forgets the context, the log, the heartbeats, the secrets and the requests of this thread, and who answers them.
pub fn reset() {
    native::reset();
}
