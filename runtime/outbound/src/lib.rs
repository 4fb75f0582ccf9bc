//! Requests to the outside over HTTP: what may be reached, within what bounds, and signed as AWS wants it.
#![warn(clippy::wildcard_enum_match_arm)]

mod address;
mod client;
#[cfg(all(test, target_os = "linux"))]
mod crowd;
mod guard;
mod kept;
pub mod limits;
mod places;
// Other systems have one loopback address.
#[cfg(all(test, target_os = "linux"))]
mod rebinding;
mod resolver;
mod sign;

pub use client::{Bounds, Client, ClientError, NoConnection, Response, SendError, Stage};
pub use guard::{Guard, Origin, Policy};
pub use http;
pub use ipnet::IpNet;
pub use reqwest::Url;
pub use resolver::{Lookup, SystemLookup};
pub use sign::{Credentials, SignError, sign};
