//! Secrets at rest: sealed under one master key, and what else needs a key of the server's own.
//!
//! The master key is 32 random bytes in the data folder, or comes from the environment. A secret is sealed with
//! XChaCha20-Poly1305 under a key derived for its kind, bound to its name: one that is moved to another name or
//! kind does not open.

use std::fmt;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use engine::{Offline, PutMode, PutSecret, Refusal};
use hkdf::Hkdf;
use sha2::Sha256;
use store::{ReadError, SecretKey, SecretKind, SecretRecord, Store};
use zeroize::Zeroizing;

use crate::secrets::Secrets;

/// The file in the data folder. Who loses it loses what was sealed with it.
const KEY_FILE: &str = "secret.key";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// A sealed secret begins with the version of its form.
const SEALED_VERSION: u8 = 1;
/// The one secret of the kind `Check`, and what it says.
const CHECK_NAME: &str = "vault";
const CHECK_TEXT: &[u8] = b"stepwell";

/// Seals and opens secrets.
pub struct Vault {
    master: Zeroizing<[u8; KEY_BYTES]>,
    /// Where the key came from, for messages.
    source: String,
}

/// Why there is no vault.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the key file {path} cannot be {what}: {source}")]
    File { path: PathBuf, what: &'static str, source: std::io::Error },
    #[error(
        "{place} must hold 64 hexadecimal digits, which are 32 bytes; make one with `openssl rand -hex 32`"
    )]
    Malformed { place: String },
    #[error("{path} can be read by others than its owner; run `chmod 600 {path}`")]
    Exposed { path: PathBuf },
    #[error(
        "{path} is missing, and there are secrets in this data folder that were sealed with the key in it. Put it back, or \
         give its key as STEPWELL_SECRET_KEY; without it they cannot be read"
    )]
    Missing { path: PathBuf },
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    #[error(
        "the secrets in this data folder were sealed with another key than {place} has. Put the old key back; without \
         it they cannot be read"
    )]
    WrongKey { place: String },
    #[error("the store cannot be read: {0}")]
    Read(#[from] ReadError),
    #[error("the store cannot be written: {0}")]
    Write(#[from] Refusal),
}

/// A sealed secret that does not open: it was damaged, moved, or sealed with another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret does not open: it was damaged or sealed with another key")]
pub(crate) struct Unopened;

impl Vault {
    /// Takes the key from `given`, as the environment has it, or else from the data folder, where it is made at
    /// the first start.
    pub fn open(data: &Path, given: Option<&str>) -> Result<Vault, VaultError> {
        if let Some(text) = given {
            return Vault::parse(text, "STEPWELL_SECRET_KEY".to_owned());
        }
        let path = data.join(KEY_FILE);
        let file_error = |what| {
            let path = path.clone();
            move |source| VaultError::File { path, what, source }
        };
        match fs::read_to_string(&path) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                let mode = fs::metadata(&path).map_err(file_error("read"))?.permissions().mode();
                if mode & 0o077 != 0 {
                    return Err(VaultError::Exposed { path });
                }
                Vault::parse(&text, path.display().to_string())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let mut master = Zeroizing::new([0; KEY_BYTES]);
                getrandom::fill(&mut *master).map_err(VaultError::Random)?;
                write_new(data, &path, &Zeroizing::new(hex::encode(*master)))
                    .map_err(file_error("written"))?;
                Ok(Vault { master, source: path.display().to_string() })
            }
            Err(error) => Err(file_error("read")(error)),
        }
    }

    /// The vault of a store on which no engine runs, with the key that the store's secrets were sealed with. For a store
    /// that has secrets no key is made.
    pub(crate) async fn of_store<S: Store>(
        data: &Path,
        given: Option<&str>,
        secrets: &Offline<S>,
    ) -> Result<Vault, VaultError> {
        let path = data.join(KEY_FILE);
        let is_missing =
            given.is_none() && fs::metadata(&path).is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if is_missing && secrets.store().secret(&check_key()).await?.is_some() {
            return Err(VaultError::Missing { path });
        }
        let vault = Vault::open(data, given)?;
        vault.prove(secrets).await?;
        Ok(vault)
    }

    fn parse(text: &str, place: String) -> Result<Vault, VaultError> {
        let mut master = Zeroizing::new([0; KEY_BYTES]);
        match hex::decode_to_slice(text.trim(), &mut *master) {
            Ok(()) => Ok(Vault { master, source: place }),
            Err(_) => Err(VaultError::Malformed { place }),
        }
    }

    /// Makes sure that this key is the one with which the store's secrets were sealed.
    async fn prove<T: Secrets>(&self, secrets: &T) -> Result<(), VaultError> {
        let key = check_key();
        if let Some(found) = secrets.store().secret(&key).await? {
            return match self.unseal(&key, &found) {
                Ok(text) if *text == CHECK_TEXT => Ok(()),
                Ok(_) | Err(Unopened) => Err(VaultError::WrongKey { place: self.source.clone() }),
            };
        }
        let sealed = self.seal(&key, CHECK_TEXT)?;
        Ok(secrets.put(PutSecret { key, mode: PutMode::Create, public: None, sealed }).await?)
    }

    /// A key for one purpose, which tells nothing of the others.
    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        let mut derived = Zeroizing::new([0; KEY_BYTES]);
        Hkdf::<Sha256>::new(None, &*self.master)
            .expand(purpose.as_bytes(), &mut *derived)
            .expect("32 bytes are within what HKDF gives");
        derived
    }

    pub(crate) fn seal(&self, key: &SecretKey, text: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(VaultError::Random)?;
        let payload = Payload { msg: text, aad: key.name.as_bytes() };
        let ciphertext = self
            .cipher(key.kind)
            .encrypt(XNonce::from_slice(&nonce), payload)
            .expect("a secret is shorter than the cipher's limit");
        Ok([&[SEALED_VERSION], nonce.as_slice(), &ciphertext].concat())
    }

    pub(crate) fn unseal(
        &self,
        key: &SecretKey,
        record: &SecretRecord,
    ) -> Result<Zeroizing<Vec<u8>>, Unopened> {
        let sealed = record.sealed.strip_prefix(&[SEALED_VERSION]).ok_or(Unopened)?;
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_BYTES).ok_or(Unopened)?;
        let payload = Payload { msg: ciphertext, aad: key.name.as_bytes() };
        let text = self.cipher(key.kind).decrypt(XNonce::from_slice(nonce), payload).map_err(|_| Unopened)?;
        Ok(Zeroizing::new(text))
    }

    fn cipher(&self, kind: SecretKind) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.derive(&format!("secret {}", kind.number()))).into())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Vault").finish_non_exhaustive()
    }
}

fn check_key() -> SecretKey {
    SecretKey { kind: SecretKind::Check, name: CHECK_NAME.into() }
}

/// Whole or not at all, and on the disk before anything is sealed with it.
fn write_new(data: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("key.new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    fs::File::open(data)?.sync_all()
}

#[cfg(test)]
mod tests {
    use asl::Timestamp;
    use store::MemoryStore;

    use super::*;

    const GIVEN: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn vault() -> Vault {
        Vault::open(Path::new("/nowhere"), Some(GIVEN)).unwrap()
    }

    fn key(kind: SecretKind, name: &str) -> SecretKey {
        SecretKey { kind, name: name.into() }
    }

    fn record(sealed: Vec<u8>) -> SecretRecord {
        let at = Timestamp::from_milliseconds(0);
        SecretRecord { created_at: at, updated_at: at, public: None, sealed }
    }

    #[test]
    fn a_secret_opens_under_its_own_name_only() {
        let vault = vault();
        let bank = key(SecretKind::Connection, "bank");
        let sealed = record(vault.seal(&bank, b"hunter2").unwrap());
        assert_eq!(**vault.unseal(&bank, &sealed).unwrap(), *b"hunter2");
        for other in [key(SecretKind::Connection, "bink"), key(SecretKind::ModuleSecret, "bank")] {
            assert_eq!(vault.unseal(&other, &sealed), Err(Unopened), "{other:?}");
        }
        let other_vault = Vault::open(Path::new("/nowhere"), Some(&GIVEN.replace('0', "1"))).unwrap();
        assert_eq!(other_vault.unseal(&bank, &sealed), Err(Unopened));
    }

    #[test]
    fn a_damaged_secret_does_not_open() {
        let vault = vault();
        let bank = key(SecretKind::Connection, "bank");
        let sealed = vault.seal(&bank, b"hunter2").unwrap();
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        for index in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[index] ^= 1;
            assert_eq!(vault.unseal(&bank, &record(damaged)), Err(Unopened), "byte {index}");
            assert_eq!(vault.unseal(&bank, &record(sealed[..index].to_vec())), Err(Unopened));
        }
        assert_ne!(vault.seal(&bank, b"hunter2").unwrap(), sealed, "a nonce is used once");
    }

    #[test]
    fn the_key_is_made_once_and_is_its_owners() {
        let folder = tempfile::tempdir().unwrap();
        let made = Vault::open(folder.path(), None).unwrap();
        let path = folder.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Vault::open(folder.path(), None).unwrap().master, made.master);
        assert_ne!(made.derive("links"), made.derive("other"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Vault::open(folder.path(), None).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_that_is_none_is_refused() {
        let error = Vault::open(Path::new("/nowhere"), Some("short")).unwrap_err().to_string();
        assert!(error.starts_with("STEPWELL_SECRET_KEY must hold 64 hexadecimal digits"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        write_new(folder.path(), &path, "zz").unwrap();
        let error = Vault::open(folder.path(), None).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
    }

    #[tokio::test]
    async fn another_key_than_the_stores_is_refused() {
        let secrets = Offline::new(MemoryStore::new(1));
        let open = |given| Vault::of_store(Path::new("/nowhere"), given, &secrets);
        open(Some(GIVEN)).await.unwrap();
        open(Some(GIVEN)).await.unwrap();
        let error = open(Some(&GIVEN.replace('0', "1"))).await.unwrap_err();
        assert!(matches!(error, VaultError::WrongKey { .. }), "{error}");
        assert!(error.to_string().contains("STEPWELL_SECRET_KEY"), "{error}");
    }

    #[tokio::test]
    async fn no_key_is_made_for_a_store_that_has_lost_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = Offline::new(MemoryStore::new(1));
        let made = Vault::of_store(folder.path(), None, &secrets).await.unwrap();
        let path = folder.path().join(KEY_FILE);
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let error = Vault::of_store(folder.path(), None, &secrets).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("{} is missing", path.display())), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        // The key may come from elsewhere now.
        let given = Vault::of_store(folder.path(), Some(text.trim()), &secrets).await.unwrap();
        assert_eq!(given.master, made.master);
    }

    #[test]
    fn a_vault_does_not_show_its_key() {
        assert_eq!(format!("{:?}", vault()), "Vault { .. }");
    }
}
