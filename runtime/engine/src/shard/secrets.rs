//! Secrets, which come and go encrypted.

use asl::Timestamp;
use store::{Change, SecretKey, SecretRecord};

use crate::request::{PutMode, PutSecret, Refusal};

use super::{Missing, Shard};

impl Shard {
    pub(super) fn missing_secret(&self, key: &SecretKey) -> Option<Missing> {
        (!self.secrets.contains(key)).then(|| Missing::Secret(key.clone()))
    }

    pub(super) fn put_secret(&mut self, request: PutSecret, now: Timestamp) -> Result<(), Refusal> {
        let PutSecret { key, mode, public, sealed } = request;
        let found = self.secrets.get(&key).and_then(Option::as_ref);
        let created_at = match (mode, found) {
            (PutMode::Create, None) => now,
            (PutMode::Update, Some(found)) => found.created_at,
            (PutMode::Create, Some(_)) => {
                return Err(Refusal::SecretAlreadyExists { name: key.name.to_string() });
            }
            (PutMode::Update, None) => return Err(absent(&key)),
        };
        let record = SecretRecord { created_at, updated_at: now, public, sealed };
        self.batch.secrets.insert(key.clone(), Change::Put(record.clone()));
        self.secrets.insert(key, Some(record), self.generation);
        Ok(())
    }

    pub(super) fn delete_secret(&mut self, key: SecretKey) -> Result<(), Refusal> {
        if self.secrets.get(&key).and_then(Option::as_ref).is_none() {
            return Err(absent(&key));
        }
        self.batch.secrets.insert(key.clone(), Change::Delete);
        self.secrets.insert(key, None, self.generation);
        Ok(())
    }
}

fn absent(key: &SecretKey) -> Refusal {
    Refusal::SecretDoesNotExist { name: key.name.to_string() }
}
