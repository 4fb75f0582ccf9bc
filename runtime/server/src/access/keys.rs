//! Access keys: made, kept in the vault, and held in memory so that checking a request reads no store.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use asl::{Data, Timestamp};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use engine::{PutMode, PutSecret, Refusal};
use serde_json::{Value, json};
use store::{ReadError, SecretKey, SecretKind, SecretRecord, Store};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::app::now;
use crate::limits::{ACCESS_KEYS_MAX, KEY_DESCRIPTION_CHARACTERS_MAX};
use crate::secrets::Secrets;
use crate::vault::{Vault, VaultError};

/// AWS's ids of lasting keys begin so.
const ID_PREFIX: &str = "AKIA";
const ID_LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ID_LETTERS_COUNT: usize = 16;
/// 40 characters of base64, as AWS's secrets have.
const SECRET_BYTES: usize = 30;

/// The keys of a server.
#[derive(Debug)]
pub(crate) struct Keys {
    cached: RwLock<BTreeMap<String, Arc<AccessKey>>>,
    /// Changes are made one after the other.
    changing: Mutex<()>,
}

pub(super) struct AccessKey {
    secret: Zeroizing<String>,
    description: String,
    created_at: Timestamp,
}

/// A new key, whose secret is shown this once.
#[derive(Debug)]
pub(crate) struct CreatedKey {
    pub(crate) key: ListedKey,
    pub(crate) secret: Zeroizing<String>,
}

/// What anybody with a key may see of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedKey {
    pub(crate) id: String,
    pub(crate) description: String,
    pub(crate) created_at: Timestamp,
}

/// Why keys cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    #[error("the secret of the access key {id} does not open: it was damaged or sealed with another key")]
    Damaged { id: String },
    #[error("there are {ACCESS_KEYS_MAX} access keys, which is the maximum; remove one that is not needed")]
    TooMany,
    #[error("the description of an access key has at most {KEY_DESCRIPTION_CHARACTERS_MAX} characters")]
    Description,
    #[error("there is no access key {id}; `stepwell keys list` shows those that there are")]
    Absent { id: String },
    #[error(
        "this is the last access key, and the server listens on an address that other machines can reach. Create \
         another key first, or stop the server and use --data"
    )]
    Last,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("the store cannot be read: {0}")]
    Read(#[from] ReadError),
    #[error("the store cannot be written: {0}")]
    Write(#[from] Refusal),
}

/// Whether a store has access keys.
pub(crate) async fn has_keys<S: Store>(store: &S) -> Result<bool, ReadError> {
    Ok(!store.list_secrets(SecretKind::AccessKey, None, 1).await?.items.is_empty())
}

impl Keys {
    pub(crate) async fn load<S: Store>(store: &S, vault: &Vault) -> Result<Keys, KeysError> {
        let mut cached = BTreeMap::new();
        let mut position = None;
        loop {
            let page = store.list_secrets(SecretKind::AccessKey, position.as_ref(), ACCESS_KEYS_MAX).await?;
            for (id, record) in page.items {
                let key = open(vault, &id, &record)?;
                cached.insert(id, Arc::new(key));
            }
            position = page.next;
            if position.is_none() {
                return Ok(Keys { cached: RwLock::new(cached), changing: Mutex::new(()) });
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cached.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<AccessKey>> {
        self.cached.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All keys by their ids.
    pub(crate) fn list(&self) -> Vec<ListedKey> {
        let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
        cached.iter().map(|(id, key)| listed(id, key)).collect()
    }

    pub(crate) async fn create<T: Secrets>(
        &self,
        secrets: &T,
        vault: &Vault,
        description: &str,
    ) -> Result<CreatedKey, KeysError> {
        if description.chars().count() > KEY_DESCRIPTION_CHARACTERS_MAX {
            return Err(KeysError::Description);
        }
        let _changing = self.changing.lock().await;
        if self.cached.read().unwrap_or_else(PoisonError::into_inner).len() >= ACCESS_KEYS_MAX {
            return Err(KeysError::TooMany);
        }
        let (id, secret) = random_key().map_err(VaultError::Random)?;
        let key = name(&id);
        let sealed = vault.seal(&key, secret.as_bytes())?;
        let public = json!({"description": description}).to_string();
        let public = Some(Data::from_valid_text(public));
        secrets.put(PutSecret { key, mode: PutMode::Create, public, sealed }).await?;
        let description = description.to_owned();
        let key = AccessKey { secret: secret.clone(), description, created_at: now() };
        let listed = listed(&id, &key);
        self.cached.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::new(key));
        Ok(CreatedKey { key: listed, secret })
    }

    /// Removes a key. `keep_one` refuses to remove the last.
    pub(crate) async fn remove<T: Secrets>(
        &self,
        secrets: &T,
        id: &str,
        keep_one: bool,
    ) -> Result<(), KeysError> {
        let _changing = self.changing.lock().await;
        let count = {
            let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
            if !cached.contains_key(id) {
                return Err(KeysError::Absent { id: id.to_owned() });
            }
            cached.len()
        };
        if keep_one && count == 1 {
            return Err(KeysError::Last);
        }
        secrets.delete(name(id)).await?;
        self.cached.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(())
    }
}

#[cfg(test)]
impl Keys {
    /// One key with a secret that a test knows.
    pub(super) fn with(id: &str, secret: &str) -> Keys {
        let key = AccessKey {
            secret: Zeroizing::new(secret.to_owned()),
            description: String::new(),
            created_at: now(),
        };
        let cached = BTreeMap::from([(id.to_owned(), Arc::new(key))]);
        Keys { cached: RwLock::new(cached), changing: Mutex::new(()) }
    }
}

impl AccessKey {
    pub(super) fn secret(&self) -> &str {
        &self.secret
    }
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AccessKey").field("description", &self.description).finish_non_exhaustive()
    }
}

fn listed(id: &str, key: &AccessKey) -> ListedKey {
    ListedKey { id: id.to_owned(), description: key.description.clone(), created_at: key.created_at }
}

fn name(id: &str) -> SecretKey {
    SecretKey { kind: SecretKind::AccessKey, name: id.into() }
}

fn open(vault: &Vault, id: &str, record: &SecretRecord) -> Result<AccessKey, KeysError> {
    let damaged = || KeysError::Damaged { id: id.to_owned() };
    let secret = vault.unseal(&name(id), record).map_err(|_| damaged())?;
    let secret = std::str::from_utf8(&secret).map_err(|_| damaged())?.to_owned();
    let description = record.public.as_ref().and_then(|public| match public.value() {
        Value::Object(members) => members.get("description")?.as_str().map(str::to_owned),
        _other => None,
    });
    Ok(AccessKey {
        secret: Zeroizing::new(secret),
        description: description.unwrap_or_default(),
        created_at: record.created_at,
    })
}

fn random_key() -> Result<(String, Zeroizing<String>), getrandom::Error> {
    let mut letters = [0; ID_LETTERS_COUNT];
    getrandom::fill(&mut letters)?;
    let letters = letters.iter().map(|byte| char::from(ID_LETTERS[usize::from(byte % 32)]));
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(&mut *secret)?;
    Ok((ID_PREFIX.chars().chain(letters).collect(), Zeroizing::new(BASE64_STANDARD.encode(*secret))))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use engine::Offline;
    use store::MemoryStore;

    use super::*;

    fn vault() -> Vault {
        Vault::open(Path::new("/nowhere"), Some(&"0a".repeat(32))).unwrap()
    }

    #[test]
    fn a_key_has_aws_s_shape() {
        let (id, secret) = random_key().unwrap();
        assert_eq!((id.len(), secret.len()), (20, 40));
        assert!(id.starts_with("AKIA") && id.bytes().all(|letter| ID_LETTERS.contains(&letter)), "{id}");
        assert_ne!(random_key().unwrap(), (id, secret));
    }

    #[tokio::test]
    async fn keys_are_kept_sealed_and_found_again() {
        let secrets = Offline::new(MemoryStore::new(1));
        let keys = Keys::load(secrets.store(), &vault()).await.unwrap();
        assert!(keys.is_empty() && !has_keys(secrets.store()).await.unwrap());
        let created = keys.create(&secrets, &vault(), "of the tests").await.unwrap();
        let id = &created.key.id;
        assert_eq!(keys.find(id).unwrap().secret(), created.secret.as_str());
        let record = secrets.store().secret(&name(id)).await.unwrap().unwrap();
        assert!(!record.sealed.windows(8).any(|window| window == &created.secret.as_bytes()[..8]));

        let again = Keys::load(secrets.store(), &vault()).await.unwrap();
        assert!(has_keys(secrets.store()).await.unwrap());
        assert_eq!(again.find(id).unwrap().secret(), created.secret.as_str());
        assert_eq!(again.list()[0].description, "of the tests");
        assert!(!format!("{again:?}{created:?}").contains(&created.secret[..8]));

        let error = again.remove(&secrets, "AKIANONE", false).await.unwrap_err();
        assert!(error.to_string().contains("there is no access key AKIANONE"), "{error}");
        assert!(matches!(again.remove(&secrets, id, true).await, Err(KeysError::Last)));
        again.remove(&secrets, id, false).await.unwrap();
        assert!(again.is_empty() && !has_keys(secrets.store()).await.unwrap());
    }

    #[tokio::test]
    async fn a_key_of_another_vault_is_told() {
        let secrets = Offline::new(MemoryStore::new(1));
        let keys = Keys::load(secrets.store(), &vault()).await.unwrap();
        keys.create(&secrets, &vault(), "").await.unwrap();
        let other = Vault::open(Path::new("/nowhere"), Some(&"0b".repeat(32))).unwrap();
        assert!(matches!(Keys::load(secrets.store(), &other).await, Err(KeysError::Damaged { .. })));
        let error = keys.create(&secrets, &vault(), &"x".repeat(257)).await.unwrap_err();
        assert!(matches!(error, KeysError::Description), "{error}");
    }
}
