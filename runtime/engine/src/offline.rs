//! A store on which no engine runs: its secrets can be changed, and its executions stay where they are.

use store::{CommitError, ReadError, SecretKey, Store};

use crate::driver::now;
use crate::load;
use crate::request::{PutSecret, Refusal};
use crate::shard::{self, Effect, Input, Reply, ReplyTo, Request, Shard};

/// Who takes it has the store alone.
#[derive(Debug)]
pub struct Offline<S>(S);

impl<S: Store> Offline<S> {
    pub fn new(store: S) -> Offline<S> {
        Offline(store)
    }

    pub fn store(&self) -> &S {
        &self.0
    }

    /// Creates or replaces a secret that was encrypted already.
    pub async fn put_secret(&self, request: PutSecret) -> Result<(), Refusal> {
        self.perform(Request::PutSecret(request)).await
    }

    pub async fn delete_secret(&self, key: SecretKey) -> Result<(), Refusal> {
        self.perform(Request::DeleteSecret(key)).await
    }

    /// One request through a shard that takes nothing up again.
    async fn perform(&self, request: Request) -> Result<(), Refusal> {
        let snapshot = load::snapshot(&self.0).await.map_err(|error| unreadable(&error))?;
        let mut shard = Shard::new(shard::Options::default(), snapshot);
        let input = Input::Request { reply: ReplyTo(0), request };
        while let Some(missing) = shard.missing(&input) {
            shard.supply(load::load(&self.0, missing).await.map_err(|error| unreadable(&error))?);
        }
        shard.handle(input, now());
        let output = shard.seal();
        if output.batch.rows() > 0 {
            self.0.commit(output.batch).await.map_err(unwritten)?;
        }
        for effect in output.effects {
            if let Effect::Reply { reply: Reply::Refused(refusal), .. } = effect {
                return Err(refusal);
            }
        }
        Ok(())
    }
}

fn unreadable(error: &ReadError) -> Refusal {
    tracing::error!(error = error as &dyn std::error::Error, "the store could not be read");
    Refusal::Unavailable
}

fn unwritten(error: CommitError) -> Refusal {
    tracing::error!(error = &error as &dyn std::error::Error, "the store could not be written");
    Refusal::Unavailable
}

#[cfg(test)]
mod tests {
    use store::{MemoryStore, SecretKind};

    use super::*;
    use crate::request::PutMode;

    #[tokio::test]
    async fn secrets_are_changed_without_an_engine() {
        let offline = Offline::new(MemoryStore::new(1));
        let key = SecretKey { kind: SecretKind::AccessKey, name: "a".into() };
        let put = |mode| PutSecret { key: key.clone(), mode, public: None, sealed: vec![1, 2] };
        offline.put_secret(put(PutMode::Create)).await.unwrap();
        assert_eq!(offline.store().secret(&key).await.unwrap().unwrap().sealed, [1, 2]);
        let again = offline.put_secret(put(PutMode::Create)).await;
        assert_eq!(again, Err(Refusal::SecretAlreadyExists { name: "a".to_owned() }));
        offline.delete_secret(key.clone()).await.unwrap();
        assert!(offline.store().secret(&key).await.unwrap().is_none());
        let again = offline.delete_secret(key).await;
        assert_eq!(again, Err(Refusal::SecretDoesNotExist { name: "a".to_owned() }));
    }
}
