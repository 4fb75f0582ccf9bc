//! Write a Stepwell task in Rust: one annotated function, JSON in, JSON out.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use stepwell::TaskError;
//!
//! #[derive(Deserialize)]
//! struct Order {
//!     sku: String,
//!     quantity: u32,
//! }
//!
//! #[derive(Debug, PartialEq, Serialize)]
//! struct Quote {
//!     total: u32,
//! }
//!
//! #[stepwell::task]
//! fn quote(order: Order) -> Result<Quote, TaskError> {
//!     let price = match order.sku.as_str() {
//!         "book" => 1_999,
//!         other => return Err(TaskError::new("PriceUnavailable", format!("no price for {other}"))),
//!     };
//!     Ok(Quote { total: price * order.quantity })
//! }
//!
//! // The function stays an ordinary function.
//! let order = Order { sku: "book".into(), quantity: 2 };
//! assert_eq!(quote(order).unwrap(), Quote { total: 3_998 });
//! // And `quote_json` is what the host calls: JSON text in, JSON text out.
//! assert_eq!(quote_json(r#"{"sku":"book","quantity":2}"#).unwrap(), r#"{"total":3998}"#);
//! ```
//!
//! Build with `cargo build --release --target wasm32-wasip2` (crate type `cdylib`). On every other target the
//! host is a test double, see [`testing`], so that `cargo test` needs no server.

mod context;
mod error;
mod executor;
mod export;
mod host;
pub mod http;
pub mod log;
mod secret;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use context::Context;
pub use error::{OrTaskError, TaskError};
pub use secret::{SecretError, secret};
pub use stepwell_sdk_macro::{TaskError, task};

/// What the generated code calls; not for direct use, and free to change.
#[doc(hidden)]
pub mod __private {
    pub use crate::executor::block_on;
    pub use crate::export::{PlainOutcome, Returned, into_json, parse};
    #[cfg(target_family = "wasm")]
    pub use crate::host::wasm::{bindings, export_bindings, to_wire};
}

/// The largest output the host takes, in bytes of UTF-8 text: AWS's limit on a task's payload.
pub const OUTPUT_BYTES_MAX: usize = 262_144;

/// Tells the engine that this task is still alive, as `HeartbeatSeconds` of its state asks for.
pub fn heartbeat() {
    host::heartbeat();
}
