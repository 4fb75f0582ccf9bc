//! Where secrets are kept: with an engine that runs, or in a store on which none does.

use engine::{Handle, Offline, PutSecret, Refusal};
use store::{SecretKey, Store};

/// Reads and changes sealed secrets.
pub(crate) trait Secrets: Sync {
    type Store: Store;

    fn store(&self) -> &Self::Store;

    fn put(&self, request: PutSecret) -> impl Future<Output = Result<(), Refusal>> + Send;

    fn delete(&self, key: SecretKey) -> impl Future<Output = Result<(), Refusal>> + Send;
}

impl<S: Store + Clone> Secrets for Handle<S> {
    type Store = S;

    fn store(&self) -> &S {
        Handle::store(self)
    }

    async fn put(&self, request: PutSecret) -> Result<(), Refusal> {
        self.put_secret(request).await
    }

    async fn delete(&self, key: SecretKey) -> Result<(), Refusal> {
        self.delete_secret(key).await
    }
}

impl<S: Store> Secrets for Offline<S> {
    type Store = S;

    fn store(&self) -> &S {
        Offline::store(self)
    }

    async fn put(&self, request: PutSecret) -> Result<(), Refusal> {
        self.put_secret(request).await
    }

    async fn delete(&self, key: SecretKey) -> Result<(), Refusal> {
        self.delete_secret(key).await
    }
}
