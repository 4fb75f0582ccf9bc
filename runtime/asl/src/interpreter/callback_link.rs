//! Callback links: what a person follows to answer a task, in place of its token. Ours; AWS has none.
//!
//! A link names one attempt and what its holder may say, and proves both with a keyed digest under a key of the
//! server. It is no task token and none can be made of it: its holder can say what it was made for and nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::data::scope::keyed_digest;
use crate::data::text::Text;
use crate::data::timestamp::Timestamp;

use super::execution::{AttemptId, ExecutionId, RowId};

/// Where links lead, below the server's address.
pub const CALLBACK_PATH: &str = "/callbacks/";

const VERSION: u8 = 1;
const PROOF_BYTES: usize = 32;
/// Version, use, execution, row, attempt, number and expiry.
const NAME_BYTES: usize = 1 + 1 + 16 + 8 + 8 + 8 + 8;

/// What the holder of a link may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkUse {
    Approve,
    Reject,
    /// Either of them.
    Answer,
}

impl LinkUse {
    const ALL: [LinkUse; 3] = [LinkUse::Approve, LinkUse::Reject, LinkUse::Answer];

    fn number(self) -> u8 {
        match self {
            LinkUse::Approve => 1,
            LinkUse::Reject => 2,
            LinkUse::Answer => 3,
        }
    }
}

/// What a link says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbackLink {
    pub execution: ExecutionId,
    pub row: RowId,
    pub attempt: AttemptId,
    /// Which of the requests for this attempt; 0 is the one of the state itself.
    pub number: u64,
    pub uses: LinkUse,
    pub expires_at: Timestamp,
}

impl CallbackLink {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(NAME_BYTES + PROOF_BYTES);
        bytes.extend([VERSION, self.uses.number()]);
        bytes.extend(self.execution.0.to_be_bytes());
        bytes.extend(self.row.0.to_be_bytes());
        bytes.extend(self.attempt.0.to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.expires_at.as_milliseconds().to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; NAME_BYTES]) -> Option<CallbackLink> {
        let (head, rest) = bytes.split_first_chunk::<2>()?;
        let (execution, rest) = rest.split_first_chunk::<16>()?;
        let (row, rest) = rest.split_first_chunk::<8>()?;
        let (attempt, rest) = rest.split_first_chunk::<8>()?;
        let (number, expires_at) = rest.split_first_chunk::<8>()?;
        if head[0] != VERSION {
            return None;
        }
        Some(CallbackLink {
            execution: ExecutionId(u128::from_be_bytes(*execution)),
            row: RowId(u64::from_be_bytes(*row)),
            attempt: AttemptId(u64::from_be_bytes(*attempt)),
            number: u64::from_be_bytes(*number),
            uses: LinkUse::ALL.into_iter().find(|uses| uses.number() == head[1])?,
            expires_at: Timestamp::from_milliseconds(i64::from_be_bytes(expires_at.try_into().ok()?)),
        })
    }
}

/// Makes links and reads them: the server's key for them, and its address as people reach it.
#[derive(Clone)]
pub struct LinkMaker {
    key: [u8; 32],
    /// Without a slash at its end.
    address: Text,
}

/// The key is a secret.
impl std::fmt::Debug for LinkMaker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LinkMaker").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The URLs of one request.
#[derive(Clone, PartialEq, Eq)]
pub struct CallbackUrls {
    pub approve: String,
    pub reject: String,
    pub answer: String,
    pub expires_at: Timestamp,
}

/// Whoever has a link can answer.
impl std::fmt::Debug for CallbackUrls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("CallbackUrls").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl LinkMaker {
    pub fn new(key: [u8; 32], address: &str) -> LinkMaker {
        LinkMaker { key, address: address.trim_end_matches('/').into() }
    }

    /// The three links of a request; that of `link` says which request.
    pub fn urls(&self, link: CallbackLink) -> CallbackUrls {
        let url =
            |uses| format!("{}{CALLBACK_PATH}{}", self.address, self.text(CallbackLink { uses, ..link }));
        CallbackUrls {
            approve: url(LinkUse::Approve),
            reject: url(LinkUse::Reject),
            answer: url(LinkUse::Answer),
            expires_at: link.expires_at,
        }
    }

    fn text(&self, link: CallbackLink) -> String {
        let mut bytes = link.to_bytes();
        bytes.extend(self.proof(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What the last part of a link's path says; none unless it was made under this key. That it has expired is for
    /// the caller to see.
    pub fn read(&self, text: &str) -> Option<CallbackLink> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (name, proof) = bytes.split_first_chunk::<NAME_BYTES>()?;
        let right = self.proof(name);
        // Takes the same time wherever the proofs differ.
        let is_right = proof.len() == PROOF_BYTES
            && proof.iter().zip(right).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0;
        if is_right { CallbackLink::from_bytes(name) } else { None }
    }

    fn proof(&self, name: &[u8]) -> [u8; PROOF_BYTES] {
        keyed_digest(&self.key, b"callback link", name)
    }
}

impl CallbackUrls {
    /// As the context object has them: `$$.Task.CallbackLinks`.
    pub(super) fn to_context(&self) -> Value {
        json!({
            "ApproveUrl": self.approve, "RejectUrl": self.reject, "AnswerUrl": self.answer,
            "ExpiresAt": self.expires_at.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: CallbackLink = CallbackLink {
        execution: ExecutionId(5),
        row: RowId(1),
        attempt: AttemptId(3),
        number: 4,
        uses: LinkUse::Approve,
        expires_at: Timestamp::from_milliseconds(1_700_000_000_123),
    };

    #[test]
    fn a_link_is_proved_by_its_own_key_only() {
        let maker = LinkMaker::new([7; 32], "https://flows.example/");
        let urls = maker.urls(LINK);
        let part = |url: &str| url.strip_prefix("https://flows.example/callbacks/").unwrap().to_owned();
        assert_eq!(maker.read(&part(&urls.approve)), Some(LINK));
        assert_eq!(maker.read(&part(&urls.reject)), Some(CallbackLink { uses: LinkUse::Reject, ..LINK }));
        assert_eq!(maker.read(&part(&urls.answer)), Some(CallbackLink { uses: LinkUse::Answer, ..LINK }));
        assert_eq!(LinkMaker::new([8; 32], "").read(&part(&urls.approve)), None);
        assert_eq!(part(&urls.approve).len(), 110);
    }

    #[test]
    fn no_byte_of_a_link_can_be_changed() {
        let maker = LinkMaker::new([7; 32], "");
        let bytes = URL_SAFE_NO_PAD.decode(maker.text(LINK)).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(maker.read(&URL_SAFE_NO_PAD.encode(&changed)), None, "byte {at}");
            assert_eq!(maker.read(&URL_SAFE_NO_PAD.encode(&bytes[..at])), None, "cut to {at}");
        }
        for text in ["", "%%%", "favicon.ico", &format!("{}AAAA", maker.text(LINK))] {
            assert_eq!(maker.read(text), None, "{text}");
        }
    }

    #[test]
    fn neither_key_nor_links_are_printed() {
        let maker = LinkMaker::new([7; 32], "https://flows.example");
        assert_eq!(format!("{maker:?}"), r#"LinkMaker { address: "https://flows.example", .. }"#);
        let printed = format!("{:?}", maker.urls(LINK));
        assert!(!printed.contains("callbacks"), "{printed}");
    }
}
