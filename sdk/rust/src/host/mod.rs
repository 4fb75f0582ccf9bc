//! What the host gives a task: the imports of the WIT world in a guest, a test double everywhere else.

#[cfg(not(target_family = "wasm"))]
pub(crate) mod native;
#[cfg(target_family = "wasm")]
pub(crate) mod wasm;
#[cfg(target_family = "wasm")]
mod wasm_http;

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{context, heartbeat, secret, send_http, write_log};
#[cfg(target_family = "wasm")]
pub(crate) use wasm::{context, heartbeat, secret, write_log};
#[cfg(target_family = "wasm")]
pub(crate) use wasm_http::send_http;
