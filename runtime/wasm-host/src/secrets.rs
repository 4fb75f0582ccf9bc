//! Secrets by name, as a guest asks for them. Who keeps them is no affair of this crate.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::denials::Denials;

/// Ours: the name of a secret.
pub const SECRET_NAME_CHARACTERS_MAX: usize = 128;
/// AWS Secrets Manager: a secret has at most 65,536 bytes.
pub const SECRET_BYTES_MAX: usize = 65_536;
/// What a name of a secret is, for whoever wrote one that is not.
pub const NAME_RULE: &str =
    "the name of a secret has 1 to 128 letters, digits, hyphens, underscores and points";

pub fn is_valid_name(name: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=SECRET_NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(is_fine)
}

/// The value of a secret, wiped from memory after its use.
pub type Secret = Zeroizing<String>;

/// What [`SecretSource::get`] answers with; none if there is no such secret.
pub type SecretFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Secret>, SecretDenial>> + Send + 'a>>;

/// Has the values of secrets for one module.
pub trait SecretSource: Send + Sync {
    fn get<'a>(&'a self, name: &'a str) -> SecretFuture<'a>;
}

/// Why a secret that is granted by name is not handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretDenial {
    /// It is not for this module; the text says what would change that.
    NotForModule(String),
    Unavailable,
}

/// Why a guest gets no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NotGranted,
    Missing,
    Unavailable,
}

/// The secrets of one call.
pub(crate) struct GuestSecrets {
    pub(crate) granted: BTreeSet<String>,
    pub(crate) source: Option<Arc<dyn SecretSource>>,
    pub(crate) denials: Denials,
}

impl GuestSecrets {
    pub(crate) async fn get(&self, name: &str) -> Result<Secret, Refused> {
        if !self.granted.contains(name) {
            // What is no name may be anything, a value that was mistaken for one included.
            let shown = if is_valid_name(name) { name } else { "?" };
            self.denials.note(format!("the secret '{shown}': it needs grants.secrets = [\"{shown}\"]"));
            return Err(Refused::NotGranted);
        }
        let Some(source) = &self.source else { return Err(Refused::Missing) };
        match source.get(name).await {
            Ok(Some(secret)) => Ok(secret),
            Ok(None) => {
                let command = format!("stepwell secret put {name}");
                self.denials.note(format!("the secret '{name}': there is none; `{command}` makes it"));
                Err(Refused::Missing)
            }
            Err(SecretDenial::NotForModule(how)) => {
                self.denials.note(format!("the secret '{name}': {how}"));
                Err(Refused::NotGranted)
            }
            Err(SecretDenial::Unavailable) => Err(Refused::Unavailable),
        }
    }
}

impl fmt::Debug for GuestSecrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GuestSecrets").field("granted", &self.granted).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_words() {
        for name in ["payment-key", "a", "A_b.2", &"a".repeat(128)] {
            assert!(is_valid_name(name), "{name}");
        }
        for name in ["", "a b", "a/b", "ä", "a\n", &"a".repeat(129)] {
            assert!(!is_valid_name(name), "{name}");
        }
    }
}
