//! What people were asked through callback links, and what they said.

use asl::Timestamp;
use asl::interpreter::{CallbackRequest, Decision};
use minicbor::{Decode, Encode};

use crate::codec::record_version_1;

/// The answer to an attempt that came by a link. What else was said is in the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CallbackAnswered {
    #[n(0)]
    pub decision: Decision,
    #[n(1)]
    pub at: Timestamp,
}

record_version_1!(CallbackRequest, CallbackAnswered);
