//! The bounds of every request to the outside.

use std::time::Duration;

/// Ours: a connection is made in this time, or the request fails.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Ours: an idle connection is kept this long for the next request to the same place.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Ours: idle connections that are kept to one place.
pub const IDLE_CONNECTIONS_MAX: usize = 16;
/// Ours: names that are looked up at once. Each takes a thread, also after nobody waits for it any more.
pub const LOOKUPS_MAX: usize = 64;
/// Ours: addresses of one name that are tried.
pub const ADDRESSES_MAX: usize = 16;
