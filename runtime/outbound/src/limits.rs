//! The bounds of every request to the outside.

use std::time::Duration;

/// Ours: a connection is made in this time, or the request fails.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Ours: an idle connection is kept this long for the next request to the same place.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Ours: idle connections that are kept to one place.
pub const IDLE_CONNECTIONS_MAX: usize = 16;
/// Ours: places to which idle connections are kept, so that at most 1,024 are.
pub const KEPT_PLACES_MAX: usize = 64;
/// Ours: of those, places that one module has reached first.
pub const KEPT_PLACES_OF_ONE_MAX: usize = KEPT_PLACES_MAX / 4;
/// Ours: names that are looked up at once. Each takes a thread, also after nobody waits for it any more.
pub const LOOKUPS_MAX: usize = 64;
/// Ours: of those, look-ups on behalf of one module, or of one host of HTTP tasks.
pub const LOOKUPS_OF_ONE_MAX: usize = LOOKUPS_MAX / 4;
/// Ours: addresses of one name that are tried.
pub const ADDRESSES_MAX: usize = 16;
