//! Who may ask: access keys, signed requests, and pages in browsers while there are no keys.

pub(crate) mod api;
mod browsers;
mod claim;
mod guard;
mod keys;
mod refusals;
mod replays;
mod signature;
mod verify;

use asl::Timestamp;
use store::Store;
use tokio::sync::Semaphore;

pub(crate) use guard::guard;
use keys::Keys;
pub use keys::KeysError;
pub(crate) use keys::{CreatedKey, ListedKey, has_keys};
use replays::Replays;
pub use signature::{Credentials, sign};

use crate::app::now;
use crate::vault::Vault;

/// Ours: each may take the memory of a component in base64.
const UNCHECKED_UPLOADS_MAX: usize = 4;

/// The keys, the signatures that were seen, and whether other machines reach the server.
#[derive(Debug)]
pub struct Access {
    pub(crate) keys: Keys,
    replays: Replays,
    /// The second in which the server started. Signatures do not tell time more finely.
    since: Timestamp,
    /// Places for uploads whose signature cannot be checked before they are read.
    unchecked_uploads: Semaphore,
    pub(crate) is_remote: bool,
}

impl Access {
    /// Opens the access keys of a store, before anything is listened to: requests that were signed before this are not taken
    /// for new ones. `is_remote` says that the server listens elsewhere than on loopback.
    pub async fn load<S: Store>(store: &S, vault: &Vault, is_remote: bool) -> Result<Access, KeysError> {
        Ok(Access::new(Keys::load(store, vault).await?, now(), is_remote))
    }

    fn new(keys: Keys, now: Timestamp, is_remote: bool) -> Access {
        let since = now.saturating_add_milliseconds(-now.as_milliseconds().rem_euclid(1_000));
        let unchecked_uploads = Semaphore::new(UNCHECKED_UPLOADS_MAX);
        Access { keys, replays: Replays::default(), since, unchecked_uploads, is_remote }
    }
}
