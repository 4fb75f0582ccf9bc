//! Task tokens. A token names one attempt of one task and proves it with a keyed digest under the execution's
//! seed, 256 bits of the system's generator: nobody can make one, and none has to be stored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::data::scope::keyed_digest;

use super::execution::{AttemptId, ExecutionId, RowId};

const ID_BYTES: usize = 16;
const ROW_BYTES: usize = 8;
const ATTEMPT_BYTES: usize = 8;
const PROOF_BYTES: usize = 32;
const NAME_BYTES: usize = ID_BYTES + ROW_BYTES + ATTEMPT_BYTES;

/// What a token names. It is worth nothing before [`TaskToken::is_proved_by`].
#[derive(Clone, PartialEq, Eq)]
pub struct TaskToken {
    pub execution: ExecutionId,
    pub row: RowId,
    pub attempt: AttemptId,
    proof: [u8; PROOF_BYTES],
}

/// A token is a secret, so its proof is never printed.
impl std::fmt::Debug for TaskToken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TaskToken")
            .field("execution", &self.execution)
            .field("row", &self.row)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}

impl TaskToken {
    pub fn new(seed: &[u8; 32], execution: ExecutionId, row: RowId, attempt: AttemptId) -> TaskToken {
        TaskToken {
            execution,
            row,
            attempt,
            proof: keyed_digest(seed, b"task token", &name(execution, row, attempt)),
        }
    }

    /// None if the text cannot be a token.
    pub fn parse(text: &str) -> Option<TaskToken> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let bytes: [u8; NAME_BYTES + PROOF_BYTES] = bytes.try_into().ok()?;
        let (execution, rest) = bytes.split_first_chunk::<ID_BYTES>()?;
        let (row, rest) = rest.split_first_chunk::<ROW_BYTES>()?;
        let (attempt, proof) = rest.split_first_chunk::<ATTEMPT_BYTES>()?;
        Some(TaskToken {
            execution: ExecutionId(u128::from_be_bytes(*execution)),
            row: RowId(u64::from_be_bytes(*row)),
            attempt: AttemptId(u64::from_be_bytes(*attempt)),
            proof: proof.try_into().ok()?,
        })
    }

    /// Whether the token was made under this seed. Takes the same time wherever the proofs differ.
    pub fn is_proved_by(&self, seed: &[u8; 32]) -> bool {
        let right = TaskToken::new(seed, self.execution, self.row, self.attempt);
        self.proof.iter().zip(right.proof).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }

    pub fn to_text(&self) -> String {
        let mut bytes = Vec::with_capacity(NAME_BYTES + PROOF_BYTES);
        bytes.extend(name(self.execution, self.row, self.attempt));
        bytes.extend(self.proof);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

fn name(execution: ExecutionId, row: RowId, attempt: AttemptId) -> [u8; NAME_BYTES] {
    let mut bytes = [0; NAME_BYTES];
    bytes[..ID_BYTES].copy_from_slice(&execution.0.to_be_bytes());
    bytes[ID_BYTES..ID_BYTES + ROW_BYTES].copy_from_slice(&row.0.to_be_bytes());
    bytes[ID_BYTES + ROW_BYTES..].copy_from_slice(&attempt.0.to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_proved_by_its_own_seed_and_attempt_only() {
        let token = TaskToken::new(&[7; 32], ExecutionId(5), RowId(1), AttemptId(3));
        let read = TaskToken::parse(&token.to_text()).unwrap();
        assert_eq!(read, token);
        assert!(read.is_proved_by(&[7; 32]));
        assert!(!read.is_proved_by(&[8; 32]));
        let other_attempt = TaskToken { attempt: AttemptId(4), ..read };
        assert!(!other_attempt.is_proved_by(&[7; 32]));
    }

    #[test]
    fn text_that_is_no_token_is_refused() {
        let token = TaskToken::new(&[7; 32], ExecutionId(5), RowId(1), AttemptId(3)).to_text();
        for text in ["", "abc", "%%%", &token[1..], &format!("{token}AAAA")] {
            assert!(TaskToken::parse(text).is_none(), "{text}");
        }
    }
}
